//! The process's own log: what it did and why, for operators. Not the access log, which the proxy
//! writes by itself.

use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload;
use tracing_subscriber::{Registry, fmt};

const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Changes the level while the process runs.
#[derive(Clone)]
pub struct Level(reload::Handle<EnvFilter, Registry>);

impl Level {
    /// Sets the filter: a level (`debug`), or levels by module (`daemun_proxy=debug,info`).
    ///
    /// # Errors
    /// A sentence, if the filter cannot be read.
    pub fn set(&self, filter: &str) -> Result<(), String> {
        let parsed = parse(filter)?;
        self.0
            .reload(parsed)
            .map_err(|error| format!("the log level could not be changed: {error}"))
    }

    /// The filter in force.
    pub fn get(&self) -> String {
        self.0.with_current(ToString::to_string).unwrap_or_default()
    }
}

/// A word that is no level would be taken for a module, and silence all others.
fn parse(filter: &str) -> Result<EnvFilter, String> {
    let refused = |why: &str| {
        format!(
            "\"{filter}\" is not a log level{why}; use error, warn, info, debug or trace, or module=level,…"
        )
    };
    let mut parts = filter.split(',').map(str::trim);
    if parts.any(|part| !part.contains('=') && !LEVELS.contains(&&*part.to_ascii_lowercase())) {
        return Err(refused(""));
    }
    EnvFilter::try_new(filter).map_err(|error| refused(&format!(" ({error})")))
}

/// Starts logging to standard error.
///
/// # Errors
/// A sentence, if the filter cannot be read or logging was started before.
pub fn start(filter: &str, format: Format, coloured: bool) -> Result<Level, String> {
    let (filter, handle) = reload::Layer::new(parse(filter)?);
    let registry = Registry::default()
        .with(filter)
        .with(filter_fn(|metadata| is_written(metadata.target())));
    let started = match format {
        Format::Text => tracing::subscriber::set_global_default(
            registry.with(
                fmt::layer()
                    .with_writer(std::io::stderr)
                    .with_ansi(coloured)
                    .with_target(false),
            ),
        ),
        Format::Json => tracing::subscriber::set_global_default(
            registry.with(fmt::layer().json().with_writer(std::io::stderr)),
        ),
    };
    started.map_err(|_| "logging was already started".to_owned())?;
    Ok(Level(handle))
}

/// The client of Kubernetes writes whole objects when one cannot be read, Secrets too. What there is to say of it is
/// said by who uses it.
fn is_written(target: &str) -> bool {
    !target.starts_with("kube_client") && !target.starts_with("kube_runtime")
}

#[cfg(test)]
mod tests {
    use super::{is_written, parse};

    #[test]
    fn what_may_hold_secrets_is_never_written() {
        assert!(!is_written("kube_client::client"));
        assert!(!is_written("kube_runtime::watcher"));
        assert!(is_written("daemun_controller::kubernetes"));
    }

    #[test]
    fn what_is_no_level_is_refused() {
        for (filter, taken) in [
            ("info", true),
            ("WARN", true),
            ("daemun_proxy=debug,info", true),
            ("daemun_proxy=debug, info", true),
            ("loud", false),
            ("info,loud", false),
            ("daemun_proxy=loud", false),
            ("", false),
        ] {
            assert_eq!(parse(filter).is_ok(), taken, "{filter}");
        }
    }
}
