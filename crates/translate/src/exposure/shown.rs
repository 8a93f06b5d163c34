//! What one Service shows of where its load balancer is reached, read: each entry with the class of its address, or of
//! the addresses that its name has.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use daemun_model::names::ObjectName;
use daemun_objects::core::service::{LoadBalancerIngress, Service};

use super::class::{AddressClass, class_of};
use crate::cluster::Cluster;

/// What a Service shows.
pub(super) struct Shown<'a> {
    service: &'a ObjectName,
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    /// As it is written.
    text: &'a str,
    is: Is,
}

enum Is {
    Address(AddressClass),
    /// A name of these addresses.
    Name(BTreeMap<IpAddr, AddressClass>),
    /// It is not known what it is, as the words say.
    Unknown(&'static str),
}

impl<'a> Shown<'a> {
    /// Reads a Service's status.
    pub(super) fn read(cluster: &Cluster, service: &'a ObjectName, object: &'a Service) -> Self {
        let ingress = object.status.load_balancer.ingress.iter();
        Self {
            service,
            entries: ingress
                .filter_map(|ingress| Entry::read(cluster, ingress))
                .collect(),
        }
    }

    /// Whether it shows nothing yet.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The classes of all addresses that it shows, or that its names have.
    pub(super) fn classes(&self) -> BTreeSet<AddressClass> {
        let classes = self.entries.iter().flat_map(|entry| match &entry.is {
            Is::Address(class) => vec![*class],
            Is::Name(addresses) => addresses.values().copied().collect(),
            Is::Unknown(_) => Vec::new(),
        });
        classes.collect()
    }

    /// Whether there is something of which it is not known what it is.
    pub(super) fn has_unknown(&self) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| matches!(entry.is, Is::Unknown(_)))
    }

    /// `Service infra/shop-daemun, which Daemun made, shows 10.0.3.7 (Private)`
    pub(super) fn sentence(&self) -> String {
        let entries: Vec<String> = self.entries.iter().map(Entry::words).collect();
        let entries = match entries.as_slice() {
            [] => "no address yet".to_owned(),
            _ => entries.join(" and "),
        };
        format!(
            "Service {}, which Daemun made, shows {entries}",
            self.service
        )
    }
}

impl<'a> Entry<'a> {
    fn read(cluster: &Cluster, ingress: &'a LoadBalancerIngress) -> Option<Self> {
        let class = |address: IpAddr| {
            let settings = &cluster.settings;
            class_of(address, &settings.private_ranges, &settings.public_ranges)
        };
        let LoadBalancerIngress { ip, hostname, .. } = ingress;
        if let Some(text) = ip.as_deref().filter(|text| !text.is_empty()) {
            let is = text.parse().map_or(Is::Unknown("no address"), |address| {
                Is::Address(class(address))
            });
            return Some(Self { text, is });
        }
        let text = hostname.as_deref().filter(|text| !text.is_empty())?;
        let is = match cluster.resolved.get(text) {
            None => Is::Unknown("a name whose addresses are not known yet"),
            Some(addresses) if addresses.is_empty() => Is::Unknown("a name without an address"),
            Some(addresses) => {
                let addresses = addresses.iter();
                Is::Name(addresses.map(|it| (*it, class(*it))).collect())
            }
        };
        Some(Self { text, is })
    }

    fn words(&self) -> String {
        let Self { text, is } = self;
        match is {
            Is::Address(class) => format!("{text} ({})", class.as_str()),
            Is::Unknown(words) => format!("{text} ({words})"),
            Is::Name(addresses) => {
                let addresses = addresses.iter();
                let each = addresses.map(|(address, class)| {
                    format!("{} ({})", address.to_canonical(), class.as_str())
                });
                let each: Vec<String> = each.collect();
                format!("{text}, which is {}", each.join(" and "))
            }
        }
    }
}
