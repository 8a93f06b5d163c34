//! The makers of load balancers that are known: one small file of data each, and how they are recognised.
//!
//! A file says only what its evidence says; what is not known is said as not known (`Way::NotKnown`), and whoever
//! reads the data then does the careful thing. Nothing is decided here.

mod aks;
mod alibaba;
mod automatic;
mod aws;
mod cilium;
mod digitalocean;
mod gate;
mod generic;
mod gke;
mod hetzner;
mod huawei;
mod ibm;
mod k3s;
mod kind;
mod kubevip;
mod linode;
mod metallb;
mod naver;
mod nhn;
mod oci;
mod openstack;
mod ovh;
mod rules;
mod scaleway;
mod tencent;
mod vultr;

pub use automatic::{Automatic, automatic, beginning, rules_named};
pub use gate::Gate;
pub use rules::{
    Aspect, Change, ClassRule, Classes, ClientAddress, Evidence, EvidenceKind, FixedAddress,
    HealthDefaults, HealthKey, HealthPart, Key, Known, Place, ProxyNeeds, ProxyProtocol,
    ProxyVersion, RangesPlace, Rules, Shows, SourceRanges, Switch, Takes, Terminates, Unit, Unsaid,
    Value, Way, listener_key, matches,
};

/// What comes through on a live Service with the service controller that most clouds share: it looks again when any
/// of these changes.
const COMMON: &[Aspect] = &[Aspect::SourceRanges, Aspect::Annotation];

/// A maker of load balancers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// NHN Cloud's NKS.
    Nhn,
    /// NAVER Cloud's NKS.
    Naver,
    /// OpenStack's cloud controller manager with Octavia.
    OpenStack,
    /// Amazon, by either of its controllers.
    Aws,
    /// Google's GKE.
    Gke,
    /// Azure's AKS.
    Aks,
    /// Oracle's cloud.
    Oci,
    /// Alibaba's ACK.
    Alibaba,
    /// Tencent's TKE.
    Tencent,
    /// Huawei's CCE.
    Huawei,
    /// IBM's cloud.
    Ibm,
    /// DigitalOcean.
    DigitalOcean,
    /// Linode (Akamai).
    Linode,
    /// Vultr.
    Vultr,
    /// Hetzner.
    Hetzner,
    /// Scaleway.
    Scaleway,
    /// OVH's managed Kubernetes.
    Ovh,
    /// MetalLB: a pool of addresses.
    MetalLb,
    /// kube-vip: ranges of addresses.
    KubeVip,
    /// Cilium's LB-IPAM: pools of addresses.
    Cilium,
    /// K3s' ServiceLB: the nodes' addresses.
    K3s,
    /// cloud-provider-kind.
    Kind,
    /// One that nothing is known about.
    Generic,
}

impl Provider {
    /// All of them, as tables have them.
    pub const ALL: &[Self] = &[
        Self::Nhn,
        Self::Naver,
        Self::OpenStack,
        Self::Aws,
        Self::Gke,
        Self::Aks,
        Self::Oci,
        Self::Alibaba,
        Self::Tencent,
        Self::Huawei,
        Self::Ibm,
        Self::DigitalOcean,
        Self::Linode,
        Self::Vultr,
        Self::Hetzner,
        Self::Scaleway,
        Self::Ovh,
        Self::MetalLb,
        Self::KubeVip,
        Self::Cilium,
        Self::K3s,
        Self::Kind,
        Self::Generic,
    ];

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
        Provider::Naver => &naver::RULES,
        Provider::OpenStack => &openstack::RULES,
        Provider::Aws => &aws::RULES,
        Provider::Gke => &gke::RULES,
        Provider::Aks => &aks::RULES,
        Provider::Oci => &oci::RULES,
        Provider::Alibaba => &alibaba::RULES,
        Provider::Tencent => &tencent::RULES,
        Provider::Huawei => &huawei::RULES,
        Provider::Ibm => &ibm::RULES,
        Provider::DigitalOcean => &digitalocean::RULES,
        Provider::Linode => &linode::RULES,
        Provider::Vultr => &vultr::RULES,
        Provider::Hetzner => &hetzner::RULES,
        Provider::Scaleway => &scaleway::RULES,
        Provider::Ovh => &ovh::RULES,
        Provider::MetalLb => &metallb::RULES,
        Provider::KubeVip => &kubevip::RULES,
        Provider::Cilium => &cilium::RULES,
        Provider::K3s => &k3s::RULES,
        Provider::Kind => &kind::RULES,
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
