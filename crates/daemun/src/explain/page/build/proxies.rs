//! The proxies: what runs them, and whether they do.

use daemun_model::verdict::Status;
use daemun_translate::infrastructure::parameters::Workload;
use serde_json::Value;

use super::{Link, Standing, State, Station, Trouble, w};
use crate::explain::page::known::{From, Known};
use crate::explain::page::seen::Seen;

/// The label of pods by which those of a Gateway are found.
const GATEWAY_LABEL: &str = "gateway.networking.k8s.io/gateway-name";
/// Reasons of `Programmed` that are about the address, and told there.
const OF_ADDRESS: &[&str] = &["AddressNotUsable", "AddressNotAssigned", "Programmed"];

pub(super) fn proxies(known: &Known<'_>, standing: Standing) -> Station {
    let lang = known.lang;
    let workloads = known.made("Deployment").chain(known.made("DaemonSet"));
    let workloads: Vec<Seen<'_>> = workloads.collect();
    let names: Vec<String> = workloads
        .iter()
        .map(|it| format!("{} {}", it.kind(), it.name()))
        .collect();
    let mut station = Station::new(known, Link::Proxies, names.join(", "));
    if workloads.is_empty() {
        not_there(known, standing, &mut station);
        return station;
    }
    let (ready, wanted) = readiness(&workloads);
    station.say(w::PROXIES_READY.say(lang, &[&ready, &wanted]));
    let created = workloads.first().map(|it| it.created());
    if let Some(created) = created.filter(|it| !it.is_empty()) {
        station.say(w::MADE_AT.say(lang, &[&created]));
    }
    if let Some(ports) = host_ports(known) {
        station.say(w::PROXIES_HOST.say(lang, &[&ports]));
    }
    pods(known, &mut station);
    if ready < wanted || wanted == 0 {
        let state = if ready == 0 {
            State::Bad
        } else {
            State::Doubtful
        };
        let labels = format!("{GATEWAY_LABEL}={}", known.gateway.name);
        let remedy = w::PROXIES_NOT_READY_REMEDY.remedy(lang, &[&known.gateway.namespace, &labels]);
        let mut what = w::PROXIES_NOT_READY.say(lang, &[&ready, &wanted]);
        if let Some(why) = waiting_pod(known) {
            what = format!("{what} {why}");
        }
        station.fail(state, Trouble::from(what).with([remedy]));
    }
    if let Some(said) = known.recorded("Programmed")
        && said.status == Status::False
        && !OF_ADDRESS.contains(&said.reason)
        && standing != Standing::Refused
    {
        let state = match said.reason {
            "Pending" => State::Waiting,
            _ => State::Bad,
        };
        let trouble = Trouble::said(known, ("Programmed", said.reason), said.message);
        station.fail(state, trouble);
    }
    station
}

/// The ports of nodes that the proxies take, if they take any: `TCP 80, TCP 443`.
pub(super) fn host_ports(known: &Known<'_>) -> Option<String> {
    let ports = known.infrastructure()?.exposure.host_ports.iter();
    let each = ports.map(ToString::to_string).collect::<Vec<_>>();
    (!each.is_empty()).then(|| each.join(", "))
}

fn not_there(known: &Known<'_>, standing: Standing, station: &mut Station) {
    let lang = known.lang;
    let foreseen = known.foreseen();
    let workload = foreseen.iter().map(Seen).find(|it| {
        let kind = it.kind();
        kind == "Deployment" || kind == "DaemonSet"
    });
    let hidden = ["Deployment", "DaemonSet"]
        .iter()
        .any(|kind| known.hidden.contains(kind));
    if let Some(workload) = workload {
        station.name = format!("{} {}", workload.kind(), workload.name());
    } else if standing != Standing::Serving && standing != Standing::Closed {
        station.state = State::Unknown;
        let held = match standing {
            Standing::ClassRefused => w::PROXIES_CLASS_HELD,
            _ => w::PROXIES_HELD,
        };
        station.say(held.plain(lang));
        return;
    }
    if hidden || workload.is_none() {
        station.state = State::Unknown;
        station.say(w::NOT_SEEN.plain(lang));
        return;
    }
    match known.from {
        // What a cluster has is not all in the files: where the Service is, somebody has made it.
        From::Files if known.made("Service").next().is_some() => {
            station.state = State::Unknown;
            station.say(w::PROXIES_NOT_IN_FILES.plain(lang));
        }
        From::Files => {
            station.foresee();
            let wanted = known.infrastructure().map(|it| it.parameters.workload);
            station.say(match wanted {
                Some(Workload::Deployment(number)) => w::PROXIES_FORESEEN.say(lang, &[&number]),
                Some(Workload::DaemonSet) => w::PROXIES_EACH_NODE.plain(lang),
                Some(Workload::Scaled { .. }) | None => w::PROXIES_SCALED.plain(lang),
            });
            if let Some(ports) = host_ports(known) {
                station.say(w::PROXIES_HOST.say(lang, &[&ports]));
            }
        }
        From::Cluster => station.fail(State::Waiting, w::PROXIES_MISSING.plain(lang)),
    }
}

/// Ready ones, and how many there are to be.
fn readiness(workloads: &[Seen<'_>]) -> (i64, i64) {
    let of = |seen: &Seen<'_>| match seen.kind() {
        "DaemonSet" => (
            seen.number("/status/numberReady"),
            seen.number("/status/desiredNumberScheduled"),
        ),
        _ => (
            seen.number("/status/readyReplicas"),
            seen.number("/spec/replicas"),
        ),
    };
    workloads
        .iter()
        .map(of)
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

pub(super) fn of_gateway<'a>(known: &Known<'a>) -> impl Iterator<Item = Seen<'a>> + use<'a> {
    let gateway = known.gateway;
    known.of_kind("Pod").filter(move |pod| {
        pod.whole_name().namespace == gateway.namespace && pod.label(GATEWAY_LABEL) == gateway.name
    })
}

fn pods(known: &Known<'_>, station: &mut Station) {
    const SHOWN: usize = 6;
    for pod in of_gateway(known).take(SHOWN) {
        let ready = pod.condition("Ready");
        let state = if ready.is_some_and(|it| it.status == "True") {
            w::STATE_GOOD
        } else {
            w::STATE_WAITING
        };
        station.fact("pod", pod.name(), state.plain(known.lang));
    }
}

/// Why a pod does not run, in Kubernetes' words.
fn waiting_pod(known: &Known<'_>) -> Option<String> {
    of_gateway(known).find_map(|pod| {
        let containers = pod.list("/status/containerStatuses").iter().map(Seen);
        let why = containers
            .map(|it| it.at("/state/waiting"))
            .find_map(|it| it.map(reason));
        let unscheduled = || {
            let scheduled = pod.condition("PodScheduled")?;
            (scheduled.status == "False")
                .then(|| format!("{}: {}", scheduled.reason, scheduled.message))
        };
        let why = why.or_else(unscheduled)?;
        // The controller may have found out more about it.
        if let Some(said) = known
            .recorded("Programmed")
            .filter(|it| it.message.contains(pod.name()))
        {
            return Some(said.message.to_owned());
        }
        Some(w::POD_WAITS.say(known.lang, &[&pod.name(), &why]))
    })
}

fn reason(waiting: &Value) -> String {
    let waiting = Seen(waiting);
    match waiting.text("/message") {
        "" => waiting.text("/reason").to_owned(),
        message => format!("{}: {message}", waiting.text("/reason")),
    }
}
