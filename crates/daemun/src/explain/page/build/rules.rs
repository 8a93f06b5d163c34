//! The rules: the class, who serves it, and the Gateway itself.

use daemun_model::names::ObjectName;
use daemun_model::verdict::{FieldPath, Place, Severity, Status, Verdict};
use daemun_translate::exposure::{ADDRESS_NOT_USABLE, ALLOW_RECREATION};

use super::address::is_closed;
use super::{Link, Standing, State, Station, Trouble, w};
use crate::explain::page::known::{From, Known, Said, condition};

/// Whether the Gateway is not accepted.
pub(super) fn refused(known: &Known<'_>) -> bool {
    let accepted = known.said("Accepted");
    accepted.is_some_and(Said::fails)
}

/// What becomes of the Gateway as a whole.
pub(super) fn standing(known: &Known<'_>) -> Standing {
    let is_made = known.made("Service").next().is_some();
    let on_hold = known.infrastructure().is_some_and(|it| it.on_hold);
    let unusable = known.said("Programmed");
    let unusable = unusable.is_some_and(|it| it.fails() && it.reason == ADDRESS_NOT_USABLE);
    if class_refusal(known).is_some() && !is_made {
        Standing::ClassRefused
    } else if refused(known) {
        Standing::Refused
    } else if on_hold && unusable && !is_made {
        Standing::NothingMade
    } else if is_closed(known) {
        Standing::Closed
    } else {
        Standing::Serving
    }
}

/// Why the class is not accepted, if it is not.
fn class_refusal(known: &Known<'_>) -> Option<Trouble> {
    if known.class_presumed {
        return None;
    }
    let written = known.written()?;
    let name = ObjectName::new("", &written.spec.gateway_class_name);
    let mut seen = known.of_kind("GatewayClass");
    let recorded = seen.find(|it| it.name() == name.name);
    let recorded = recorded.and_then(|it| it.condition("Accepted"));
    if let (Some(recorded), From::Cluster) = (recorded, known.from) {
        let said = ("Accepted", recorded.reason);
        let refused = recorded.status != "True";
        return refused.then(|| Trouble::said(known, said, recorded.message));
    }
    let verdict = known.verdict("GatewayClass", &name)?;
    let object = verdict.parts.iter().find(|it| it.place == Place::Object)?;
    let accepted = condition(object, "Accepted").filter(|it| it.status != Status::True)?;
    let spot = known.spot_of(verdict, &accepted.message, &FieldPath::root());
    let said = ("Accepted", accepted.reason);
    Some(Trouble::said(known, said, &accepted.message).at(spot))
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
    if let Some(refused) = class_refusal(known) {
        station.fail(State::Bad, refused);
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
                Some(judged) if judged < generation => {
                    let behind = w::CONTROLLER_BEHIND.say(lang, &[&generation, &judged]);
                    let look = w::CONTROLLER_SILENT_REMEDY.remedy(lang, &[]);
                    station.fail(State::Waiting, Trouble::from(behind).with([look]));
                }
                Some(_) | None => {
                    station.say(w::CONTROLLER_CURRENT.say(lang, &[&generation]));
                }
            }
        }
        (_, From::Cluster) => {
            let silent = w::CONTROLLER_SILENT.plain(lang);
            let look = w::CONTROLLER_SILENT_REMEDY.remedy(lang, &[]);
            station.fail(State::Bad, Trouble::from(silent).with([look]));
        }
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
    let verdict = known.verdict("Gateway", known.gateway);
    let root = FieldPath::root();
    let trouble = |said: Said<'_>| {
        let spot = verdict.and_then(|it| known.spot_of(it, said.message, &root));
        Trouble::said(known, ("Accepted", said.reason), said.message).at(spot)
    };
    match known.said("Accepted") {
        Some(accepted) if accepted.fails() => station.fail(State::Bad, trouble(accepted)),
        Some(accepted) if accepted.status == Status::Unknown => {
            station.fail(State::Waiting, trouble(accepted));
        }
        Some(_) | None => {}
    }
    if let Some(verdict) = verdict {
        findings(known, verdict, &mut station);
    }
    station
}

/// What a person should notice about the Gateway itself. What is about a listener, a Service or an address is told there.
fn findings(known: &Known<'_>, verdict: &Verdict, station: &mut Station) {
    let own = verdict.findings.iter().filter(|finding| {
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
        let message = format!("{}: {}", finding.path, finding.message);
        let trouble = Trouble::said(known, ("", finding.reason), &message);
        station.fail(
            state,
            trouble.at(known.spot(&verdict.object, &finding.path)),
        );
    }
}
