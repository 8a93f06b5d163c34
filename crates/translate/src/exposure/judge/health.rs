//! `healthCheck`: how soon a load balancer finds out that a node is gone. What is written must be sayable; where a
//! maker's own defaults get it wrong, better ones are said unless somebody says otherwise.

use super::{Annotations, Question, refusal};
use crate::exposure::provider::{
    HealthDefaults, HealthKey, HealthPart, Rules, Takes, Unit, listener_key,
};
use crate::infrastructure::way_in::Health;
use crate::verdict::Refusal;

/// The health check in a load balancer's own keys.
#[derive(Debug, Default)]
pub(super) struct Check {
    /// What somebody wrote in `healthCheck`.
    pub(super) said: Annotations,
    /// What nobody wrote.
    pub(super) unsaid: Annotations,
    /// The key that tells it the Service's `healthCheckNodePort`.
    pub(super) port: Option<&'static str>,
    /// How many seconds pass before it notices that a node is gone, if that is known.
    pub(super) notices: Option<u64>,
}

/// Decides on it.
pub(super) fn decide(asked: &Question<'_>, local: bool, rules: &Rules) -> Result<Check, Refusal> {
    let Health {
        delay,
        timeout,
        tries,
    } = asked.way_in.health;
    let defaults = rules.health_defaults;
    let mut check = Check::default();
    for (part, value) in [
        (HealthPart::Delay, delay),
        (HealthPart::Timeout, timeout),
        (HealthPart::Tries, tries),
    ] {
        if let Some(value) = value {
            let key = key(part, value, rules)?;
            check.said.insert(key.to_owned(), value.to_string());
        }
    }
    if let Some(enable) = rules
        .health_key(HealthPart::Enable)
        .filter(|_| !check.said.is_empty())
    {
        check.said.insert(enable.key.to_owned(), "true".to_owned());
    }
    let effective_delay = slowest(asked, HealthPart::Delay, delay, rules);
    let effective_tries = slowest(asked, HealthPart::Tries, tries, rules);
    if let (Some(delay), Some(tries)) = (effective_delay, effective_tries) {
        check.notices = Some(u64::from(delay) * u64::from(tries));
    }
    if let Some(defaults) = defaults {
        check.unsaid = unsaid(asked, defaults, rules);
        check.unsaid.retain(|key, _| !check.said.contains_key(key));
        if local {
            check.port = node_port(asked, rules, &mut check.unsaid);
        }
    }
    Ok(check)
}

/// The greatest value of a part that counts for any listener: of `healthCheck`, of annotations, else the default.
fn slowest(
    asked: &Question<'_>,
    part: HealthPart,
    written: Option<u32>,
    rules: &Rules,
) -> Option<u32> {
    let known = rules.health_key(part);
    let known = known.filter(|key| matches!(key.unit, Unit::Seconds | Unit::Count));
    let of = |key: &'static str| {
        let way_in = asked.way_in;
        let all = way_in.annotations.iter().chain(asked.own);
        let all = all.filter(move |(it, _)| *it == key);
        let listeners = way_in.listener_annotations.iter();
        let listeners =
            listeners.filter(move |(it, _)| listener_key(it).is_some_and(|(_, _, it)| it == key));
        let number = |(_, value): (&String, &String)| value.parse::<u32>().ok();
        (
            all.filter_map(number).max(),
            listeners.filter_map(number).max(),
        )
    };
    let (all, listeners) = known.map(|known| of(known.key)).unwrap_or_default();
    let default = rules.health_defaults.map(|it| match part {
        HealthPart::Delay => it.delay,
        _ => it.tries,
    });
    written.max(all).or(default).max(listeners)
}

/// The key of a part, if it takes the value.
fn key(part: HealthPart, value: u32, rules: &Rules) -> Result<&'static str, Refusal> {
    let field = match part {
        HealthPart::Delay => "delay",
        HealthPart::Timeout => "timeout",
        HealthPart::Tries => "tries",
        HealthPart::Enable | HealthPart::Kind | HealthPart::Path | HealthPart::Port => "",
    };
    let (key, unit) = match rules.health_key(part) {
        Some(HealthKey { key, unit, .. }) => (*key, *unit),
        None => {
            let why: Vec<&str> = rules
                .cannot
                .iter()
                .copied()
                .filter(|sentence| sentence.to_lowercase().contains("health check"))
                .collect();
            let why = why.join(" ");
            let space = if why.is_empty() { "" } else { " " };
            return Err(refusal(
                &format!("healthCheck.{field}"),
                format!(
                    "No annotation is known by which {} is told {field} of its health check.{space}{why} Take exposure.healthCheck.{field} out.",
                    rules.product
                ),
            ));
        }
    };
    if unit == Unit::NotKnown {
        return Err(refusal(
            &format!("healthCheck.{field}"),
            format!(
                "It is not known in which unit {} takes {field} of its health check ({key}); take exposure.healthCheck.{field} out, and write the annotation under exposure.annotations.",
                rules.product
            ),
        ));
    }
    if let Some(Takes::Number(from, to)) = rules.known(key).map(|known| known.takes)
        && !(from..=to).contains(&value)
    {
        return Err(refusal(
            &format!("healthCheck.{field}"),
            format!(
                "exposure.healthCheck.{field} is {value}, and {} takes a number from {from} to {to}.",
                rules.product
            ),
        ));
    }
    Ok(key)
}

/// What the maker's own defaults get wrong, in its keys, unless somebody says it otherwise.
fn unsaid(asked: &Question<'_>, defaults: HealthDefaults, rules: &Rules) -> Annotations {
    let HealthDefaults {
        delay,
        timeout,
        tries,
    } = defaults;
    // An answer takes less time than there is between two checks.
    let timeout = match asked.way_in.health.delay {
        Some(delay) => timeout.min(delay.saturating_sub(1)).max(1),
        None => timeout,
    };
    let delay = match asked.way_in.health.timeout {
        Some(timeout) => delay.max(timeout + 1),
        None => delay,
    };
    let parts = [
        (HealthPart::Delay, delay),
        (HealthPart::Timeout, timeout),
        (HealthPart::Tries, tries),
    ];
    let keys = parts.into_iter().filter_map(|(part, value)| {
        let key = rules.health_key(part)?.key;
        (!is_said(asked, key)).then(|| (key.to_owned(), value.to_string()))
    });
    keys.collect()
}

/// With `externalTrafficPolicy: Local` nodes without a proxy answer nothing at their ports, and are found out sooner by
/// asking Kubernetes itself, at the Service's `healthCheckNodePort`; unless somebody says what is asked.
fn node_port(
    asked: &Question<'_>,
    rules: &Rules,
    unsaid: &mut Annotations,
) -> Option<&'static str> {
    let kind = rules.health_key(HealthPart::Kind)?;
    let path = rules.health_key(HealthPart::Path)?;
    let port = rules.health_key(HealthPart::Port)?;
    if [kind, path, port]
        .iter()
        .any(|part| is_said(asked, part.key))
    {
        return None;
    }
    let word = match kind.unit {
        Unit::Text => "HTTP",
        Unit::LowerText => "http",
        Unit::Seconds | Unit::Count | Unit::NotKnown => return None,
    };
    unsaid.insert(kind.key.to_owned(), word.to_owned());
    unsaid.insert(path.key.to_owned(), "/healthz".to_owned());
    Some(port.key)
}

/// Whether somebody wrote a key.
fn is_said(asked: &Question<'_>, key: &str) -> bool {
    asked.way_in.annotations.contains_key(key) || asked.own.contains_key(key)
}
