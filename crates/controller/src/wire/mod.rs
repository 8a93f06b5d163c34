//! The controller's end of the wire in Kubernetes: the certificate that it shows to proxies, and how it finds out who
//! they are. What travels, and how, is in `daemun_wire`.

mod authority;
mod chain;
mod identify;
mod trust;

use std::net::SocketAddr;
use std::sync::Arc;

use daemun_base::tasks::Tasks;
use daemun_wire::server::{self, Publisher, Serving, Times};
use kube::Client;
use tokio::sync::watch;

pub use authority::SECRET;

use crate::provision::{Accounts, Pods};

/// What the wire is told when it starts.
#[derive(Debug)]
pub struct Settings {
    /// The address for proxies.
    pub address: SocketAddr,
    /// The controller's own namespace, in which the Secret with its authorities is.
    pub namespace: String,
    /// Which Gateway's proxies show tokens of which ServiceAccount, always the newest.
    pub accounts: watch::Receiver<Arc<Accounts>>,
    /// Which pods there are; none as long as that is not known.
    pub pods: watch::Receiver<Option<Arc<Pods>>>,
}

/// What is known of a wire that runs.
#[derive(Debug)]
pub struct Wire {
    /// Where it listens.
    pub address: SocketAddr,
    /// The certificates of the authorities by which proxies know the controller, PEM, always the newest; none before
    /// there is one. Connections of proxies wait for it too.
    pub authorities: watch::Receiver<Option<Arc<str>>>,
}

/// Serves proxies, for as long as the tasks run.
///
/// # Errors
/// A sentence, if the address cannot be bound.
///
/// # Panics
/// Outside a runtime.
pub async fn start(
    client: &Client,
    settings: Settings,
    publisher: &Publisher,
    tasks: &Tasks,
) -> Result<Wire, String> {
    let Settings {
        address,
        namespace,
        accounts,
        pods,
    } = settings;
    let trust = trust::Trust::new(publisher.clone(), accounts.clone(), pods);
    tasks.spawn(trust.watch());
    let authority::Shown { tls, authorities } = authority::start(client.clone(), &namespace, tasks);
    let serving = Serving {
        publisher: publisher.clone(),
        identify: Arc::new(identify::Reviews::new(client.clone(), accounts)),
        tls,
        times: Times::default(),
    };
    let address = server::listen(address, serving, tasks).await?;
    Ok(Wire {
        address,
        authorities,
    })
}
