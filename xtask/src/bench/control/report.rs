//! The outcome: a table for people and JSON for programs, in `bench/results/`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::churn::Churn;
use super::cluster::Cluster;
use super::live::Live;
use super::size::Size;
use crate::bench::results::{processors, said};

/// Everything that was measured.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) setting: Setting,
    pub(super) live: Option<Live>,
    pub(super) churn: Option<Churn>,
    pub(super) size: Option<Size>,
}

/// What the figures depend on.
#[derive(Serialize)]
pub(super) struct Setting {
    pub(super) date: String,
    pub(super) cpu: String,
    pub(super) command: String,
    pub(super) revision: String,
    pub(super) kubernetes: String,
}

impl Setting {
    pub(super) fn describe(cluster: &Cluster) -> Result<Self, String> {
        let version = cluster.get("/version")?;
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        Ok(Self {
            date: said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
            cpu: processors(),
            command: format!("cargo xtask {}", arguments.join(" ")),
            revision: said("git", &["describe", "--always", "--dirty"]),
            kubernetes: version["gitVersion"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        })
    }
}

/// A row of the table of goals.
struct Row(String, f64, f64, &'static str);

impl Report {
    pub(super) fn new(setting: Setting) -> Self {
        Self {
            setting,
            live: None,
            churn: None,
            size: None,
        }
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        if let Some(live) = &self.live {
            let count = live.milliseconds.len();
            let what = format!(
                "a new HTTPRoute answers, {} others exist: {count} routes, one at a time",
                live.others
            );
            rows.push(Row(
                format!("{what}, median"),
                live.percentile(50),
                10.0,
                "ms",
            ));
            rows.push(Row(
                format!("{what}, 99th percentile"),
                live.percentile(99),
                30.0,
                "ms",
            ));
        }
        if let Some(churn) = &self.churn {
            rows.push(Row(
                format!(
                    "failed requests of {}, during {} changes in {} s",
                    churn.requests, churn.changes, churn.seconds
                ),
                churn.failed as f64,
                0.0,
                "",
            ));
        }
        if let Some(size) = &self.size {
            let routes = size.routes;
            let longest = size.one_more_ms.last().copied().unwrap_or(f64::NAN);
            rows.extend([
                Row(
                    format!("memory of the controller, {routes} HTTPRoutes on one Gateway"),
                    size.controller_mb,
                    150.0,
                    "MB",
                ),
                Row(
                    format!("memory of each proxy, {routes} HTTPRoutes"),
                    size.proxy_mb,
                    40.0,
                    "MB",
                ),
                Row(
                    format!(
                        "one more HTTPRoute answers, the longest of {}",
                        size.one_more_ms.len()
                    ),
                    longest,
                    100.0,
                    "ms",
                ),
                Row(
                    "CPU of the controller at 10 changes a second".to_owned(),
                    size.controller_cores,
                    0.1,
                    "cores",
                ),
            ]);
        }
        rows
    }

    /// The report for people.
    pub(super) fn markdown(&self) -> String {
        let Setting {
            date,
            cpu,
            command,
            revision,
            kubernetes,
        } = &self.setting;
        let mut text = format!(
            "# How fast a change is live, and what many routes cost\n\n`{command}` on {date}, revision {revision}, Kubernetes {kubernetes}, {cpu}.\n\n| what | measured | at most | |\n|---|--:|--:|---|\n"
        );
        for Row(what, measured, most, unit) in self.rows() {
            let verdict = if measured <= most {
                "reached"
            } else {
                "**missed**"
            };
            let _ = writeln!(
                text,
                "| {what} | {measured:.2} {unit} | {most} {unit} | {verdict} |"
            );
        }
        if let Some(live) = &self.live {
            let _ = writeln!(
                text,
                "\nMilliseconds until a new HTTPRoute answers: 10th percentile {:.1}, median {:.1}, 90th {:.1}, 99th {:.1}, longest {:.1}.",
                live.percentile(10),
                live.percentile(50),
                live.percentile(90),
                live.percentile(99),
                live.percentile(100)
            );
        }
        for failure in self.churn.iter().flat_map(|churn| &churn.failures) {
            let _ = writeln!(text, "\nA request failed: {failure}");
        }
        text
    }

    /// Writes both and says where.
    pub(super) fn save(&self, directory: &Path) -> Result<PathBuf, String> {
        let date = self.setting.date.trim_end_matches(" UTC");
        let name = format!("control-{}", date.replace(' ', "-").replace(':', ""));
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
