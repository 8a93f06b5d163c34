//! Secrets and ConfigMaps: of all of them names and versions are known, and only those that something refers to
//! are read, each again when its version changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use daemun_model::names::{ObjectName, ObjectRef};
use daemun_objects::KindInfo;
use daemun_translate::{Cluster, Wanted};
use kube::Client;

use super::raw::{Raw, Seen};
use super::served::{Served, full_name, kind};
use crate::refused::LACKS_RIGHT;
use daemun_base::causes::because;

/// One of the two kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holder {
    /// Secrets.
    Secret,
    /// ConfigMaps.
    ConfigMap,
}

/// An object that is to be read, in one version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wish {
    /// Its kind.
    pub(crate) holder: Holder,
    /// Its name.
    pub(crate) name: ObjectName,
}

/// What came of reading.
#[derive(Debug)]
pub(crate) struct Read {
    wish: Wish,
    result: Result<Option<Box<Seen>>, Unread>,
}

/// Why an object was not read.
#[derive(Debug)]
struct Unread {
    why: String,
    /// Whether it will be the same the next time.
    lasting: bool,
}

/// What is known of Secrets and ConfigMaps.
#[derive(Debug, Default)]
pub(crate) struct Referred {
    /// The newest version of each object there is.
    known: BTreeMap<Wish, Box<str>>,
    /// The version that each object had when it was read.
    read: BTreeMap<Wish, Box<str>>,
    /// Those whose reading failed, until it is tried again.
    failed: BTreeSet<Wish>,
    /// Those that are being read.
    reading: BTreeSet<Wish>,
    wanted: Arc<Wanted>,
}

impl Holder {
    /// The kind of a name, if it is one of the two.
    pub(super) fn of(kind: &KindInfo) -> Option<Self> {
        match (kind.group, kind.kind) {
            ("", "Secret") => Some(Self::Secret),
            ("", "ConfigMap") => Some(Self::ConfigMap),
            _ => None,
        }
    }

    /// As written in `kind:`.
    fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
        }
    }

    fn info(self) -> Option<&'static KindInfo> {
        kind(self.as_str())
    }
}

impl Wish {
    fn object(&self) -> ObjectRef {
        ObjectRef::new(self.holder.as_str(), self.name.clone())
    }

    fn is_in(&self, wanted: &Wanted) -> bool {
        match self.holder {
            Holder::Secret => wanted.secrets.contains(&self.name),
            Holder::ConfigMap => wanted.config_maps.contains(&self.name),
        }
    }
}

impl Referred {
    /// An object is there in a version.
    pub(super) fn named(&mut self, holder: Holder, name: ObjectName, version: Box<str>) {
        self.known.insert(Wish { holder, name }, version);
    }

    /// An object is gone. Says whether it was in the cluster.
    pub(super) fn gone(&mut self, holder: Holder, name: ObjectName, cluster: &mut Cluster) -> bool {
        let wish = Wish { holder, name };
        self.known.remove(&wish);
        self.forget(&wish, cluster)
    }

    /// The names of all objects of a kind.
    pub(super) fn names(&self, holder: Holder) -> Vec<ObjectName> {
        let of_kind = self.known.keys().filter(|wish| wish.holder == holder);
        of_kind.map(|wish| wish.name.clone()).collect()
    }

    /// Takes what the newest translation looked for. Says whether something that nobody wants any more was taken out
    /// of the cluster.
    pub(crate) fn want(&mut self, wanted: &Arc<Wanted>, cluster: &mut Cluster) -> bool {
        if Arc::ptr_eq(&self.wanted, wanted) {
            return false;
        }
        self.wanted = Arc::clone(wanted);
        let unwanted = self.read.keys().filter(|wish| !wish.is_in(wanted));
        let unwanted: Vec<Wish> = unwanted.cloned().collect();
        let mut changed = false;
        for wish in &unwanted {
            changed |= self.forget(wish, cluster);
        }
        changed
    }

    fn forget(&mut self, wish: &Wish, cluster: &mut Cluster) -> bool {
        self.failed.remove(wish);
        self.read.remove(wish);
        cluster.withheld.set(wish.object(), None);
        let kind = wish.holder.info();
        kind.is_some_and(|kind| cluster.remove(kind, &wish.name).is_some())
    }

    /// What is to be read now; whoever is told reads it.
    pub(crate) fn begin(&mut self) -> Vec<Wish> {
        let secrets = self.wanted.secrets.iter().map(|name| Wish {
            holder: Holder::Secret,
            name: name.clone(),
        });
        let maps = self.wanted.config_maps.iter().map(|name| Wish {
            holder: Holder::ConfigMap,
            name: name.clone(),
        });
        let wishes: Vec<Wish> = secrets
            .chain(maps)
            .filter(|wish| {
                let known = self.known.get(wish);
                known.is_some()
                    && known != self.read.get(wish)
                    && !self.failed.contains(wish)
                    && !self.reading.contains(wish)
            })
            .collect();
        self.reading.extend(wishes.iter().cloned());
        wishes
    }

    /// Whether something is being read of which nothing is in the cluster yet.
    pub(crate) fn lacks(&self) -> bool {
        let unread = |wish: &Wish| !self.read.contains_key(wish);
        self.reading.iter().any(unread)
    }

    /// Takes what was read. Says whether the cluster is another one.
    pub(crate) fn take(&mut self, read: Read, cluster: &mut Cluster) -> bool {
        let Read { wish, result } = read;
        self.reading.remove(&wish);
        let object = wish.object();
        match result {
            Ok(Some(seen)) => {
                let Seen {
                    object: any,
                    written,
                    name: _,
                } = *seen;
                let withheld = cluster.withheld.why(&object.kind, &object.name).is_some();
                cluster.withheld.set(object, None);
                self.read.insert(wish, written.resource_version);
                let before = cluster.insert(any.clone());
                withheld || before.as_ref() != Some(&any)
            }
            // It went while it was asked for; its watch tells so too.
            Ok(None) => false,
            Err(Unread { why, lasting }) => {
                tracing::warn!("{object} could not be read: {why}");
                // What was read before stays, unless it may not be seen any more.
                let replaced = lasting && self.forget(&wish, cluster);
                self.failed.insert(wish.clone());
                if self.read.contains_key(&wish) {
                    return replaced;
                }
                let known = cluster.withheld.why(&object.kind, &object.name);
                let changed = known != Some(why.as_str());
                cluster.withheld.set(object, Some(why));
                replaced || changed
            }
        }
    }

    /// What could not be read may be tried again. Says whether there is any.
    pub(crate) fn try_again(&mut self) -> bool {
        let any = !self.failed.is_empty();
        self.failed.clear();
        any
    }
}

/// Reads one object.
pub(crate) async fn read(client: Client, wish: Wish) -> Read {
    let result = get(client, &wish).await;
    Read { wish, result }
}

async fn get(client: Client, wish: &Wish) -> Result<Option<Box<Seen>>, Unread> {
    let Some(kind) = wish.holder.info() else {
        return Ok(None);
    };
    let served = Served::new(kind);
    let namespace = &wish.name.namespace;
    let api: kube::Api<Raw> = kube::Api::namespaced_with(client, namespace, &served);
    let failed = |why, lasting| Unread { why, lasting };
    match api.get_opt(&wish.name.name).await {
        Ok(None) => Ok(None),
        Ok(Some(raw)) => match raw.read(&served) {
            Ok(seen) => Ok(Some(Box::new(seen))),
            Err(why) => Err(failed(format!("{why}."), true)),
        },
        Err(kube::Error::Api(status)) if status.is_forbidden() => Err(failed(
            format!(
                "the controller may not get {} in namespace {namespace}; {LACKS_RIGHT}",
                full_name(kind)
            ),
            true,
        )),
        Err(error) => Err(failed(
            format!("the API server does not answer: {}.", because(&error)),
            false,
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use daemun_model::names::ObjectName;
    use daemun_objects::Any;
    use daemun_objects::core::secret::Secret;
    use daemun_translate::{Cluster, Wanted};

    use super::super::raw::{Seen, Written};
    use super::{Holder, Read, Referred, Unread, Wish};

    fn name(text: &str) -> ObjectName {
        ObjectName::new("n", text)
    }

    fn wish(text: &str) -> Wish {
        Wish {
            holder: Holder::Secret,
            name: name(text),
        }
    }

    fn wanted(names: &[&str]) -> Arc<Wanted> {
        Arc::new(Wanted {
            secrets: names.iter().map(|text| name(text)).collect(),
            ..Wanted::default()
        })
    }

    fn got(text: &str, version: &str) -> Read {
        let mut secret = Secret::default();
        secret.metadata.name = text.to_owned();
        secret.metadata.namespace = Some("n".to_owned());
        let seen = Seen {
            name: name(text),
            object: Any::Secret(Arc::new(secret)),
            written: Written {
                resource_version: version.into(),
                ..Written::default()
            },
        };
        Read {
            wish: wish(text),
            result: Ok(Some(Box::new(seen))),
        }
    }

    fn refused(lasting: bool) -> Read {
        let why = "no.".to_owned();
        Read {
            wish: wish("a"),
            result: Err(Unread { why, lasting }),
        }
    }

    #[test]
    fn only_what_is_wanted_is_read_and_again_when_it_changes() {
        let (mut referred, mut cluster) = (Referred::default(), Cluster::default());
        for text in ["a", "b"] {
            referred.named(Holder::Secret, name(text), "1".into());
        }
        assert_eq!(referred.begin(), []);
        referred.want(&wanted(&["a", "absent"]), &mut cluster);
        assert_eq!(referred.begin(), [wish("a")]);
        assert_eq!(referred.begin(), [], "it is being read");
        assert!(referred.lacks());
        assert!(referred.take(got("a", "1"), &mut cluster));
        assert!(!referred.lacks());
        assert_eq!(cluster.secrets.len(), 1);
        referred.named(Holder::Secret, name("a"), "2".into());
        assert_eq!(referred.begin(), [wish("a")]);
        assert!(!referred.lacks(), "the older one is there");
        assert!(
            !referred.take(got("a", "2"), &mut cluster),
            "the same again"
        );
        assert!(referred.want(&wanted(&["b"]), &mut cluster));
        assert!(cluster.secrets.is_empty(), "nobody wants it any more");
    }

    #[test]
    fn what_could_not_be_read_is_told_and_tried_again() {
        let (mut referred, mut cluster) = (Referred::default(), Cluster::default());
        referred.named(Holder::Secret, name("a"), "1".into());
        referred.want(&wanted(&["a"]), &mut cluster);
        assert_eq!(referred.begin().len(), 1);
        assert!(referred.take(refused(false), &mut cluster));
        assert_eq!(cluster.withheld.why("Secret", &name("a")), Some("no."));
        assert_eq!(referred.begin(), [], "not at once");
        assert!(referred.try_again());
        assert_eq!(referred.begin().len(), 1);
        assert!(referred.take(got("a", "1"), &mut cluster));
        assert_eq!(cluster.withheld.why("Secret", &name("a")), None);
        referred.named(Holder::Secret, name("a"), "2".into());
        assert_eq!(referred.begin().len(), 1);
        assert!(
            !referred.take(refused(false), &mut cluster),
            "the older stays"
        );
        assert_eq!(cluster.secrets.len(), 1);
        referred.try_again();
        assert_eq!(referred.begin().len(), 1);
        assert!(
            referred.take(refused(true), &mut cluster),
            "it may not be seen"
        );
        assert!(cluster.secrets.is_empty());
    }
}
