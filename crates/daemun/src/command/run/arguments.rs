//! What `daemun run` can be told. Every flag has a twin in the environment.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use daemun_base::logs;
use daemun_proxy::admin::Address;
use daemun_proxy::settings::Inherited;

use super::access_log::AccessLogArguments;
use super::embedded::Service;

/// Run a gateway from Gateway API objects in files
#[derive(Clone, Debug, Args)]
pub(crate) struct Run {
    /// Files or directories with objects (YAML or JSON); - for standard input. None: a welcome gateway
    /// with a built-in echo backend
    #[arg(value_name = "PATH", env = "DAEMUN_PATHS", value_delimiter = ':')]
    paths: Vec<PathBuf>,
    /// Put a gateway in front of one service that speaks plain HTTP, such as localhost:9000
    #[arg(
        long,
        value_name = "HOST:PORT",
        env = "DAEMUN_TO",
        conflicts_with = "paths"
    )]
    to: Option<Service>,
    /// Where the welcome gateway, or that of --to, listens; objects in files say it themselves
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "DAEMUN_LISTEN",
        default_value = "127.0.0.1:8080",
        value_parser = address
    )]
    pub(super) listen: SocketAddr,
    /// Worker threads [default: the CPU limit rounded up; without a limit the cores, at most 4]
    #[arg(long, value_name = "NUMBER", env = "DAEMUN_WORKERS", value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: Option<u16>,
    /// Health and metrics: /healthz, /readyz, /metrics; "off" for none
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "DAEMUN_HEALTH",
        default_value = "127.0.0.1:9901"
    )]
    health: String,
    /// Admin: /config, /log, /problems, /explain; a loopback address or unix:PATH; "off" for none
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "DAEMUN_ADMIN",
        default_value = "127.0.0.1:9902"
    )]
    admin: String,
    /// Seconds to go on accepting after a stop was asked for, so that load balancers notice
    #[arg(
        long,
        value_name = "SECONDS",
        env = "DAEMUN_DRAIN_DELAY",
        default_value = "0",
        value_parser = seconds
    )]
    drain_delay: u64,
    /// Seconds that requests under way may take to end after that
    #[arg(
        long,
        value_name = "SECONDS",
        env = "DAEMUN_DRAIN_GRACE",
        default_value = "30",
        value_parser = seconds
    )]
    drain_grace: u64,
    /// The log's level: error, warn, info, debug, trace; or module=level,…
    #[arg(long, value_name = "LEVEL", env = "DAEMUN_LOG", default_value = "info")]
    pub(super) log_level: String,
    /// How the log is written
    #[arg(
        long,
        value_name = "FORMAT",
        env = "DAEMUN_LOG_FORMAT",
        value_enum,
        default_value = "text"
    )]
    log_format: LogFormat,
    #[command(flatten)]
    access_log: AccessLogArguments,
    /// Sockets handed over by systemd (sd_listen_fds)
    #[arg(long, env = "LISTEN_PID", hide = true)]
    listen_pid: Option<String>,
    /// The same
    #[arg(long, env = "LISTEN_FDS", hide = true)]
    listen_fds: Option<String>,
    /// The same
    #[arg(long, env = "LISTEN_FDNAMES", hide = true)]
    listen_fdnames: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// Where the objects come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a> {
    /// Files.
    Paths(&'a [PathBuf]),
    /// One service.
    To(&'a Service),
    /// The welcome gateway.
    Welcome,
}

impl Run {
    /// Where the objects come from.
    pub(crate) fn source(&self) -> Source<'_> {
        match (&self.to, &self.paths[..]) {
            (Some(target), _) => Source::To(target),
            (None, []) => Source::Welcome,
            (None, paths) => Source::Paths(paths),
        }
    }

    /// How the log is written.
    pub(super) fn log_format(&self) -> logs::Format {
        match self.log_format {
            LogFormat::Text => logs::Format::Text,
            LogFormat::Json => logs::Format::Json,
        }
    }

    /// Where health and metrics are to be had, if anywhere.
    ///
    /// # Errors
    /// A sentence, if that is no address.
    pub(super) fn health(&self) -> Result<Option<SocketAddr>, String> {
        if self.health == "off" {
            return Ok(None);
        }
        let address = self.health.parse().map_err(|_| {
            format!(
                "--health {} is not an address and port, such as 127.0.0.1:9901, nor \"off\".",
                self.health
            )
        })?;
        Ok(Some(address))
    }

    /// Where the admin port is, if anywhere.
    ///
    /// # Errors
    /// A sentence, if that is no address.
    pub(super) fn admin(&self) -> Result<Option<Address>, String> {
        if self.admin == "off" {
            return Ok(None);
        }
        self.admin
            .parse()
            .map(Some)
            .map_err(|why: String| format!("--admin {}: {why}", self.admin))
    }

    /// The proxy's settings.
    pub(super) fn proxy_settings(&self) -> daemun_proxy::Settings {
        let inherited = match (&self.listen_pid, &self.listen_fds) {
            (Some(pid), Some(count)) => Some(Inherited {
                pid: pid.clone(),
                count: count.clone(),
                names: self.listen_fdnames.clone(),
            }),
            _ => None,
        };
        daemun_proxy::Settings {
            workers: self.workers.map_or_else(default_workers, usize::from),
            drain_delay: Duration::from_secs(self.drain_delay),
            drain_grace: Duration::from_secs(self.drain_grace),
            access_log: self.access_log.settings(),
            inherited,
            ..daemun_proxy::Settings::default()
        }
    }
}

fn address(written: &str) -> Result<SocketAddr, String> {
    written.parse().map_err(|_| {
        "write an address with a port, such as 127.0.0.1:8080, or 0.0.0.0:8080 for all addresses"
            .to_owned()
    })
}

fn seconds(written: &str) -> Result<u64, String> {
    written
        .parse()
        .map_err(|_| "write whole seconds, such as 10".to_owned())
}

/// The CPU limit of the cgroup rounded up; without a limit the cores, at most 4.
fn default_workers() -> usize {
    let limit = std::fs::read_to_string("/sys/fs/cgroup/cpu.max")
        .ok()
        .and_then(|text| cpu_limit(&text));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    limit.unwrap_or_else(|| cores.min(4)).max(1)
}

/// `QUOTA PERIOD` of cgroup v2, in CPUs rounded up; none for `max PERIOD`.
fn cpu_limit(text: &str) -> Option<usize> {
    let (quota, period) = text.trim().split_once(' ')?;
    let (quota, period): (u64, u64) = (quota.parse().ok()?, period.parse().ok()?);
    usize::try_from(quota.div_ceil(period.max(1))).ok()
}

/// An address as people write it in a hint: `localhost` for loopback.
pub(crate) fn spoken(address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(Ipv4Addr::LOCALHOST) => format!("localhost:{}", address.port()),
        _ => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::cpu_limit;

    #[test]
    fn a_cpu_limit_is_rounded_up() {
        for (text, cpus) in [
            ("max 100000\n", None),
            ("150000 100000\n", Some(2)),
            ("10000 100000\n", Some(1)),
            ("", None),
        ] {
            assert_eq!(cpu_limit(text), cpus, "{text}");
        }
    }
}
