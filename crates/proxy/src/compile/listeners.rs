//! Compiling ports and their listeners: who shares a port, which rules and Routes a listener has, and its TLS.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use daemun_model::Snapshot;
use daemun_model::listener::Listener;
use daemun_model::names::{ListenerKey, Transport};
use daemun_model::policy::limits::ClientLimits;
use daemun_model::policy::sources::SourceRanges;
use daemun_model::tls::{Certificate, Termination};
use daemun_route::hosts::Hosts;
use daemun_route::{Input, Table};

use super::{Keep, KeptRoute, Report, streams};
use crate::live::{
    Carries, ListenerLive, Live, Opening, PortId, PortKey, PortLive, RuleLive, StreamTable, TlsLive,
};
use crate::termination;

/// A listener's TLS, with what it was made of.
pub(super) struct KeptTls {
    termination: Termination,
    alpn: Vec<Vec<u8>>,
    certificates: Vec<Arc<Certificate>>,
    live: TlsLive,
}

/// Compiles a Gateway's ports into `live`.
pub(super) fn compile(
    snapshot: &Snapshot,
    (rules, streams): (&[KeptRoute], &streams::Kept),
    keep: &mut Keep,
    live: &mut Live,
    report: &mut Report,
) {
    let mut addresses = snapshot.gateway.addresses.clone();
    addresses.sort_unstable();
    let mut by_port: BTreeMap<(u16, Transport), Vec<&Arc<Listener>>> = BTreeMap::new();
    for listener in snapshot.listeners.values() {
        let port = (listener.bind, listener.protocol.transport());
        by_port.entry(port).or_default().push(listener);
    }
    let mut had = keep.had.remove(&snapshot.gateway.name).unwrap_or_default();
    let mut inputs = inputs_by_listener(rules);
    let mut attached = streams.by_listener();
    for ((port, transport), listeners) in by_port {
        let key = PortKey {
            addresses: addresses.clone(),
            port,
            transport,
        };
        let compiled = listeners
            .iter()
            .map(|listener| {
                let routes = (
                    inputs.remove(&listener.key).unwrap_or_default(),
                    attached.remove(&listener.key).unwrap_or_default(),
                );
                Arc::new(one_listener(snapshot, listener, routes, keep, report))
            })
            .collect();
        let Some(port) = one_port(key, &listeners, compiled, keep) else {
            continue;
        };
        let id = port.id;
        if !had.contains(&id) {
            had.push(id);
        }
        if snapshot.gateway.closed.is_some() {
            live.closed.push(Arc::new(port));
            continue;
        }
        let slot = id.0 as usize;
        if live.ports.len() <= slot {
            live.ports.resize_with(slot + 1, || None);
        }
        live.ports[slot] = Some(Arc::new(port));
    }
    keep.had.insert(snapshot.gateway.name.clone(), had);
}

fn one_port(
    key: PortKey,
    listeners: &[&Arc<Listener>],
    compiled: Vec<Arc<ListenerLive>>,
    keep: &mut Keep,
) -> Option<PortLive> {
    let (first, others) = listeners.split_first()?;
    let next_id = PortId(u32::try_from(keep.ports.len()).unwrap_or(u32::MAX));
    let id = *keep.ports.entry(key.clone()).or_insert(next_id);
    let hosts = listeners
        .iter()
        .enumerate()
        .map(|(index, listener)| (listener.hostname.clone(), index));
    let strictest = |limits: ClientLimits, other: &&Arc<Listener>| limits.strictest(&other.limits);
    Some(PortLive {
        open: Arc::clone(keep.open.entry(key.clone()).or_default()),
        key,
        id,
        written: first.port,
        hosts: hosts.collect::<Hosts<usize>>(),
        opening: Opening::of(listeners.iter().map(|listener| &listener.protocol)),
        listeners: compiled,
        forwarding: first.forwarding.clone(),
        sources: sources(listeners),
        limits: others.iter().fold(first.limits.clone(), strictest),
    })
}

/// From where clients may come: all listeners of the port must allow it, because it is asked before one is chosen.
fn sources(listeners: &[&Arc<Listener>]) -> Box<[SourceRanges]> {
    let mut all: Vec<SourceRanges> = Vec::new();
    for ranges in listeners.iter().filter_map(|one| one.sources.as_ref()) {
        if !all.contains(ranges) {
            all.push(ranges.clone());
        }
    }
    all.into()
}

type Inputs<'a> = Vec<Input<'a, Arc<RuleLive>>>;

fn inputs_by_listener(rules: &[KeptRoute]) -> HashMap<&ListenerKey, Inputs<'_>> {
    let mut inputs: HashMap<&ListenerKey, Inputs<'_>> = HashMap::new();
    for KeptRoute { route, rules } in rules {
        for attachment in &route.attachments {
            let of_listener = inputs.entry(&attachment.listener).or_default();
            for hostname in &attachment.hostnames {
                of_listener.extend(route.rules.iter().zip(rules).map(|(rule, target)| Input {
                    hostname,
                    route,
                    rule,
                    target: Arc::clone(target),
                }));
            }
        }
    }
    inputs
}

fn one_listener(
    snapshot: &Snapshot,
    listener: &Listener,
    (inputs, streams): (Inputs<'_>, streams::Attached<'_>),
    keep: &mut Keep,
    report: &mut Report,
) -> ListenerLive {
    let Listener {
        key,
        port: _,
        bind: _,
        hostname: _,
        protocol,
        forwarding: _,
        sources: _, /* those of the port count */
        limits,
        proxy_status,
        refused,
    } = listener;
    let previous = keep.listeners.get(key);
    let carries = Carries::from(protocol);
    let alpn: &[&[u8]] = match carries {
        Carries::Requests => &[b"h2", b"http/1.1"],
        // What is inside is the backend's and the client's business.
        Carries::Sealed | Carries::Bytes | Carries::Datagrams => &[],
    };
    ListenerLive {
        key: key.clone(),
        series: keep.series.listener(&snapshot.gateway.name, key),
        stream_series: keep.series.stream_listener(&snapshot.gateway.name, key),
        carries,
        table: Table::build(inputs, previous.map(|listener| &listener.table)),
        streams: StreamTable::build(streams, previous.map(|listener| &listener.streams)),
        tls: protocol
            .termination()
            .map(|termination| compile_tls(snapshot, (key, alpn), termination, keep, report)),
        limits: limits.clone(),
        proxy_status: *proxy_status,
        refused: refused.clone(),
        in_flight: Arc::clone(keep.requests.entry(key.clone()).or_default()),
    }
}

/// A listener's TLS is made anew only if its settings or certificates changed: a new one forgets all
/// sessions and tickets, which is what a changed client validation needs.
fn compile_tls(
    snapshot: &Snapshot,
    (key, alpn): (&ListenerKey, &[&[u8]]),
    termination: &Termination,
    keep: &mut Keep,
    report: &mut Report,
) -> TlsLive {
    let certificates: Vec<Arc<Certificate>> = termination
        .certificates
        .iter()
        .filter_map(|name| snapshot.certificates.get(name))
        .cloned()
        .collect();
    if let Some(kept) = keep.tls.get(key)
        && kept.termination == *termination
        && kept.alpn == alpn
        && kept.certificates == certificates
    {
        report.tls(key, &kept.live);
        return kept.live.clone();
    }
    let config = termination::server_config(termination, alpn, &snapshot.certificates);
    let live = TlsLive {
        config,
        client: termination.client.clone(),
    };
    report.tls(key, &live);
    let kept = KeptTls {
        termination: termination.clone(),
        alpn: alpn.iter().map(|name| name.to_vec()).collect(),
        certificates,
        live: live.clone(),
    };
    keep.tls.insert(key.clone(), kept);
    live
}
