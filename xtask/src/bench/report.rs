//! The outcome of a run: a Markdown table for people and JSON for programs, in `bench/results/`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Serialize;

use super::goals::{self, Goal};
use super::measure::{Effort, Measured, median};
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
    date: String,
    kernel: String,
    cpu: String,
    command: String,
    revision: String,
    rounds: usize,
    seconds: f64,
    versions: Vec<(&'static str, String)>,
    missing: Vec<(&'static str, String)>,
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
    user_us: f64,
    system_us: f64,
    rate: f64,
    busy: f64,
    p50_us: Option<f64>,
    pub(crate) p99_us: Option<f64>,
    idle_mb: f64,
    pub(crate) after_mb: f64,
    pub(crate) scrape_mb: Option<f64>,
    wrong: u64,
}

impl Machine {
    pub(crate) fn describe(tools: &Tools, effort: Effort, daemun: &Source) -> Self {
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = cpus
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .unwrap_or_default();
        let count = cpus
            .lines()
            .filter(|line| line.starts_with("processor"))
            .count();
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
            cpu: format!("{count} x {}", cpu.trim_start_matches([':', ' ', '\t'])),
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
        let rounds =
            |figure: fn(&super::measure::Figures) -> f64| median(self.rounds.iter().map(figure));
        let latency = |figure: fn(&super::load::Latencies) -> Option<f64>| {
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

    /// The report for people.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::from("# What a proxied request costs\n\n");
        self.machine.write(&mut text);
        let _ = writeln!(
            text,
            "\nHow it is measured: bench/README.md. Compare figures only within this run."
        );
        for scenario in &self.scenarios {
            scenario.write(&mut text);
        }
        if !self.reload.is_empty() {
            text.push_str("\n## One changed route among 5,000 is live (Daemun)\n\n| files | start, ms | median, ms | longest, ms | changes |\n|---|--:|--:|--:|--:|\n");
        }
        for reload in &self.reload {
            let longest = reload.live_ms.iter().copied().fold(0.0, f64::max);
            let middle = median(reload.live_ms.iter().copied());
            let count = reload.live_ms.len();
            let (layout, start) = (reload.layout, reload.start_ms);
            let _ = writeln!(
                text,
                "| {layout} | {start:.0} | {middle:.1} | {longest:.1} | {count} |"
            );
            if let Some(failure) = &reload.failure {
                let _ = writeln!(text, "\n{layout}: {failure}\n");
            }
        }
        write_goals(&mut text, &goals::judge(self));
        text
    }

    /// Writes both reports and says where.
    pub(crate) fn save(&self, directory: &Path, name: &str) -> Result<PathBuf, String> {
        let json = serde_json::to_string_pretty(self)
            .map_err(|error| format!("The results cannot be written as JSON: {error}."))?;
        let path = directory.join(format!("{name}.md"));
        fs::create_dir_all(directory)
            .and_then(|()| fs::write(&path, self.markdown()))
            .and_then(|()| fs::write(directory.join(format!("{name}.json")), json))
            .map_err(|error| format!("{} cannot be written: {error}.", path.display()))?;
        Ok(path)
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

impl Machine {
    fn write(&self, text: &mut String) {
        let Self {
            date,
            kernel,
            cpu,
            command,
            revision,
            rounds,
            seconds,
            versions,
            missing,
        } = self;
        let _ = writeln!(
            text,
            "`{command}` on {date}, revision {revision}, {kernel}, {cpu}."
        );
        let _ = writeln!(
            text,
            "Medians of {rounds} interleaved rounds of {seconds} s.\n"
        );
        for (name, version) in versions {
            let _ = writeln!(text, "- {name}: {version}");
        }
        for (name, why) in missing {
            let _ = writeln!(text, "- {name} could not be found: {why}");
        }
    }
}

impl Measurements {
    pub(crate) fn write(&self, text: &mut String) {
        let _ = writeln!(text, "\n## {} (`{}`)\n", self.title, self.name);
        text.push_str("| proxy | CPU us/request | user | system | requests/s | CPU busy | p50 us | p99 us at half | RSS idle MB | after | during a scrape |\n");
        text.push_str("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
        for measured in &self.measured {
            let title = measured.rival.title();
            let Some(one) = measured.outcome() else {
                continue;
            };
            let dash =
                |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.0}"));
            let _ = writeln!(
                text,
                "| {title} | {:.2} | {:.2} | {:.2} | {:.0} | {:.0} % | {} | {} | {:.1} | {:.1} | {} |",
                one.cpu_us,
                one.user_us,
                one.system_us,
                one.rate,
                one.busy * 100.0,
                dash(one.p50_us),
                dash(one.p99_us),
                one.idle_mb,
                one.after_mb,
                one.scrape_mb
                    .map_or("-".to_owned(), |value| format!("{value:.1}")),
            );
        }
        for measured in &self.measured {
            let title = measured.rival.title();
            if let Some(failure) = &measured.failure {
                let _ = writeln!(text, "\n{title} failed: {failure}");
            }
            if let Some(wrong) = measured
                .outcome()
                .map(|one| one.wrong)
                .filter(|wrong| *wrong > 0)
            {
                let _ = writeln!(
                    text,
                    "\n{title} gave {wrong} wrong answers or closed connections: its figures do not count."
                );
            }
        }
    }
}

fn write_goals(text: &mut String, goals: &[Goal]) {
    text.push_str("\n## Goals\n\n| goal | measured | at most | |\n|---|--:|--:|---|\n");
    for goal in goals {
        let verdict = match goal.reached() {
            Some(true) => "reached",
            Some(false) => "**missed**",
            None => "not measured",
        };
        let measured = goal
            .measured
            .map_or("-".to_owned(), |measured| format!("{measured:.2}"));
        let _ = writeln!(
            text,
            "| {} | {measured} | {} {} | {verdict} |",
            goal.what, goal.most, goal.unit
        );
    }
}

fn megabytes(kibibytes: u64) -> f64 {
    u32::try_from(kibibytes).map_or(f64::INFINITY, |kibibytes| {
        f64::from(kibibytes) * 1024.0 / 1e6
    })
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}
