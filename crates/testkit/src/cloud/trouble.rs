//! How a cloud is told to misbehave.
//!
//! An annotation on a Service counts for that Service; a ConfigMap counts for all, so that what a test
//! cannot annotate can fail too. Both are read each time a Service is looked at, and what was stuck goes on
//! when the trouble is gone.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::{Api, Client, ResourceExt as _};

use super::provider::{self, Cloud};

/// On a Service, or as a key of the ConfigMap's: `quota`, `stuck`, `error`, `exposed`, `no-public` or `undeletable`.
pub const TROUBLE: &str = "cloud.lab/trouble";
/// On a Service, or as a key of the ConfigMap's: how long a load balancer takes, in milliseconds.
pub const DELAY: &str = "cloud.lab/delay-ms";
/// On a Service, or as a key of the ConfigMap's: which cloud is played, by its name.
pub const PROVIDER: &str = "cloud.lab/provider";
/// On a Service, or as a key of the ConfigMap's: `shut` lets nothing reach the nodes.
pub const NODE_PORTS: &str = "cloud.lab/node-ports";
/// On a Service, or as a key of the ConfigMap's: `public` where a pool or the nodes decide, and are public.
pub const POOL: &str = "cloud.lab/pool";
/// The namespace and the name of the ConfigMap; its keys have no prefix (`trouble`, `delay-ms`).
pub const CONFIG_MAP: (&str, &str) = ("kube-system", "lab-cloud");

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The project may have no more load balancers: an answer 409, an event, and another try.
    Quota,
    /// The load balancer is being made, and never done. Nothing tells of it.
    Stuck,
    /// The load balancer was made and is in state ERROR: an event, and another try.
    Error,
    /// It gets a public address whatever the Service says, as if somebody attached one by hand.
    Exposed,
    /// No public address can be had, since there is no network of such, or none is left in it.
    NoPublic,
    /// The load balancer is not gone when it is deleted: an event, and another try.
    Undeletable,
}

/// What a Service has to expect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expect {
    pub(super) trouble: Option<Trouble>,
    pub(super) delay: Duration,
    /// Which cloud is played.
    pub(super) cloud: &'static Cloud,
    /// Nothing reaches the nodes.
    pub(super) shut: bool,
    /// The pool, or the nodes, are public.
    pub(super) public_pool: bool,
}

/// Reads what was told, the Service's own word first.
pub(super) async fn expect(
    client: &Client,
    service: &Service,
    usual: (Duration, &'static Cloud),
) -> Result<Expect, kube::Error> {
    let (namespace, name) = CONFIG_MAP;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let map = maps.get_opt(name).await?;
    let everywhere = map.and_then(|map| map.data).unwrap_or_default();
    Ok(read(service.annotations(), &everywhere, usual))
}

fn read(
    own: &BTreeMap<String, String>,
    everywhere: &BTreeMap<String, String>,
    (delay, cloud): (Duration, &'static Cloud),
) -> Expect {
    let told = |key: &str| {
        let bare = key.rsplit('/').next().unwrap_or(key);
        own.get(key).or_else(|| everywhere.get(bare))
    };
    let trouble = match told(TROUBLE).map(String::as_str) {
        Some("quota") => Some(Trouble::Quota),
        Some("stuck") => Some(Trouble::Stuck),
        Some("error") => Some(Trouble::Error),
        Some("exposed") => Some(Trouble::Exposed),
        Some("no-public") => Some(Trouble::NoPublic),
        Some("undeletable") => Some(Trouble::Undeletable),
        Some(_) | None => None,
    };
    let milliseconds = told(DELAY).and_then(|delay| delay.parse().ok());
    Expect {
        trouble,
        delay: milliseconds.map_or(delay, Duration::from_millis),
        cloud: told(PROVIDER)
            .and_then(|name| provider::named(name))
            .unwrap_or(cloud),
        shut: told(NODE_PORTS).is_some_and(|told| told == "shut"),
        public_pool: told(POOL).is_some_and(|told| told == "public"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_services_own_word_goes_before_that_for_all() {
        let words = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            pairs
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<_, _>>()
        };
        let usual = (Duration::from_secs(1), provider::usual());
        let everywhere = words(&[
            ("trouble", "quota"),
            ("delay-ms", "20"),
            ("provider", "aws"),
        ]);
        let own = words(&[(TROUBLE, "stuck"), (NODE_PORTS, "shut"), (POOL, "public")]);
        let found = read(&own, &everywhere, usual);
        assert_eq!(found.trouble, Some(Trouble::Stuck));
        assert_eq!(found.delay, Duration::from_millis(20));
        assert_eq!(found.cloud.name, "AWS");
        assert!(found.shut && found.public_pool);
        let none = words(&[(TROUBLE, "none")]);
        assert_eq!(read(&none, &everywhere, usual).trouble, None);
        let own = read(&own, &words(&[]), usual);
        assert_eq!((own.delay, own.cloud.name), (usual.0, "NHN"));
    }
}
