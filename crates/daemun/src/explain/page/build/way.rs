//! The way in: each Service in front of the proxies, and what the cloud makes of it.

use daemun_model::names::ObjectName;
use daemun_translate::exposure::{ALLOW_RECREATION, Fate, ServiceKind};
use daemun_translate::infrastructure::{Wanted, is_reserved};
use serde_json::Value;

use super::address::{addresses, is_violated, unmanaged};
use super::{Link, Owner, State, Station, Way, w};
use crate::explain::page::ANNOTATION;
use crate::explain::page::known::{From, Known};
use crate::explain::page::meaning::{has_floating_ips, meaning};
use crate::explain::page::origin::last_foreign_change;
use crate::explain::page::seen::Seen;

/// What kubectl notes for itself.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The ways in, one for each Service; what is not there is foreseen.
pub(super) fn ways(known: &Known<'_>) -> Vec<Way> {
    let exposure = known.infrastructure().map(|it| &it.exposure);
    if exposure.is_some_and(|it| it.kind == ServiceKind::Unmanaged) {
        return vec![Way {
            service: None,
            load_balancer: None,
            addresses: vec![unmanaged(known)],
        }];
    }
    let mut services: Vec<Seen<'_>> = known.made("Service").collect();
    services.sort_by_key(|it| it.name());
    let foreseen = known.foreseen();
    let is_there = !services.is_empty();
    if !is_there && (known.hidden.contains("Service") || known.is_guesswork()) {
        let mut service = Station::new(known, Link::Service, "");
        service.state = State::Unknown;
        service.say(w::NOT_SEEN.plain(known.lang));
        return vec![Way {
            service: Some(service),
            load_balancer: None,
            addresses: Vec::new(),
        }];
    }
    if !is_there {
        let of_service = foreseen.iter().map(Seen);
        services.extend(of_service.filter(|it| it.kind() == "Service"));
    }
    services
        .iter()
        .map(|it| way(known, *it, is_there))
        .collect()
}

/// Whether a load balancer leads to the Gateway, or would.
pub(super) fn has_load_balancer(known: &Known<'_>) -> bool {
    let mut made = known.made("Service");
    let exposure = known.infrastructure().map(|it| &it.exposure);
    made.any(is_balanced) || exposure.is_some_and(|it| it.kind == ServiceKind::LoadBalancer)
}

fn is_balanced(service: Seen<'_>) -> bool {
    service.text("/spec/type") == "LoadBalancer"
}

fn way(known: &Known<'_>, service: Seen<'_>, is_there: bool) -> Way {
    let addresses = addresses(known, service, is_there);
    Way {
        service: Some(station(known, service, is_there)),
        load_balancer: is_balanced(service).then(|| balancer(known, service, is_there)),
        addresses,
    }
}

fn station(known: &Known<'_>, service: Seen<'_>, is_there: bool) -> Station {
    let lang = known.lang;
    let name = service.whole_name().to_string();
    let mut station = Station::new(known, Link::Service, name);
    let kind = match service.text("/spec/type") {
        "" => "ClusterIP",
        kind => kind,
    };
    match kind {
        "ClusterIP" => station.purpose = w::SERVICE_PURPOSE_CLUSTER.plain(lang),
        "NodePort" => station.purpose = w::SERVICE_PURPOSE_NODES.plain(lang),
        _ => {}
    }
    match (is_there, known.from) {
        (true, _) => {
            let created = service.created();
            station.say(w::SERVICE_MADE.say(lang, &[&kind, &created]));
        }
        (false, From::Files) => {
            station.foresee();
            station.say(w::SERVICE_FORESEEN.say(lang, &[&kind]));
        }
        (false, From::Cluster) => {
            station.say(w::SERVICE_FORESEEN.say(lang, &[&kind]));
            station.fail(State::Waiting, w::SERVICE_MISSING.plain(lang), Vec::new());
        }
    }
    annotations(known, service, &mut station);
    fields(known, service, &mut station);
    if is_there {
        fate(known, service, &mut station);
        lacks(known, service, &mut station);
    }
    station
}

/// Which annotations it has, and what each means.
fn annotations(known: &Known<'_>, service: Seen<'_>, station: &mut Station) {
    let Some(rules) = known.rules() else {
        return;
    };
    let annotations = service.annotations().into_iter();
    let written = annotations.filter(|(key, _)| !is_reserved(key) && *key != LAST_APPLIED);
    for (key, value) in written {
        let (meaning, shown) = meaning(rules, key, value, known.lang);
        station.fact(ANNOTATION, key, shown);
        station.meaning(meaning);
    }
}

fn fields(known: &Known<'_>, service: Seen<'_>, station: &mut Station) {
    let lang = known.lang;
    if let address @ ("Local" | "Cluster") = service.text("/spec/externalTrafficPolicy") {
        let means = match address {
            "Local" => w::FACT_POLICY_LOCAL,
            _ => w::FACT_POLICY_CLUSTER,
        };
        station.fact("externalTrafficPolicy", w::FACT_POLICY.plain(lang), address);
        station.meaning(means.plain(lang));
    }
    let class = service.text("/spec/loadBalancerClass");
    if !class.is_empty() {
        station.fact("loadBalancerClass", w::FACT_CLASS.plain(lang), class);
    }
    let asked = service.text("/spec/loadBalancerIP");
    if !asked.is_empty() {
        let floating = known.rules().is_some_and(has_floating_ips);
        let public = super::address::asks_public(known, service);
        let means = match (floating, public) {
            (true, true) => w::FACT_ASKED_FLOATING,
            (true, false) => w::FACT_ASKED_VIP,
            (false, _) => w::FACT_ASKED_ADDRESS,
        };
        station.fact(
            "loadBalancerIP",
            w::FACT_LOAD_BALANCER_IP.plain(lang),
            asked,
        );
        station.meaning(means.plain(lang));
    }
    let ranges = service.list("/spec/loadBalancerSourceRanges").iter();
    let ranges: Vec<&str> = ranges.filter_map(Value::as_str).collect();
    if !ranges.is_empty() {
        let label = w::FACT_RANGES.plain(lang);
        station.fact("sourceRanges", label, ranges.join(", "));
        station.meaning(w::MEANS_RANGES.plain(lang));
    }
    let ports = service.list("/spec/ports").iter().map(Seen).map(|port| {
        let protocol = match port.text("/protocol") {
            "" => "TCP",
            protocol => protocol,
        };
        format!("{} {protocol}", port.number("/port"))
    });
    let ports: Vec<String> = ports.collect();
    if !ports.is_empty() {
        station.fact("ports", w::FACT_PORTS.plain(lang), ports.join(", "));
    }
}

/// What becomes of a Service that cannot become what is asked for.
fn fate(known: &Known<'_>, service: Seen<'_>, station: &mut Station) {
    let lang = known.lang;
    let Some(infrastructure) = known.infrastructure() else {
        return;
    };
    let Some(fate) = infrastructure.fates.get(service.name()) else {
        return;
    };
    // An address that is asked for and moves is named, else the Service that goes.
    let ingress = service.list("/status/loadBalancer/ingress").iter();
    let shown: Vec<&str> = ingress.map(|it| Seen(it).text("/ip")).collect();
    let mut wanted = infrastructure.addresses.iter();
    let fixed = wanted.find_map(|wanted| match wanted {
        Wanted::Ip(address) => shown.contains(&&*address.to_string()).then_some(address),
        Wanted::Any => None,
    });
    let needed = fixed.map_or_else(|| service.name().to_owned(), ToString::to_string);
    let gateway = known
        .object()
        .map(|it| it.annotations())
        .unwrap_or_default();
    let allowed = gateway.get(ALLOW_RECREATION).map(|it| it.trim()) == Some(&needed);
    match fate {
        Fate::Held(_) if !allowed => {
            let ObjectName { namespace, name } = known.gateway;
            let annotation = format!("{ALLOW_RECREATION}={needed}");
            let remedy = w::FATE_HELD_REMEDY.say(lang, &[namespace, name, &annotation]);
            let what = w::FATE_HELD.plain(lang);
            station.fail(State::Doubtful, what, vec![remedy]);
        }
        Fate::Held(_) => station.fail(State::Waiting, w::FATE_KEEPS.plain(lang), Vec::new()),
        // It is what is asked for, and the condition tells what comes with the next one.
        Fate::Lacks(_) => {}
        Fate::Migrating => {
            station.fail(State::Waiting, w::FATE_MIGRATES.plain(lang), Vec::new());
        }
        Fate::Goes | Fate::GoesFirst => {
            station.fail(State::Waiting, w::FATE_GOES.plain(lang), Vec::new());
        }
    }
}

/// Whether the annotation that makes the address what was asked for is gone.
fn lacks(known: &Known<'_>, service: Seen<'_>, station: &mut Station) {
    let lang = known.lang;
    let Some(exposure) = known.infrastructure().map(|it| &it.exposure) else {
        return;
    };
    let written = service.annotations();
    let rules = known.rules();
    let decides = |key: &str| rules.is_some_and(|rules| rules.decides_reach(key));
    let mut switch = exposure.switch.iter().filter(|(key, _)| decides(key));
    let missing = switch.find(|(key, value)| written.get(key.as_str()) != Some(&value.as_str()));
    let Some((key, value)) = missing else {
        return;
    };
    let asked = super::address::word_of(exposure.reach).plain(lang);
    let value = format!("\"{value}\"");
    let mut what = w::SERVICE_LACKS.say(lang, &[key, &value, &asked]);
    if let Some((manager, when)) = last_foreign_change(service) {
        what = format!(
            "{what} {}",
            w::SERVICE_CHANGED_BY.say(lang, &[&manager, &when])
        );
    }
    let name = service.whole_name();
    let remedy = w::SERVICE_LACKS_REMEDY.say(lang, &[&name.namespace, &name.name]);
    let state = if is_violated(known) {
        State::Bad
    } else {
        State::Doubtful
    };
    station.fail(state, what, vec![remedy]);
}

fn balancer(known: &Known<'_>, service: Seen<'_>, is_there: bool) -> Station {
    let lang = known.lang;
    let name = known.rules().map_or_else(
        || w::BALANCER_UNKNOWN.plain(lang),
        |rules| rules.product.to_owned(),
    );
    let mut station = Station::new(known, Link::LoadBalancer, name);
    station.owner = Owner::Cloud;
    if !is_there && known.from == From::Files {
        station.foresee();
        station.say(w::BALANCER_FORESEEN.plain(lang));
        return station;
    }
    let shown = !service.list("/status/loadBalancer/ingress").is_empty();
    let event = last_event(known, service);
    if let Some((is_warning, reason, message, when)) = &event {
        let told = format!("{reason}: {message}");
        if *is_warning && !shown {
            let what = w::BALANCER_EVENT.say(lang, &[reason, message]);
            station.fail(State::Bad, what, vec![describe(known, service)]);
        }
        let label = w::BALANCER_LAST_EVENT.plain(lang);
        station.fact("lastEvent", label, format!("{told} ({when})"));
    }
    if shown {
        station.say(w::BALANCER_MADE.plain(lang));
        station.say(w::BALANCER_GOES.plain(lang));
    } else {
        let what = w::BALANCER_WAITS.plain(lang);
        station.fail(State::Waiting, what, vec![describe(known, service)]);
    }
    station
}

pub(super) fn describe(known: &Known<'_>, service: Seen<'_>) -> String {
    let name = service.whole_name();
    w::BALANCER_WAITS_REMEDY.say(known.lang, &[&name.namespace, &name.name])
}

/// What the cluster said last about a Service: whether it is a warning, the reason, the message, and when.
fn last_event(known: &Known<'_>, service: Seen<'_>) -> Option<(bool, String, String, String)> {
    let name = service.whole_name();
    let about = |event: &Seen<'_>| {
        event.text("/involvedObject/kind") == "Service"
            && event.text("/involvedObject/name") == name.name
            && event.text("/involvedObject/namespace") == name.namespace
    };
    let time = |event: &Seen<'_>| -> String {
        let times = [
            "/lastTimestamp",
            "/eventTime",
            "/metadata/creationTimestamp",
        ];
        let times = times.iter().map(|pointer| event.text(pointer));
        times
            .clone()
            .find(|it| !it.is_empty())
            .unwrap_or_default()
            .to_owned()
    };
    let last = known.of_kind("Event").filter(about).max_by_key(time)?;
    Some((
        last.text("/type") == "Warning",
        last.text("/reason").to_owned(),
        last.text("/message").trim().to_owned(),
        crate::explain::page::seen::moment(&time(&last)),
    ))
}
