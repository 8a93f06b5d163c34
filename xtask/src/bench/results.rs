//! What a run measured, and the medians of it.

use std::fs;
use std::process::Command;

use serde::Serialize;

use super::load::Latencies;
use super::measure::{Effort, Figures, Measured, median};
use super::reload::Reload;
use super::rivals::Rival;
use super::tools::{Source, Tools};

/// Everything a run measured.
#[derive(Serialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) scenarios: Vec<Measurements>,
    pub(crate) reload: Vec<Reload>,
}

/// What the figures depend on.
#[derive(Serialize)]
pub(crate) struct Machine {
    pub(crate) date: String,
    pub(crate) kernel: String,
    pub(crate) cpu: String,
    pub(crate) command: String,
    pub(crate) revision: String,
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
    pub(crate) versions: Vec<(&'static str, String)>,
    pub(crate) missing: Vec<(&'static str, String)>,
}

#[derive(Serialize)]
pub(crate) struct Measurements {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) measured: Vec<Measured>,
}

/// The medians of what was measured of one proxy in one scenario.
pub(crate) struct Outcome {
    pub(crate) cpu_us: f64,
    pub(crate) user_us: f64,
    pub(crate) system_us: f64,
    pub(crate) rate: f64,
    pub(crate) busy: f64,
    pub(crate) p50_us: Option<f64>,
    pub(crate) p99_us: Option<f64>,
    pub(crate) idle_mb: f64,
    pub(crate) after_mb: f64,
    pub(crate) scrape_mb: Option<f64>,
    pub(crate) wrong: u64,
}

impl Machine {
    pub(crate) fn describe(tools: &Tools, effort: Effort, daemun: &Source) -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let mut versions: Vec<(&'static str, String)> = tools
            .rivals
            .iter()
            .filter(|(rival, _)| !matches!(rival, Rival::Floor | Rival::OneRoute))
            .map(|(rival, program)| (rival.title(), program.version.clone()))
            .collect();
        versions.push(("Daemun's build", daemun.to_string()));
        Self {
            date: said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
            kernel: said("uname", &["-sr"]),
            cpu: processors(),
            command: format!("cargo xtask {}", arguments.join(" ")),
            revision: said("git", &["describe", "--always", "--dirty"]),
            rounds: effort.rounds,
            seconds: effort.seconds,
            versions,
            missing: tools
                .missing
                .iter()
                .map(|(rival, why)| (rival.title(), why.clone()))
                .collect(),
        }
    }
}

impl Measured {
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        if self.rounds.is_empty() {
            return None;
        }
        let rounds = |figure: fn(&Figures) -> f64| median(self.rounds.iter().map(figure));
        let latency = |figure: fn(&Latencies) -> Option<f64>| {
            let values: Vec<f64> = self.latencies.iter().filter_map(figure).collect();
            (!values.is_empty()).then(|| median(values.into_iter()))
        };
        let refused: u64 = self.latencies.iter().map(|one| one.refused).sum();
        let wrong: u64 = self.rounds.iter().map(|round| round.wrong).sum();
        Some(Outcome {
            cpu_us: rounds(|round| round.cpu_us),
            user_us: rounds(|round| round.user_us),
            system_us: rounds(|round| round.system_us),
            rate: rounds(|round| round.rate),
            busy: rounds(|round| round.busy),
            p50_us: latency(|one| one.p50_us),
            p99_us: latency(|one| one.p99_us),
            idle_mb: megabytes(self.memory.idle),
            after_mb: megabytes(self.memory.after),
            scrape_mb: self.memory.scrape.map(megabytes),
            wrong: wrong + refused,
        })
    }
}

impl Results {
    pub(crate) fn of(&self, scenario: &str, rival: Rival) -> Option<Outcome> {
        let scenario = self.scenarios.iter().find(|one| one.name == scenario)?;
        scenario
            .measured
            .iter()
            .find(|one| one.rival == rival)?
            .outcome()
    }

    /// The date of the run, as a file's name.
    pub(crate) fn name(&self) -> String {
        self.machine
            .date
            .trim_end_matches(" UTC")
            .replace(' ', "-")
            .replace(':', "")
    }
}

fn megabytes(kibibytes: u64) -> f64 {
    u32::try_from(kibibytes).map_or(f64::INFINITY, |kibibytes| {
        f64::from(kibibytes) * 1024.0 / 1e6
    })
}

/// How many processors there are, and of which model.
pub(crate) fn processors() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or_default();
    let count = cpus
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    format!("{count} x {}", model.trim_start_matches([':', ' ', '\t']))
}

/// What a program prints; nothing if it cannot be run.
pub(crate) fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}
