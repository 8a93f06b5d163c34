//! What `daemun proxy` can be told. Every flag has a twin in the environment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use daemun_wire::client::{Controller, Settings};

use crate::command::process::ProcessArguments;

/// Serve one Gateway of a cluster, as its controller says
#[derive(Clone, Debug, Args)]
pub(crate) struct Proxy {
    /// The controller: a name with an address for each replica, and a port
    #[arg(long, value_name = "HOST:PORT", env = "DAEMUN_CONTROLLER")]
    controller: Controller,
    /// The authorities that are believed about the controller, PEM
    #[arg(
        long,
        value_name = "FILE",
        env = "DAEMUN_CA_FILE",
        default_value = "/var/run/daemun/ca/ca.crt"
    )]
    ca_file: PathBuf,
    /// The token that says which Gateway this is a proxy of
    #[arg(
        long,
        value_name = "FILE",
        env = "DAEMUN_TOKEN_FILE",
        default_value = "/var/run/daemun/token/token"
    )]
    token_file: PathBuf,
    /// Where the last accepted configuration is kept, for a start without a controller; it has private keys in it
    #[arg(long, value_name = "DIRECTORY", env = "DAEMUN_STATE")]
    state: Option<PathBuf>,
    /// Health and metrics: /healthz, /readyz, /metrics
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "DAEMUN_HEALTH",
        default_value = "[::]:9901"
    )]
    pub(super) health: SocketAddr,
    #[command(flatten)]
    pub(super) process: ProcessArguments,
}

impl Proxy {
    /// How the controller is reached.
    pub(super) fn wire_settings(&self) -> Settings {
        Settings {
            controller: self.controller.clone(),
            authorities: self.ca_file.clone(),
            token: self.token_file.clone(),
            state: self.state.clone(),
            patience: Duration::from_secs(3),
            resolve: Duration::from_secs(5),
        }
    }
}
