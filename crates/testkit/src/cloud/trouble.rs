//! How a cloud is told to misbehave.
//!
//! An annotation on a Service counts for that Service; a ConfigMap counts for all, so that what a test
//! cannot annotate can fail too. Both are read each time a Service is looked at, and what was stuck goes on
//! when the trouble is gone.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::{Api, Client, ResourceExt as _};

/// On a Service, or as a key of the ConfigMap's: `quota`, `stuck` or `error`.
pub const TROUBLE: &str = "cloud.lab/trouble";
/// On a Service, or as a key of the ConfigMap's: how long a load balancer takes, in milliseconds.
pub const DELAY: &str = "cloud.lab/delay-ms";
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
}

/// What a Service has to expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expect {
    pub(super) trouble: Option<Trouble>,
    pub(super) delay: Duration,
}

/// Reads what was told, the Service's own word first.
pub(super) async fn expect(
    client: &Client,
    service: &Service,
    delay: Duration,
) -> Result<Expect, kube::Error> {
    let (namespace, name) = CONFIG_MAP;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let map = maps.get_opt(name).await?;
    let everywhere = map.and_then(|map| map.data).unwrap_or_default();
    Ok(read(service.annotations(), &everywhere, delay))
}

fn read(
    own: &BTreeMap<String, String>,
    everywhere: &BTreeMap<String, String>,
    delay: Duration,
) -> Expect {
    let told = |key: &str| {
        let bare = key.rsplit('/').next().unwrap_or(key);
        own.get(key).or_else(|| everywhere.get(bare))
    };
    let trouble = match told(TROUBLE).map(String::as_str) {
        Some("quota") => Some(Trouble::Quota),
        Some("stuck") => Some(Trouble::Stuck),
        Some("error") => Some(Trouble::Error),
        Some(_) | None => None,
    };
    let milliseconds = told(DELAY).and_then(|delay| delay.parse().ok());
    Expect {
        trouble,
        delay: milliseconds.map_or(delay, Duration::from_millis),
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
        let usual = Duration::from_secs(1);
        let everywhere = words(&[("trouble", "quota"), ("delay-ms", "20")]);
        let own = words(&[(TROUBLE, "stuck")]);
        let expected = Expect {
            trouble: Some(Trouble::Stuck),
            delay: Duration::from_millis(20),
        };
        assert_eq!(read(&own, &everywhere, usual), expected);
        let none = words(&[(TROUBLE, "none")]);
        assert_eq!(read(&none, &everywhere, usual).trouble, None);
        assert_eq!(read(&own, &words(&[]), usual).delay, usual);
    }
}
