//! Switches that are spelled wrong: what somebody wrote for a load balancer and would not get.
//!
//! Looked at are annotations before any Service has them: those of GatewayParameters, of single listeners, of the
//! Gateway's infrastructure, and those of the Gateway itself, which reach nothing. A [`Slip`] that could end TLS in the
//! wrong place or give a secret away is refused, as is every key that decides who may reach the address, whoever makes
//! load balancers (`of_reach`); others are warned of. Nothing is ever corrected by itself.

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

impl Place {
    /// In words, as seen from the Gateway.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Parameters => "exposure.annotations of its GatewayParameters",
            Self::Listener => "exposure.listenerAnnotations of its GatewayParameters",
            Self::Infrastructure => "spec.infrastructure.annotations",
            Self::Gateway => "metadata.annotations",
        }
    }

    /// The path of an annotation, in the object that it is written in.
    pub(crate) fn path(self, key: &str) -> FieldPath {
        match self {
            Self::Parameters => FieldPath::of("spec.exposure.annotations").key(key),
            Self::Listener => {
                let all = FieldPath::of("spec.exposure.listenerAnnotations");
                match provider::listener_key(key) {
                    Some((protocol, port, bare)) => {
                        all.key(&format!("{protocol}-{port}")).key(bare)
                    }
                    None => all,
                }
            }
            Self::Infrastructure | Self::Gateway => FieldPath::of(self.words()).key(key),
        }
    }
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
    /// As a warning.
    pub(crate) fn warning(self) -> Finding {
        warning(self.path(), self.reason, self.message)
    }

    /// As a refusal.
    pub(crate) fn refusal(self) -> Refusal {
        Refusal::new(self.path(), INVALID_PARAMETERS, self.message)
    }

    /// Where it is.
    fn path(&self) -> FieldPath {
        self.place.path(&self.key)
    }
}

/// What is spelled wrong: at most one slip for each annotation, the gravest; in the order of the annotations.
pub fn lint(rules: &Rules, annotations: &[Annotation<'_>], listeners: &[Carried]) -> Vec<Slip> {
    let slip = |written: &Annotation<'_>| {
        let checks = [
            rules::private_key(rules, written),
            rules::wrong_object(written),
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

/// A key that decides who may reach the address, in the words of the provider at hand if it is one of its keys: by
/// any provider's it has no other use, and belongs to `reach` alone.
pub(crate) fn of_reach(at_hand: Option<&Rules>, written: &Annotation<'_>) -> Option<Slip> {
    let all = Provider::ALL.iter().map(|it| provider::rules(*it));
    let mut all = at_hand.into_iter().chain(all);
    all.find_map(|rules| rules::belongs_to_reach(rules, written))
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
