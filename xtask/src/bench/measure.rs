//! One scenario: every proxy started, measured in interleaved rounds, and ended.
//!
//! All proxies run at the same time and take turns, so that a machine that slows down slows all of
//! them. CPU time and answers are read at both ends of a window inside the load, so that starting it
//! is in no figure.

use std::io::Read;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use serde::Serialize;

use super::load::{Latencies, Target};
use super::process::{AROUND, PROXY, Running, free_port, now};
use super::rivals::{Rival, Setup};
use super::scenario::Scenario;
use super::stage::Stage;
use super::tools::Tools;
use crate::http;

/// How long and how often.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
}

/// How long a load runs before its window.
const LEAD: f64 = 0.5;

/// What a scenario showed about one proxy.
#[derive(Serialize)]
pub(crate) struct Measured {
    pub(crate) rival: Rival,
    pub(crate) rounds: Vec<Figures>,
    /// At half of the rate that the median round reached.
    pub(crate) latencies: Vec<Latencies>,
    pub(crate) memory: Memory,
    /// Why there are no figures, or fewer.
    pub(crate) failure: Option<String>,
}

/// One round.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Figures {
    /// Microseconds of CPU time per request; in user mode; in the kernel.
    pub(crate) cpu_us: f64,
    pub(crate) user_us: f64,
    pub(crate) system_us: f64,
    /// Requests per second.
    pub(crate) rate: f64,
    /// The share of its CPU that the proxy used.
    pub(crate) busy: f64,
    /// Answers that were not what was asked for.
    pub(crate) wrong: u64,
}

/// Resident memory in KiB.
#[derive(Clone, Copy, Default, Serialize)]
pub(crate) struct Memory {
    pub(crate) idle: u64,
    /// After the load, in which every route had requests.
    pub(crate) after: u64,
    /// The peak while the metrics were read.
    pub(crate) scrape: Option<u64>,
}

/// Measures `rivals` in one scenario.
pub(crate) fn scenario(
    stage: &Stage,
    tools: &Tools,
    scenario: &Scenario,
    effort: Effort,
) -> Result<Vec<Measured>, String> {
    let place = Place {
        stage,
        tools,
        scenario,
        backend: Backend::start(stage, tools, scenario.body)?,
        requests: stage.requests(scenario.routing)?,
    };
    let mut runs: Vec<Run> = tools
        .rivals
        .keys()
        .filter(|rival| rival.can(scenario))
        .map(|rival| Run::start(&place, *rival))
        .collect();
    for _ in 0..effort.rounds {
        for run in &mut runs {
            run.attempt(|run| run.round(&place, effort.seconds));
        }
    }
    for run in &mut runs {
        run.attempt(|run| run.remember(&place));
    }
    for _ in 0..effort.rounds.min(3) {
        for run in &mut runs {
            run.attempt(|run| run.latency(&place, effort.seconds));
        }
    }
    Ok(runs.into_iter().map(|run| run.measured).collect())
}

/// What all runs of a scenario share.
struct Place<'a> {
    stage: &'a Stage,
    tools: &'a Tools,
    scenario: &'a Scenario,
    backend: Backend,
    requests: PathBuf,
}

/// The backend of a scenario, which counts what it answers.
pub(crate) struct Backend {
    _running: Running,
    pub(crate) port: u16,
    control: u16,
}

impl Backend {
    pub(crate) fn start(stage: &Stage, tools: &Tools, body: usize) -> Result<Self, String> {
        let (port, control) = (free_port()?, free_port()?);
        let command = [
            tools.rig.clone().into_os_string(),
            "backend".into(),
            "--listen".into(),
            format!("127.0.0.1:{port}").into(),
            "--control".into(),
            format!("127.0.0.1:{control}").into(),
            "--body".into(),
            body.to_string().into(),
        ];
        let log = stage.directory("backend")?.join("log");
        let mut running = Running::start(&tools.rig, AROUND, &command, log)?;
        running.wait_for(control)?;
        Ok(Self {
            _running: running,
            port,
            control,
        })
    }

    /// How many requests it has answered.
    fn served(&self) -> Result<f64, String> {
        let mut said = String::new();
        TcpStream::connect(("127.0.0.1", self.control))
            .and_then(|mut stream| stream.read_to_string(&mut said))
            .map_err(|error| format!("The backend does not tell its count: {error}."))?;
        let count = said
            .split_whitespace()
            .next()
            .and_then(|count| count.parse().ok());
        count.ok_or_else(|| format!("The backend's count cannot be read: {said}"))
    }
}

/// One proxy in one scenario.
struct Run {
    running: Option<Running>,
    port: u16,
    metrics: u16,
    measured: Measured,
}

impl Run {
    fn start(place: &Place<'_>, rival: Rival) -> Self {
        let measured = Measured {
            rival,
            rounds: Vec::new(),
            latencies: Vec::new(),
            memory: Memory::default(),
            failure: None,
        };
        let mut run = Self {
            running: None,
            port: 0,
            metrics: 0,
            measured,
        };
        run.attempt(|run| run.begin(place));
        run
    }

    /// Does one step, unless an earlier one failed: a proxy that fails does not end the others' run.
    fn attempt(&mut self, step: impl FnOnce(&mut Self) -> Result<(), String>) {
        if self.measured.failure.is_some() {
            return;
        }
        let Err(failure) = step(self) else { return };
        let ended = self
            .running
            .as_mut()
            .is_some_and(|running| !running.is_alive());
        let said = self
            .running
            .as_ref()
            .map(Running::said)
            .filter(|_| ended)
            .unwrap_or_default();
        let name = self.measured.rival.title();
        eprintln!("{name}: {failure}{said}");
        self.measured.failure = Some(format!("{failure}{said}"));
    }

    fn begin(&mut self, place: &Place<'_>) -> Result<(), String> {
        let rival = self.measured.rival;
        let Some(program) = place.tools.rivals.get(&rival) else {
            return Err("It was not found.".to_owned());
        };
        (self.port, self.metrics) = (free_port()?, free_port()?);
        let setup = Setup {
            directory: place.stage.directory(&format!(
                "{}-{}",
                place.scenario.name,
                rival.name()
            ))?,
            port: self.port,
            metrics: self.metrics,
            backend: place.backend.port,
            rules: &rival.routing(place.scenario.routing).rules(),
            traffic: place.scenario.traffic,
            certificate: &place.stage.certificate,
        };
        let command = rival.configure(&program.path, &setup)?;
        let log = setup.directory.join("log");
        let mut running = Running::start(&place.tools.rig, PROXY, &command, log)?;
        running.wait_for(self.port)?;
        self.running = Some(running);
        sleep(Duration::from_millis(300));
        self.measured.memory.idle = self.running()?.resident();
        Ok(())
    }

    fn running(&self) -> Result<&Running, String> {
        self.running
            .as_ref()
            .ok_or_else(|| "It does not run.".to_owned())
    }

    fn target<'a>(&self, place: &'a Place<'_>) -> Target<'a> {
        Target {
            tools: place.tools,
            port: self.port,
            traffic: place.scenario.traffic,
            requests: &place.requests,
            openssl: place.stage.openssl(),
            certificate: &place.stage.certificate,
        }
    }

    fn round(&mut self, place: &Place<'_>, seconds: f64) -> Result<(), String> {
        let load = self.target(place).saturate(LEAD + seconds + 0.2)?;
        sleep(Duration::from_secs_f64(LEAD));
        let running = self.running()?;
        let (begin, cpu, served) = (now(), running.cpu(), place.backend.served()?);
        sleep(Duration::from_secs_f64(seconds));
        let (cpu_end, served_end) = (running.cpu(), place.backend.served()?);
        let elapsed = begin.elapsed().as_secs_f64();
        let wrong = load.end()?;
        let requests = served_end - served;
        if requests < 1.0 {
            return Err(format!(
                "No request reached the backend; {wrong} answers were wrong."
            ));
        }
        let total = cpu_end.total - cpu.total;
        let (user, system) = (cpu_end.user - cpu.user, cpu_end.system - cpu.system);
        let share = if user + system > 0.0 {
            user / (user + system)
        } else {
            0.0
        };
        let cpu_us = total / requests;
        self.measured.rounds.push(Figures {
            cpu_us,
            user_us: cpu_us * share,
            system_us: cpu_us * (1.0 - share),
            rate: requests / elapsed,
            busy: total / 1e6 / elapsed,
            wrong,
        });
        Ok(())
    }

    /// Memory after the rounds, and during a scrape where there is one.
    fn remember(&mut self, place: &Place<'_>) -> Result<(), String> {
        self.measured.memory.after = self.running()?.resident();
        if self.measured.rival != Rival::Daemun {
            return Ok(());
        }
        // A scrape that nothing disturbs: the load of the rounds has ended.
        let (peak, scraped) = self
            .running()?
            .peak(|| http::get(self.metrics, "localhost", "/metrics"));
        let (status, body) = scraped?;
        if status != 200 {
            return Err(format!("/metrics answers {status}."));
        }
        let name = format!("{}-metrics.txt", place.scenario.name);
        keep(&place.stage.directory("metrics")?, &name, &body);
        self.measured.memory.scrape = Some(peak);
        Ok(())
    }

    fn latency(&mut self, place: &Place<'_>, seconds: f64) -> Result<(), String> {
        let rate = median(self.measured.rounds.iter().map(|round| round.rate)) / 2.0;
        let directory = place.stage.directory("load")?;
        let latencies = self.target(place).latencies(rate, seconds, &directory)?;
        self.measured.latencies.extend(latencies);
        Ok(())
    }
}

/// The middle value; 0 of nothing.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match (values.get(values.len() / 2), values.len()) {
        (Some(upper), count) if count % 2 == 0 => f64::midpoint(values[count / 2 - 1], *upper),
        (Some(middle), _) => *middle,
        (None, _) => 0.0,
    }
}

fn keep(directory: &Path, name: &str, body: &str) {
    // Only for whoever looks into the directory while the run goes on.
    let _kept = std::fs::write(directory.join(name), body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
        assert_eq!(median(std::iter::empty()), 0.0);
    }
}
