//! What becomes of a Route: who takes it, and where its rules lead. The answer of `daemun explain route NAME`.

use daemun_controller::glimpse::Recorded;
use daemun_model::names::{ObjectName, RouteKey, RouteKind};
use daemun_model::verdict::{Place, Status, Verdict};
use daemun_model::{Configuration, Verdicts};
use daemun_proxy::admin::Form;
use serde::Serialize;

use crate::output::serving;

/// The kinds of Routes, as they may be asked for.
const KINDS: &[(&str, RouteKind)] = &[
    ("httproute", RouteKind::Http),
    ("grpcroute", RouteKind::Grpc),
    ("tlsroute", RouteKind::Tls),
    ("tcproute", RouteKind::Tcp),
    ("udproute", RouteKind::Udp),
];

/// A condition that is there only where it holds, and says what does not.
const PARTIALLY_INVALID: &str = "PartiallyInvalid";

/// A word that asks for a Route of a kind, or of any, as kubectl takes it: `route`, `httproutes`, `HTTPRoute`, … none
/// if it is another word.
pub(crate) fn kinds(word: &str) -> Option<Vec<RouteKind>> {
    let word = word.to_ascii_lowercase();
    let word = word.strip_suffix('s').unwrap_or(&word);
    if word == "route" {
        return Some(KINDS.iter().map(|(_, kind)| *kind).collect());
    }
    let kind = KINDS.iter().find(|(known, _)| *known == word);
    kind.map(|(_, kind)| vec![*kind])
}

/// What is known about Routes.
pub(crate) struct Known<'a> {
    /// What proxies do.
    pub(crate) configuration: &'a Configuration,
    /// What is said about objects.
    pub(crate) verdicts: &'a Verdicts,
    /// What a controller wrote about a Route, where there is one.
    pub(crate) recorded: &'a dyn Fn(&RouteKey) -> Option<&'a [Recorded]>,
    /// What is wrong with the parents that it names, where no verdict says it.
    pub(crate) lost: &'a dyn Fn(&RouteKey) -> Vec<String>,
    /// Whether there is a Route.
    pub(crate) exists: &'a dyn Fn(&RouteKey) -> bool,
}

/// What becomes of a Route.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained {
    route: String,
    parents: Vec<Parent>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<Rule>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<String>,
}

/// What a parent makes of it.
#[derive(Debug, Serialize)]
struct Parent {
    parent: String,
    result: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    why: Vec<String>,
}

/// A rule that is served.
#[derive(Debug, Serialize)]
struct Rule {
    gateway: String,
    hosts: String,
    /// Empty for a Route below HTTP, which looks at nothing but the name.
    #[serde(skip_serializing_if = "String::is_empty")]
    matches: String,
    to: String,
    rule: usize,
}

/// Answers for all Routes of a name, of these kinds.
///
/// # Errors
/// A sentence: there is none.
pub(crate) fn answer(
    known: &Known<'_>,
    kinds: &[RouteKind],
    name: &ObjectName,
    form: Form,
) -> Result<String, String> {
    let keys = kinds.iter().map(|kind| RouteKey {
        kind: *kind,
        name: name.clone(),
    });
    let all: Vec<Explained> = keys
        .filter(|key| (known.exists)(key))
        .map(|key| explained(known, &key))
        .collect();
    if all.is_empty() {
        let kind = match kinds {
            [kind] => kind.as_str(),
            _ => "Route",
        };
        return Err(format!("There is no {kind} {name}, or it cannot be seen."));
    }
    Ok(match form {
        Form::Text => all.iter().map(text).collect::<Vec<_>>().join("\n"),
        Form::Json => serde_json::to_string_pretty(&all).unwrap_or_default() + "\n",
    })
}

fn explained(known: &Known<'_>, key: &RouteKey) -> Explained {
    let mut verdicts = known.verdicts.iter();
    let is_meant = |verdict: &&std::sync::Arc<Verdict>| {
        verdict.object.kind == key.kind.as_str() && verdict.object.name == key.name
    };
    let verdict = verdicts.find(is_meant).filter(|it| !it.parts.is_empty());
    let recorded = (known.recorded)(key).unwrap_or_default();
    let mut parents: Vec<Parent> = verdict.map(|it| judged(it)).unwrap_or_default();
    let unjudged = recorded.iter().map(written).filter(|written| {
        let mut judged = parents.iter();
        !judged.any(|it| it.parent == written.parent)
    });
    let unjudged: Vec<Parent> = unjudged.collect();
    parents.extend(unjudged);
    let findings = verdict.map(|it| &*it.findings).unwrap_or_default();
    Explained {
        route: key.to_string(),
        parents,
        rules: rules(known.configuration, key),
        findings: findings
            .iter()
            .map(|it| format!("{}: {}", it.path, it.message))
            .chain((known.lost)(key))
            .collect(),
    }
}

/// What follows from the objects that are seen.
fn judged(verdict: &Verdict) -> Vec<Parent> {
    let parents = verdict.parts.iter().filter_map(|part| {
        let Place::Parent {
            parent, section, ..
        } = &part.place
        else {
            return None;
        };
        let conditions = part.conditions.iter().map(|condition| {
            let holds = condition.status != Status::False;
            (condition.kind, holds, condition.reason, &*condition.message)
        });
        Some(of(
            named(&parent.to_string(), section.as_deref()),
            conditions,
        ))
    });
    parents.collect()
}

/// What the controller wrote into the Route's status.
fn written(recorded: &Recorded) -> Parent {
    let conditions = recorded.conditions.iter().map(|said| {
        let holds = said.status != "False";
        (&*said.kind, holds, &*said.reason, &*said.message)
    });
    let mut parent = of(
        named(&recorded.parent, recorded.section.as_deref()),
        conditions,
    );
    // What holds is one sentence; what follows it is what the owner should know all the same. Of what is judged here
    // the findings say it.
    let told = recorded
        .conditions
        .iter()
        .filter(|said| said.status == "True" && said.kind != PARTIALLY_INVALID);
    let more = told.filter_map(|said| said.message.split_once(". "));
    parent.why.extend(more.map(|(_, more)| more.to_owned()));
    parent
}

fn named(parent: &str, section: Option<&str>) -> String {
    match section {
        Some(section) => format!("{parent}, listener {section}"),
        None => parent.to_owned(),
    }
}

/// What conditions say: their type, whether they hold, reason and message.
fn of<'c>(
    parent: String,
    conditions: impl Iterator<Item = (&'c str, bool, &'c str, &'c str)>,
) -> Parent {
    // This one is bad news where it holds.
    let failing: Vec<_> = conditions
        .filter(|(kind, holds, ..)| *holds == (*kind == PARTIALLY_INVALID))
        .collect();
    let accepted = failing.iter().all(|(kind, ..)| *kind != "Accepted");
    let reasons: Vec<String> = failing
        .iter()
        .map(|(kind, holds, reason, _)| {
            let status = if *holds { "True" } else { "False" };
            format!("{kind}={status}, {reason}")
        })
        .collect();
    let result = match (accepted, reasons.is_empty()) {
        (true, true) => "accepted".to_owned(),
        (true, false) => format!("accepted, but ({})", reasons.join("; ")),
        (false, _) => format!("not attached ({})", reasons.join("; ")),
    };
    Parent {
        parent,
        result,
        why: failing
            .iter()
            .map(|(.., message)| (*message).to_owned())
            .collect(),
    }
}

fn rules(configuration: &Configuration, key: &RouteKey) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (gateway, snapshot) in &configuration.gateways {
        let route = snapshot.routes.get(key);
        rules.extend(route.into_iter().flat_map(|route| {
            route.rules.iter().map(|rule| Rule {
                gateway: gateway.to_string(),
                hosts: serving::hosts_of(route),
                matches: serving::matches_of(rule),
                to: serving::target(rule, snapshot),
                rule: rule.index + 1,
            })
        }));
        let stream = snapshot.streams.get(key);
        rules.extend(stream.map(|route| Rule {
            gateway: gateway.to_string(),
            hosts: serving::hosts_at(&route.attachments),
            matches: String::new(),
            to: serving::stream_target(route, snapshot),
            rule: 1,
        }));
    }
    rules
}

fn text(explained: &Explained) -> String {
    let Explained {
        route,
        parents,
        rules,
        findings,
    } = explained;
    let mut text = format!("{route}\n");
    for Parent {
        parent,
        result,
        why,
    } in parents
    {
        text.push_str(&format!("  {parent}   {result}\n"));
        for why in why {
            text.push_str(&format!("      {why}\n"));
        }
    }
    if parents.is_empty() {
        text.push_str("  No Gateway of Daemun's that can be seen is named in spec.parentRefs.\n");
    }
    for rule in rules {
        let Rule {
            gateway,
            hosts,
            matches,
            to,
            rule,
        } = rule;
        let takes = format!("{hosts}  {matches}");
        text.push_str(&format!(
            "  rule {rule}   {}   → {to}     Gateway {gateway}\n",
            takes.trim_end()
        ));
    }
    let said: Vec<&String> = parents.iter().flat_map(|parent| &parent.why).collect();
    for finding in findings {
        if !said.iter().any(|said| finding.ends_with(said.as_str())) {
            text.push_str(&format!("  {finding}\n"));
        }
    }
    text
}
