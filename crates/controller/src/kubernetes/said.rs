//! What is said in the log about what stands in the way: each thing once, when it begins, and that it is over.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::source::kubernetes::{Held, NODE, Trouble};

/// How long troubles may last before they are said: a restart of the API server is none.
const SOON: Duration = Duration::from_secs(2);
/// The kinds without which nothing works.
const NEEDED: &[&str] = &["GatewayClass", "Gateway", "HTTPRoute", "ReferenceGrant"];

/// What was said.
#[derive(Debug)]
pub(super) struct Said {
    said: BTreeSet<String>,
    since: Option<Instant>,
    away: bool,
    complete: bool,
}

impl Said {
    /// Nothing was said yet.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            said: BTreeSet::new(),
            since: Some(now),
            away: false,
            complete: false,
        }
    }

    /// When there is something to say though nothing happens.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + SOON)
    }

    /// Says what is new.
    pub(super) fn say(&mut self, held: &Held, now: Instant) {
        let troubles = held.troubles();
        if held.is_complete() && !self.complete {
            self.complete = true;
            tracing::info!("All that is watched was listed; the cluster is known.");
        }
        let away = troubles.iter().any(|it| matches!(it, Trouble::Away { .. }));
        if self.away && !away {
            self.away = false;
            tracing::info!("The API server answers again.");
        }
        let news: Vec<&&Trouble> = troubles
            .iter()
            .filter(|trouble| match trouble {
                Trouble::Away { .. } => !self.away,
                Trouble::Missing { .. } | Trouble::Forbidden { .. } | Trouble::Unknown => {
                    !self.said.contains(&trouble.to_string())
                }
            })
            .collect();
        if news.is_empty() {
            self.since = None;
            return;
        }
        let since = *self.since.get_or_insert(now);
        if now < since + SOON {
            return;
        }
        self.since = None;
        for trouble in news {
            self.say_one(trouble);
        }
        let still: BTreeSet<String> = troubles.iter().map(ToString::to_string).collect();
        self.said.retain(|said| still.contains(said));
    }

    fn say_one(&mut self, trouble: &Trouble) {
        match trouble {
            Trouble::Away { .. } if self.away => {}
            Trouble::Away { .. } => {
                self.away = true;
                tracing::error!("{trouble} What is known goes on as it is.");
            }
            Trouble::Missing { kind } if NEEDED.contains(&kind.kind) => {
                self.said.insert(trouble.to_string());
                tracing::error!("{trouble}");
            }
            Trouble::Missing { .. } => {
                self.said.insert(trouble.to_string());
                tracing::warn!("{trouble}");
            }
            Trouble::Forbidden { kind, .. } if kind.kind == NODE => {
                self.said.insert(trouble.to_string());
                tracing::warn!(
                    "{trouble} Until then the nodes do not tell who makes load balancers: Gateways need exposure.provider in GatewayParameters."
                );
            }
            Trouble::Forbidden { .. } | Trouble::Unknown => {
                self.said.insert(trouble.to_string());
                tracing::error!(
                    "{trouble} Until then nothing new is given to proxies, and nothing is written."
                );
            }
        }
    }
}
