//! What one Service shows of where its load balancer is reached, read: each entry with the class of its address, or of
//! the addresses that its name has.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use daemun_model::names::ObjectName;
use daemun_objects::core::service::LoadBalancerIngress;

use super::class::{AddressClass, Side, class_in};
use super::fronts::Front;
use super::provider::{Provider, rules};
use crate::cluster::Cluster;

/// What a Service shows.
pub(super) struct Shown<'a> {
    service: &'a ObjectName,
    made: bool,
    entries: Vec<Entry<'a>>,
    /// The annotation that chose the names, where nothing says which address is behind them.
    chosen: Option<&'static str>,
}

struct Entry<'a> {
    /// As it is written.
    text: &'a str,
    is: Is,
}

enum Is {
    Address(AddressClass),
    /// An address at which every node takes what comes for it (`externalIPs`).
    External(AddressClass),
    /// A name of these addresses.
    Name(BTreeMap<IpAddr, AddressClass>),
    /// It is not known what it is, as the words say.
    Unknown(&'static str),
}

impl<'a> Shown<'a> {
    /// Reads a Service's status.
    pub(super) fn read(cluster: &Cluster, front: &Front<'a>) -> Self {
        let Front {
            name: service,
            service: object,
            made,
        } = *front;
        let ingress = object.status.load_balancer.ingress.iter();
        let mut entries: Vec<Entry<'a>> = ingress
            .flat_map(|ingress| Entry::all(cluster, ingress))
            .collect();
        for text in &object.spec.external_ips {
            entries.push(match Entry::address(cluster, text) {
                Some(Entry {
                    is: Is::Address(class),
                    ..
                }) => Entry {
                    text,
                    is: Is::External(class),
                },
                Some(_) | None => Entry {
                    text,
                    is: Is::Unknown("no address"),
                },
            });
        }
        let annotations = &object.metadata.annotations;
        let is_name = |entry: &Entry<'_>| !matches!(entry.is, Is::Address(_) | Is::External(_));
        let mut chosen = entries.iter().any(is_name).then(|| chooses(annotations));
        if chosen.is_some_and(|it| it.is_some()) {
            let address = address_beside(annotations);
            let address = address.and_then(|text| Entry::address(cluster, text));
            if let Some(address) = address {
                chosen = None;
                // What a name that anybody chose is not known to be is of no interest then.
                entries.retain(|entry| !matches!(entry.is, Is::Unknown(_)));
                entries.push(address);
            }
        }
        Self {
            service,
            made,
            entries,
            chosen: chosen.flatten(),
        }
    }

    /// Whether it shows a name that an annotation chose: whatever addresses that has, others may be the load
    /// balancer's.
    pub(super) fn proves_nothing(&self) -> bool {
        self.chosen.is_some()
    }

    /// Whether it shows nothing yet.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The classes of all addresses that it shows, or that its names have.
    pub(super) fn classes(&self) -> BTreeSet<AddressClass> {
        let classes = self.entries.iter().flat_map(|entry| match &entry.is {
            Is::Address(class) | Is::External(class) => vec![*class],
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
        let chosen = self.chosen.map_or_else(String::new, |key| {
            format!("; the annotation {key} chose that name, which says nothing of the address")
        });
        let whose = match self.made {
            true => "which Daemun made",
            false => "which Daemun did not make",
        };
        format!("Service {}, {whose}, shows {entries}{chosen}", self.service)
    }
}

/// Whether Services show addresses, and each of them is known to be private.
pub(crate) fn only_private<'a>(cluster: &Cluster, fronts: impl Iterator<Item = Front<'a>>) -> bool {
    let shown: Vec<Shown<'_>> = fronts.map(|front| Shown::read(cluster, &front)).collect();
    let mut classes = shown.iter().flat_map(Shown::classes);
    shown.iter().any(|shown| !shown.is_empty())
        && !shown.iter().any(Shown::has_unknown)
        && classes.all(|class| class.side() == Side::Inside)
}

/// An annotation by which the name that a Service shows was chosen.
fn chooses(annotations: &BTreeMap<String, String>) -> Option<&'static str> {
    let all = Provider::ALL.iter().flat_map(|it| rules(*it).chooses_shown);
    let mut keys = all.copied();
    keys.find(|key| annotations.get(*key).is_some_and(|name| !name.is_empty()))
}

/// The address that the load balancer's maker writes on the Service itself.
fn address_beside(annotations: &BTreeMap<String, String>) -> Option<&str> {
    let mut all = Provider::ALL.iter().map(|it| rules(*it).writes_address);
    all.find_map(|key| annotations.get(key?))
        .map(String::as_str)
}

impl<'a> Entry<'a> {
    /// An entry may have both an address and a name; each leads there.
    fn all(
        cluster: &Cluster,
        ingress: &'a LoadBalancerIngress,
    ) -> impl Iterator<Item = Self> + use<'a> {
        let LoadBalancerIngress { ip, hostname, .. } = ingress;
        let written = |text: &'a Option<String>| text.as_deref().filter(|text| !text.is_empty());
        let address = written(ip).map(|text| {
            Self::address(cluster, text).unwrap_or(Self {
                text,
                is: Is::Unknown("no address"),
            })
        });
        let name = written(hostname).map(|text| Self::name(cluster, text));
        address.into_iter().chain(name)
    }

    fn address(cluster: &Cluster, text: &'a str) -> Option<Self> {
        let is = Is::Address(class_in(&cluster.settings, text.parse().ok()?));
        Some(Self { text, is })
    }

    fn name(cluster: &Cluster, text: &'a str) -> Self {
        let is = match cluster.resolved.get(text) {
            None => Is::Unknown("a name whose addresses are not known yet"),
            Some(addresses) if addresses.is_empty() => Is::Unknown("a name without an address"),
            Some(addresses) => {
                let addresses = addresses.iter();
                Is::Name(
                    addresses
                        .map(|it| (*it, class_in(&cluster.settings, *it)))
                        .collect(),
                )
            }
        };
        Self { text, is }
    }

    fn words(&self) -> String {
        let Self { text, is } = self;
        match is {
            Is::Address(class) => format!("{text} ({})", class.as_str()),
            Is::External(class) => format!("{text} ({}, of its externalIPs)", class.as_str()),
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
