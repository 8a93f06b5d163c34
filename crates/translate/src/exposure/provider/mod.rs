//! The makers of load balancers that are known: one small file of data each, and how they are recognised.
//!
//! A file says only what its evidence says; what is not known is said as not known (`Way::NotKnown`), and whoever
//! reads the data then does the careful thing. Nothing is decided here.

mod automatic;
mod generic;
mod nhn;
mod openstack;
mod rules;

pub use automatic::{Automatic, automatic};
pub use rules::{
    Aspect, Change, ClassRule, Classes, ClientAddress, Evidence, EvidenceKind, FixedAddress,
    HealthDefaults, HealthKey, HealthPart, Key, Known, Place, ProxyProtocol, ProxyVersion,
    RangesPlace, Rules, Shows, SourceRanges, Switch, Takes, Unit, Unsaid, Value, Way, listener_key,
    matches,
};

/// A maker of load balancers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// NHN Cloud's NKS.
    Nhn,
    /// OpenStack's cloud controller manager with Octavia.
    OpenStack,
    /// One that nothing is known about.
    Generic,
}

impl Provider {
    /// All of them, as tables have them.
    pub const ALL: &[Self] = &[Self::Nhn, Self::OpenStack, Self::Generic];

    /// Its name, as in GatewayParameters.
    pub fn name(self) -> &'static str {
        rules(self).name
    }

    /// The one of a name, spelled exactly so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|provider| provider.name() == name)
    }
}

/// What is known about a provider.
pub fn rules(provider: Provider) -> &'static Rules {
    match provider {
        Provider::Nhn => &nhn::RULES,
        Provider::OpenStack => &openstack::RULES,
        Provider::Generic => &generic::RULES,
    }
}

/// The providers that a node's `spec.providerID` may belong to: several may share a beginning, and none means that
/// no file knows it.
pub fn of_node(provider_id: &str) -> Vec<Provider> {
    let has = |provider: &Provider| {
        let prefixes = rules(*provider).node_prefixes;
        prefixes.iter().any(|start| provider_id.starts_with(start))
    };
    Provider::ALL.iter().copied().filter(has).collect()
}

#[cfg(test)]
mod tests;
