//! One look at a Gateway and at the Services in front of it.

use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::Service;
use serde_json::Value;

/// What there is at one moment.
pub(super) struct Seen {
    /// The Gateway.
    pub(super) gateway: Value,
    /// Its Services.
    pub(super) services: Vec<Service>,
}

/// A condition.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) status: String,
    pub(super) reason: String,
    pub(super) message: String,
}

impl Said {
    fn of(conditions: Option<&Value>, kind: &str) -> Self {
        let conditions = conditions.and_then(Value::as_array);
        let mut conditions = conditions.into_iter().flatten();
        let found = conditions.find(|condition| condition["type"] == kind);
        let text = |field: &str| {
            let text = found.and_then(|condition| condition[field].as_str());
            text.unwrap_or_default().to_owned()
        };
        Self {
            status: text("status"),
            reason: text("reason"),
            message: text("message"),
        }
    }

    pub(super) fn is(&self, status: &str) -> bool {
        self.status == status
    }
}

impl Seen {
    fn said(&self, kind: &str) -> Said {
        Said::of(self.gateway.pointer("/status/conditions"), kind)
    }

    pub(super) fn accepted(&self) -> Said {
        self.said("Accepted")
    }

    pub(super) fn programmed(&self) -> Said {
        self.said("Programmed")
    }

    pub(super) fn reach(&self) -> Said {
        self.said("gateway.daemun.dev/ReachVerified")
    }

    /// A condition of a listener.
    pub(super) fn listener(&self, name: &str, kind: &str) -> Said {
        let listeners = self.gateway.pointer("/status/listeners");
        let listeners = listeners.and_then(Value::as_array).into_iter().flatten();
        let mut named = listeners.filter(|listener| listener["name"] == name);
        Said::of(named.next().and_then(|it| it.get("conditions")), kind)
    }

    /// The sentence of a condition that has one of these words in it.
    pub(super) fn says(&self, words: &[&str]) -> Option<String> {
        let all = [self.accepted(), self.programmed(), self.reach()];
        let mut messages = all.into_iter().map(|said| said.message);
        messages.find(|message| words.iter().any(|word| message.contains(word)))
    }

    /// All that its conditions say, for a report of what did not come.
    pub(super) fn everything(&self) -> String {
        let all = [self.accepted(), self.programmed(), self.reach()];
        let all = all.map(|said| format!("{}/{}: {}", said.status, said.reason, said.message));
        format!("{}; the Service shows {}", all.join("; "), self.in_words())
    }

    /// `status.addresses`.
    pub(super) fn addresses(&self) -> Vec<String> {
        let addresses = self.gateway.pointer("/status/addresses");
        let addresses = addresses.and_then(Value::as_array).into_iter().flatten();
        let values = addresses.filter_map(|address| address["value"].as_str());
        values.map(str::to_owned).collect()
    }

    /// What the Services show: addresses and names.
    pub(super) fn shown(&self) -> Vec<String> {
        let status = self.services.iter().filter_map(|it| it.status.as_ref());
        let balancers = status.filter_map(|status| status.load_balancer.as_ref());
        let ingress = balancers.filter_map(|it| it.ingress.as_ref()).flatten();
        let text = ingress.filter_map(|it| it.ip.clone().or_else(|| it.hostname.clone()));
        text.collect()
    }

    pub(super) fn in_words(&self) -> String {
        match self.shown().as_slice() {
            [] => "no address".to_owned(),
            shown => shown.join(", "),
        }
    }

    /// The name of the first Service.
    pub(super) fn service(&self) -> Option<&str> {
        self.services.first()?.metadata.name.as_deref()
    }

    /// Why the Gateway is not made, or why its address cannot be used.
    pub(super) fn refused(&self) -> Option<String> {
        let (accepted, programmed) = (self.accepted(), self.programmed());
        if accepted.is("False") {
            return Some(accepted.message);
        }
        (programmed.is("False") && programmed.reason == "AddressNotUsable")
            .then_some(programmed.message)
    }
}

/// The address that a text is or, in the lab's zone, means.
pub(super) fn address(text: &str) -> Option<Ipv4Addr> {
    let name = text
        .strip_prefix("lb-")
        .and_then(|it| it.strip_suffix(".lab-cloud.test"));
    match name {
        Some(name) => name.replace('-', ".").parse().ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Seen, address};

    #[test]
    fn a_gateway_is_refused_for_what_is_written_or_for_its_address() {
        let seen = |kind: &str, status: &str, reason: &str| Seen {
            gateway: json!({"status": {"conditions": [
                {"type": kind, "status": status, "reason": reason, "message": "why"},
            ]}}),
            services: Vec::new(),
        };
        assert!(
            seen("Accepted", "False", "InvalidParameters")
                .refused()
                .is_some()
        );
        assert!(
            seen("Programmed", "False", "AddressNotUsable")
                .refused()
                .is_some()
        );
        assert!(seen("Programmed", "False", "Pending").refused().is_none());
        let says = seen("Programmed", "False", "Pending").says(&["nothing", "wh"]);
        assert_eq!(says.as_deref(), Some("why"));
    }

    #[test]
    fn names_of_the_lab_mean_addresses() {
        let expected = "198.18.130.7".parse().ok();
        assert_eq!(address("lb-198-18-130-7.lab-cloud.test"), expected);
        assert_eq!(address("198.18.130.7"), expected);
        assert_eq!(address("lb.example.com"), None);
    }
}
