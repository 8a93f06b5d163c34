//! The way in: each Service in front of the proxies, and what the cloud makes of it.

use daemun_translate::exposure::ServiceKind;
use daemun_translate::exposure::provider::Provider;
use daemun_translate::exposure::silence::{NOBODY_CAME, PATIENCE, pod_ports};
use daemun_translate::infrastructure::is_reserved;
use serde_json::Value;

use super::address::{addresses, unmanaged};
use super::{Link, Remedy, State, Station, Trouble, Way, w};
use crate::explain::page::ANNOTATION;
use crate::explain::page::known::{From, Known};
use crate::explain::page::lang::Lang;
use crate::explain::page::meaning::{has_floating_ips, is_somebody, meaning};
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
            station.fail(State::Waiting, w::SERVICE_MISSING.plain(lang));
        }
    }
    annotations(known, service, &mut station);
    fields(known, service, &mut station);
    if is_there {
        super::anew::judge(known, service, &mut station);
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

fn balancer(known: &Known<'_>, service: Seen<'_>, is_there: bool) -> Station {
    let lang = known.lang;
    let rules = known.rules();
    let name = if rules.is_some_and(is_somebody) {
        known.product()
    } else {
        w::BALANCER_UNKNOWN.plain(lang)
    };
    let mut station = Station::new(known, Link::LoadBalancer, name);
    not_asked(known, &mut station);
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
            station.fail(
                State::Bad,
                Trouble::from(what).with([describe(known, service)]),
            );
        }
        let label = w::BALANCER_LAST_EVENT.plain(lang);
        station.fact("lastEvent", label, format!("{told} ({when})"));
    }
    if shown {
        station.say(w::BALANCER_MADE.plain(lang));
        station.say(w::BALANCER_GOES.plain(lang));
        silence(known, &mut station);
    } else {
        let what = w::BALANCER_WAITS.plain(lang);
        station.fail(
            State::Waiting,
            Trouble::from(what).with([describe(known, service)]),
        );
    }
    station
}

/// A provider that was named on the command line and is not the one by which this Gateway is judged.
fn not_asked(known: &Known<'_>, station: &mut Station) {
    let asked = known.cluster.settings.provider.as_deref();
    let Some(asked) = asked.filter(|_| !known.is_guesswork()) else {
        return;
    };
    let counts = known.infrastructure().map(|it| it.exposure.provider);
    let counts = counts.filter(|it| Provider::named(it).is_some() && *it != asked);
    if let Some(counts) = counts {
        station.say(w::PROVIDER_NOT_ASKED.say(known.lang, &[&asked, &counts]));
    }
}

/// That no connection comes, as the controller was told by the proxies, and the rule that is probably missing.
fn silence(known: &Known<'_>, station: &mut Station) {
    let lang = known.lang;
    let said = known.recorded("Programmed");
    let wanted = known.infrastructure();
    let (Some(wanted), true) = (
        wanted,
        said.is_some_and(|it| it.message.contains(NOBODY_CAME)),
    ) else {
        return;
    };
    let Some(gate) = wanted.exposure.gate else {
        return;
    };
    let minutes = PATIENCE / 60;
    let rule = match lang {
        Lang::En => gate.rule,
        Lang::Ko => gate.rule_ko,
    };
    let pods = gate.pods_with.map(|network| {
        let ports = pod_ports(&wanted.ports).join(", ");
        w::SILENCE_PODS.say(lang, &[&network, &ports])
    });
    if gate.checks {
        let remedies = [Some(w::SILENCE_RULE.say(lang, &[&rule])), pods];
        let what = w::SILENCE_CHECKED.say(lang, &[&minutes]);
        let trouble = Trouble::from(what).with(remedies.into_iter().flatten().map(Remedy::from));
        station.fail(State::Doubtful, trouble);
    } else {
        // Nobody may have called: that is no trouble.
        station.say(w::SILENCE.say(lang, &[&minutes]));
        station.say(w::SILENCE_RULE_IF.say(lang, &[&rule]));
        pods.into_iter().for_each(|pods| station.say(pods));
    }
}

pub(super) fn describe(known: &Known<'_>, service: Seen<'_>) -> Remedy {
    let name = service.whole_name();
    w::BALANCER_WAITS_REMEDY.remedy(known.lang, &[&name.namespace, &name.name])
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
