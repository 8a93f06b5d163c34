//! Whether connections come to Gateways' proxies, and when it is said of one that none does.
//!
//! That none has come counts from when the Gateway is programmed, which its status keeps for whoever leads next. That
//! one has come counts for good: the Gateway can be reached, however quiet it is and however often its proxies begin
//! anew. What proxies tell, every replica of the controller hears, so that the next leader knows it too.

use std::collections::BTreeSet;

use daemun_model::names::ObjectName;
use daemun_objects::seconds_since_epoch;
use daemun_translate::exposure::silence::{NOBODY_CAME, PATIENCE};
use daemun_wire::answer::{Phase, Proxies, ProxyState};
use serde_json::Value;

/// The Gateways to which somebody has come.
#[derive(Debug)]
pub(super) struct Silence {
    /// When this began to listen, in seconds since 1970.
    began: i64,
    reached: BTreeSet<ObjectName>,
}

/// What the Gateway's own status says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Since when it is programmed, in seconds since 1970, if it is.
    since: Option<i64>,
    /// How it is said that no connection comes, if it is.
    pub(super) said: Option<String>,
}

/// Whether it is to be said that no connection comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No.
    No,
    /// Not before this time, in seconds since 1970.
    From(i64),
    /// Yes.
    Yes,
}

impl Silence {
    /// Listens from a time on.
    pub(super) fn new(began: i64) -> Self {
        Self {
            began,
            reached: BTreeSet::new(),
        }
    }

    /// Takes what the proxies of a Gateway say.
    pub(super) fn hear(&mut self, gateway: &ObjectName, proxies: &Proxies) {
        if proxies.of(gateway).iter().any(is_reached) {
            self.reached.insert(gateway.clone());
        }
    }

    /// A Gateway that is another one from now on, of which only its present proxies tell.
    pub(super) fn forget(&mut self, gateway: &ObjectName, proxies: &Proxies) {
        self.reached.remove(gateway);
        self.hear(gateway, proxies);
    }

    /// What is to be said of a Gateway now.
    pub(super) fn judge(
        &self,
        gateway: &ObjectName,
        (proxies, early): (&[ProxyState], bool),
        written: &Written,
        now: i64,
    ) -> Verdict {
        let Some(since) = written.since else {
            return Verdict::No;
        };
        if self.reached.contains(gateway) {
            return Verdict::No;
        }
        // To one that starts nobody can have come.
        let mut serve = proxies.iter().filter(|it| it.phase != Phase::Starting);
        if early || serve.clone().next().is_none() {
            // Nobody can know better: what is said stays.
            return if written.said.is_some() {
                Verdict::Yes
            } else {
                Verdict::No
            };
        }
        // One that cannot tell may have been reached.
        if serve.any(|proxy| proxy.reached != Some(false)) {
            return Verdict::No;
        }
        if written.said.is_some() {
            return Verdict::Yes;
        }
        // Whoever was not there heard nothing.
        match since.max(self.began).saturating_add(PATIENCE) {
            from if from > now => Verdict::From(from),
            _ => Verdict::Yes,
        }
    }
}

impl Written {
    /// Of the condition `Programmed`.
    pub(super) fn of(programmed: &Value) -> Self {
        let text = |field: &str| programmed.get(field).and_then(Value::as_str);
        if text("status") != Some("True") {
            return Self::default();
        }
        // It is the last that is said.
        let said = text("message").and_then(|message| message.get(message.find(NOBODY_CAME)?..));
        Self {
            since: text("lastTransitionTime").and_then(seconds_since_epoch),
            said: said.map(str::to_owned),
        }
    }
}

fn is_reached(proxy: &ProxyState) -> bool {
    proxy.reached == Some(true)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use daemun_model::names::ObjectName;
    use daemun_wire::answer::{Phase, Proxies, ProxyState};
    use daemun_wire::identity::Proxy;
    use serde_json::json;

    use super::{NOBODY_CAME, Silence, Verdict, Written};

    fn name() -> ObjectName {
        ObjectName::new("infra", "shop")
    }

    fn proxy(phase: Phase, reached: Option<bool>) -> ProxyState {
        ProxyState {
            proxy: Proxy {
                gateway: name(),
                account: "account".to_owned(),
                pod: "pod".to_owned(),
                pod_uid: "uid".to_owned(),
            },
            version: "1".to_owned(),
            foreign: None,
            phase,
            generation: Some(1),
            current: true,
            refused: Vec::new(),
            reached,
        }
    }

    fn all(proxies: Vec<ProxyState>) -> Proxies {
        Proxies {
            by_gateway: [(name(), Arc::new(proxies))].into(),
        }
    }

    const QUIET: Option<bool> = Some(false);

    fn since() -> Written {
        Written {
            since: Some(1000),
            said: None,
        }
    }

    fn said() -> Written {
        Written {
            said: Some(format!("{NOBODY_CAME}, though.")),
            ..since()
        }
    }

    #[test]
    fn it_is_said_when_no_proxy_was_reached_for_long_enough() {
        let silence = Silence::new(0);
        let judge = |proxies: &[ProxyState], written, now| {
            silence.judge(&name(), (proxies, false), &written, now)
        };
        let quiet = [proxy(Phase::Ready, QUIET), proxy(Phase::Starting, None)];
        assert_eq!(judge(&quiet, since(), 1000), Verdict::From(1180));
        assert_eq!(judge(&quiet, since(), 1179), Verdict::From(1180));
        assert_eq!(judge(&quiet, since(), 1180), Verdict::Yes);
        assert_eq!(judge(&quiet, Written::default(), 1180), Verdict::No);
        for one in [Some(true), None] {
            let some = [proxy(Phase::Ready, QUIET), proxy(Phase::Ready, one)];
            assert_eq!(judge(&some, since(), 1180), Verdict::No, "{one:?}");
        }
        let starting = [proxy(Phase::Starting, QUIET)];
        assert_eq!(judge(&starting, since(), 1180), Verdict::No);
        assert_eq!(judge(&[], since(), 1180), Verdict::No);
    }

    #[test]
    fn who_leads_next_waits_for_no_less_and_says_no_less() {
        let silence = Silence::new(5000);
        let quiet = [proxy(Phase::Ready, QUIET)];
        let judge = |proxies: &[ProxyState], early, written| {
            silence.judge(&name(), (proxies, early), &written, 5010)
        };
        // Nobody knows who came before.
        assert_eq!(judge(&quiet, false, since()), Verdict::From(5180));
        assert_eq!(judge(&quiet, false, said()), Verdict::Yes);
        // Proxies come anew.
        assert_eq!(judge(&[], true, said()), Verdict::Yes);
        let mute = [proxy(Phase::Ready, None)];
        assert_eq!(judge(&mute, true, said()), Verdict::Yes);
        assert_eq!(judge(&mute, false, said()), Verdict::No);
        assert_eq!(judge(&quiet, true, since()), Verdict::No);
    }

    #[test]
    fn a_gateway_that_was_reached_once_can_be_reached() {
        let mut silence = Silence::new(0);
        let judge = |silence: &Silence| {
            let quiet = [proxy(Phase::Ready, QUIET)];
            silence.judge(&name(), (&quiet, false), &said(), 2000)
        };
        silence.hear(&name(), &all(vec![proxy(Phase::Ready, QUIET)]));
        assert_eq!(judge(&silence), Verdict::Yes);
        silence.hear(&name(), &all(vec![proxy(Phase::Ready, Some(true))]));
        // Its proxies were replaced.
        let others = all(vec![proxy(Phase::Ready, QUIET)]);
        silence.hear(&name(), &others);
        assert_eq!(judge(&silence), Verdict::No);
        silence.forget(&name(), &others);
        assert_eq!(judge(&silence), Verdict::Yes);
    }

    #[test]
    fn what_is_written_of_it_is_read() {
        let condition = |status, message: &str| {
            json!({
                "type": "Programmed", "status": status, "message": message,
                "lastTransitionTime": "1970-01-01T00:16:40Z",
            })
        };
        assert_eq!(Written::of(&condition("True", "It serves.")), since());
        let all = format!("It serves. {NOBODY_CAME}, though.");
        assert_eq!(Written::of(&condition("True", &all)), said());
        let not = Written::of(&condition("False", &all));
        assert_eq!(not, Written::default());
    }
}
