//! The load generators, as fast as the proxy answers and at a fixed rate for latencies.
//!
//! `bench-rig load` for HTTP/1.1 on kept connections: wrk has no rate, and for many different requests
//! it runs a script that takes the CPU that the backend needs. wrk for a new connection per request.
//! h2load for HTTP/2, with `--rps` for a rate.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::process::{AROUND, pinned, signal};
use super::rivals::Certificate;
use super::routes::HOST;
use super::scenario::Traffic;
use super::tools::Tools;

/// One proxy, and what is sent to it.
pub(crate) struct Target<'a> {
    pub(crate) tools: &'a Tools,
    pub(crate) port: u16,
    pub(crate) traffic: Traffic,
    /// The file with the requests.
    pub(crate) requests: &'a Path,
    pub(crate) openssl: PathBuf,
    pub(crate) certificate: &'a Certificate,
}

/// Latencies at a fixed rate, in microseconds.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Latencies {
    #[serde(default)]
    pub(crate) rate: f64,
    pub(crate) answered: u64,
    /// Answers other than 200.
    pub(crate) refused: u64,
    pub(crate) p50_us: Option<f64>,
    pub(crate) p99_us: Option<f64>,
    pub(crate) p999_us: Option<f64>,
}

/// A load that is going on.
pub(crate) struct Load {
    child: Child,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Own,
    Wrk,
    H2load,
}

impl Target<'_> {
    /// Starts a load of `seconds`.
    pub(crate) fn saturate(&self, seconds: f64) -> Result<Load, String> {
        let (kind, command) = match self.traffic {
            Traffic::Plain | Traffic::Tls => (Kind::Own, self.own(seconds, None)),
            Traffic::Handshakes => (Kind::Wrk, self.wrk()),
            Traffic::Http2 => {
                let duration = format!("-D{:.0}ms", seconds * 1e3);
                (Kind::H2load, self.h2load(&[duration]))
            }
        };
        let child = pinned(&self.tools.rig, AROUND, &command)
            .env("OPENSSL_CONF", &self.openssl)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("The load cannot be started: {error}."))?;
        Ok(Load { child, kind })
    }

    /// Latencies at `rate` requests per second; `None` where nothing measures them honestly.
    pub(crate) fn latencies(
        &self,
        rate: f64,
        seconds: f64,
        directory: &Path,
    ) -> Result<Option<Latencies>, String> {
        match self.traffic {
            Traffic::Handshakes => Ok(None),
            Traffic::Http2 => self.h2_latencies(rate, seconds, directory).map(Some),
            Traffic::Plain | Traffic::Tls => self.h1_latencies(rate, seconds).map(Some),
        }
    }

    /// A new connection for each request. wrk is ended by a signal, after which it prints its report; a
    /// minute is never reached.
    fn wrk(&self) -> Vec<OsString> {
        let mut command = vec![self.tools.wrk.clone().into_os_string()];
        let host = format!("Host: {HOST}");
        let fixed = [
            "-t1",
            "-c64",
            "-d60s",
            "-H",
            &host,
            "-H",
            "Connection: close",
        ];
        command.extend(fixed.map(OsString::from));
        command.push(format!("https://127.0.0.1:{}/", self.port).into());
        command
    }

    /// Kept connections, HTTP/1.1.
    fn own(&self, seconds: f64, rate: Option<f64>) -> Vec<OsString> {
        let mut command: Vec<OsString> =
            vec![self.tools.rig.clone().into_os_string(), "load".into()];
        let values = [
            ("--address", format!("127.0.0.1:{}", self.port)),
            ("--requests", self.requests.display().to_string()),
            ("--seconds", seconds.to_string()),
        ];
        let pace = match rate {
            Some(rate) => ("--rate", rate.to_string()),
            None => ("--warm-up", "0".to_owned()),
        };
        for (flag, value) in values.into_iter().chain([pace]) {
            command.extend([OsString::from(flag), value.into()]);
        }
        if self.traffic.is_tls() {
            command.extend([
                "--tls".into(),
                self.certificate.der.clone().into_os_string(),
            ]);
        }
        command
    }

    fn h2load(&self, more: &[String]) -> Vec<OsString> {
        let mut command = vec![self.tools.h2load.clone().into_os_string()];
        let fixed = [
            "-t1",
            "-c4",
            "-m64",
            "--groups=X25519",
            "--tls13-ciphers=TLS_AES_128_GCM_SHA256",
        ];
        command.extend(fixed.map(OsString::from));
        command.extend(more.iter().map(OsString::from));
        command.push(format!("https://127.0.0.1:{}/", self.port).into());
        command
    }

    fn h1_latencies(&self, rate: f64, seconds: f64) -> Result<Latencies, String> {
        let command = self.own(seconds, Some(rate));
        let output = pinned(&self.tools.rig, AROUND, &command)
            .output()
            .map_err(|error| format!("The load cannot be started: {error}."))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        let latencies: Latencies = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("The load's report cannot be read: {error}."))?;
        Ok(Latencies { rate, ..latencies })
    }

    fn h2_latencies(&self, rate: f64, seconds: f64, directory: &Path) -> Result<Latencies, String> {
        const WARM_UP: f64 = 0.5;
        let log = directory.join("h2load.log");
        // h2load appends to a log that is there.
        let _none = fs::remove_file(&log);
        let arguments = [
            format!("-D{:.0}ms", (seconds + WARM_UP) * 1e3),
            // Per connection, of which there are four.
            format!("--rps={:.1}", rate / 4.0),
            format!("--log-file={}", log.display()),
        ];
        let output = pinned(&self.tools.rig, AROUND, &self.h2load(&arguments))
            .output()
            .map_err(|error| format!("h2load cannot be started: {error}."))?;
        if !output.status.success() {
            return Err(format!("h2load ended with {}.", output.status));
        }
        let text = fs::read_to_string(&log)
            .map_err(|error| format!("h2load's log cannot be read: {error}."))?;
        let rows: Vec<[f64; 3]> = text.lines().filter_map(row).collect();
        let first = rows.iter().map(|row| row[0]).fold(f64::INFINITY, f64::min);
        let recorded = rows.iter().filter(|row| row[0] >= first + WARM_UP * 1e6);
        let mut latencies: Vec<f64> = recorded.clone().map(|row| row[2]).collect();
        latencies.sort_by(f64::total_cmp);
        let at = |thousandths: usize| {
            let rank = (latencies.len() * thousandths).div_ceil(1000);
            latencies.get(rank.saturating_sub(1)).copied()
        };
        Ok(Latencies {
            rate,
            answered: latencies.len() as u64,
            refused: recorded.filter(|row| row[1] != 200.0).count() as u64,
            p50_us: at(500),
            p99_us: at(990),
            p999_us: at(999),
        })
    }
}

/// Start, status and duration of one request in h2load's log.
fn row(line: &str) -> Option<[f64; 3]> {
    let mut numbers = line.split('\t').map(str::parse);
    Some([
        numbers.next()?.ok()?,
        numbers.next()?.ok()?,
        numbers.next()?.ok()?,
    ])
}

impl Load {
    /// Ends the load and says how many answers were not what was asked for.
    pub(crate) fn end(mut self) -> Result<u64, String> {
        if let Kind::Wrk = self.kind {
            signal(&self.child, Signal::INT);
        }
        let mut said = String::new();
        if let Some(mut output) = self.child.stdout.take() {
            let _whole = output.read_to_string(&mut said);
        }
        if let Some(mut errors) = self.child.stderr.take() {
            let _whole = errors.read_to_string(&mut said);
        }
        let _ended = self.child.wait();
        let wrong = match self.kind {
            Kind::Own => serde_json::from_str(&said)
                .ok()
                .map(|all: Latencies| all.refused),
            Kind::Wrk => wrong_of_wrk(&said),
            Kind::H2load => wrong_of_h2load(&said),
        };
        wrong.ok_or_else(|| {
            format!(
                "The load did not end with a report. It said: {}",
                said.trim()
            )
        })
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _gone = self.child.kill();
            let _gone = self.child.wait();
        }
    }
}

/// "Non-2xx or 3xx responses: 5" and "Socket errors: connect 0, read 1, write 0, timeout 0".
fn wrong_of_wrk(said: &str) -> Option<u64> {
    said.lines().find(|line| line.starts_with("Requests/sec"))?;
    let wrong = said
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("Non-2xx") || line.starts_with("Socket errors"))
        .filter_map(|line| line.split_once(':'))
        .flat_map(|(_, numbers)| numbers.split([' ', ',']))
        .filter_map(|word| word.parse::<u64>().ok());
    Some(wrong.sum())
}

/// "requests: … 0 failed, 0 errored, 0 timeout" and "status codes: 9 2xx, 0 3xx, 0 4xx, 0 5xx".
fn wrong_of_h2load(said: &str) -> Option<u64> {
    let numbers = |name: &str| -> Option<Vec<(u64, &str)>> {
        let line = said.lines().find_map(|line| line.strip_prefix(name))?;
        let parts = line
            .split(',')
            .filter_map(|part| part.trim().split_once(' '));
        Some(
            parts
                .filter_map(|(number, what)| Some((number.parse().ok()?, what)))
                .collect(),
        )
    };
    let bad = ["failed", "errored", "timeout", "3xx", "4xx", "5xx"];
    let all = [numbers("requests:")?, numbers("status codes:")?].concat();
    Some(
        all.into_iter()
            .filter(|(_, what)| bad.contains(what))
            .map(|(number, _)| number)
            .sum(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_answers_are_read_from_the_reports() {
        let wrk = "  9 requests in 1s\n  Socket errors: connect 0, read 2, write 0, timeout 1\n  Non-2xx or 3xx responses: 5\nRequests/sec: 9.0\n";
        assert_eq!(wrong_of_wrk(wrk), Some(8));
        assert_eq!(wrong_of_wrk("Requests/sec: 9.0\n"), Some(0));
        assert_eq!(wrong_of_wrk("unable to connect"), None);
        let h2load = "requests: 9 total, 9 started, 9 done, 6 succeeded, 3 failed, 1 errored, 0 timeout\nstatus codes: 6 2xx, 0 3xx, 2 4xx, 1 5xx\n";
        assert_eq!(wrong_of_h2load(h2load), Some(7));
        assert_eq!(wrong_of_h2load("Could not connect"), None);
    }
}
