//! Watching what was made: one watch for each kind, of objects with our label only.

use std::pin::pin;

use daemun_base::tasks::Tasks;
use daemun_model::names::ObjectName;
use futures_util::StreamExt as _;
use kube::core::DynamicObject;
use kube::runtime::watcher::{self, watcher};
use kube::runtime::{WatchStreamExt as _, watcher::Config};
use kube::{Api, Client, ResourceExt as _};
use tokio::sync::mpsc;

use super::Settings;
use super::kinds::Kind;
use super::names::{MANAGED_BY, MANAGER};
use super::seen::Seen;
use super::store::Event;

/// Starts all watches; says how many there are.
pub(super) fn start(
    client: &Client,
    settings: &Settings,
    tasks: &Tasks,
    events: &mpsc::Sender<Event>,
) -> usize {
    let namespaces = match &settings.namespaces {
        None => vec![String::new()],
        Some(namespaces) => namespaces.clone(),
    };
    for namespace in &namespaces {
        for kind in Kind::ALL {
            let api = api(client, kind, namespace);
            tasks.spawn(watch(kind, namespace.clone(), api, events.clone()));
        }
    }
    namespaces.len() * Kind::ALL.len()
}

/// How objects of a kind are asked for; an empty namespace means all of them.
pub(super) fn api(client: &Client, kind: Kind, namespace: &str) -> Api<DynamicObject> {
    let resource = kind.resource();
    if namespace.is_empty() {
        Api::all_with(client.clone(), &resource)
    } else {
        Api::namespaced_with(client.clone(), namespace, &resource)
    }
}

async fn watch(
    kind: Kind,
    namespace: String,
    api: Api<DynamicObject>,
    events: mpsc::Sender<Event>,
) {
    let config = Config::default().labels(&format!("{MANAGED_BY}={MANAGER}"));
    let mut stream = pin!(watcher(api, config).default_backoff());
    let mut listing = Vec::new();
    let mut failing = false;
    while let Some(next) = stream.next().await {
        let event = match next {
            Err(error) => {
                if !failing {
                    warn(kind, &error);
                }
                failing = true;
                continue;
            }
            Ok(watcher::Event::Init) => {
                listing.clear();
                continue;
            }
            Ok(watcher::Event::InitApply(object)) => {
                listing.extend(seen(kind, object));
                continue;
            }
            Ok(watcher::Event::InitDone) => {
                Event::All(kind, namespace.clone(), std::mem::take(&mut listing))
            }
            Ok(watcher::Event::Apply(object)) => match seen(kind, object) {
                Some(seen) => Event::There(Box::new(seen)),
                None => continue,
            },
            Ok(watcher::Event::Delete(object)) => Event::Gone(
                kind,
                ObjectName::new(object.namespace().unwrap_or_default(), object.name_any()),
            ),
        };
        failing = false;
        if events.send(event).await.is_err() {
            return;
        }
    }
}

/// Of a pod only where it is and how it is: the rest is long, and known.
fn seen(kind: Kind, mut object: DynamicObject) -> Option<Seen> {
    if kind == Kind::Pod
        && let Some(fields) = object.data.as_object_mut()
    {
        fields.remove("spec");
    }
    Seen::new(kind, object)
}

fn warn(kind: Kind, error: &watcher::Error) {
    tracing::warn!(
        "{}s cannot be watched: {error}. What becomes of them is not seen, and Gateways may show too little, until that works; the controller's ClusterRole needs get, list and watch on them.",
        kind.as_str()
    );
}
