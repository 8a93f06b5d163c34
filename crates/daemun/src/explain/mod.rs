//! What becomes of a request, step by step, and why: the answer of `daemun explain` and of the admin
//! port's `/explain`.
//!
//! It reads the same configuration that the proxy compiles, and asks the same tables which rule takes a
//! request. No request is sent: what a backend would answer is not known here, nor which of its endpoints
//! answer at all.

mod asked;
pub(crate) mod cluster;
mod describe;
mod filters;
pub(crate) mod page;
mod place;
pub(crate) mod route;
mod share;
mod stream;
mod text;

use daemun_model::hostname::HostPattern;
use daemun_model::listener::Listener;
use daemun_model::route::{HttpRoute, Rule};
use daemun_model::verdict::{Place, Status};
use daemun_model::{Configuration, Snapshot, Verdicts};
use daemun_proxy::admin::{Form, Question};
use daemun_route::explain::describe as describe_match;
use daemun_route::{Asked, Candidate, Input, Table};
use serde::Serialize;

use self::asked::Request;
use self::describe::Backends;
use self::place::{At, Found};
use self::stream::Passed;

/// Answers a question, in the form that is wanted.
///
/// # Errors
/// A sentence about the question.
pub(crate) fn answer(
    configuration: &Configuration,
    verdicts: &Verdicts,
    question: &Question,
    form: Form,
) -> Result<String, String> {
    let explanation = explain(configuration, verdicts, question)?;
    Ok(match form {
        Form::Text => text::write(&explanation),
        // Strings, numbers and lists are all there is; they always become JSON.
        Form::Json => serde_json::to_string_pretty(&explanation).unwrap_or_default() + "\n",
    })
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Explanation {
    /// The request as it was understood.
    pub(crate) request: Understood,
    /// Where it arrives; none if nothing listens there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) listener: Option<Arrived>,
    /// The rule that takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rule: Option<Taken>,
    /// The Route that takes the whole connection, if the listener does not look into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) passed_on_by: Option<String>,
    /// What the client gets, as far as the gateway decides that.
    pub(crate) outcome: Outcome,
    /// Rules that came close, the nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) others: Vec<Other>,
    /// What else may be the reason, if no rule takes the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) hints: Vec<String>,
}

/// A request as it was understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Understood {
    pub(crate) method: String,
    pub(crate) scheme: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// As it is matched and sent on.
    pub(crate) path: String,
}

/// The listener that a request arrives at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Arrived {
    pub(crate) protocol: &'static str,
    pub(crate) port: u16,
    pub(crate) hostname: String,
    pub(crate) gateway: String,
    /// The ListenerSet, if it is written in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) listener_set: Option<String>,
    pub(crate) name: String,
    /// What it wants of clients' certificates, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_certificate: Option<&'static str>,
    /// How many listeners of the port would take the host, if they were alone.
    pub(crate) of: usize,
}

/// The rule that takes a request, and what it does with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Taken {
    #[serde(flatten)]
    pub(crate) rule: RuleName,
    /// What it takes.
    pub(crate) matched: String,
    /// The hostname under which it was found.
    pub(crate) hostname: String,
    /// What happens to the request, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) filters: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) backends: Vec<describe::Share>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) limits: Vec<String>,
}

/// Which rule of which Route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RuleName {
    pub(crate) route: String,
    /// Its place, from 1.
    pub(crate) rule: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

/// What the client gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Outcome {
    /// The status of an answer of the gateway's own; none if a backend answers, or nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// A sentence.
    pub(crate) message: String,
}

/// A rule that came close.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Other {
    #[serde(flatten)]
    pub(crate) rule: RuleName,
    pub(crate) matched: String,
    /// Why it does not take the request.
    pub(crate) reasons: Vec<String>,
}

impl Explanation {
    /// Whether a rule or a Route takes it.
    pub(crate) fn is_taken(&self) -> bool {
        self.rule.is_some() || self.passed_on_by.is_some()
    }
}

impl Outcome {
    fn own(status: u16, message: impl Into<String>) -> Self {
        Self {
            status: Some(status),
            message: message.into(),
        }
    }

    fn none(message: impl Into<String>) -> Self {
        Self {
            status: None,
            message: message.into(),
        }
    }
}

/// Follows a request through a configuration.
///
/// # Errors
/// A sentence about the question: its URL, method or headers are none.
pub(crate) fn explain(
    configuration: &Configuration,
    verdicts: &Verdicts,
    question: &Question,
) -> Result<Explanation, String> {
    let request = Request::read(question)?;
    let mut explanation = Explanation {
        request: request.understood(),
        listener: None,
        rule: None,
        passed_on_by: None,
        outcome: Outcome::none(String::new()),
        others: Vec::new(),
        hints: Vec::new(),
    };
    match place::find(configuration, &request) {
        Found::Nowhere(outcome) => {
            explanation.outcome = outcome;
            explanation.hints = hints(verdicts, "Gateway", &["Programmed", "Accepted"])
                .chain(hints(verdicts, "ListenerSet", &["Programmed", "Accepted"]))
                .collect();
        }
        Found::Refused(at, outcome) => {
            explanation.listener = Some(at.arrived());
            explanation.outcome = outcome;
        }
        Found::Passed(at, Passed { route, outcome }) => {
            explanation.listener = Some(at.arrived());
            explanation.passed_on_by = route;
            explanation.outcome = outcome;
        }
        Found::At(at) => {
            explanation.listener = Some(at.arrived());
            follow(&at, &request, verdicts, &mut explanation);
        }
    }
    Ok(explanation)
}

/// From the listener on.
fn follow(at: &At<'_>, request: &Request, verdicts: &Verdicts, explanation: &mut Explanation) {
    if let Some(reason) = &at.listener.refused {
        explanation.outcome = Outcome::own(500, format!("the listener is closed: {reason}"));
        return;
    }
    if let Err(outcome) = within_limits(at.listener, request) {
        explanation.outcome = outcome;
        return;
    }
    let path = match &request.path {
        Ok(path) => path,
        Err(error) => {
            explanation.outcome = Outcome::own(400, format!("the path is refused: {error}"));
            return;
        }
    };
    let table = Table::build(inputs(at.snapshot, at.listener), None);
    let mut candidates = table.explain(&Asked {
        host: &request.host,
        method: &request.method,
        path,
        query: request.query.as_deref(),
        headers: &request.headers,
    });
    let taken = candidates
        .iter()
        .position(|candidate| candidate.reasons.is_empty());
    let winner = taken.map(|position| candidates.remove(position));
    explanation.others = candidates.iter().map(other).collect();
    let Some(winner) = winner else {
        explanation.outcome = Outcome::own(404, "no rule on this listener takes the request");
        explanation.hints = hints(verdicts, "HTTPRoute", &["Accepted"])
            .chain(hints(verdicts, "GRPCRoute", &["Accepted"]))
            .collect();
        return;
    };
    let backends = Backends::of(at.snapshot, winner.rule);
    explanation.outcome = describe::outcome(winner.rule, request, &backends);
    explanation.rule = Some(Taken {
        rule: rule_name(winner.route, winner.rule),
        matched: describe_match(winner.wanted),
        hostname: winner.hostname.to_string(),
        filters: filters::in_order(&winner.rule.filters, request),
        backends: backends.shares(request, winner.route.key.kind),
        limits: describe::limits(winner.rule, at.listener),
    });
}

fn within_limits(listener: &Listener, request: &Request) -> Result<(), Outcome> {
    let limits = &listener.limits;
    if request.target_bytes > limits.target_bytes as usize {
        let message = format!(
            "the request target has {} bytes, and the listener's limit targetBytes is {}",
            request.target_bytes, limits.target_bytes
        );
        return Err(Outcome::own(414, message));
    }
    if request.headers.len() > usize::from(limits.header_count) {
        let message = format!(
            "the request has {} headers, and the listener's limit headerCount is {}",
            request.headers.len(),
            limits.header_count
        );
        return Err(Outcome::own(431, message));
    }
    Ok(())
}

/// The rules on a listener, as the proxy has them.
fn inputs<'a>(
    snapshot: &'a Snapshot,
    listener: &'a Listener,
) -> impl Iterator<Item = Input<'a, ()>> + use<'a> {
    snapshot.routes.values().flat_map(|route| {
        let attachments = route.attachments.iter();
        let here = attachments.filter(|attachment| attachment.listener == listener.key);
        let hostnames = here.flat_map(|attachment| &attachment.hostnames);
        hostnames.flat_map(move |hostname: &HostPattern| {
            route.rules.iter().map(move |rule| Input {
                hostname,
                route,
                rule,
                target: (),
            })
        })
    })
}

fn other(candidate: &Candidate<'_, ()>) -> Other {
    Other {
        rule: rule_name(candidate.route, candidate.rule),
        matched: describe_match(candidate.wanted),
        reasons: candidate.reasons.iter().map(ToString::to_string).collect(),
    }
}

fn rule_name(route: &HttpRoute, rule: &Rule) -> RuleName {
    RuleName {
        route: route.key.to_string(),
        rule: rule.index + 1,
        name: rule.name.clone(),
    }
}

/// What verdicts say about objects of a kind that do not serve.
fn hints<'a>(
    verdicts: &'a Verdicts,
    kind: &'static str,
    conditions: &'a [&'static str],
) -> impl Iterator<Item = String> + use<'a> {
    const SHOWN: usize = 8;
    let of_kind = verdicts
        .iter()
        .filter(move |verdict| verdict.object.kind == kind);
    let parts = of_kind.flat_map(|verdict| verdict.parts.iter().map(move |part| (verdict, part)));
    let told = parts.filter_map(|(verdict, part)| {
        let fails = |status| status == Status::False;
        let condition = conditions
            .iter()
            .filter_map(|kind| {
                part.conditions
                    .iter()
                    .find(|condition| condition.kind == *kind)
            })
            .find(|condition| fails(condition.status))?;
        let place = match &part.place {
            Place::Listener(name) => format!(", listener {name}"),
            Place::Object | Place::Parent { .. } | Place::Ancestor(_) => String::new(),
        };
        Some(format!(
            "{}{place}: {}={} ({}). {}",
            verdict.object, condition.kind, "False", condition.reason, condition.message
        ))
    });
    told.take(SHOWN)
}

#[cfg(test)]
mod tests;
