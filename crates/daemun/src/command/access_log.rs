//! What commands that serve can be told about the access log.

use clap::Args;
use daemun_proxy::access_log::{Destination, Format, Settings, StatusFilter};

/// Arguments about the access log.
#[derive(Clone, Debug, Args)]
pub(crate) struct AccessLogArguments {
    /// The access log: a file, - for standard output, or "off"
    #[arg(
        long,
        value_name = "FILE",
        env = "DAEMUN_ACCESS_LOG",
        default_value = "off"
    )]
    access_log: String,
    /// Its lines: json, json:FIELD,…, text, or a text with fields, such as "{time} {method} {path} {status}"
    #[arg(
        long,
        value_name = "FORMAT",
        env = "DAEMUN_ACCESS_LOG_FORMAT",
        default_value = "json"
    )]
    access_log_format: Format,
    /// Only answers with these statuses: classes, codes, ranges, such as 4xx,500-503
    #[arg(long, value_name = "STATUSES", env = "DAEMUN_ACCESS_LOG_STATUSES")]
    access_log_statuses: Option<StatusFilter>,
    /// One of so many requests; those that failed (5xx, or no answer) always
    #[arg(
        long,
        value_name = "NUMBER",
        env = "DAEMUN_ACCESS_LOG_ONE_IN",
        default_value = "1"
    )]
    access_log_one_in: u32,
}

impl AccessLogArguments {
    /// The settings, if there is to be a log.
    pub(crate) fn settings(&self) -> Option<Settings> {
        let destination = match self.access_log.as_str() {
            "off" => return None,
            "-" => Destination::Stdout,
            path => Destination::File(path.into()),
        };
        let defaults = Settings::default();
        Some(Settings {
            format: self.access_log_format.clone(),
            destination,
            statuses: self
                .access_log_statuses
                .clone()
                .unwrap_or(defaults.statuses),
            one_in: self.access_log_one_in,
        })
    }
}
