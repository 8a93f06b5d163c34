//! Looks for why Services have no address and pods no port of a node, beside everything else: it takes its time, and nothing waits for it.

use std::time::Duration;

use daemun_base::tasks::Tasks;
use daemun_model::names::ObjectName;
use futures_util::StreamExt as _;
use futures_util::stream;
use kube::Client;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::diagnosis::{self, Others};
use super::ports;
use super::waiter::Waiter;

/// Looks at a time.
const AT_ONCE: usize = 8;
/// Looks that share what there is besides.
const TOGETHER: usize = 256;
/// How long the API server is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody who has waited.
#[derive(Debug)]
pub(super) struct Waits {
    pub(super) gateway: ObjectName,
    pub(super) waiter: Waiter,
    /// The uid of the Service.
    pub(super) uid: String,
    pub(super) waited: Duration,
}

/// What was found out about one.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) gateway: ObjectName,
    pub(super) waiter: Waiter,
    /// None if there is nothing to say.
    pub(super) says: Option<String>,
}

/// Where looks are asked for, and what comes of them.
pub(super) struct Looker {
    pub(super) ask: mpsc::UnboundedSender<Waits>,
    pub(super) looked: mpsc::Receiver<Looked>,
}

impl Looker {
    /// Starts; it ends with the tasks.
    pub(super) fn start(client: Client, tasks: &Tasks) -> Self {
        let (ask, asked) = mpsc::unbounded_channel();
        let (answer, looked) = mpsc::channel(TOGETHER);
        tasks.spawn(run(client, asked, answer));
        Self { ask, looked }
    }
}

async fn run(
    client: Client,
    mut asked: mpsc::UnboundedReceiver<Waits>,
    answer: mpsc::Sender<Looked>,
) {
    let mut due = Vec::new();
    while asked.recv_many(&mut due, TOGETHER).await > 0 {
        // The cluster's Services are listed once for all of them.
        let (client, others) = (&client, &Others::default());
        let mut looks = stream::iter(due.drain(..))
            .map(|waits| async move {
                let Waits {
                    gateway,
                    waiter,
                    uid,
                    waited,
                } = waits;
                let namespace = gateway.namespace.as_str();
                let look = async {
                    match &waiter {
                        Waiter::Service(name) => {
                            diagnosis::look(client, others, (namespace, name, &uid), waited).await
                        }
                        Waiter::Pod(name) => ports::look(client, (namespace, name)).await,
                    }
                };
                let says = timeout(PATIENCE, look).await.ok().flatten();
                Looked {
                    gateway,
                    waiter,
                    says,
                }
            })
            .buffer_unordered(AT_ONCE);
        while let Some(looked) = looks.next().await {
            if answer.send(looked).await.is_err() {
                return;
            }
        }
    }
}
