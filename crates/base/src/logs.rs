//! The process's own log: what it did and why, for operators. Not the access log, which the proxy
//! writes by itself.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload;
use tracing_subscriber::{Registry, fmt};

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

fn parse(filter: &str) -> Result<EnvFilter, String> {
    EnvFilter::try_new(filter).map_err(|error| {
        format!("\"{filter}\" is not a log level ({error}); use error, warn, info, debug or trace, or module=level,…")
    })
}

/// Starts logging to standard error.
///
/// # Errors
/// A sentence, if the filter cannot be read or logging was started before.
pub fn start(filter: &str, format: Format) -> Result<Level, String> {
    let (filter, handle) = reload::Layer::new(parse(filter)?);
    let registry = Registry::default().with(filter);
    let colours = std::io::stderr().is_terminal();
    let started = match format {
        Format::Text => tracing::subscriber::set_global_default(
            registry.with(
                fmt::layer()
                    .with_writer(std::io::stderr)
                    .with_ansi(colours)
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
