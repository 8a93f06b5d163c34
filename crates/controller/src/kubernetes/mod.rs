//! The controller in Kubernetes: watches, translates, publishes to proxies, and says in the objects what became of them.
//!
//! Every replica watches, translates and publishes; one of them, the leader, writes.

mod access;
mod pace;
mod run;
mod said;

use daemun_base::readiness::Readiness;
use daemun_base::tasks::Tasks;
use daemun_translate::{Home, Settings as TranslateSettings};
use daemun_wire::server::Publisher;
use kube::Client;
use tokio::sync::{mpsc, watch};

use crate::source::kubernetes as source;
use crate::status::{News, Teller};

pub use access::Access;

use run::Run;

/// What a controller in Kubernetes is told when it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The `controllerName` of the GatewayClasses that are served.
    pub controller: String,
    /// The namespaces that are watched; none means all.
    pub namespaces: Vec<String>,
}

/// Starts the controller: it runs until the tasks are aborted.
///
/// # Panics
/// Outside a runtime.
pub fn start(
    client: &Client,
    settings: &Settings,
    publisher: &Publisher,
    readiness: &Readiness,
    tasks: &Tasks,
) {
    let Settings {
        controller,
        namespaces,
    } = settings;
    let translate = TranslateSettings {
        controller: controller.clone(),
        home: Home::Kubernetes,
    };
    let (held, watches) = source::start(client, translate, namespaces, tasks);
    let (told, news) = mpsc::unbounded_channel();
    let run = Run {
        client: client.clone(),
        held,
        watches,
        publisher: publisher.clone(),
        told,
        readiness: readiness.clone(),
    };
    tasks.spawn(run.run());
    let (_, leads) = watch::channel(true);
    let (_, places) = watch::channel(std::sync::Arc::default());
    let teller = Teller::new(client.clone(), controller, leads);
    tasks.spawn(teller.run(News {
        told: news,
        proxies: publisher.proxies(),
        places,
    }));
}
