//! The Routes that name the Gateway, attached or not, and where their rules lead.

use daemun_model::Snapshot;
use daemun_model::backend::{BackendTarget, EndpointHost, EndpointState};
use daemun_model::filter::Filter;
use daemun_model::names::{BackendKey, BackendKind, ObjectName, RouteKey};
use daemun_model::route::{Attachment, Rule};
use daemun_model::verdict::{FieldPath, Place, Severity, Status, Verdict};
use daemun_translate::NO_READY_ENDPOINT;

use super::listeners::sets;
use super::{Link, Route, State, Station, Trouble, w};
use crate::explain::page::known::{From, Known, condition};
use crate::explain::page::{Leg, Target};
use crate::explain::share::percent;
use crate::output::serving;

/// The Routes, those with something wrong first.
pub(super) fn routes(known: &Known<'_>) -> Vec<Route> {
    let sets = sets(known);
    let verdicts = known.outcome.verdicts.of_routes().iter();
    let mut routes: Vec<Route> = verdicts
        .filter_map(|(key, verdict)| route(known, &sets, key, verdict))
        .collect();
    routes.sort_by(|one, other| {
        let state = other.station.state.cmp(&one.station.state);
        state.then_with(|| one.station.title().cmp(&other.station.title()))
    });
    routes
}

fn route(
    known: &Known<'_>,
    sets: &[ObjectName],
    key: &RouteKey,
    verdict: &Verdict,
) -> Option<Route> {
    let lang = known.lang;
    let mut station = Station::new(known, Link::Route, key.name.to_string());
    key.kind.as_str().clone_into(&mut station.heading);
    let mut named = false;
    for part in verdict.parts.iter() {
        let Place::Parent { parent, .. } = &part.place else {
            continue;
        };
        let is_meant = match parent.kind.as_str() {
            "Gateway" => parent.name == *known.gateway,
            _ => sets.contains(&parent.name),
        };
        if !is_meant {
            continue;
        }
        named = true;
        for (kind, bad, state) in [
            ("Accepted", Status::False, State::Bad),
            ("ResolvedRefs", Status::False, State::Bad),
            ("PartiallyInvalid", Status::True, State::Doubtful),
        ] {
            let failing = condition(part, kind).filter(|it| it.status == bad);
            if let Some(failing) = failing {
                let what = match kind {
                    "Accepted" => {
                        let word = w::ROUTE_NOT_ATTACHED.plain(lang);
                        format!("{word} ({}): {}", failing.reason, failing.message)
                    }
                    _ => failing.message.clone(),
                };
                let spot = known.spot_of(verdict, &failing.message, &FieldPath::root());
                let trouble = Trouble::said(known, (kind, failing.reason), &what);
                station.fail(state, trouble.at(spot));
            }
        }
    }
    if !named {
        return None;
    }
    let (listeners, legs) = known
        .snapshot()
        .map(|snapshot| led(known, snapshot, key, &mut station))
        .unwrap_or_default();
    let mut targets = legs.iter().flat_map(|leg: &Leg| &leg.to);
    let unseen = targets.any(|target| target.state == State::Unknown);
    // Of endpoints that are not in the files it cannot be said that none is ready.
    let findings = verdict.findings.iter();
    let known_ones = findings.filter(|finding| !(unseen && finding.reason == NO_READY_ENDPOINT));
    for finding in known_ones {
        let state = match finding.severity {
            Severity::Warning => State::Doubtful,
            Severity::Error => State::Bad,
        };
        let what = format!("{}: {}", finding.path, finding.message);
        let trouble = Trouble::said(known, ("", finding.reason), &what);
        station.fail(
            state,
            trouble.at(known.spot(&verdict.object, &finding.path)),
        );
    }
    if !listeners.is_empty() {
        station.say(w::ROUTE_AT.say(lang, &[&listeners.join(", ")]));
    }
    Some(Route {
        station,
        listeners,
        legs,
    })
}

/// At which listeners it is, and where its rules lead.
fn led(
    known: &Known<'_>,
    snapshot: &Snapshot,
    key: &RouteKey,
    station: &mut Station,
) -> (Vec<String>, Vec<Leg>) {
    if let Some(route) = snapshot.routes.get(key) {
        let hosts = serving::hosts_of(route);
        let legs = route.rules.iter().map(|rule| {
            let takes = format!("{hosts} {}", serving::matches_of(rule));
            Leg {
                takes,
                to: of_rule(known, snapshot, rule, station),
            }
        });
        return (names(&route.attachments), legs.collect());
    }
    let Some(route) = snapshot.streams.get(key) else {
        return (Vec::new(), Vec::new());
    };
    let shares: Vec<(&BackendTarget, u32)> = route
        .backends
        .iter()
        .map(|share| (&share.target, share.weight))
        .collect();
    let leg = Leg {
        takes: serving::hosts_at(&route.attachments),
        to: targets(known, snapshot, &shares, station),
    };
    (names(&route.attachments), vec![leg])
}

fn names(attachments: &[Attachment]) -> Vec<String> {
    let names = attachments.iter().map(|it| it.listener.name.clone());
    names.collect()
}

fn of_rule(
    known: &Known<'_>,
    snapshot: &Snapshot,
    rule: &Rule,
    station: &mut Station,
) -> Vec<Target> {
    let lang = known.lang;
    let redirect = rule.filters.iter().find_map(|filter| match filter {
        Filter::Redirect(redirect) => Some(redirect.status.code().as_u16()),
        Filter::RequestHeaders(_)
        | Filter::ResponseHeaders(_)
        | Filter::Rewrite(_)
        | Filter::Mirror(_)
        | Filter::Cors(_)
        | Filter::ExternalAuth(_)
        | Filter::Invalid(_) => None,
    });
    let alone = |backend: String, state| {
        vec![Target {
            backend,
            share: String::new(),
            endpoints: String::new(),
            state,
        }]
    };
    if let Some(status) = redirect {
        return alone(w::REDIRECTS.say(lang, &[&status]), State::Good);
    }
    if rule.backends.is_empty() {
        return alone(w::NO_BACKEND.plain(lang), State::Doubtful);
    }
    let shares: Vec<(&BackendTarget, u32)> = rule
        .backends
        .iter()
        .map(|share| (&share.target, share.weight))
        .collect();
    targets(known, snapshot, &shares, station)
}

fn targets(
    known: &Known<'_>,
    snapshot: &Snapshot,
    shares: &[(&BackendTarget, u32)],
    station: &mut Station,
) -> Vec<Target> {
    let sum: u64 = shares.iter().map(|(_, weight)| u64::from(*weight)).sum();
    let several = shares.len() > 1;
    let all = shares.iter().map(|(target, weight)| {
        let mut shown = match target {
            BackendTarget::Backend(key) => of_backend(known, snapshot, key, station),
            BackendTarget::Invalid { written, reason } => Target {
                backend: written.clone(),
                share: String::new(),
                endpoints: failing(known, station, reason),
                state: State::Bad,
            },
        };
        if several {
            shown.share = percent(u64::from(*weight), sum);
        }
        shown
    });
    all.collect()
}

fn of_backend(
    known: &Known<'_>,
    snapshot: &Snapshot,
    key: &BackendKey,
    station: &mut Station,
) -> Target {
    let lang = known.lang;
    let (endpoints, state) = endpoints(known, snapshot, key, station);
    if state == State::Bad {
        let ObjectName { namespace, name } = &key.name;
        let what = w::NO_ENDPOINT.say(lang, &[key]);
        let remedy = match key.kind {
            BackendKind::Service => Some(w::NO_ENDPOINT_REMEDY.remedy(lang, &[namespace, name])),
            BackendKind::Backend | BackendKind::XBackend => None,
        };
        station.fail(State::Bad, Trouble::from(what).with(remedy));
    }
    Target {
        backend: key.to_string(),
        share: String::new(),
        endpoints,
        state,
    }
}

/// What becomes of requests to what cannot be used; why, unless the Route's trouble says so already.
fn failing(known: &Known<'_>, station: &Station, why: &str) -> String {
    let told = station.trouble.as_ref().is_some_and(|trouble| {
        let message = trouble.message.as_ref().unwrap_or(&trouble.what);
        message.contains(why)
    });
    if told {
        w::TARGET_FAILS.plain(known.lang)
    } else {
        w::TARGET_INVALID.say(known.lang, &[&why])
    }
}

fn endpoints(
    known: &Known<'_>,
    snapshot: &Snapshot,
    key: &BackendKey,
    station: &Station,
) -> (String, State) {
    let lang = known.lang;
    let Some(backend) = snapshot.backends.get(key) else {
        return (w::ENDPOINTS_NONE.plain(lang), State::Bad);
    };
    if let Some(refused) = &backend.refused {
        return (failing(known, station, refused), State::Bad);
    }
    let all = backend.endpoints.len();
    let is_ready = |state| state == EndpointState::Ready;
    let ready = backend.endpoints.iter().filter(|it| is_ready(it.state));
    let names = backend.endpoints.iter().find_map(|it| match &it.host {
        EndpointHost::Name(name) => Some(name),
        EndpointHost::Address(_) => None,
    });
    match (ready.count(), names) {
        (_, Some(name)) => (w::ENDPOINTS_NAME.say(lang, &[name]), State::Good),
        (0, None) if all == 0 && !has_slices(known, key) => {
            (w::ENDPOINTS_NOT_IN_FILES.plain(lang), State::Unknown)
        }
        (0, None) => (w::ENDPOINTS_NONE.plain(lang), State::Bad),
        (ready, None) => (w::ENDPOINTS.say(lang, &[&ready, &all]), State::Good),
    }
}

/// Whether it is known that a Service has no endpoints: files rarely have them.
fn has_slices(known: &Known<'_>, key: &BackendKey) -> bool {
    const OF_SERVICE: &str = "kubernetes.io/service-name";
    if known.from == From::Cluster || key.kind != BackendKind::Service {
        return true;
    }
    let mut slices = known.cluster.endpoint_slices.iter();
    slices.any(|(name, slice)| {
        name.namespace == key.name.namespace
            && slice.metadata.labels.get(OF_SERVICE) == Some(&key.name.name)
    })
}
