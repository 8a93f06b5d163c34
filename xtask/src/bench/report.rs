//! The outcome of a run: a Markdown table for people and JSON for programs, in `bench/results/`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::goals::{self, Goal};
use super::measure::median;
use super::results::{Machine, Measurements, Results};

impl Results {
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
