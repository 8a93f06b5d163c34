//! Objects from Kubernetes: what is watched, what is read, and what stands in the way.
//!
//! Every kind that [`Any`] knows is watched, in all namespaces or in some; of Secrets and ConfigMaps only names and
//! versions are watched, and those that something refers to are read. [`Held`] is what is known so far.

mod event;
mod held;
mod raw;
mod referred;
mod served;
mod trouble;
mod watch;

use std::sync::Arc;

use daemun_base::tasks::Tasks;
use daemun_objects::Any;
use daemun_translate::Settings;
use kube::Client;
use tokio::sync::{Notify, mpsc};

pub(crate) use event::Event;
pub(crate) use held::{Held, NODE, Observed};
pub(crate) use raw::{CLAIM, Raw, Written, has_status};
pub(crate) use referred::{Read, read};
pub use served::plural;
pub(crate) use served::{Served, full_name, kind};
pub(crate) use trouble::Trouble;

use served::DEFINITIONS;
use watch::{Watched, watch};

/// How many events may wait. A watch that has more to tell waits itself.
const INBOX: usize = 1024;

/// Watches at work.
pub(crate) struct Watches {
    /// What they tell.
    pub(crate) inbox: mpsc::Receiver<Event>,
    /// Told when CustomResourceDefinitions change: kinds that are missing may be there now.
    pub(crate) definitions_changed: Arc<Notify>,
}

/// Begins to watch: all namespaces if none are given, else those, and the parameters of classes in the controller's
/// own. Gives what is known, which is nothing yet.
pub(crate) fn start(
    client: &Client,
    settings: Settings,
    (namespaces, own): (&[String], &str),
    tasks: &Tasks,
) -> (Held, Watches) {
    let watched = what_is_watched(namespaces, own);
    let held = Held::new(settings, &watched);
    let (sender, inbox) = mpsc::channel(INBOX);
    let definitions_changed = Arc::new(Notify::new());
    for one in watched {
        let client = client.clone();
        tasks.spawn(watch(
            client,
            one,
            sender.clone(),
            Arc::clone(&definitions_changed),
        ));
    }
    let watches = Watches {
        inbox,
        definitions_changed,
    };
    (held, watches)
}

fn what_is_watched(namespaces: &[String], own: &str) -> Vec<Watched> {
    let mut watched = Vec::new();
    let mut add = |kind, namespace, names_only| {
        watched.push(Watched {
            id: watched.len(),
            kind,
            namespace,
            names_only,
        });
    };
    for kind in Any::KINDS {
        let names_only = referred::Holder::of(kind).is_some();
        if kind.namespaced && !namespaces.is_empty() {
            for namespace in namespaces {
                add(kind, Some(namespace.clone()), names_only);
            }
            let is_own = |namespace: &String| namespace == own;
            if kind.kind == "GatewayParameters" && !namespaces.iter().any(is_own) {
                add(kind, Some(own.to_owned()), names_only);
            }
        } else {
            add(kind, None, names_only);
        }
    }
    add(DEFINITIONS, None, true);
    watched
}
