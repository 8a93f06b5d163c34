//! The clouds that can be played: what each makes of a Service.
//!
//! Written from what the clouds' documents and sources say, and never from the product's data about them, so that the
//! two can be compared: a key that is wrong there gives a public address here. Reading is pure; addresses are given
//! elsewhere.

mod aks;
mod alibaba;
mod aws;
mod cilium;
mod digitalocean;
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
mod scaleway;
mod tencent;
mod vultr;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt as _;

/// A cloud, as it is played.
#[derive(Clone, Copy, Debug)]
pub struct Cloud {
    /// Its name, as it is asked for.
    pub name: &'static str,
    /// The classes that are its own; without a class every Service is.
    pub classes: &'static [&'static str],
    /// What it makes of a Service, or why it makes nothing.
    pub read: fn(&Seen) -> Result<Wish, String>,
    /// What it does when private becomes public or the other way round.
    pub change: Change,
    /// What it writes into the status.
    pub shows: Shows,
    /// What comes of a public load balancer where no public address can be had.
    pub without_public: WithoutPublic,
    /// Annotations that it writes on the Service: the key of the load balancer's id, and that of its address.
    pub written: &'static [(&'static str, Written)],
}

/// All that can be played.
pub const ALL: &[Cloud] = &[
    nhn::CLOUD,
    naver::CLOUD,
    openstack::CLOUD,
    aws::CLOUD,
    gke::CLOUD,
    aks::CLOUD,
    oci::CLOUD,
    alibaba::CLOUD,
    tencent::CLOUD,
    huawei::CLOUD,
    ibm::CLOUD,
    digitalocean::CLOUD,
    linode::CLOUD,
    vultr::CLOUD,
    hetzner::CLOUD,
    scaleway::CLOUD,
    ovh::CLOUD,
    metallb::CLOUD,
    kubevip::CLOUD,
    cilium::CLOUD,
    k3s::CLOUD,
    kind::CLOUD,
    generic::CLOUD,
];

/// The cloud of a name, in capitals or not.
pub fn named(name: &str) -> Option<&'static Cloud> {
    ALL.iter()
        .find(|cloud| cloud.name.eq_ignore_ascii_case(name))
}

/// The cloud that is played unless another is asked for.
pub fn usual() -> &'static Cloud {
    const { &nhn::CLOUD }
}

/// What a load balancer is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Without a public address.
    pub internal: bool,
    /// The address, where a certain one is asked for.
    pub address: Option<String>,
    /// Whether a public address outlives the Service.
    pub keep: bool,
    /// The version of PROXY headers, if they are sent.
    pub proxy: Option<u8>,
    /// Whether the status says that behind its address is a proxy (`ipMode`).
    pub as_proxy: bool,
}

impl Wish {
    /// One that is private or public, and nothing else.
    fn new(internal: bool) -> Self {
        Self {
            internal,
            address: None,
            keep: false,
            proxy: None,
            as_proxy: false,
        }
    }
}

/// What becomes of a live load balancer that is asked to be private, or public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It becomes so.
    Live,
    /// Nothing.
    Ignored,
    /// An error, with this text.
    Refused(&'static str),
}

/// What comes of a public load balancer where no public address can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutPublic {
    /// A private one, and an event that says so.
    Private,
    /// None, and an error with this text.
    Fails(&'static str),
}

/// What most clouds say when there is no address left.
const EXHAUSTED: &str = "no more IP addresses available on network";

/// What a status shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// An address.
    Ip,
    /// An address behind which is a proxy (`ipMode`).
    Proxy,
    /// A name.
    Hostname,
    /// Both addresses of one that is public.
    Mixed,
}

/// What is written on the Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The load balancer's id.
    Id,
    /// Its address.
    Address,
}

/// A Service as a cloud sees it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// `spec.loadBalancerIP`.
    pub address: Option<String>,
    /// `spec.loadBalancerClass`.
    pub class: Option<String>,
    /// Its ports, with their protocols.
    pub ports: Vec<(String, u16)>,
    /// Whether the pool, or the nodes, have public addresses; where those decide.
    pub public_pool: bool,
}

impl Seen {
    /// Looks at a Service.
    pub fn of(service: &Service, public_pool: bool) -> Self {
        let spec = service.spec.clone().unwrap_or_default();
        let ports = spec.ports.unwrap_or_default();
        let port = |port: k8s_openapi::api::core::v1::ServicePort| {
            let protocol = port.protocol.unwrap_or_else(|| "TCP".to_owned());
            (protocol, u16::try_from(port.port).unwrap_or_default())
        };
        Self {
            annotations: service.annotations().clone(),
            address: spec.load_balancer_ip.filter(|address| !address.is_empty()),
            class: spec.load_balancer_class,
            ports: ports.into_iter().map(port).collect(),
            public_pool,
        }
    }

    /// A text, if there is one.
    fn text(&self, key: &str) -> Option<&str> {
        let text = self.annotations.get(key)?;
        (!text.is_empty()).then_some(text.as_str())
    }

    /// Whether a value is this, letter for letter.
    fn is(&self, key: &str, value: &str) -> bool {
        self.annotations.get(key).is_some_and(|it| it == value)
    }

    /// A boolean as most clouds read it: what is not spelled so, is not.
    fn exactly(&self, key: &str) -> bool {
        self.is(key, "true")
    }

    /// Whether any of the keys has a text.
    fn any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.text(key).is_some())
    }
}

/// What a pool gives, or the address in one of these annotations.
fn from_pool(seen: &Seen, keys: &[&str]) -> Wish {
    let asked = keys.iter().find_map(|key| seen.text(key));
    Wish {
        address: asked.map(str::to_owned),
        // Which of the two an address is follows from the address.
        ..Wish::new(asked.is_none() && !seen.public_pool)
    }
}

#[cfg(test)]
mod tests;
