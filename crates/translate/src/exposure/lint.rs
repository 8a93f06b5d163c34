//! Switches that are spelled wrong: what somebody wrote for a load balancer and would not get.
//!
//! Looked at are annotations before any Service has them: those of GatewayParameters, of single listeners, of the
//! Gateway's infrastructure, and those of the Gateway itself, which reach nothing. A [`Slip`] that could make an
//! address public, end TLS in the wrong place or give a secret away is refused; others are warned of. Nothing is
//! ever corrected by itself.

mod rules;

use std::collections::BTreeMap;

use daemun_model::verdict::{FieldPath, Finding};

use super::provider::{self, Provider, Rules};
use crate::verdict::reason::INVALID_PARAMETERS;
use crate::verdict::{Refusal, warning};

/// Where an annotation is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `spec.exposure.annotations` of GatewayParameters.
    Parameters,
    /// `spec.exposure.listenerAnnotations` of GatewayParameters; the keys have the listener's prefix.
    Listener,
    /// `spec.infrastructure.annotations` of the Gateway.
    Infrastructure,
    /// `metadata.annotations` of the Gateway, which do not reach the Service.
    Gateway,
}

/// An annotation as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Annotation<'a> {
    /// Where.
    pub place: Place,
    /// Its whole key.
    pub key: &'a str,
    /// Its value.
    pub value: &'a str,
}

/// A listener, as far as a load balancer is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// `TCP` or `UDP`.
    pub protocol: &'static str,
    /// Its port.
    pub port: u16,
    /// Whether what comes there is TLS, ended by the proxy or passed through.
    pub tls: bool,
}

/// A switch that is spelled wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// Where it is written.
    pub place: Place,
    /// The key, as written.
    pub key: String,
    /// Whether the Gateway is refused; otherwise it is warned of.
    pub refused: bool,
    /// What it is, in a word.
    pub reason: &'static str,
    /// A whole sentence: what is, why, what to do.
    pub message: String,
}

impl Slip {
    /// As a warning, with the path of the annotations that it is in.
    pub(crate) fn warning(self, annotations: &FieldPath) -> Finding {
        warning(annotations.key(&self.key), self.reason, self.message)
    }

    /// As a refusal, with the path of the annotations that it is in.
    pub(crate) fn refusal(self, annotations: &FieldPath) -> Refusal {
        Refusal::new(annotations.key(&self.key), INVALID_PARAMETERS, self.message)
    }
}

/// What is spelled wrong: at most one slip for each annotation, the gravest; in the order of the annotations.
pub fn lint(rules: &Rules, annotations: &[Annotation<'_>], listeners: &[Carried]) -> Vec<Slip> {
    let slip = |written: &Annotation<'_>| {
        let checks = [
            rules::private_key(rules, written),
            rules::wrong_object(written),
            rules::belongs_to_reach(rules, written),
            rules::nearly_reach(rules, written),
            rules::listener_key_on_gateway(written),
            rules::another_clouds(rules, written),
            rules::proxy_protocol(rules, written),
            rules::terminated(rules, written, listeners),
            rules::not_per_listener(rules, written),
            rules::value(rules, written),
            rules::without_listener(written, listeners),
            rules::unknown(rules, written),
        ];
        checks.into_iter().flatten().next()
    };
    annotations.iter().filter_map(slip).collect()
}

/// What is wrong with a Gateway's own annotations, whichever provider it is for.
pub(crate) fn of_gateway(annotations: &BTreeMap<String, String>) -> Vec<Slip> {
    let written: Vec<Annotation<'_>> = annotations
        .iter()
        .map(|(key, value)| Annotation {
            place: Place::Gateway,
            key,
            value,
        })
        .collect();
    lint(provider::rules(Provider::Generic), &written, &[])
}

/// The key without the listener that it is for, whichever case that is written in.
fn bare(key: &str) -> &str {
    let starts = key.get(..4).is_some_and(|start| {
        start.eq_ignore_ascii_case("tcp-") || start.eq_ignore_ascii_case("udp-")
    });
    if !starts {
        return key;
    }
    let digits = key.get(4..).unwrap_or_default();
    match digits.split_once('.') {
        Some((port, bare)) if port.parse::<u16>().is_ok() => bare,
        _ => key,
    }
}

#[cfg(test)]
mod tests;
