//! What `daemun run` can be told. Every flag has a twin in the environment.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use daemun_proxy::admin::Address;
use daemun_proxy::settings::Inherited;

use super::embedded::Service;
use crate::command::process::ProcessArguments;

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
    #[command(flatten)]
    pub(super) process: ProcessArguments,
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
            inherited,
            ..self.process.proxy_settings()
        }
    }
}

fn address(written: &str) -> Result<SocketAddr, String> {
    written.parse().map_err(|_| {
        "write an address with a port, such as 127.0.0.1:8080, or 0.0.0.0:8080 for all addresses"
            .to_owned()
    })
}

/// An address as people write it in a hint: `localhost` for loopback.
pub(crate) fn spoken(address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(Ipv4Addr::LOCALHOST) => format!("localhost:{}", address.port()),
        _ => address.to_string(),
    }
}
