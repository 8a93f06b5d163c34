//! The controller in Kubernetes: watches, translates, publishes to proxies, makes what Gateways need around them, and says
//! in the objects what became of them.
//!
//! Every replica watches, translates and publishes; one of them, the leader, makes and writes.

mod access;
mod definitions;
mod own;
mod pace;
mod run;
mod said;
mod surround;
mod version;

use std::collections::BTreeMap;
use std::sync::Arc;

use daemun_base::readiness::Readiness;
use daemun_base::tasks::Tasks;
use daemun_translate::{Home, Settings as TranslateSettings};
use daemun_wire::server::Publisher;
use ipnet::IpNet;
use kube::Client;
use tokio::sync::{mpsc, watch};

pub use access::Access;
pub use definitions::{Definition, definitions};
pub use version::OLDEST;

pub use crate::source::kubernetes::plural;
pub use daemun_translate::cluster::CONTROLLER;

use crate::events::Events;
use crate::exposure::resolve::Pauses;
use crate::exposure::{Lookup, resolve};
use crate::leader::{Leader, Resign};
use crate::metrics::Metrics;
use crate::provision;
use crate::source::kubernetes as source;
use crate::status::{News, Teller};
use run::Run;
use surround::Inputs;

/// What a controller in Kubernetes is told when it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The `controllerName` of the GatewayClasses that are served.
    pub controller: String,
    /// The controller's own namespace.
    pub namespace: String,
    /// A name that no other replica has: its pod's.
    pub identity: String,
    /// The namespaces that are watched; none means all.
    pub namespaces: Vec<String>,
    /// Addresses that count as private whatever their range.
    pub private_ranges: Vec<IpNet>,
    /// Addresses that count as public whatever their range.
    pub public_ranges: Vec<IpNet>,
}

/// What the controller works with.
pub struct Parts<'a> {
    /// The way to the API server.
    pub client: &'a Client,
    /// To proxies.
    pub publisher: &'a Publisher,
    /// The authorities by which proxies know the controller; none as long as there are none.
    pub authorities: watch::Receiver<Option<Arc<str>>>,
    /// Looks up the names that load balancers show.
    pub lookup: Lookup,
    /// What is made around Gateways.
    pub provision: provision::Handle,
    /// Whether the process may get traffic.
    pub readiness: &'a Readiness,
    /// What the controller counts.
    pub metrics: &'a Arc<Metrics>,
    /// Where all of it runs.
    pub tasks: &'a Tasks,
}

/// A controller at work.
#[derive(Debug)]
pub struct Running {
    resign: Resign,
}

impl Running {
    /// Gives up the lead, so that another replica has it at once.
    pub async fn resign(&self) {
        self.resign.now().await;
    }
}

/// Starts the controller: it runs until the tasks are aborted.
///
/// # Panics
/// Outside a runtime.
pub fn start(settings: &Settings, parts: Parts<'_>) -> Running {
    let Settings {
        controller,
        namespace,
        identity,
        namespaces,
        private_ranges,
        public_ranges,
    } = settings;
    let Parts {
        client,
        publisher,
        authorities,
        lookup,
        provision,
        readiness,
        metrics,
        tasks,
    } = parts;
    tasks.spawn(version::tell(client.clone()));
    let (claims, claimed) = watch::channel(None);
    let lease = (namespace.as_str(), lease_name(controller));
    let (leader, leads) = Leader::new(client, lease, identity, claimed);
    let resign = Resign::default();
    tasks.spawn(leader.run(resign.clone()));

    let translate = TranslateSettings {
        controller: controller.clone(),
        home: Home::Kubernetes,
        private_ranges: private_ranges.clone(),
        public_ranges: public_ranges.clone(),
        provider: None,
    };
    let (held, watches) = source::start(client, translate, (namespaces, namespace), tasks);
    let (told, news) = mpsc::unbounded_channel();
    let (surroundings, inputs) = watch::channel(None);
    let inputs = Inputs {
        surroundings: inputs,
        authorities,
        leads: leads.clone(),
    };
    tasks.spawn(surround::hand_on(inputs, provision.want));
    let (names, wanted) = watch::channel(Arc::default());
    let (found, resolved) = watch::channel(BTreeMap::new());
    tasks.spawn(resolve::run(lookup, Pauses::default(), wanted, found));
    let run = Run {
        names,
        resolved,
        client: client.clone(),
        held,
        watches,
        publisher: publisher.clone(),
        told,
        readiness: readiness.clone(),
        metrics: Arc::clone(metrics),
        surroundings,
        claims,
        home: namespace.clone(),
    };
    tasks.spawn(run.run());
    let events = Events::start(client.clone(), (controller, identity), namespaces, tasks);
    let names = (controller.as_str(), namespace.as_str());
    let teller = Teller::new(client.clone(), names, leads, events, Arc::clone(metrics));
    tasks.spawn(teller.run(News {
        told: news,
        proxies: publisher.proxies(),
        places: provision.provisioned,
    }));
    Running { resign }
}

/// Controllers of different names do not keep each other from leading.
fn lease_name(controller: &str) -> String {
    if controller == CONTROLLER {
        return "daemun-controller".to_owned();
    }
    let word = |character: char| match character {
        'a'..='z' | '0'..='9' => character,
        other if other.is_ascii_uppercase() => other.to_ascii_lowercase(),
        _ => '-',
    };
    let name: String = controller.chars().map(word).take(200).collect();
    format!("daemun-{}", name.trim_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::{CONTROLLER, lease_name};

    #[test]
    fn a_lease_is_named_for_the_controller() {
        assert_eq!(lease_name(CONTROLLER), "daemun-controller");
        assert_eq!(
            lease_name("example.com/My_own/"),
            "daemun-example-com-my-own"
        );
    }
}
