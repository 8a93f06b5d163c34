//! The open ports, those of attached ListenerSets among them.

use daemun_model::Snapshot;
use daemun_model::names::ObjectName;
use daemun_model::shown::date;
use daemun_model::verdict::{Part, Place, Status, Verdict};
use daemun_objects::gateway_api::gateway::Listener as Written;

use super::{Link, Listener, Owner, State, Station, w};
use crate::explain::page::known::{Known, condition};

/// Conditions that are bad where they do not hold; another one is bad where it does.
const WANTED: &[&str] = &["Accepted", "ResolvedRefs"];

pub(super) fn listeners(known: &Known<'_>) -> Vec<Listener> {
    let Some(gateway) = known.written() else {
        return Vec::new();
    };
    let verdict = known.verdict("Gateway", known.gateway);
    let own = gateway.spec.listeners.iter();
    let mut all: Vec<Listener> = own
        .map(|written| listener(known, written, verdict, None))
        .collect();
    for name in sets(known) {
        if let Some(set) = known.cluster.listener_sets.get(&name) {
            let verdict = known.verdict("ListenerSet", &name);
            let of_set = set.spec.listeners.iter();
            all.extend(of_set.map(|written| listener(known, written, verdict, Some(&name))));
        }
    }
    all
}

/// The ListenerSets that name the Gateway.
pub(super) fn sets(known: &Known<'_>) -> Vec<ObjectName> {
    let sets = known.cluster.listener_sets.iter();
    let of_gateway = sets.filter(|(name, set)| {
        let parent = &set.spec.parent_ref;
        let namespace = parent.namespace.as_ref().unwrap_or(&name.namespace);
        parent.name == known.gateway.name && *namespace == known.gateway.namespace
    });
    of_gateway.map(|(name, _)| name.clone()).collect()
}

fn listener(
    known: &Known<'_>,
    written: &Written,
    verdict: Option<&Verdict>,
    set: Option<&ObjectName>,
) -> Listener {
    let lang = known.lang;
    let name = match set {
        Some(set) => format!("{set}/{}", written.name),
        None => written.name.clone(),
    };
    let mut station = Station::new(known, Link::Listener, name);
    if let Some(set) = set {
        station.owner = Owner::ApplicationDeveloper;
        station.say(w::LISTENER_OF_SET.say(lang, &[set]));
    }
    let parts = verdict.map(|it| &*it.parts).unwrap_or_default();
    let part = parts
        .iter()
        .find(|it| matches!(&it.place, Place::Listener(name) if *name == written.name));
    let attached = part.and_then(|part| part.attached).unwrap_or_default();
    if attached == 0 {
        station.say(w::LISTENER_NO_ROUTES.plain(lang));
    } else {
        station.say(w::LISTENER_ROUTES.say(lang, &[&attached]));
    }
    if let Some(part) = part {
        conditions(part, &mut station);
    } else if set.is_some() {
        let own = parts.iter().find(|it| it.place == Place::Object);
        if let Some(own) = own {
            conditions(own, &mut station);
        }
    }
    if let Some(snapshot) = known.snapshot() {
        certificates(known, snapshot, written, &mut station);
    }
    let hostname = match written.hostname.as_deref() {
        None | Some("") => w::ANY_NAME.plain(lang),
        Some(name) => name.to_owned(),
    };
    let port = format!(
        "{} :{} {hostname}",
        written.protocol.as_str().to_lowercase(),
        written.port
    );
    Listener { port, station }
}

fn conditions(part: &Part, station: &mut Station) {
    for kind in WANTED {
        let failing = condition(part, kind).filter(|it| it.status == Status::False);
        if let Some(failing) = failing {
            station.fail(State::Bad, &*failing.message, Vec::new());
        }
    }
    let conflicted = condition(part, "Conflicted").filter(|it| it.status == Status::True);
    if let Some(conflicted) = conflicted {
        station.fail(State::Bad, &*conflicted.message, Vec::new());
    }
    let overlaps = condition(part, "OverlappingTLSConfig").filter(|it| it.status == Status::True);
    if let Some(overlaps) = overlaps {
        station.fail(State::Doubtful, &*overlaps.message, Vec::new());
    }
}

fn certificates(known: &Known<'_>, snapshot: &Snapshot, written: &Written, station: &mut Station) {
    let lang = known.lang;
    let mut listeners = snapshot.listeners.values();
    let running =
        listeners.find(|it| it.key.name == written.name && i32::from(it.port) == written.port);
    let Some(tls) = running.and_then(|it| it.protocol.termination()) else {
        return;
    };
    for name in &tls.certificates {
        let Some(certificate) = snapshot.certificates.get(name) else {
            continue;
        };
        let day = date(certificate.not_after);
        let value = format!("{name}, {}", w::CERTIFICATE_UNTIL.say(lang, &[&day]));
        station.fact("certificate", w::FACT_CERTIFICATE.plain(lang), value);
        if certificate.not_after <= known.cluster.now {
            let what = w::CERTIFICATE_EXPIRED.say(lang, &[name, &day]);
            station.fail(State::Bad, what, Vec::new());
        }
    }
}
