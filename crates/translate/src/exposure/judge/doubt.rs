//! What holds while what is written cannot be had: what was made before goes on, and a mistake neither opens what is
//! closed nor shuts out a load balancer that does as it was told.

use daemun_objects::own::exposure::Reach;

use super::{Asked, Exposure, Question, ServiceKind, on_violation, proxy_protocol, reach};
use crate::exposure::provider::{ClientAddress, rules};
use crate::infrastructure::way_in::WayIn;
use crate::policy::arrivals::Arrivals;

/// As much of it as counts for what is there already, when what is written cannot be had: who was to reach it. So a
/// mistake does not open what is closed.
pub(crate) fn in_doubt(asked: &Question<'_>) -> Option<Exposure> {
    let WayIn {
        reach,
        allowed,
        provider,
        subnet,
        ..
    } = asked.way_in;
    let reach = reach::written(*reach, allowed).ok()?;
    let kind = match reach {
        Some(Reach::Cluster) => ServiceKind::ClusterIp,
        Some(Reach::Node) => ServiceKind::NodePort,
        Some(Reach::Unmanaged) => ServiceKind::Unmanaged,
        Some(Reach::Private | Reach::Public) | None => ServiceKind::LoadBalancer,
    };
    if kind != ServiceKind::LoadBalancer {
        return Some(Exposure {
            kind,
            ..Exposure::default()
        });
    }
    let rules = match provider {
        Some(provider) => rules(*provider),
        None => reach::recognised(asked.makers).ok()?,
    };
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
        provider,
        proxy_protocol: on,
        source_ranges,
        ..
    } = asked.way_in;
    let local = *local == Some(true);
    let trusted = || proxy_protocol::trusted(asked, local).ok();
    let proxies = (*on || asked.still_sent).then(trusted).flatten();
    let passes = provider.is_some_and(|it| rules(it).client == ClientAddress::Kept);
    let sees_client = proxies.is_some() || (local && passes);
    Arrivals {
        proxies,
        sources: source_ranges.clone().filter(|_| sees_client),
    }
}
