//! Reading the objects: of each kind as many as may be seen.

use std::collections::{BTreeMap, BTreeSet};

use daemun_base::causes::because;
use daemun_model::names::{ObjectName, ObjectRef};
use daemun_objects::gateway_api::gatewayclass::GatewayClassSpec;
use daemun_objects::{Any, KindInfo, Metadata, Object};
use daemun_translate::{Cluster, Settings, Wanted};
use futures_util::future::join_all;
use kube::api::ListParams;
use kube::{Api, Client};

use crate::source::kubernetes::{Raw, Served, full_name, kind};

/// As many objects as are asked for at a time.
const PAGE: u32 = 500;

/// Where objects are that are in no namespace, or in all of them.
const EVERYWHERE: &str = "in the cluster";

/// What is seen so far.
pub(super) struct Sight<'a> {
    client: &'a Client,
    namespace: Option<&'a str>,
    pub(super) cluster: Cluster,
    /// Kinds of which nothing was seen, by where they may not be listed.
    refused: BTreeMap<String, BTreeSet<String>>,
    /// Kinds of which only the objects of the namespace were seen.
    near: BTreeSet<String>,
    /// What else was not seen, as sentences.
    unseen: BTreeSet<String>,
    /// The status of objects, as JSON.
    pub(super) statuses: BTreeMap<ObjectRef, Box<str>>,
    /// Whether Gateways of all namespaces were seen.
    pub(super) all_gateways: bool,
    /// Objects that were asked for.
    asked: BTreeSet<ObjectRef>,
}

/// How much of a kind was seen.
enum Listed {
    /// All of it.
    All(Vec<Raw>),
    /// Those of the namespace that the question is about.
    Near(Vec<Raw>),
    /// None, because of missing rights.
    None,
    /// There is no such kind.
    Unknown,
}

impl<'a> Sight<'a> {
    /// Nothing is seen yet.
    pub(super) fn new(client: &'a Client, settings: Settings, namespace: Option<&'a str>) -> Self {
        Self {
            client,
            namespace,
            cluster: Cluster {
                settings,
                ..Cluster::default()
            },
            refused: BTreeMap::new(),
            near: BTreeSet::new(),
            unseen: BTreeSet::new(),
            statuses: BTreeMap::new(),
            all_gateways: false,
            asked: BTreeSet::new(),
        }
    }

    /// Reads all kinds but those of which only what is wanted is read.
    ///
    /// # Errors
    /// A sentence: the API server does not answer.
    pub(super) async fn look(&mut self) -> Result<(), String> {
        let kinds = Any::KINDS.iter().filter(|kind| !is_read_by_name(kind));
        let listing = kinds.map(|kind| list(self.client, kind, self.namespace));
        for (kind, listed) in join_all(listing).await {
            self.take(kind, listed?).await?;
        }
        self.presume_classes();
        Ok(())
    }

    async fn take(&mut self, kind: &'static KindInfo, listed: Listed) -> Result<(), String> {
        let name = full_name(kind);
        let objects = match listed {
            Listed::All(objects) => {
                self.all_gateways |= kind.kind == "Gateway";
                objects
            }
            Listed::Near(objects) => {
                self.near.insert(name);
                objects
            }
            Listed::None if kind.kind == "Namespace" => return self.own_namespace().await,
            Listed::None => {
                let place = match (kind.namespaced, self.namespace) {
                    (true, Some(namespace)) => format!("in namespace {namespace}"),
                    _ => EVERYWHERE.to_owned(),
                };
                self.refused.entry(place).or_default().insert(name);
                return Ok(());
            }
            Listed::Unknown => {
                if kind.group == "gateway.networking.k8s.io" {
                    self.unseen.insert(format!(
                        "{name}: the cluster does not have this kind in version {}.",
                        kind.version
                    ));
                }
                return Ok(());
            }
        };
        for raw in objects {
            self.put(kind, raw);
        }
        Ok(())
    }

    fn put(&mut self, kind: &'static KindInfo, raw: Raw) {
        match raw.read(&Served::new(kind)) {
            Ok(seen) => {
                if let Some(status) = seen.written.status {
                    let object = ObjectRef::new(kind.kind, seen.name);
                    self.statuses.insert(object, status);
                }
                self.cluster.insert(seen.object);
            }
            Err(why) => drop(self.unseen.insert(format!(
                "One of {}: it is not as its CRD should have it: {why}.",
                full_name(kind)
            ))),
        }
    }

    /// Who may not list namespaces may often see their own.
    async fn own_namespace(&mut self) -> Result<(), String> {
        let mut sentence = "Namespaces: you may not list them, so listeners that select them by labels take none of those that are not seen.";
        if let (Some(name), Some(kind)) = (self.namespace, kind("Namespace")) {
            let api: Api<Raw> = Api::all_with(self.client.clone(), &Served::new(kind));
            match api.get_opt(name).await {
                Ok(Some(raw)) => {
                    self.put(kind, raw);
                    sentence = "Other namespaces: you may not list them.";
                }
                Ok(None) => {}
                Err(error) if is_forbidden(&error) => {}
                Err(error) => return Err(away(&error)),
            }
        }
        self.unseen.insert(sentence.to_owned());
        Ok(())
    }

    /// Without a look at GatewayClasses, the Gateways that are seen are taken for ours.
    fn presume_classes(&mut self) {
        let name = kind("GatewayClass").map(full_name).unwrap_or_default();
        if !self.refused.values().any(|names| names.contains(&name)) {
            return;
        }
        let controller = self.cluster.settings.controller.clone();
        let classes: BTreeSet<String> = self
            .cluster
            .gateways
            .iter()
            .map(|(_, gateway)| gateway.spec.gateway_class_name.clone())
            .collect();
        if !classes.is_empty() {
            self.unseen.insert(format!(
                "GatewayClasses: all Gateways are taken for those of {controller}."
            ));
        }
        for class in classes {
            self.cluster.insert(presumed_class(&class, &controller));
        }
    }

    /// The namespace of which Gateways were seen, if it is only one.
    pub(super) fn gateways_of(&self) -> Option<String> {
        let near = self.are_gateways_near();
        self.namespace.filter(|_| near).map(str::to_owned)
    }

    fn are_gateways_near(&self) -> bool {
        self.near.iter().any(|name| name.starts_with("gateways."))
    }

    /// What could not be seen, as sentences.
    pub(super) fn unseen(&self) -> Vec<String> {
        let list = |names: &BTreeSet<String>| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            names.join(", ")
        };
        let mut sentences: Vec<String> = self
            .refused
            .iter()
            .map(|(place, names)| {
                let remedy = if place == EVERYWHERE {
                    ""
                } else {
                    " Who administers the cluster can permit it; the ClusterRole daemun-view, which is part of the roles view and edit where Daemun is installed, does."
                };
                format!("You may not list {place}: {}.{remedy}", list(names))
            })
            .collect();
        if self.are_gateways_near() {
            sentences.push(
                "Other namespaces: you may not see what is there, Gateways and ReferenceGrants among it."
                    .to_owned(),
            );
        } else if !self.near.is_empty() {
            let near = list(&self.near);
            sentences.push(format!("Of other namespaces you may not list: {near}."));
        }
        sentences.extend(self.unseen.iter().cloned());
        sentences
    }

    /// Reads Secrets and ConfigMaps that are wanted and were not asked for yet. Says whether there were any.
    ///
    /// # Errors
    /// A sentence: the API server does not answer.
    pub(super) async fn read_wanted(&mut self, wanted: &Wanted) -> Result<bool, String> {
        let secrets = wanted.secrets.iter().map(|name| ("Secret", name));
        let maps = wanted.config_maps.iter().map(|name| ("ConfigMap", name));
        let wishes: Vec<ObjectRef> = secrets
            .chain(maps)
            .map(|(kind, name)| ObjectRef::new(kind, name.clone()))
            .filter(|object| !self.asked.contains(object))
            .collect();
        self.asked.extend(wishes.iter().cloned());
        let reading = wishes.iter().filter_map(|object| {
            let kind = kind(&object.kind)?;
            Some(get(self.client, kind, &object.name))
        });
        for (object, read) in wishes.iter().zip(join_all(reading).await) {
            match read {
                Ok(None) => {}
                Ok(Some((kind, raw))) => self.put(kind, raw),
                Err(error) if is_forbidden(&error) => {
                    let kind = kind(&object.kind).map(full_name).unwrap_or_default();
                    let namespace = &object.name.namespace;
                    self.unseen.insert(format!(
                        "{object}: you may not get {kind} in namespace {namespace}."
                    ));
                    let why = format!("you may not get {kind} in namespace {namespace}.");
                    self.cluster.withheld.set(object.clone(), Some(why));
                }
                Err(error) => return Err(away(&error)),
            }
        }
        Ok(!wishes.is_empty())
    }
}

/// A class of ours, for Gateways whose class cannot be seen.
pub(super) fn presumed_class(name: &str, controller: &str) -> Any {
    let spec = GatewayClassSpec {
        controller_name: controller.to_owned(),
        ..GatewayClassSpec::default()
    };
    Any::GatewayClass(Object::new(Metadata::new("", name), spec).into())
}

/// Puts in the classes that Gateways name and that are not there: of ours. Their names, in the Gateways' order.
pub fn presume_classes(cluster: &mut Cluster) -> Vec<String> {
    let gateways = cluster.gateways.iter();
    let names = gateways.map(|(_, gateway)| gateway.spec.gateway_class_name.clone());
    let missing: Vec<String> = names
        .filter(|name| {
            let name = ObjectName::new("", name);
            cluster.gateway_classes.get(&name).is_none()
        })
        .collect();
    let controller = cluster.settings.controller.clone();
    for class in &missing {
        cluster.insert(presumed_class(class, &controller));
    }
    missing
}

fn is_read_by_name(kind: &KindInfo) -> bool {
    kind.group.is_empty() && matches!(kind.kind, "Secret" | "ConfigMap")
}

/// In the whole cluster if that may be seen, else in the namespace.
async fn list(
    client: &Client,
    kind: &'static KindInfo,
    namespace: Option<&str>,
) -> (&'static KindInfo, Result<Listed, String>) {
    let served = Served::new(kind);
    let everywhere: Api<Raw> = Api::all_with(client.clone(), &served);
    let near = namespace.filter(|_| kind.namespaced);
    let listed = match (pages(&everywhere).await, near) {
        (Err(error), Some(namespace)) if is_forbidden(&error) => {
            let near = Api::namespaced_with(client.clone(), namespace, &served);
            read(pages(&near).await, Listed::Near)
        }
        (read_all, _) => read(read_all, Listed::All),
    };
    (kind, listed)
}

fn read(
    pages: kube::Result<Vec<Raw>>,
    listed: impl FnOnce(Vec<Raw>) -> Listed,
) -> Result<Listed, String> {
    match pages {
        Ok(objects) => Ok(listed(objects)),
        Err(error) if is_forbidden(&error) => Ok(Listed::None),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Listed::Unknown),
        Err(error) => Err(away(&error)),
    }
}

async fn pages(api: &Api<Raw>) -> kube::Result<Vec<Raw>> {
    let mut parameters = ListParams::default().limit(PAGE);
    let mut all = Vec::new();
    loop {
        let page = api.list(&parameters).await?;
        all.extend(page.items);
        match page.metadata.continue_ {
            Some(next) if !next.is_empty() => parameters.continue_token = Some(next),
            _ => return Ok(all),
        }
    }
}

async fn get(
    client: &Client,
    kind: &'static KindInfo,
    name: &ObjectName,
) -> kube::Result<Option<(&'static KindInfo, Raw)>> {
    let served = Served::new(kind);
    let api: Api<Raw> = Api::namespaced_with(client.clone(), &name.namespace, &served);
    let read = api.get_opt(&name.name).await?;
    Ok(read.map(|raw| (kind, raw)))
}

pub(super) fn is_forbidden(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.is_forbidden())
}

pub(super) fn away(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if status.code == 401 => {
            "The API server does not know who you are: the credentials of the kubeconfig are refused. Sign in again.".to_owned()
        }
        error => format!("The API server does not answer: {}.", because(error)),
    }
}
