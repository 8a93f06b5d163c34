//! One watch: a kind, in all namespaces or in one, for as long as the process runs. What it finds goes into the
//! inbox; what stands in its way too.

use std::sync::Arc;
use std::time::Duration;

use daemun_objects::KindInfo;
use futures_util::StreamExt as _;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client};
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;

use super::event::{Event, What};
use super::raw::{self, Raw};
use super::served::Served;
use super::trouble::Trouble;

/// How long until a kind that the API server does not know is asked for again, unless something tells of it.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// How long after the first error of a row it is tried again; each later time takes twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What is watched.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    /// Which watch this is.
    pub(super) id: usize,
    /// The kind.
    pub(super) kind: &'static KindInfo,
    /// The namespace; none for all, and for kinds that have none.
    pub(super) namespace: Option<String>,
    /// Whether only names and versions of objects are wanted.
    pub(super) names_only: bool,
}

/// Watches for ever, or until nobody reads the inbox any more.
pub(super) async fn watch(
    client: Client,
    watched: Watched,
    inbox: mpsc::Sender<Event>,
    definitions_changed: Arc<Notify>,
) {
    let task = Watch {
        client,
        watched,
        inbox,
    };
    loop {
        // A kind that is served in no version is there again once its CRD is.
        let versions = [task.watched.kind.version].into_iter();
        for version in versions.chain(task.watched.kind.other_versions.iter().copied()) {
            let served = Served {
                kind: task.watched.kind,
                version,
            };
            let ended = if task.watched.names_only {
                task.names(&served).await
            } else {
                task.objects(&served).await
            };
            if ended == Ended::Unread {
                return;
            }
        }
        let kind = task.watched.kind;
        if !task.tell(What::Trouble(Trouble::Missing { kind })).await {
            return;
        }
        tokio::select! {
            () = definitions_changed.notified() => {}
            () = sleep(LOOK_AGAIN) => {}
        }
    }
}

/// How the watch of one version ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// The API server does not know it.
    Missing,
    /// Nobody reads the inbox any more.
    Unread,
}

struct Watch {
    client: Client,
    watched: Watched,
    inbox: mpsc::Sender<Event>,
}

impl Watch {
    async fn objects(&self, served: &Served) -> Ended {
        let api: Api<Raw> = match &self.watched.namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, served),
            None => Api::all_with(self.client.clone(), served),
        };
        let read = |raw: Raw| {
            let name = raw.name();
            match raw.read(served) {
                Ok(seen) => What::Put(Box::new(seen)),
                Err(why) => What::Unreadable { name, why },
            }
        };
        self.follow(watcher(api, watcher::Config::default()), read, Raw::name)
            .await
    }

    async fn names(&self, served: &Served) -> Ended {
        let api: Api<PartialObjectMeta<Raw>> = match &self.watched.namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, served),
            None => Api::all_with(self.client.clone(), served),
        };
        let read = |object: PartialObjectMeta<Raw>| {
            let name = raw::name(&object.metadata);
            What::Named {
                name,
                version: object.metadata.resource_version.unwrap_or_default().into(),
                annotations: object.metadata.annotations.unwrap_or_default(),
            }
        };
        let name = |object: &PartialObjectMeta<Raw>| raw::name(&object.metadata);
        self.follow(watcher(api, watcher::Config::default()), read, name)
            .await
    }

    async fn follow<K>(
        &self,
        stream: impl futures_util::Stream<Item = watcher::Result<watcher::Event<K>>>,
        read: impl Fn(K) -> What,
        name: impl Fn(&K) -> daemun_model::names::ObjectName,
    ) -> Ended {
        let mut stream = std::pin::pin!(stream);
        let mut pause = FIRST_PAUSE;
        while let Some(event) = stream.next().await {
            let what = match event {
                Ok(watcher::Event::Init) => What::Listing,
                Ok(watcher::Event::InitApply(object) | watcher::Event::Apply(object)) => {
                    read(object)
                }
                Ok(watcher::Event::Delete(object)) => What::Gone(name(&object)),
                Ok(watcher::Event::InitDone) => What::Listed,
                Err(error) => {
                    let namespace = self.watched.namespace.as_deref();
                    match Trouble::of(&error, self.watched.kind, namespace) {
                        Some(Trouble::Missing { .. }) => return Ended::Missing,
                        Some(trouble) => {
                            if !self.tell(What::Trouble(trouble)).await {
                                return Ended::Unread;
                            }
                            sleep(pause).await;
                            pause = (pause * 2).min(LONGEST_PAUSE);
                        }
                        None => {}
                    }
                    continue;
                }
            };
            if !matches!(what, What::Listing) {
                pause = FIRST_PAUSE;
            }
            if !self.tell(what).await {
                return Ended::Unread;
            }
        }
        Ended::Missing
    }

    async fn tell(&self, what: What) -> bool {
        let event = Event {
            watch: self.watched.id,
            what,
        };
        self.inbox.send(event).await.is_ok()
    }
}
