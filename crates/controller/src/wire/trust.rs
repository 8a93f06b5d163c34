//! Who was believed when its stream began is believed for as long as its ServiceAccount is there, and its pod: a token
//! that was copied out of a pod is worth nothing soon after the pod is gone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use daemun_base::clock;
use daemun_wire::identity::Proxy;
use daemun_wire::server::Publisher;
use tokio::sync::watch;

use crate::provision::{Accounts, Pods};

/// How long a pod may not be seen before its streams end: a new one proves itself faster than it is watched.
const UNSEEN: Duration = Duration::from_secs(60);
/// How often pods are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// Ends streams whose proxies are not there any more.
pub(super) struct Trust {
    publisher: Publisher,
    accounts: watch::Receiver<Arc<Accounts>>,
    pods: watch::Receiver<Option<Arc<Pods>>>,
    unseen: BTreeMap<Proxy, Instant>,
}

impl Trust {
    /// Of the streams of a publisher.
    pub(super) fn new(
        publisher: Publisher,
        accounts: watch::Receiver<Arc<Accounts>>,
        pods: watch::Receiver<Option<Arc<Pods>>>,
    ) -> Self {
        Self {
            publisher,
            accounts,
            pods,
            unseen: BTreeMap::new(),
        }
    }

    /// Looks at them for as long as accounts are watched.
    pub(super) async fn watch(mut self) {
        loop {
            tokio::select! {
                changed = self.accounts.changed() => if changed.is_err() {
                    return;
                },
                () = tokio::time::sleep(LOOK) => {}
            }
            self.look(clock::now());
        }
    }

    fn look(&mut self, now: Instant) {
        let accounts = Arc::clone(&self.accounts.borrow_and_update());
        let pods = self.pods.borrow_and_update().clone();
        let proxies = Arc::clone(&self.publisher.proxies().borrow());
        let before = std::mem::take(&mut self.unseen);
        for state in proxies.by_gateway.values().flat_map(|all| all.iter()) {
            let proxy = &state.proxy;
            if accounts.get(&proxy.account) != Some(&proxy.gateway) {
                self.end(proxy, "the ServiceAccount that it belongs to is gone");
            } else if pods.as_ref().is_some_and(|it| !it.contains(&proxy.pod_uid)) {
                let since = before.get(proxy).copied().unwrap_or(now);
                if since + UNSEEN <= now {
                    self.end(proxy, "its pod is gone");
                } else {
                    self.unseen.insert(proxy.clone(), since);
                }
            }
        }
    }

    fn end(&self, proxy: &Proxy, why: &str) {
        let Proxy { gateway, pod, .. } = proxy;
        tracing::info!("The stream of {pod} of Gateway {gateway} ends: {why}.");
        self.publisher.end(proxy, why);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use daemun_base::clock;
    use daemun_base::tasks::Tasks;
    use daemun_model::names::ObjectName;
    use daemun_testkit::Authority;
    use daemun_testkit::wire::{Controller, Files, Localhost};
    use daemun_wire::client::Client;
    use tokio::sync::watch;

    use super::{LOOK, Trust, UNSEEN};
    use crate::provision::{Accounts, Pods};

    #[tokio::test]
    async fn a_stream_ends_with_its_account_at_once_and_with_its_pod_soon() {
        let authority = Authority::new();
        let controller = Controller::start(&authority).await;
        controller.publisher.publish(Arc::default());
        let directory = tempfile::tempdir().unwrap();
        let files = Files::write(directory.path(), &authority, "default/gw/pod");
        let tasks = Tasks::default();
        let start = || {
            Client::start(
                files.settings(controller.address),
                Arc::new(Localhost),
                &tasks,
            )
        };
        let _client = start();
        controller.until("it is there", |all| all.len() == 1).await;

        let gateway = ObjectName::new("default", "gw");
        let mine = Accounts::from([("account of gw".to_owned(), gateway)]);
        let (accounts, of_accounts) = watch::channel(Arc::new(mine));
        let pod = |name: &str| Some(Arc::new(Pods::from([format!("uid of {name}")])));
        let (pods, of_pods) = watch::channel(pod("pod"));
        let mut trust = Trust::new(controller.publisher.clone(), of_accounts, of_pods);
        let now = clock::now();
        let connected = || {
            !controller
                .publisher
                .proxies()
                .borrow()
                .by_gateway
                .is_empty()
        };
        trust.look(now);
        pods.send_replace(pod("another"));
        trust.look(now);
        trust.look(now + UNSEEN - LOOK);
        pods.send_replace(None);
        trust.look(now + UNSEEN * 2);
        assert!(connected(), "who does not know pods ends nothing");
        pods.send_replace(pod("another"));
        trust.look(now + UNSEEN * 2);
        trust.look(now + UNSEEN * 3 + Duration::from_secs(1));
        assert!(!connected());

        controller
            .until("it comes back", |all| all.len() == 1)
            .await;
        accounts.send_replace(Arc::default());
        trust.look(now);
        assert!(!connected());
    }
}
