//! The addresses of the controller's replicas: a name is resolved again and again, an address is what it is.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::{Controller, Resolve, Settings};

/// How soon a name is tried again of which no address is known.
const SOON: Duration = Duration::from_millis(500);

/// Where the replicas are.
pub(super) struct Addresses {
    controller: Controller,
    again: Duration,
    resolve: Arc<dyn Resolve>,
    wait: Duration,
    /// What was said last about why not.
    said: String,
}

impl Addresses {
    /// Nothing known yet.
    pub(super) fn new(settings: &Settings, resolve: Arc<dyn Resolve>) -> Self {
        Self {
            controller: settings.controller.clone(),
            again: settings.resolve,
            resolve,
            wait: Duration::ZERO,
            said: String::new(),
        }
    }

    /// Tells every answer, until nobody listens.
    pub(super) async fn tell(mut self, listener: mpsc::Sender<Vec<SocketAddr>>) {
        loop {
            let found = self.next().await;
            if listener.send(found).await.is_err() {
                return;
            }
        }
    }

    async fn next(&mut self) -> Vec<SocketAddr> {
        loop {
            sleep(self.wait).await;
            match self.ask().await {
                Ok(found) => {
                    (self.wait, self.said) = (self.again, String::new());
                    return found;
                }
                Err(why) => {
                    self.wait = SOON;
                    if self.said != why {
                        tracing::warn!(
                            "The controller's name {} cannot be resolved: {why}. It is tried again and again.",
                            self.controller.host
                        );
                        self.said = why;
                    }
                }
            }
        }
    }

    async fn ask(&mut self) -> Result<Vec<SocketAddr>, String> {
        let Controller { host, port } = &self.controller;
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, *port)]);
        }
        let found = self.resolve.resolve(host).await?;
        let mut found: Vec<_> = found
            .into_iter()
            .map(|address| SocketAddr::new(address, *port))
            .collect();
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}
