//! One look at a cluster, with the rights of whoever asks: for commands that look and end. What could not be seen is
//! said, and what depends on it is not made up.

mod around;
mod lost;
mod presume;
mod recorded;
mod sight;

use std::collections::BTreeMap;

use daemun_base::clock;
use daemun_model::names::ObjectRef;
use daemun_translate::{Cluster, Home, Outcome, Settings, translate};
use kube::Client;

pub use around::Around;
pub use recorded::{Recorded, Said};
pub use sight::presume_classes;

use sight::Sight;

/// Where to look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The `controllerName` of the GatewayClasses that count.
    pub controller: String,
    /// The namespace that the question is about; none for all.
    pub namespace: Option<String>,
}

/// What was seen of a cluster, and what follows from it.
#[derive(Clone, Debug, Default)]
pub struct Glimpse {
    /// The objects.
    pub cluster: Cluster,
    /// What follows from them.
    pub outcome: Outcome,
    /// What could not be seen, each as a sentence.
    pub unseen: Vec<String>,
    /// What the controller wrote into the status of Routes.
    pub recorded: BTreeMap<ObjectRef, Vec<Recorded>>,
    /// Whether Gateways of all namespaces were seen.
    pub all_gateways: bool,
    /// Else the namespace of which they were seen.
    pub gateways_of: Option<String>,
}

impl Glimpse {
    /// Looks.
    ///
    /// # Errors
    /// A sentence: the API server does not answer.
    pub async fn of(client: &Client, scope: &Scope) -> Result<Self, String> {
        let settings = Settings {
            controller: scope.controller.clone(),
            home: Home::Kubernetes,
            ..Settings::default()
        };
        let mut sight = Sight::new(client, settings, scope.namespace.as_deref());
        sight.look().await?;
        let mut outcome;
        // What is referred to by what was read last is read in turn.
        loop {
            sight.cluster.now = clock::unix_seconds();
            outcome = translate(&sight.cluster);
            if !sight.read_wanted(&outcome.wanted).await? {
                break;
            }
        }
        let unseen = sight.unseen();
        let gateways_of = sight.gateways_of();
        let Sight {
            cluster,
            statuses,
            all_gateways,
            ..
        } = sight;
        Ok(Self {
            cluster,
            outcome,
            unseen,
            recorded: recorded::read(&statuses, &scope.controller),
            all_gateways,
            gateways_of,
        })
    }
}
