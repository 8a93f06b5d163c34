//! The controller in Kubernetes: watches, translates, publishes to proxies, and says in the objects what became of them.
//!
//! Every replica watches, translates and publishes; one of them, the leader, writes.

mod access;
mod pace;
mod run;
mod said;
mod surround;

use std::sync::Arc;

use daemun_base::readiness::Readiness;
use daemun_base::tasks::Tasks;
use daemun_translate::{Home, Settings as TranslateSettings};
use daemun_wire::server::Publisher;
use kube::Client;
use tokio::sync::{mpsc, watch};

use crate::provision;
use crate::source::kubernetes as source;
use crate::status::{News, Teller};

pub use access::Access;

use run::Run;
use surround::Inputs;

/// What a controller in Kubernetes is told when it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The `controllerName` of the GatewayClasses that are served.
    pub controller: String,
    /// The namespaces that are watched; none means all.
    pub namespaces: Vec<String>,
}

/// What the controller works with, and what it does not make itself.
pub struct Parts {
    /// The API server.
    pub client: Client,
    /// Where proxies get their configuration.
    pub publisher: Publisher,
    /// Whether this replica leads.
    pub leads: watch::Receiver<bool>,
    /// The certificates by which proxies know the controller.
    pub authorities: watch::Receiver<Option<Arc<str>>>,
    /// What is made around Gateways.
    pub provisioner: provision::Handle,
}

/// Starts the controller: it runs until the tasks are aborted.
///
/// # Panics
/// Outside a runtime.
pub fn start(parts: Parts, settings: &Settings, readiness: &Readiness, tasks: &Tasks) {
    let Parts {
        client,
        publisher,
        leads,
        authorities,
        provisioner,
    } = parts;
    let Settings {
        controller,
        namespaces,
    } = settings;
    let translate = TranslateSettings {
        controller: controller.clone(),
        home: Home::Kubernetes,
    };
    let (held, watches) = source::start(&client, translate, namespaces, tasks);
    let (told, news) = mpsc::unbounded_channel();
    let (surroundings, inputs) = watch::channel(None);
    let inputs = Inputs {
        surroundings: inputs,
        authorities,
        leads: leads.clone(),
    };
    let provision::Handle {
        want,
        provisioned,
        accounts: _,
    } = provisioner;
    tasks.spawn(surround::hand_on(inputs, want));
    let teller = Teller::new(client.clone(), controller, leads);
    tasks.spawn(teller.run(News {
        told: news,
        proxies: publisher.proxies(),
        places: provisioned,
    }));
    let run = Run {
        client,
        held,
        watches,
        publisher,
        told,
        surroundings,
        readiness: readiness.clone(),
    };
    tasks.spawn(run.run());
}
