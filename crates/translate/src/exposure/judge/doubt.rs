//! What holds while what is written cannot be had: what was made before goes on, and a mistake neither opens what is
//! closed nor shuts out a load balancer that does as it was told.

use super::{
    Asked, Exposure, Question, ServiceKind, host_ports, on_violation, proxy_protocol, reach, stays,
};
use crate::infrastructure::way_in::WayIn;
use crate::policy::arrivals::Arrivals;

/// As much of it as counts for what is there already, when what is written cannot be had: who was to reach it. So a
/// mistake does not open what is closed.
pub(crate) fn in_doubt(asked: &Question<'_>) -> Option<Exposure> {
    let WayIn {
        reach,
        allowed,
        subnet,
        ..
    } = asked.way_in;
    let reach = reach::written(*reach, allowed).ok()?;
    if stays::instead(asked, reach).is_some() {
        // It is looked at as it was made.
        return None;
    }
    let kind = ServiceKind::of(reach, asked.way_in);
    if kind != ServiceKind::LoadBalancer {
        return Some(Exposure {
            kind,
            on_violation: on_violation(asked.way_in),
            host_ports: asked.way_in.host_ports.clone(),
            ..Exposure::default()
        });
    }
    let rules = asked.rules().ok()?;
    let until_seen = reach::until_seen(reach, rules);
    let (reach, _) = reach::decided(reach, subnet.as_deref(), rules).ok()?;
    Some(Exposure {
        reach,
        until_seen: until_seen && reach == Some(Asked::Private),
        provider: rules.name,
        on_violation: on_violation(asked.way_in),
        ..Exposure::default()
    })
}

/// What listeners go on with: PROXY headers are believed as long as they are sent, and who was to be kept out is, where
/// that can be seen.
pub(crate) fn arrivals_in_doubt(asked: &Question<'_>) -> Arrivals {
    let WayIn {
        local,
        proxy_protocol: on,
        source_ranges,
        ..
    } = asked.way_in;
    // What comes by a port of a node passes through no other node.
    let by_host = host_ports::kind(asked.way_in) == ServiceKind::HostPorts;
    let local = by_host || *local == Some(true);
    let trusted = |local| proxy_protocol::trusted(asked, local).ok();
    let proxies = match (*on, asked.still_sent) {
        (true, _) => trusted(local),
        (false, true) => trusted(local).or_else(|| trusted(false)),
        (false, false) => None,
    };
    let sees_clients = proxies.is_some() || may_see_clients(asked);
    Arrivals {
        proxies,
        sources: source_ranges.clone().filter(|_| sees_clients),
    }
}

/// Whether listeners see who calls without a header, so that it may be they who keep others out. Where that cannot be
/// told they are taken to: better nobody is let in than everybody.
fn may_see_clients(asked: &Question<'_>) -> bool {
    let WayIn {
        reach,
        allowed,
        local,
        ..
    } = asked.way_in;
    match reach::written(*reach, allowed).map(|reach| ServiceKind::of(reach, asked.way_in)) {
        Ok(ServiceKind::LoadBalancer) => asked.rules().map_or(*local == Some(true), |rules| {
            reach::sees_client(false, *local, rules)
        }),
        Ok(kind) => kind.shows_clients(*local),
        Err(_) => true,
    }
}
