//! Gateways that are closed, and open again: what the log says of it, once.
//!
//! What closing means is done where ports are: nothing is compiled for them (`compile::listeners`), nobody listens
//! (`supervisor`), and what is open ends (`worker`).

use std::fmt;

use daemun_model::Configuration;
use daemun_model::names::ObjectName;

/// A Gateway that is closed and was not, or the other way round.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change<'a> {
    gateway: &'a ObjectName,
    /// Why it is closed; none if it is open again.
    closed: Option<&'a str>,
}

/// What is different between two configurations. A Gateway that is new is told of if it is closed.
pub(crate) fn changes<'a>(before: &Configuration, next: &'a Configuration) -> Vec<Change<'a>> {
    let changes = next.gateways.iter().filter_map(|(name, snapshot)| {
        let old = before.gateways.get(name);
        let old = old.and_then(|old| old.gateway.closed.as_deref());
        let closed = snapshot.gateway.closed.as_deref();
        let gateway = name;
        (old != closed).then_some(Change { gateway, closed })
    });
    changes.collect()
}

impl Change<'_> {
    /// Whether it is closed now.
    pub(crate) fn closes(&self) -> bool {
        self.closed.is_some()
    }

    /// Says it to operators.
    pub(crate) fn tell(&self) {
        if self.closes() {
            tracing::warn!("{self}");
        } else {
            tracing::info!("{self}");
        }
    }
}

impl fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gateway = self.gateway;
        match self.closed {
            Some(why) => write!(
                f,
                "Gateway {gateway} is closed: {} Nobody listens on its ports, and its connections were ended. \
                 It opens by itself when that is put right.",
                sentence(why)
            ),
            None => write!(f, "Gateway {gateway} is open again."),
        }
    }
}

/// With its end, if it has none.
fn sentence(text: &str) -> String {
    match text.ends_with('.') {
        true => text.to_owned(),
        false => format!("{text}."),
    }
}
