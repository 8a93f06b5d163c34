//! Events of Kubernetes on objects: for what a person should notice. Each is told once: its name follows from what it
//! says, and the API server refuses a second one of that name for as long as it keeps the first (an hour).

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use daemun_base::causes::because;
use daemun_base::clock;
use daemun_base::tasks::Tasks;
use daemun_model::names::ObjectName;
use daemun_objects::KindInfo;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::core::ObjectMeta;
use kube::{Api, Client};
use tokio::sync::mpsc;

use crate::refused::LACKS_RIGHT;
use crate::source::kubernetes::Served;

/// As many as may wait; what comes then is dropped: conditions say it too.
const WAITING: usize = 512;
/// As many bytes as a note may have.
const LONGEST_NOTE: usize = 1024;
/// As many bytes of an object's name as are in an event's.
const LONGEST_NAME: usize = 200;
/// Where events of objects without a namespace are.
const OF_CLUSTER: &str = "default";

/// Something that a person should notice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Notice {
    /// Whether something does not work.
    pub(crate) warning: bool,
    /// One word, as conditions have it.
    pub(crate) reason: String,
    /// A whole sentence.
    pub(crate) note: String,
    /// What tells it from an earlier one of the same words; empty if there is none such.
    pub(crate) since: String,
}

/// About which object.
#[derive(Clone, Debug)]
pub(crate) struct About {
    /// Its kind.
    pub(crate) kind: &'static KindInfo,
    /// Its name.
    pub(crate) name: ObjectName,
    /// Its uid.
    pub(crate) uid: Box<str>,
}

/// Tells events.
#[derive(Clone, Debug)]
pub(crate) struct Events(mpsc::Sender<(About, Notice)>);

impl Events {
    /// Starts to tell what is given to it.
    pub(crate) fn start(
        client: Client,
        (controller, instance): (&str, &str),
        namespaces: &[String],
        tasks: &Tasks,
    ) -> Self {
        let (sender, notices) = mpsc::channel(WAITING);
        let teller = Teller {
            client,
            controller: controller.to_owned(),
            instance: instance.to_owned(),
            namespaces: namespaces.to_vec(),
        };
        tasks.spawn(teller.run(notices));
        Self(sender)
    }

    /// Tells one, soon.
    pub(crate) fn tell(&self, about: About, notice: Notice) {
        // When there are too many, the newest are those that a person misses least.
        let _ = self.0.try_send((about, notice));
    }
}

struct Teller {
    client: Client,
    controller: String,
    instance: String,
    /// Where it may tell them; empty means everywhere.
    namespaces: Vec<String>,
}

impl Teller {
    async fn run(self, mut notices: mpsc::Receiver<(About, Notice)>) {
        let mut said = BTreeSet::new();
        while let Some((about, notice)) = notices.recv().await {
            let event = self.event(&about, &notice);
            let namespace = event.metadata.namespace.clone().unwrap_or_default();
            if !self.namespaces.is_empty() && !self.namespaces.contains(&namespace) {
                // Of an object of the cluster, whose conditions say it too.
                continue;
            }
            let events: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
            match events.create(&PostParams::default(), &event).await {
                Ok(_) => {}
                // It is there already, or its namespace is going.
                Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {}
                Err(kube::Error::Api(status)) if status.is_forbidden() => {
                    if said.insert(namespace.clone()) {
                        tracing::warn!(
                            "The controller may not create events.events.k8s.io in namespace {namespace}, and what people should notice stands in conditions alone; {LACKS_RIGHT}"
                        );
                    }
                }
                Err(error) => tracing::debug!("An event was not told: {}.", because(&error)),
            }
        }
    }

    fn event(&self, about: &About, notice: &Notice) -> Event {
        let micros = i64::try_from(clock::since_epoch().as_micros()).unwrap_or_default();
        let name = &about.name;
        let namespace = match name.namespace.as_str() {
            "" => OF_CLUSTER,
            namespace => namespace,
        };
        let in_namespace = (!name.namespace.is_empty()).then(|| name.namespace.clone());
        Event {
            action: Some("Judge".to_owned()),
            event_time: Timestamp::from_microsecond(micros).ok().map(MicroTime),
            metadata: ObjectMeta {
                name: Some(event_name(about, notice)),
                namespace: Some(namespace.to_owned()),
                ..ObjectMeta::default()
            },
            note: Some(cut(&notice.note, LONGEST_NOTE).to_owned()),
            reason: Some(notice.reason.clone()),
            regarding: Some(ObjectReference {
                api_version: Some(Served::new(about.kind).api_version()),
                kind: Some(about.kind.kind.to_owned()),
                name: Some(name.name.clone()),
                namespace: in_namespace,
                uid: Some(about.uid.to_string()),
                ..ObjectReference::default()
            }),
            reporting_controller: Some(self.controller.clone()),
            reporting_instance: Some(cut(&self.instance, 128).to_owned()),
            type_: Some(if notice.warning { "Warning" } else { "Normal" }.to_owned()),
            ..Event::default()
        }
    }
}

/// The same for the same notice about the same object, and for no other.
fn event_name(about: &About, notice: &Notice) -> String {
    let mut hasher = DefaultHasher::new();
    (&about.uid, notice).hash(&mut hasher);
    let name = cut(&about.name.name, LONGEST_NAME);
    format!("{name}.{:016x}", hasher.finish())
}

fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
