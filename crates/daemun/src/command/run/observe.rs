//! What a running gateway shows about itself: readiness, the health port, the admin port.

use std::net::SocketAddr;
use std::sync::Arc;

use daemun_base::logs::Level;
use daemun_base::readiness::Readiness;
use daemun_base::tasks::Tasks;
use daemun_controller::publish::State;
use daemun_model::Configuration;
use daemun_proxy::admin::{Address, Admin, Health};
use daemun_proxy::{Applied, Proxy};
use tokio::sync::watch;

use super::Run;
use crate::output::counted;

/// What the two ports show.
pub(super) struct Shown {
    state: watch::Receiver<Arc<State>>,
    metrics: Arc<daemun_proxy::Metrics>,
    readiness: Readiness,
}

impl Shown {
    /// Shows a controller's state and a proxy's metrics.
    pub(super) fn new(
        state: &watch::Receiver<Arc<State>>,
        proxy: &Proxy,
        readiness: &Readiness,
    ) -> Self {
        Self {
            state: state.clone(),
            metrics: Arc::clone(proxy.metrics()),
            readiness: readiness.clone(),
        }
    }

    /// Opens the ports, and tells where they are.
    ///
    /// # Errors
    /// A sentence, if an address is none or cannot be bound.
    pub(super) async fn start(
        self,
        arguments: &Run,
        level: Level,
        tasks: &Tasks,
    ) -> Result<(Option<SocketAddr>, Option<Address>), String> {
        let Self {
            state,
            metrics,
            readiness,
        } = self;
        let health = match arguments.health()? {
            None => None,
            Some(address) => {
                let write = move |into: &mut dyn std::fmt::Write| metrics.write(into);
                let health = Health {
                    readiness,
                    metrics: Arc::new(write),
                };
                Some(
                    health
                        .start(address, tasks)
                        .await
                        .map_err(|error| format!("--health: {error}"))?,
                )
            }
        };
        let admin = match arguments.admin()? {
            None => None,
            Some(address) => Some(
                admin(state, level)
                    .start(&address, tasks)
                    .await
                    .map_err(|error| format!("--admin: {error}"))?,
            ),
        };
        Ok((health, admin))
    }
}

fn admin(state: watch::Receiver<Arc<State>>, log: Level) -> Admin {
    let (of_problems, of_explain) = (state.clone(), state.clone());
    let configuration = move || Arc::clone(&state.borrow().configuration) as Arc<Configuration>;
    Admin {
        configuration: Arc::new(configuration),
        problems: Arc::new(move || problems_json(&of_problems.borrow())),
        explain: Arc::new(move |question, form| {
            let state = of_explain.borrow();
            crate::explain::answer(&state.configuration, &state.verdicts, question, form)
        }),
        log,
    }
}

/// Shows in metrics which changes of the files were read, and what is wrong in them.
pub(super) fn source(metrics: &daemun_proxy::Metrics, state: &State) {
    let by_reason = state.problems.by_reason().into_iter();
    metrics.source(daemun_proxy::Source {
        accepted: state.counts.accepted,
        refused: state.counts.refused,
        problems: by_reason
            .map(|(reason, count)| (reason.as_str().to_owned(), count))
            .collect(),
    });
}

/// Reports listeners and configuration as parts of readiness.
pub(super) fn readiness(readiness: &Readiness, state: &State, applied: &Applied) {
    let bound = applied.listening.len();
    match applied.not_bound.first() {
        None => {
            let are = if bound == 1 { "is" } else { "are" };
            readiness.ready(
                "listeners",
                format!("{} {are} bound", counted(bound, "socket")),
            );
        }
        Some(first) => readiness.not_ready("listeners", first.reason.clone()),
    }
    problems(readiness, state);
}

/// A bad edit does not make a gateway unready that serves what it served before; it is told here.
pub(super) fn problems(readiness: &Readiness, state: &State) {
    readiness.ready("configuration", state.problems.summary());
}

fn problems_json(state: &State) -> serde_json::Value {
    let in_files = state.problems.iter().map(|problem| {
        serde_json::json!({
            "severity": format!("{:?}", problem.severity),
            "reason": problem.reason.as_str(),
            "file": &*problem.file,
            "line": problem.spot.as_ref().map(|spot| spot.line),
            "column": problem.spot.as_ref().map(|spot| spot.column),
            "object": problem.object.as_ref().map(ToString::to_string),
            "message": problem.message,
            "consequence": problem.consequence(),
        })
    });
    let in_objects = state.verdicts.iter().flat_map(|verdict| {
        verdict.findings.iter().map(|finding| {
            serde_json::json!({
                "severity": format!("{:?}", finding.severity),
                "reason": finding.reason,
                "object": verdict.object.to_string(),
                "path": finding.path.to_string(),
                "message": finding.message,
            })
        })
    });
    in_files.chain(in_objects).collect()
}
