//! The outcome put together: what each Gateway's proxy must do, and what every owner must be told. What is
//! the same as before is the same `Arc`.

use std::collections::BTreeMap;
use std::sync::Arc;

use daemun_model::gateway::Gateway;
use daemun_model::listener::{Listener, ListenerProtocol};
use daemun_model::names::{ObjectName, ObjectRef, RouteKind};
use daemun_model::snapshot::{Configuration, Snapshot};
use daemun_model::tls::{Certificate, Termination};
use daemun_model::verdict::{FieldPath, Verdict};

use crate::Outcome;
use crate::cluster::Cluster;
use crate::listener::{Entry, Protocol, Treatment};
use crate::read::gateway::{ReadGateway, ReadGateways};
use crate::read::gatewayclass;
use crate::translator::{Backends, Routes};
use crate::verdict::gateways::{self, Counts};
use crate::verdict::warning;

/// All that was made, before it is put together.
pub(crate) struct Made<'a> {
    /// Gateways and ListenerSets.
    pub(crate) gateways: &'a ReadGateways,
    /// What follows from each route.
    pub(crate) routes: &'a Routes,
    /// The backends of each Gateway.
    pub(crate) backends: &'a Backends,
    /// What is said about Backends and policies.
    pub(crate) said: Vec<Verdict>,
}

/// Puts the outcome together.
pub(crate) fn outcome(cluster: &Cluster, made: Made<'_>, last: &Outcome) -> Outcome {
    let Made {
        gateways,
        routes,
        backends,
        said,
    } = made;
    Outcome {
        configuration: configuration(gateways, routes, backends, &last.configuration),
        verdicts: verdicts(cluster, (gateways, routes), said, &last.verdicts),
    }
}

fn configuration(
    gateways: &ReadGateways,
    routes: &Routes,
    backends: &Backends,
    last: &Configuration,
) -> Configuration {
    let mut by_gateway: BTreeMap<&ObjectName, BTreeMap<_, _>> = BTreeMap::new();
    for outcome in routes.values() {
        for (gateway, route) in &outcome.routes {
            by_gateway
                .entry(gateway)
                .or_default()
                .insert(route.key.clone(), Arc::clone(route));
        }
    }
    let accepted = gateways.ours.iter().filter(|gateway| gateway.accepted());
    let gateways = accepted
        .map(|gateway| {
            let before = last.gateways.get(&gateway.name);
            let snapshot = Snapshot {
                gateway: kept(
                    Gateway {
                        name: gateway.name.clone(),
                        addresses: gateway.addresses.clone(),
                    },
                    before.map(|before| &before.gateway),
                ),
                listeners: gateway
                    .all_entries()
                    .filter_map(|entry| {
                        let before = before.and_then(|before| before.listeners.get(&entry.key));
                        Some((entry.key.clone(), kept(listener(entry)?, before)))
                    })
                    .collect(),
                routes: by_gateway.remove(&gateway.name).unwrap_or_default(),
                backends: backends.get(&gateway.name).cloned().unwrap_or_default(),
                certificates: certificates(gateway),
            };
            (gateway.name.clone(), kept_snapshot(snapshot, before))
        })
        .collect();
    Configuration { gateways }
}

/// What was there, if it is the same.
fn kept<T: PartialEq>(made: T, before: Option<&Arc<T>>) -> Arc<T> {
    match before {
        Some(before) if **before == made => Arc::clone(before),
        _ => Arc::new(made),
    }
}

/// The snapshot that was there, if every part is the very same.
fn kept_snapshot(made: Snapshot, before: Option<&Arc<Snapshot>>) -> Arc<Snapshot> {
    fn same<K: PartialEq, V>(one: &BTreeMap<K, Arc<V>>, two: &BTreeMap<K, Arc<V>>) -> bool {
        one.len() == two.len()
            && one
                .iter()
                .zip(two)
                .all(|((key, value), (other, old))| Arc::ptr_eq(value, old) && key == other)
    }
    match before {
        Some(before)
            if Arc::ptr_eq(&before.gateway, &made.gateway)
                && same(&before.listeners, &made.listeners)
                && same(&before.routes, &made.routes)
                && same(&before.backends, &made.backends)
                && same(&before.certificates, &made.certificates) =>
        {
            Arc::clone(before)
        }
        _ => Arc::new(made),
    }
}

fn listener(entry: &Entry) -> Option<Listener> {
    if !entry.served() {
        return None;
    }
    let Treatment {
        limits,
        min_version,
        max_version,
        proxy_status,
        refused,
    } = &entry.treatment;
    let protocol = match entry.protocol? {
        Protocol::Http => ListenerProtocol::Http,
        Protocol::Https => ListenerProtocol::Https(Termination {
            certificates: entry
                .certificates
                .iter()
                .map(|certificate| certificate.name.clone())
                .collect(),
            min_version: *min_version,
            max_version: *max_version,
            client: entry.client.clone(),
        }),
    };
    Some(Listener {
        key: entry.key.clone(),
        port: entry.port,
        hostname: entry.hostname.clone(),
        protocol,
        forwarding: entry.forwarding.clone(),
        limits: limits.clone(),
        proxy_status: *proxy_status,
        refused: refused.clone(),
    })
}

fn certificates(gateway: &ReadGateway) -> BTreeMap<ObjectName, Arc<Certificate>> {
    let own = gateway
        .client_certificate
        .iter()
        .filter_map(|certificate| certificate.as_ref().ok());
    gateway
        .all_entries()
        .filter(|entry| entry.served())
        .flat_map(|entry| &entry.certificates)
        .chain(own)
        .map(|certificate| (certificate.name.clone(), Arc::clone(certificate)))
        .collect()
}

fn verdicts(
    cluster: &Cluster,
    (gateways, routes): (&ReadGateways, &Routes),
    said: Vec<Verdict>,
    last: &[Arc<Verdict>],
) -> Vec<Arc<Verdict>> {
    let mut counts = Counts::new();
    for key in routes.values().flat_map(|outcome| &outcome.counted) {
        *counts.entry(key).or_default() += 1;
    }
    let mut made: Vec<Verdict> = cluster
        .gateway_classes
        .iter()
        .filter_map(|(name, class)| gatewayclass::verdict(cluster, name, class))
        .collect();
    for gateway in &gateways.ours {
        made.push(gateways::gateway(gateway, &counts));
        let sets = gateway.sets.iter();
        made.extend(sets.map(|set| gateways::set(gateway, set, &counts)));
    }
    if cluster.on_host() {
        made.extend(gateways.foreign.iter().map(|(name, why)| Verdict {
            object: ObjectRef::new("Gateway", name.clone()),
            generation: 0,
            parts: Vec::new(),
            findings: vec![warning(
                FieldPath::of("spec.gatewayClassName"),
                "NotServed",
                format!("This Gateway is not served. {why}"),
            )],
        }));
    }
    made.extend(
        gateways
            .orphans
            .iter()
            .map(|(name, set, refusal)| gateways::orphan(name, set, refusal)),
    );
    made.extend(said);
    // Those of routes were kept, or not, with the routes themselves.
    let before: BTreeMap<&ObjectRef, &Arc<Verdict>> = last
        .iter()
        .filter(|verdict| verdict.object.kind != RouteKind::Http.as_str())
        .map(|verdict| (&verdict.object, verdict))
        .collect();
    let mut verdicts: Vec<Arc<Verdict>> = made
        .into_iter()
        .map(|verdict| {
            let before = before.get(&verdict.object).copied();
            kept(verdict, before)
        })
        .collect();
    verdicts.extend(
        routes
            .values()
            .filter_map(|outcome| outcome.verdict.clone()),
    );
    verdicts
}
