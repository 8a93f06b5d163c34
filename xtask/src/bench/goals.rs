//! What Daemun is to reach, held against what one run measured.
//!
//! Every goal compares figures of the same run; a goal whose figures are missing is said to be so.

use serde::Serialize;

use super::results::{Outcome, Results};
use super::rivals::Rival;

/// One goal and what came of it.
#[derive(Serialize)]
pub(crate) struct Goal {
    pub(crate) what: String,
    /// The measured ratio or amount, and the most it may be; `None`: not measured.
    pub(crate) measured: Option<f64>,
    pub(crate) most: f64,
    pub(crate) unit: &'static str,
}

impl Goal {
    pub(crate) fn reached(&self) -> Option<bool> {
        self.measured.map(|measured| measured <= self.most)
    }
}

/// Routes' memory, in MB.
const MEMORY: f64 = 40.0;
/// A changed route, in ms.
const RELOAD: f64 = 50.0;

pub(crate) fn judge(results: &Results) -> Vec<Goal> {
    let mut goals = Vec::new();
    let cpu = |scenario: &str, rival| results.of(scenario, rival).map(|one| one.cpu_us);
    let ratio = |what: String, ours: Option<f64>, theirs: Option<f64>, most| Goal {
        what,
        measured: ours.zip(theirs).map(|(ours, theirs)| ours / theirs),
        most,
        unit: "times",
    };
    for scenario in ["one-route", "tls", "http2"] {
        let what = format!("{scenario}: CPU per request, of nginx's");
        let (ours, theirs) = (cpu(scenario, Rival::Daemun), cpu(scenario, Rival::Nginx));
        goals.push(ratio(what, ours, theirs, 1.0));
    }
    for scenario in ["5000-routes", "1000-rules"] {
        let what = format!("{scenario}: CPU per request, of Daemun's own with one route");
        let (ours, own) = (
            cpu(scenario, Rival::Daemun),
            cpu("one-route", Rival::Daemun),
        );
        goals.push(ratio(what, ours, own, 1.03));
    }
    for scenario in &results.scenarios {
        let what = format!("{}: CPU per request, of Envoy's", scenario.name);
        let (ours, theirs) = (
            cpu(scenario.name, Rival::Daemun),
            cpu(scenario.name, Rival::Envoy),
        );
        goals.push(ratio(what, ours, theirs, 0.5));
    }
    let p99 = |scenario: &str, rival| results.of(scenario, rival).and_then(|one| one.p99_us);
    for scenario in results
        .scenarios
        .iter()
        .filter(|one| one.name != "handshakes")
    {
        let what = format!("{}: p99 at half of saturation, of nginx's", scenario.name);
        let (ours, theirs) = (
            p99(scenario.name, Rival::Daemun),
            p99(scenario.name, Rival::Nginx),
        );
        goals.push(ratio(what, ours, theirs, 1.0));
    }
    goals.push(Goal {
        what: "5,000 routes: resident memory, the most of after the load and during a scrape"
            .to_owned(),
        measured: results
            .of("5000-routes", Rival::Daemun)
            .map(|one| most_memory(&one)),
        most: MEMORY,
        unit: "MB",
    });
    for reload in &results.reload {
        goals.push(Goal {
            what: format!("One changed route among 5,000, {}", reload.layout),
            measured: (!reload.live_ms.is_empty())
                .then(|| super::measure::median(reload.live_ms.iter().copied())),
            most: RELOAD,
            unit: "ms",
        });
    }
    goals
}

fn most_memory(outcome: &Outcome) -> f64 {
    outcome.after_mb.max(outcome.scrape_mb.unwrap_or(0.0))
}
