//! What is remembered of each Gateway between one look and the next.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use daemun_translate::infrastructure::Infrastructure;

use super::apply::Failure;
use super::diagnosis;
use super::names;
use super::plan::{self, Action, Applied, Plan};
use super::store::Around;
use super::waiter::Waiter;

/// What is remembered of a Gateway.
#[derive(Default)]
pub(super) struct Known {
    pub(super) applied: Applied,
    pub(super) failed: Option<Failed>,
    pub(super) waits: BTreeMap<Waiter, Wait>,
    /// It waits until it may replace its pods: since when.
    pub(super) postponed: Option<Instant>,
}

/// Something could not be done.
pub(super) struct Failed {
    pub(super) failure: Failure,
    /// When to try again; none once that time has come.
    pub(super) again: Option<Instant>,
    pub(super) pause: Duration,
    /// For what was wanted then; something else is tried at once.
    pub(super) wanted: Arc<Infrastructure>,
}

/// Since when somebody waits, and what was found out about it.
pub(super) struct Wait {
    pub(super) since: Instant,
    pub(super) looks: u32,
    /// Whether somebody is looking.
    pub(super) looking: bool,
    pub(super) says: Option<String>,
}

impl Wait {
    /// When to look next at why; none while somebody looks.
    pub(super) fn due(&self) -> Option<Instant> {
        (!self.looking).then(|| self.since + diagnosis::next_look(self.looks))
    }
}

/// The revision of the workload that a plan applies.
pub(super) fn rolled_by(plan: &Plan) -> Option<String> {
    plan.actions.iter().find_map(|action| match action {
        Action::Apply { manifest, .. } if manifest.kind.is_workload() => {
            let annotations = manifest.body.pointer("/metadata/annotations")?;
            Some(annotations.get(names::REVISION)?.as_str()?.to_owned())
        }
        Action::Apply { .. }
        | Action::HandOver { .. }
        | Action::Note { .. }
        | Action::Delete { .. } => None,
    })
}

/// Whether a workload of this revision has replaced all its pods.
pub(super) fn is_rolled(around: &Around, revision: &str) -> bool {
    around.iter().any(|((kind, _), seen)| {
        kind.is_workload()
            && seen.annotation(names::REVISION) == revision
            && plan::is_complete(seen)
    })
}
