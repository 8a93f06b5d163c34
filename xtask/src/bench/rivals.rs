//! The proxies that are measured, and how each is configured for a scenario.
//!
//! A configuration is a template in `bench/templates/` with the rules filled in, each written the way
//! its own documentation advises for many rules. What a configuration language cannot say is in
//! `bench/README.md`.

mod daemun;
mod envoy;
mod haproxy;
mod nginx;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;

use super::routes::{Routing, Rule};
use super::scenario::{Scenario, Traffic};
pub(crate) use daemun::{change_route, split_routes};

/// A proxy that is measured, or the floor beneath all of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Rival {
    /// The TCP forwarder of `bench-rig`.
    Floor,
    Nginx,
    Haproxy,
    Envoy,
    Daemun,
    /// Daemun with one route, given the requests of a scenario with many: what the many routes cost.
    #[value(skip)]
    OneRoute,
}

impl Rival {
    pub(crate) const ALL: [Rival; 5] = [
        Rival::Floor,
        Rival::Nginx,
        Rival::Haproxy,
        Rival::Envoy,
        Rival::Daemun,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Rival::Floor => "floor (TCP forwarder)",
            Rival::Nginx => "nginx",
            Rival::Haproxy => "HAProxy",
            Rival::Envoy => "Envoy",
            Rival::Daemun => "Daemun",
            Rival::OneRoute => "Daemun with one route",
        }
    }

    /// The name on the command line and of its directory.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Rival::Floor => "floor",
            Rival::Nginx => "nginx",
            Rival::Haproxy => "haproxy",
            Rival::Envoy => "envoy",
            Rival::Daemun => "daemun",
            Rival::OneRoute => "daemun-one-route",
        }
    }

    /// Whether there is anything to measure: the floor ends no TLS.
    pub(crate) fn can(self, scenario: &Scenario) -> bool {
        match self {
            Rival::Floor => !scenario.traffic.is_tls(),
            Rival::OneRoute => scenario.routing != Routing::One,
            Rival::Nginx | Rival::Haproxy | Rival::Envoy | Rival::Daemun => true,
        }
    }

    /// The rules that it gets in a scenario with `routing`.
    pub(crate) fn routing(self, routing: Routing) -> Routing {
        if self == Rival::OneRoute {
            Routing::One
        } else {
            routing
        }
    }

    /// Writes the configuration and says what to start.
    pub(crate) fn configure(
        self,
        binary: &Path,
        setup: &Setup<'_>,
    ) -> Result<Vec<OsString>, String> {
        match self {
            Rival::Floor => Ok(floor(binary, setup)),
            Rival::Nginx => nginx::configure(binary, setup),
            Rival::Haproxy => haproxy::configure(binary, setup),
            Rival::Envoy => envoy::configure(binary, setup),
            Rival::Daemun | Rival::OneRoute => daemun::configure(binary, setup),
        }
    }
}

/// What a proxy is to do, and where.
pub(crate) struct Setup<'a> {
    /// The proxy's own directory.
    pub(crate) directory: PathBuf,
    pub(crate) port: u16,
    /// Where a proxy that has a page of metrics may serve it.
    pub(crate) metrics: u16,
    pub(crate) backend: u16,
    pub(crate) rules: &'a [Rule],
    pub(crate) traffic: Traffic,
    pub(crate) certificate: &'a Certificate,
}

/// The files of the one certificate and key that all proxies use.
pub(crate) struct Certificate {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
    /// Chain and key in one file.
    pub(crate) both: PathBuf,
    pub(crate) der: PathBuf,
}

impl Setup<'_> {
    /// Fills a template in and writes it to a file of the proxy's directory.
    fn write(
        &self,
        name: &str,
        template: &str,
        values: &[(&str, &str)],
    ) -> Result<PathBuf, String> {
        let mut text = template.to_owned();
        let backend = self.backend.to_string();
        let port = self.port.to_string();
        for (key, value) in [("BACKEND", backend.as_str()), ("PORT", &port)]
            .iter()
            .chain(values)
        {
            text = text.replace(&format!("@{key}@"), value);
        }
        self.write_plain(name, &text)
    }

    fn write_plain(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.directory.join(name);
        fs::write(&path, text)
            .map_err(|error| format!("{} cannot be written: {error}.", path.display()))?;
        Ok(path)
    }
}

fn floor(binary: &Path, setup: &Setup<'_>) -> Vec<OsString> {
    let listen = format!("127.0.0.1:{}", setup.port);
    let to = format!("127.0.0.1:{}", setup.backend);
    command(binary, &["floor", "--listen", &listen, "--to", &to])
}

fn command(binary: &Path, arguments: &[&str]) -> Vec<OsString> {
    std::iter::once(binary.as_os_str().to_owned())
        .chain(arguments.iter().map(OsString::from))
        .collect()
}
