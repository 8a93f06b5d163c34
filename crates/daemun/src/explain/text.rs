//! The explanation for people: where the request arrives, what takes it, where it goes, what came close.

use std::fmt::Write as _;

use super::describe::Share;
use super::{Arrived, Explanation, Other, Outcome, RuleName, Taken};

/// Writes an explanation, in lines.
pub(super) fn write(explanation: &Explanation) -> String {
    let Explanation {
        request,
        listener,
        rule,
        passed_on_by: _, // the outcome names it
        outcome,
        others,
        hints,
    } = explanation;
    let first = match listener {
        Some(listener) => format!(
            "{} :{} {}",
            listener.protocol, listener.port, listener.hostname
        ),
        None => format!("{} :{} {}", request.scheme, request.port, request.host),
    };
    let second = rule
        .as_ref()
        .map(|rule| format!("  {}", rule_name(&rule.rule)));
    let width = first
        .chars()
        .count()
        .max(second.as_ref().map_or(0, |text| text.chars().count()))
        + 2;
    let mut text = String::new();
    match listener {
        Some(listener) => {
            line(&mut text, &format!("{first:width$}{}", arrived(listener)));
            if let Some(wanted) = listener.client_certificate {
                entry(&mut text, "TLS", wanted);
            }
        }
        None => line(&mut text, &first),
    }
    if let (Some(rule), Some(name)) = (rule, second) {
        line(&mut text, &format!("{name:width$}{}", rule.matched));
        write_rule(&mut text, rule);
    }
    match (outcome.status, rule) {
        (Some(_), _) | (None, None) => entry(&mut text, "answer", &in_words(outcome)),
        // The backend's answer is the usual end, and not told.
        (None, Some(_)) => {}
    }
    write_others(&mut text, others);
    if !hints.is_empty() {
        text.push_str("What may be the reason:\n");
        hints
            .iter()
            .for_each(|hint| line(&mut text, &format!("  {hint}")));
    }
    text
}

fn write_rule(text: &mut String, rule: &Taken) {
    rule.filters
        .iter()
        .for_each(|filter| entry(text, "before", filter));
    let alone = rule.backends.len() == 1;
    for share in &rule.backends {
        write_share(text, share, alone);
    }
    if !rule.limits.is_empty() {
        entry(text, "limits", &rule.limits.join(", "));
    }
}

fn write_share(text: &mut String, share: &Share, alone: bool) {
    let part = if alone {
        String::new()
    } else {
        format!("{}: ", share.share)
    };
    let mut told = format!("{part}{}", share.backend);
    if !share.ready.is_empty() {
        let _ = write!(told, ", {}", share.ready);
    }
    if !share.endpoints.is_empty() {
        const SHOWN: usize = 8;
        let shown = share.endpoints.iter().take(SHOWN);
        let _ = write!(
            told,
            "     {}",
            shown.cloned().collect::<Vec<_>>().join("  ")
        );
        if let more @ 1.. = share.endpoints.len().saturating_sub(SHOWN) {
            let _ = write!(told, "  and {more} more");
        }
    }
    entry(text, "to", &told);
    if !share.spoken.is_empty() {
        entry(text, "", &share.spoken);
    }
    share
        .filters
        .iter()
        .for_each(|filter| entry(text, "", &format!("before: {filter}")));
    if let (Some(outcome), false) = (&share.fails, alone) {
        entry(text, "", &format!("answer: {}", in_words(outcome)));
    }
}

fn write_others(text: &mut String, others: &[Other]) {
    if others.is_empty() {
        return;
    }
    text.push_str("Others that came close:\n");
    let width = others
        .iter()
        .map(|other| rule_name(&other.rule).chars().count())
        .max()
        .unwrap_or_default()
        + 2;
    for other in others {
        let name = rule_name(&other.rule);
        line(
            text,
            &format!(
                "  {name:width$}{}: {}",
                other.matched,
                other.reasons.join("; ")
            ),
        );
    }
}

fn arrived(listener: &Arrived) -> String {
    let set = listener
        .listener_set
        .as_ref()
        .map_or_else(String::new, |set| format!(", ListenerSet {set}"));
    let of = match listener.of {
        0 | 1 => String::new(),
        of => format!(" (the most specific of {of} that take this name)"),
    };
    format!(
        "Gateway {}{set}, listener {}{of}",
        listener.gateway, listener.name
    )
}

fn rule_name(rule: &RuleName) -> String {
    let name = rule
        .name
        .as_ref()
        .map_or_else(String::new, |name| format!(" ({name})"));
    format!("{}, rule {}{name}", rule.route, rule.rule)
}

fn in_words(outcome: &Outcome) -> String {
    match outcome.status {
        Some(status) => format!("{status}: {}", outcome.message),
        None => outcome.message.clone(),
    }
}

fn entry(text: &mut String, heading: &str, what: &str) {
    line(text, &format!("    {heading:9}{what}"));
}

fn line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}
