//! How a Gateway is exposed: its way in is judged, and what that means is noted for its listeners and for what is made
//! around it.

use std::borrow::Cow;

use daemun_model::names::{ObjectName, Transport};
use daemun_model::verdict::{FieldPath, Finding};
use daemun_objects::core::service::Service;
use daemun_objects::own::exposure::Reach;
use ipnet::IpNet;

use super::gateway::ReadGateway;
use super::parameters;
use crate::changes::Changed;
use crate::cluster::Cluster;
use crate::exposure::ALLOW_RECREATION;
use crate::exposure::fronts::{Fronts, owners};
use crate::exposure::judge::proxy_protocol::{is_asked_by, senders};
use crate::exposure::judge::{self, Judged, Question, ServiceKind, host_ports};
use crate::exposure::leaving::{shown_by, stays};
use crate::exposure::lint::Carried;
use crate::exposure::made::is_noted;
use crate::exposure::provider::{Automatic, Rules};
use crate::listener::{Entry, Protocol};
use crate::policy::arrivals::Arrivals;
use crate::verdict::{Elsewhere, Refusal, reason};

/// Judges the way in, and what of the listeners it cannot carry. While what is written is refused, listeners go on with
/// what held before, if that is known.
pub(super) fn read(
    cluster: &Cluster,
    makers: &Automatic,
    fronts: &Fronts,
    gateway: &mut ReadGateway,
    before: Option<&Arrivals>,
) {
    let infrastructure = gateway.object.spec.infrastructure.as_ref();
    let own = infrastructure.map(|it| it.annotations.clone());
    let listeners: Vec<Carried> = gateway.all_entries().filter_map(carried).collect();
    // What stands against them is said already.
    let parameters = gateway.parameters.as_ref();
    let parameters = parameters.filter(|_| gateway.pending.is_none());
    let in_doubt = parameters.is_none();
    let way_in = parameters.map_or_else(
        || {
            Cow::Owned(parameters::way_in_in_doubt(
                cluster,
                &gateway.name,
                &gateway.object,
            ))
        },
        |parameters| Cow::Borrowed(&parameters.way_in),
    );
    let allowed = gateway.object.metadata.annotations.get(ALLOW_RECREATION);
    let of_gateway = (&gateway.name, gateway.uid());
    let without = matches!(
        way_in.reach,
        Some(Reach::Cluster | Reach::Node | Reach::Unmanaged)
    );
    let stays = without.then(|| stays(cluster, of_gateway, allowed.map(String::as_str)));
    let senders = senders(way_in.provider, makers);
    let question = Question {
        way_in: &way_in,
        namespace: &gateway.name.namespace,
        own: &own.unwrap_or_default(),
        wanted: &gateway.wanted,
        listeners: &listeners,
        makers,
        still_sent: still_sent(cluster, fronts, gateway, &senders),
        stays: stays.as_ref().and_then(Option::as_ref),
        cluster,
    };
    if in_doubt {
        gateway.arrivals = going_on(judge::arrivals_in_doubt(&question), before);
        return;
    }
    match judge::judge(&question) {
        Ok(judged) => {
            let Judged {
                exposure,
                arrivals,
                wanted,
                unusable,
                findings,
            } = judged;
            if let Some(why) = exposure.no_udp {
                refuse_udp(why, gateway);
            }
            host_ports::refuse_others(&exposure.host_ports, gateway.all_entries_mut());
            gateway.exposure = Some(exposure);
            gateway.arrivals = arrivals;
            gateway.wanted = wanted;
            gateway.unusable = unusable.map(|why| settle_refusal(cluster, gateway, why));
            for finding in findings {
                settle(cluster, gateway, finding);
            }
        }
        Err(refusal) => {
            let arrivals = going_on(judge::arrivals_in_doubt(&question), before);
            gateway.exposure = judge::in_doubt(&question);
            gateway.arrivals = arrivals;
            let refusal = settle_refusal(cluster, gateway, refusal);
            gateway.refused.push(refusal);
        }
    }
}

/// Where a Gateway says how it is exposed, or where its class does for it.
fn place() -> FieldPath {
    FieldPath::of("spec.infrastructure")
}

/// Whether a path is one in GatewayParameters.
fn is_in_parameters(path: &FieldPath) -> bool {
    let exposure = FieldPath::of("spec.exposure");
    path.steps().starts_with(exposure.steps())
}

/// A refusal of what is written in GatewayParameters is to be found there; where nothing is, in the Gateway.
fn settle_refusal(cluster: &Cluster, gateway: &ReadGateway, refusal: Refusal) -> Refusal {
    let by_gateway = !gateway.object.spec.addresses.is_empty();
    let path = if is_in_parameters(&refusal.path) {
        refusal.path.clone()
    } else if refusal.reason == reason::ADDRESS_NOT_USABLE && !by_gateway {
        FieldPath::of("spec.exposure.address")
    } else {
        return refusal;
    };
    let of = (&gateway.name, &*gateway.object);
    let found = parameters::written_in(cluster, of, &path);
    let refusal = match is_in_parameters(&refusal.path) {
        true => Refusal {
            path: place(),
            ..refusal
        },
        false => refusal,
    };
    match found {
        Some(parameters) => refusal.found_in(parameters, path),
        None => refusal,
    }
}

/// The same of something that works and may surprise.
fn settle(cluster: &Cluster, gateway: &mut ReadGateway, mut finding: Finding) {
    if !is_in_parameters(&finding.path) {
        gateway.findings.push(finding);
        return;
    }
    let of = (&gateway.name, &*gateway.object);
    match parameters::written_in(cluster, of, &finding.path) {
        Some(parameters) => gateway.elsewhere.push(Elsewhere {
            parameters,
            finding,
        }),
        None => {
            finding.path = place();
            gateway.findings.push(finding);
        }
    }
}

/// What held before, with what can be read now: who sent PROXY headers sends them still, and who was kept out is.
fn going_on(now: Arrivals, before: Option<&Arrivals>) -> Arrivals {
    let Some(before) = before else {
        return now;
    };
    let mut proxies = now.proxies;
    if let Some(others) = &before.proxies {
        let all = proxies.get_or_insert_default();
        let missing: Vec<IpNet> = others
            .iter()
            .filter(|it| !all.contains(it))
            .copied()
            .collect();
        all.extend(missing);
    }
    Arrivals {
        proxies,
        sources: before.sources.clone().or(now.sources),
    }
}

/// Whether a load balancer's Service that was made for the Gateway, as Daemun noted in its status, says that PROXY headers are sent.
fn still_sent(
    cluster: &Cluster,
    fronts: &Fronts,
    gateway: &ReadGateway,
    senders: &[&Rules],
) -> bool {
    let mut all = fronts.load_balancers(cluster, &gateway.name, gateway.uid());
    all.any(|front| front.made && is_noted(front.service) && is_asked_by(front.service, senders))
}

/// Whether Services that may be in front of Gateways changed in what is looked at here.
pub(crate) fn fronts_changed(
    (old, new): (&Cluster, &Cluster),
    gateways: &[ReadGateway],
    changed: &Changed,
) -> bool {
    // What a load balancer shows is of matter to Gateways that ask for none.
    let asks_for_none = |uid: &str| {
        let mut gateways = gateways.iter().filter(|gateway| gateway.uid() == uid);
        gateways.any(|gateway| {
            let exposure = gateway.exposure.as_ref();
            exposure.is_none_or(|it| it.kind != ServiceKind::LoadBalancer || it.instead.is_some())
        })
    };
    let said = |cluster: &Cluster, name: &ObjectName| {
        let service = cluster.services.get(name);
        let service = service.filter(|service| owners(service).next().is_some())?;
        let Service { metadata, spec, .. } = &**service;
        let marks = (metadata.labels.clone(), metadata.owner_references.clone());
        let annotations = metadata.annotations.clone();
        let shown = owners(service).any(asks_for_none);
        let shown = shown.then(|| shown_by(service));
        let is = (spec.r#type.clone(), is_noted(service));
        Some((marks, annotations, is, shown))
    };
    match changed {
        Changed::All => true,
        Changed::These(names) => names.iter().any(|name| said(old, name) != said(new, name)),
    }
}

/// A listener as the load balancer sees it, if it is one.
fn carried(entry: &Entry) -> Option<Carried> {
    let protocol = entry.protocol.filter(|_| entry.refused.is_empty())?;
    Some(Carried {
        protocol: match protocol.transport() {
            Transport::Tcp => "TCP",
            Transport::Udp => "UDP",
        },
        port: entry.port,
        tls: matches!(protocol, Protocol::Https | Protocol::Tls(_)),
    })
}

fn refuse_udp(why: &str, gateway: &mut ReadGateway) {
    let udp = gateway
        .all_entries_mut()
        .filter(|entry| entry.protocol.map(Protocol::transport) == Some(Transport::Udp));
    for entry in udp {
        // What is not carried is for no kind of Route.
        entry.kinds.clear();
        entry.refused.push(Refusal::new(
            entry.path.field("protocol"),
            reason::UNSUPPORTED_PROTOCOL,
            format!("The load balancer does not carry UDP, and the listener stays out of the Service, so that it cannot fail the others. {why}"),
        ));
    }
}
