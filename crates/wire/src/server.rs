//! The controller's end: what is published, and what proxies answer.

use std::sync::Arc;

use daemun_model::Configuration;
use tokio::sync::watch;

use crate::answer::Proxies;

/// What is published. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Publisher {
    configuration: watch::Sender<Arc<Configuration>>,
    proxies: watch::Sender<Arc<Proxies>>,
}

impl Default for Publisher {
    fn default() -> Self {
        Self {
            configuration: watch::channel(Arc::default()).0,
            proxies: watch::channel(Arc::default()).0,
        }
    }
}

impl Publisher {
    /// Makes a configuration the one that proxies get. Parts that are the same `Arc` as before cost nothing.
    pub fn publish(&self, configuration: Arc<Configuration>) {
        self.configuration.send_replace(configuration);
    }

    /// What proxies said, always the newest.
    pub fn proxies(&self) -> watch::Receiver<Arc<Proxies>> {
        self.proxies.subscribe()
    }
}
