//! The Secret in which the controller's authorities are, one for all replicas: whoever finds that something is due
//! writes it, and a write that comes too late is refused by the API server, so that all agree.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use daemun_base::clock;
use daemun_base::tasks::Tasks;
use daemun_wire::tls::{self, ServerConfig};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::{Api, Client, Error};
use tokio::sync::watch;

use super::chain::Chain;
use crate::refused;

/// The name of the Secret.
pub const SECRET: &str = "daemun-wire";
/// Where in it everything is.
const DATA: &str = "chain.json";
/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(600);
/// How soon again if that failed.
const AGAIN: Duration = Duration::from_secs(2);

/// What is shown to proxies, always the newest; none before there is one.
pub(super) struct Shown {
    /// The certificate.
    pub(super) tls: watch::Receiver<Option<Arc<ServerConfig>>>,
    /// The authorities that they are to believe, PEM.
    pub(super) authorities: watch::Receiver<Option<Arc<str>>>,
}

/// Keeps it up to date, for as long as the tasks run.
pub(super) fn start(client: Client, namespace: &str, tasks: &Tasks) -> Shown {
    let (tls, of_tls) = watch::channel(None);
    let (authorities, of_authorities) = watch::channel(None);
    let keeper = Keeper {
        secrets: Api::namespaced(client, namespace),
        namespace: namespace.to_owned(),
        tls,
        authorities,
    };
    tasks.spawn(keeper.run());
    Shown {
        tls: of_tls,
        authorities: of_authorities,
    }
}

struct Keeper {
    secrets: Api<Secret>,
    namespace: String,
    tls: watch::Sender<Option<Arc<ServerConfig>>>,
    authorities: watch::Sender<Option<Arc<str>>>,
}

impl Keeper {
    async fn run(self) {
        let mut said = String::new();
        loop {
            let wait = match self.look().await {
                Ok(()) => {
                    said.clear();
                    LOOK
                }
                Err(why) => {
                    if said != why {
                        tracing::error!(
                            "The Secret {}/{SECRET}, by which proxies know the controller, cannot be kept up to date: {why} It is tried again and again.",
                            self.namespace
                        );
                        said = why;
                    }
                    AGAIN
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    async fn look(&self) -> Result<(), String> {
        let there = self.secrets.get_opt(SECRET).await;
        let there = there.map_err(|error| in_words("read", &error))?;
        let before = there.as_ref().and_then(read);
        let due = Chain::next(before.as_ref(), clock::unix_seconds())?;
        let chain = match (before, due) {
            (Some(chain), None) => chain,
            (None, None) => return Err("Nothing came of it.".to_owned()),
            (_, Some(chain)) => {
                self.write(there, &chain).await?;
                chain
            }
        };
        self.show(&chain)
    }

    async fn write(&self, there: Option<Secret>, chain: &Chain) -> Result<(), String> {
        let text = serde_json::to_vec(chain).map_err(|error| format!("{error}."))?;
        let is_new = there.is_none();
        let mut secret = there.unwrap_or_default();
        secret.metadata.name = Some(SECRET.to_owned());
        secret.data = Some(BTreeMap::from([(DATA.to_owned(), ByteString(text))]));
        let parameters = PostParams::default();
        let written = if is_new {
            self.secrets.create(&parameters, &secret).await
        } else {
            // Its resourceVersion is the one that was read.
            self.secrets.replace(SECRET, &parameters, &secret).await
        };
        written.map(drop).map_err(|error| in_words("write", &error))
    }

    fn show(&self, chain: &Chain) -> Result<(), String> {
        let authorities = chain.authorities();
        let (certificate, key) = chain.server();
        let config = tls::server(certificate, key).map_err(|why| format!("{why}."))?;
        // Proxies hear of authorities through their own ConfigMap; this is its content.
        self.authorities.send_if_modified(|shown| {
            let is_new = shown.as_deref() != Some(&*authorities);
            if is_new {
                *shown = Some(authorities.into());
            }
            is_new
        });
        self.tls.send_replace(Some(config));
        Ok(())
    }
}

/// What cannot be read is made anew.
fn read(secret: &Secret) -> Option<Chain> {
    let ByteString(text) = secret.data.as_ref()?.get(DATA)?;
    serde_json::from_slice(text)
        .inspect_err(|error| {
            tracing::error!(
                "What is in the Secret {SECRET} cannot be read and is made anew: {error}."
            );
        })
        .ok()
}

fn in_words(verb: &str, error: &Error) -> String {
    match error {
        Error::Api(status) if status.code == 409 => {
            "Another replica was faster; what it wrote is read next.".to_owned()
        }
        error => refused::why(verb, "it", error),
    }
}
