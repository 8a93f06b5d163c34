//! Gateway API objects in, model and verdicts out; one pure function.
//!
//! [`translate`] reads everything the cluster says ([`Cluster`]) and gives what proxies must do and what
//! owners must be told ([`Outcome`]). It has no clock, no I/O and no randomness: the same objects give the
//! same outcome. A [`Translator`] remembers the last outcome, so that what did not change is the same
//! `Arc`, and one changed route among thousands costs the work of one route.

mod attach;
mod backends;
mod blame;
mod changes;
pub mod cluster;
mod conflicts;
mod credentials;
mod destination;
mod emit;
mod endpoints;
pub mod exposure;
pub mod features;
mod filter;
pub mod infrastructure;
mod lately;
mod listener;
mod memo;
pub mod nearest;
mod notes;
mod policies;
mod policy;
mod read;
mod refs;
mod standing;
mod status;
mod surroundings;
mod tls;
mod translator;
mod value;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use daemun_model::names::ObjectName;
use daemun_model::{Configuration, Verdicts};

pub use cluster::{Cluster, Home, Objects, Settings};
pub use infrastructure::Infrastructure;
pub use memo::Wanted;
pub use translator::Translator;
pub use verdict::NO_READY_ENDPOINT;

/// What follows from a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What proxies must do.
    pub configuration: Configuration,
    /// What owners must be told: one verdict for each object that is ours to judge. GatewayClasses, Gateways by
    /// age with their ListenerSets, Backends and policies, Routes by name.
    pub verdicts: Verdicts,
    /// What must be around each Gateway of ours, in Kubernetes; on a host nothing is.
    pub infrastructure: BTreeMap<ObjectName, Arc<Infrastructure>>,
    /// Secrets and ConfigMaps that objects refer to, whether they are there or not.
    pub wanted: Arc<Wanted>,
    /// The names that load balancers show instead of addresses, which are to be looked up
    /// ([`Cluster::resolved`]).
    pub names: Arc<BTreeSet<String>>,
}

/// Translates a cluster once.
pub fn translate(cluster: &Cluster) -> Outcome {
    Translator::default().translate(cluster)
}
