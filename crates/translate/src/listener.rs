//! A listener while it is judged: what was read of it, and what stands against it so far.
//!
//! Gateways and ListenerSets write listeners in the same words; from here on they are the same thing, and
//! differ only in precedence and in whose grants and namespaces count.

use std::collections::BTreeMap;
use std::sync::Arc;

use daemun_model::hostname::HostPattern;
use daemun_model::listener::ProxyStatus;
use daemun_model::names::{ListenerKey, RouteKind, Transport};
use daemun_model::policy::forwarding::Forwarding;
use daemun_model::policy::limits::ClientLimits;
use daemun_model::policy::sources::SourceRanges;
use daemun_model::tls::{Certificate, ClientValidation, TlsVersion};
use daemun_model::verdict::{FieldPath, Finding};
use daemun_objects::gateway_api::gateway::TlsMode;

use crate::verdict::Refusal;

/// What a listener speaks, of what is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `HTTP`.
    Http,
    /// `HTTPS`.
    Https,
    /// `TLS`, with where it ends.
    Tls(TlsMode),
    /// `TCP`.
    Tcp,
    /// `UDP`.
    Udp,
}

impl Protocol {
    /// As written in `protocol:`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
            Self::Tls(_) => "TLS",
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        }
    }

    /// What carries it.
    pub(crate) fn transport(self) -> Transport {
        match self {
            Self::Http | Self::Https | Self::Tls(_) | Self::Tcp => Transport::Tcp,
            Self::Udp => Transport::Udp,
        }
    }

    /// The kinds of Route that it can serve. Of those below HTTP a TCPRoute is served wherever bytes are all
    /// there is: on TCP, and behind TLS that ends here.
    pub(crate) fn kinds(self) -> &'static [RouteKind] {
        match self {
            Self::Http | Self::Https => &[RouteKind::Http, RouteKind::Grpc],
            Self::Tls(TlsMode::Passthrough) => &[RouteKind::Tls],
            Self::Tls(TlsMode::Terminate) => &[RouteKind::Tls, RouteKind::Tcp],
            Self::Tcp => &[RouteKind::Tcp],
            Self::Udp => &[RouteKind::Udp],
        }
    }

    /// Whether TLS ends here, for which it takes a certificate.
    pub(crate) fn terminates_tls(self) -> bool {
        match self {
            Self::Https | Self::Tls(TlsMode::Terminate) => true,
            Self::Http | Self::Tls(TlsMode::Passthrough) | Self::Tcp | Self::Udp => false,
        }
    }
}

/// One listener of a Gateway or ListenerSet.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Where it is written.
    pub(crate) key: ListenerKey,
    /// Its place in that object: `spec.listeners[2]`.
    pub(crate) path: FieldPath,
    /// The port it asks for.
    pub(crate) port: u16,
    /// What it speaks; none if that is not served.
    pub(crate) protocol: Option<Protocol>,
    /// Its hostnames.
    pub(crate) hostname: HostPattern,
    /// The kinds of Route that it takes.
    pub(crate) kinds: Vec<RouteKind>,
    /// The namespaces whose Routes it takes.
    pub(crate) namespaces: Namespaces,
    /// What stands against its being accepted; the first one gives the reason.
    pub(crate) refused: Vec<Refusal>,
    /// Whether the first of `refused` is a conflict with another listener.
    pub(crate) conflicted: bool,
    /// References that could not be resolved.
    pub(crate) unresolved: Vec<Refusal>,
    /// Another listener of the port with TLS for some of the same names: reason and message.
    pub(crate) overlap: Option<(&'static str, String)>,
    /// The certificates that can be used, in the order in which they were written.
    pub(crate) certificates: Vec<Arc<Certificate>>,
    /// What is asked of clients' certificates.
    pub(crate) client: Option<ClientValidation>,
    /// How clients are treated there.
    pub(crate) treatment: Treatment,
    /// Who is believed about clients; the same for all listeners of a port.
    pub(crate) forwarding: Forwarding,
    /// From where clients may come, if not from anywhere.
    pub(crate) sources: Option<SourceRanges>,
    /// What works and may surprise.
    pub(crate) warnings: Vec<Finding>,
}

/// How clients of a listener are treated, as a ListenerPolicy says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Treatment {
    /// What they may use.
    pub(crate) limits: ClientLimits,
    /// The lowest version of TLS.
    pub(crate) min_version: TlsVersion,
    /// The highest version of TLS.
    pub(crate) max_version: TlsVersion,
    /// What an answer of the gateway's own tells.
    pub(crate) proxy_status: ProxyStatus,
    /// Why requests are answered 500: the policy cannot be used.
    pub(crate) refused: Option<String>,
}

impl Default for Treatment {
    fn default() -> Self {
        Self {
            limits: ClientLimits::default(),
            min_version: TlsVersion::Tls12,
            max_version: TlsVersion::Tls13,
            proxy_status: ProxyStatus::default(),
            refused: None,
        }
    }
}

impl Entry {
    /// Whether it is accepted: valid by itself and among the others.
    pub(crate) fn accepted(&self) -> bool {
        self.refused.is_empty()
    }

    /// Whether it is accepted and has all that it needs to serve.
    pub(crate) fn served(&self) -> bool {
        let equipped = self
            .protocol
            .is_some_and(|protocol| !protocol.terminates_tls() || !self.certificates.is_empty());
        self.accepted() && equipped && !self.kinds.is_empty()
    }

    /// Why it is not served, if it is not: the sentence that its owner gets to read.
    pub(crate) fn why_not_served(&self) -> Option<&str> {
        if self.served() {
            return None;
        }
        let first = self.refused.first().or(self.unresolved.first());
        Some(first.map_or("It is not accepted.", |refusal| refusal.message.as_str()))
    }
}

/// `allowedRoutes.namespaces`, and `allowedListeners.namespaces` of a Gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Namespaces {
    /// `All`.
    All,
    /// `Same`: this one, the namespace of the object in which it is written.
    Same(String),
    /// `Selector`.
    Selector(Selector),
    /// `None`.
    None,
}

impl Namespaces {
    /// Whether a namespace with these labels is among them.
    pub(crate) fn contain(&self, namespace: &str, labels: &Labels) -> bool {
        match self {
            Self::All => true,
            Self::Same(own) => own == namespace,
            Self::Selector(selector) => selector.missing(labels).is_empty(),
            Self::None => false,
        }
    }
}

/// Labels of a namespace.
pub(crate) type Labels = BTreeMap<String, String>;

/// A label selector that was understood: all requirements must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector(pub(crate) Vec<Requirement>);

/// One requirement of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Requirement {
    /// The label.
    pub(crate) key: String,
    /// What is asked of it.
    pub(crate) operator: Operator,
}

/// `LabelSelectorRequirement.operator`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// The label has one of these values.
    In(Vec<String>),
    /// The label is absent or has none of these values.
    NotIn(Vec<String>),
    /// The label is there.
    Exists,
    /// The label is absent.
    DoesNotExist,
}

impl Selector {
    /// What labels lack to be selected, in words: `the label team=b`.
    pub(crate) fn missing(&self, labels: &Labels) -> Vec<String> {
        self.0
            .iter()
            .filter_map(|Requirement { key, operator }| {
                let value = labels.get(key);
                match operator {
                    Operator::In(values) => match value {
                        Some(value) if values.contains(value) => None,
                        _ if values.len() == 1 => {
                            Some(format!("the label {key}={}", values.concat()))
                        }
                        _ => Some(format!("the label {key} with one of {}", values.join(", "))),
                    },
                    Operator::NotIn(values) => value
                        .filter(|value| values.contains(value))
                        .map(|value| format!("a value of the label {key} other than {value}")),
                    Operator::Exists => {
                        (value.is_none()).then(|| format!("the label {key}, with any value"))
                    }
                    Operator::DoesNotExist => value.map(|value| {
                        format!("the absence of the label {key} (it has {key}={value})")
                    }),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Labels, Operator, Requirement, Selector};

    #[test]
    fn selectors_say_what_is_missing() {
        let labels: Labels = [("team".to_owned(), "a".to_owned())].into();
        for (key, operator, missing) in [
            ("team", Operator::In(vec!["a".into()]), None),
            (
                "team",
                Operator::In(vec!["b".into()]),
                Some("the label team=b"),
            ),
            (
                "team",
                Operator::In(vec!["b".into(), "c".into()]),
                Some("the label team with one of b, c"),
            ),
            (
                "team",
                Operator::NotIn(vec!["a".into()]),
                Some("a value of the label team other than a"),
            ),
            ("x", Operator::NotIn(vec!["a".into()]), None),
            ("team", Operator::Exists, None),
            ("x", Operator::Exists, Some("the label x, with any value")),
            (
                "team",
                Operator::DoesNotExist,
                Some("the absence of the label team (it has team=a)"),
            ),
            ("x", Operator::DoesNotExist, None),
        ] {
            let selector = Selector(vec![Requirement {
                key: key.to_owned(),
                operator,
            }]);
            let expected: Vec<String> = missing.into_iter().map(str::to_owned).collect();
            assert_eq!(selector.missing(&labels), expected);
        }
    }
}
