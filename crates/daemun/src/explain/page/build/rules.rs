//! The rules: the class, who serves it, and the Gateway itself.

use daemun_model::names::ObjectName;
use daemun_model::verdict::{Place, Severity, Status};
use daemun_translate::exposure::ALLOW_RECREATION;

use super::{Link, State, Station, w};
use crate::explain::page::known::{From, Known, Said, condition};

/// Whether the Gateway is not accepted.
pub(in crate::explain::page) fn refused(known: &Known<'_>) -> bool {
    let accepted = known.said("Accepted");
    accepted.is_some_and(Said::fails)
}

pub(super) fn class(known: &Known<'_>) -> Station {
    let lang = known.lang;
    let written = known.written();
    let name = written.map_or("", |gateway| &gateway.spec.gateway_class_name);
    let mut station = Station::new(known, Link::Class, name);
    if known.class_presumed {
        station.state = State::Unknown;
        station.say(w::CLASS_PRESUMED.plain(lang));
        return station;
    }
    let name = ObjectName::new("", name);
    let class = known.cluster.gateway_classes.get(&name);
    if let Some(parameters) = class.and_then(|it| it.spec.parameters_ref.as_ref()) {
        let place = parameters.namespace.as_deref().unwrap_or_default();
        let object = ObjectName::new(place, &parameters.name);
        let shown = format!("{} {object}", parameters.kind);
        station.say(w::CLASS_PARAMETERS.say(lang, &[&shown]));
    }
    let seen = known.of_kind("GatewayClass");
    let mut seen = seen.filter(|it| it.name() == name.name);
    let recorded = seen.find_map(|it| it.condition("Accepted"));
    if let (Some(recorded), From::Cluster) = (recorded, known.from) {
        if recorded.status != "True" {
            station.fail(State::Bad, recorded.message, Vec::new());
        }
    } else if let Some(verdict) = known.verdict("GatewayClass", &name) {
        let object = verdict.parts.iter().find(|it| it.place == Place::Object);
        let accepted = object.and_then(|part| condition(part, "Accepted"));
        if let Some(accepted) = accepted.filter(|it| it.status != Status::True) {
            station.fail(State::Bad, &*accepted.message, Vec::new());
        }
    }
    station
}

pub(super) fn controller(known: &Known<'_>) -> Station {
    let lang = known.lang;
    let name = &known.cluster.settings.controller;
    let mut station = Station::new(known, Link::Controller, name);
    let object = known.object();
    let accepted = object.and_then(|it| it.condition("Accepted"));
    let generation = object.map_or(0, |it| it.number("/metadata/generation"));
    match (accepted, known.from) {
        // The API server writes this one itself, before any controller looks.
        (Some(accepted), _) if accepted.reason != "Pending" || accepted.status == "True" => {
            match accepted.generation {
                Some(judged) if judged < generation => station.fail(
                    State::Waiting,
                    w::CONTROLLER_BEHIND.say(lang, &[&generation, &judged]),
                    vec![w::CONTROLLER_SILENT_REMEDY.plain(lang)],
                ),
                Some(_) | None => {
                    station.say(w::CONTROLLER_CURRENT.say(lang, &[&generation]));
                }
            }
        }
        (_, From::Cluster) => station.fail(
            State::Bad,
            w::CONTROLLER_SILENT.plain(lang),
            vec![w::CONTROLLER_SILENT_REMEDY.plain(lang)],
        ),
        (_, From::Files) => {
            station.state = State::Unknown;
            station.say(w::CONTROLLER_FORESEEN.plain(lang));
        }
    }
    station
}

pub(super) fn gateway(known: &Known<'_>, listeners: usize, routes: usize) -> Station {
    let lang = known.lang;
    let mut station = Station::new(known, Link::Gateway, known.gateway.to_string());
    station.say(w::GATEWAY_COUNTS.say(lang, &[&listeners, &routes]));
    let object = known.object();
    if let Some(created) = object.map(|it| it.created()).filter(|it| !it.is_empty()) {
        station.say(w::MADE_AT.say(lang, &[&created]));
    }
    let spec = known.written().map(|gateway| &gateway.spec);
    let own = spec.and_then(|spec| spec.infrastructure.as_ref());
    if let Some(parameters) = own.and_then(|it| it.parameters_ref.as_ref()) {
        let name = ObjectName::new(&known.gateway.namespace, &parameters.name);
        let shown = format!("{} {name}", parameters.kind);
        station.say(w::GATEWAY_PARAMETERS.say(lang, &[&shown]));
    }
    match known.said("Accepted") {
        Some(accepted) if accepted.fails() => {
            station.fail(State::Bad, accepted.message, Vec::new());
        }
        Some(accepted) if accepted.status == Status::Unknown => {
            station.fail(State::Waiting, accepted.message, Vec::new());
        }
        Some(_) | None => {}
    }
    let verdict = known.verdict("Gateway", known.gateway);
    let findings = verdict.map(|it| &*it.findings).unwrap_or_default();
    // What is about a listener, a Service or an address is told there.
    let own = findings.iter().filter(|finding| {
        let path = finding.path.to_string();
        !path.starts_with("spec.listeners")
            && !path.starts_with("status.")
            && !path.ends_with(ALLOW_RECREATION)
    });
    for finding in own {
        let state = match finding.severity {
            Severity::Warning => State::Doubtful,
            Severity::Error => State::Bad,
        };
        station.fail(
            state,
            format!("{}: {}", finding.path, finding.message),
            Vec::new(),
        );
    }
    station
}
