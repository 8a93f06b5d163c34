//! One look at a Gateway and the Services in front of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;

use daemun_translate::exposure::class::{AddressClass, class_of};
use daemun_translate::exposure::{ADDRESS_NOT_USABLE, REACH_VERIFIED};
use k8s_openapi::api::core::v1::Service;
use kube::core::DynamicObject;
use serde_json::Value;

use super::Trial;

/// What there is at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// The annotations of the Services, by their names.
    pub(super) services: BTreeMap<String, BTreeMap<String, String>>,
    /// What the Services show.
    pub(super) shown: BTreeSet<Shown>,
    /// `Accepted`.
    pub(super) accepted: Said,
    /// `Programmed`.
    pub(super) programmed: Said,
    /// `ReachVerified`.
    pub(super) reach: Said,
    /// `status.addresses`.
    pub(super) addresses: BTreeSet<String>,
}

/// An address that a Service shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shown {
    /// The address, or a name.
    pub(super) address: String,
    /// None for a name.
    pub(super) class: Option<AddressClass>,
}

/// A condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    status: String,
    /// Its reason.
    pub(super) reason: String,
    /// Its message.
    pub(super) message: String,
}

impl Said {
    /// Whether it says so.
    pub(super) fn is(&self, status: &str) -> bool {
        self.status == status
    }

    fn of(gateway: Option<&DynamicObject>, kind: &str) -> Self {
        let conditions = gateway.and_then(|it| it.data.pointer("/status/conditions"));
        let conditions = conditions.and_then(Value::as_array);
        let found = conditions
            .into_iter()
            .flatten()
            .find(|it| it.get("type").and_then(Value::as_str) == Some(kind));
        let text = |field: &str| {
            let text = found.and_then(|it| it.get(field)).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        Self {
            status: text("status"),
            reason: text("reason"),
            message: text("message"),
        }
    }

    fn short(&self) -> String {
        if self.status.is_empty() {
            "not said".to_owned()
        } else {
            format!("{}/{}", self.status, self.reason)
        }
    }
}

impl Look {
    /// Puts together what was read.
    pub(super) fn of(trial: &Trial, gateway: Option<&DynamicObject>, services: &[Service]) -> Self {
        let shown = services.iter().flat_map(|service| {
            let status = service
                .status
                .as_ref()
                .and_then(|it| it.load_balancer.as_ref());
            let ingress = status.and_then(|it| it.ingress.as_ref());
            let ingress = ingress.into_iter().flatten();
            ingress.filter_map(|ingress| {
                let text = |text: &Option<String>| text.clone().filter(|it| !it.is_empty());
                let address = text(&ingress.ip).or_else(|| text(&ingress.hostname))?;
                let class = address
                    .parse::<IpAddr>()
                    .ok()
                    .map(|address| class_of(address, &trial.private_ranges, &trial.public_ranges));
                Some(Shown { address, class })
            })
        });
        let addresses = gateway.and_then(|it| it.data.pointer("/status/addresses"));
        let addresses = addresses.and_then(Value::as_array).into_iter().flatten();
        let values = addresses.filter_map(|it| it.get("value").and_then(Value::as_str));
        let annotations = services.iter().map(|service| {
            let name = service.metadata.name.clone().unwrap_or_default();
            (
                name,
                service.metadata.annotations.clone().unwrap_or_default(),
            )
        });
        Self {
            services: annotations.collect(),
            shown: shown.collect(),
            accepted: Said::of(gateway, "Accepted"),
            programmed: Said::of(gateway, "Programmed"),
            reach: Said::of(gateway, REACH_VERIFIED),
            addresses: values.map(str::to_owned).collect(),
        }
    }

    /// Whether nothing is served because of the address.
    pub(super) fn is_closed(&self) -> bool {
        self.programmed.is("False") && self.programmed.reason == ADDRESS_NOT_USABLE
    }

    /// Whether a Service shows a public address.
    pub(super) fn is_public(&self) -> bool {
        let mut shown = self.shown.iter();
        shown.any(|it| it.class.is_some_and(AddressClass::is_public))
    }

    /// What the Services show, in words.
    pub(super) fn addresses_in_words(&self) -> String {
        if self.shown.is_empty() {
            return "no address".to_owned();
        }
        let words = self.shown.iter().map(|it| {
            let class = it.class.map_or("a name", AddressClass::as_str);
            format!("{} ({class})", it.address)
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// What is new in this look, as a sentence; none if nothing is.
    pub(super) fn news(&self, before: &Self) -> Option<String> {
        let mut news = String::new();
        let mut say = |sentence: String| {
            let space = if news.is_empty() { "" } else { " " };
            // Writing into a String cannot fail.
            let _ = write!(news, "{space}{sentence}");
        };
        for (name, annotations) in &self.services {
            match before.services.get(name) {
                None => say(format!("Service {name} is there.")),
                Some(old) if old != annotations => say(format!(
                    "The annotations of Service {name} are {}.",
                    listed(annotations)
                )),
                Some(_) => {}
            }
        }
        for name in before.services.keys() {
            if !self.services.contains_key(name) {
                say(format!("Service {name} is gone."));
            }
        }
        if self.shown != before.shown {
            say(format!("The Service shows {}.", self.addresses_in_words()));
        }
        for (name, now, old) in [
            ("Programmed", &self.programmed, &before.programmed),
            ("ReachVerified", &self.reach, &before.reach),
        ] {
            if now.short() != old.short() {
                say(format!("{name} is {}.", now.short()));
            }
        }
        if self.addresses != before.addresses {
            let all: Vec<&str> = self.addresses.iter().map(String::as_str).collect();
            let all = if all.is_empty() {
                "none".to_owned()
            } else {
                all.join(", ")
            };
            say(format!("The Gateway's addresses: {all}."));
        }
        (!news.is_empty()).then_some(news)
    }
}

fn listed(annotations: &BTreeMap<String, String>) -> String {
    let all = annotations
        .iter()
        .map(|(key, value)| format!("{key}: {value:?}"));
    let all: Vec<String> = all.collect();
    if all.is_empty() {
        "none".to_owned()
    } else {
        all.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use k8s_openapi::api::core::v1::Service;
    use kube::core::DynamicObject;
    use serde_json::json;

    use super::{Look, Trial};

    fn trial() -> Trial {
        Trial {
            class: "daemun".to_owned(),
            provider: None,
            subnet: None,
            public: false,
            patience: Duration::ZERO,
            private_ranges: vec!["198.18.0.0/17".parse().unwrap()],
            public_ranges: Vec::new(),
        }
    }

    fn look(ingress: &serde_json::Value, reason: &str, addresses: &[&str]) -> Look {
        let gateway: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
            "metadata": {"name": "unsaid"},
            "status": {
                "conditions": [{"type": "Programmed", "status": "False", "reason": reason, "message": "m"}],
                "addresses": addresses.iter().map(|it| json!({"value": it})).collect::<Vec<_>>(),
            },
        }))
        .unwrap();
        let service: Service = serde_json::from_value(json!({
            "metadata": {"name": "front", "annotations": {"key": "true"}},
            "status": {"loadBalancer": {"ingress": ingress}},
        }))
        .unwrap();
        Look::of(&trial(), Some(&gateway), &[service])
    }

    #[test]
    fn a_look_knows_public_addresses_and_a_closed_gateway() {
        for (ingress, reason, public, closed) in [
            (json!([]), "Pending", false, false),
            (json!([{"ip": "198.18.3.7"}]), "Pending", false, false),
            (
                json!([{"ip": "10.0.0.1"}, {"ip": "192.175.48.1"}]),
                "Pending",
                true,
                false,
            ),
            (
                json!([{"ip": "192.175.48.1"}]),
                "AddressNotUsable",
                true,
                true,
            ),
            // A name says nothing of itself.
            (
                json!([{"hostname": "lb.example.com"}]),
                "AddressNotUsable",
                false,
                true,
            ),
        ] {
            let look = look(&ingress, reason, &[]);
            assert_eq!(
                (look.is_public(), look.is_closed()),
                (public, closed),
                "{ingress}"
            );
        }
    }

    #[test]
    fn only_what_is_new_is_told() {
        let before = look(&json!([]), "Pending", &[]);
        let after = look(
            &json!([{"ip": "198.18.3.7"}]),
            "AddressNotUsable",
            &["198.18.3.7"],
        );
        assert_eq!(after.news(&after), None);
        assert_eq!(
            after.news(&before).as_deref(),
            Some(
                "The Service shows 198.18.3.7 (Private). Programmed is False/AddressNotUsable. The Gateway's addresses: 198.18.3.7."
            )
        );
        let first = after.news(&Look::default()).unwrap();
        assert!(first.starts_with("Service front is there."), "{first}");
        let gone = Look::default().news(&after).unwrap();
        assert!(gone.contains("Service front is gone."), "{gone}");
    }
}
