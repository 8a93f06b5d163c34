//! What every command that serves traffic can be told: threads, logs, how it ends. Every flag has a twin in the
//! environment.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use daemun_base::families::only_v4;
use daemun_base::logs;
use daemun_base::tasks::Tasks;
use daemun_proxy::admin::Health;

use super::access_log::AccessLogArguments;
use crate::output::style::ColourArguments;

/// Arguments of a process that serves.
#[derive(Clone, Debug, Args)]
pub(crate) struct ProcessArguments {
    /// Worker threads [default: the CPU limit rounded up; without a limit the cores, at most 4]
    #[arg(long, value_name = "NUMBER", env = "DAEMUN_WORKERS", value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: Option<u16>,
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
    #[command(flatten)]
    logs: LogArguments,
    #[command(flatten)]
    access_log: AccessLogArguments,
}

/// Arguments about the process's own log.
#[derive(Clone, Debug, Args)]
pub(crate) struct LogArguments {
    /// The log's level: error, warn, info, debug, trace; or module=level,…
    #[arg(long, value_name = "LEVEL", env = "DAEMUN_LOG", default_value = "info")]
    log_level: String,
    /// How the log is written
    #[arg(
        long,
        value_name = "FORMAT",
        env = "DAEMUN_LOG_FORMAT",
        value_enum,
        default_value = "text"
    )]
    log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

impl LogArguments {
    /// Starts logging.
    ///
    /// # Errors
    /// A sentence, if the level is none.
    pub(crate) fn start(&self, colours: &ColourArguments) -> Result<logs::Level, String> {
        let format = match self.log_format {
            LogFormat::Text => logs::Format::Text,
            LogFormat::Json => logs::Format::Json,
        };
        let coloured = colours.style(&std::io::stderr()).is_coloured();
        logs::start(&self.log_level, format, coloured)
    }
}

impl ProcessArguments {
    /// Starts logging.
    ///
    /// # Errors
    /// A sentence, if the level is none.
    pub(crate) fn start_logs(&self, colours: &ColourArguments) -> Result<logs::Level, String> {
        self.logs.start(colours)
    }

    /// The proxy's settings.
    pub(crate) fn proxy_settings(&self) -> daemun_proxy::Settings {
        daemun_proxy::Settings {
            workers: self.workers.map_or_else(default_workers, usize::from),
            drain_delay: Duration::from_secs(self.drain_delay),
            drain_grace: Duration::from_secs(self.drain_grace),
            access_log: self.access_log.settings(),
            ..daemun_proxy::Settings::default()
        }
    }
}

/// The runtime beside the workers.
///
/// # Errors
/// A sentence: the system gives none.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("There is no runtime: {error}."))
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

/// Serves health and metrics; at all addresses of IPv4 if that is to be all of both families, and there is no IPv6.
pub(crate) async fn start_health(
    health: Health,
    address: SocketAddr,
    tasks: &Tasks,
) -> Result<SocketAddr, String> {
    let failed = |error| format!("--health: {error}");
    match (health.clone().start(address, tasks).await, only_v4(address)) {
        (Err(_), Some(only_v4)) => health.start(only_v4, tasks).await.map_err(failed),
        (started, _) => started.map_err(failed),
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
