//! ListenerSets: listeners that another team adds to a Gateway (GEP-1713).

use std::sync::Arc;

use daemun_model::names::{ListenerOwner, ObjectName};
use daemun_model::verdict::{FieldPath, Finding};
use daemun_objects::gateway_api::listenerset::ListenerSet;

use super::listener::{Owner, read_all};
use super::namespaces;
use crate::cluster::Cluster;
use crate::listener::{Entry, Namespaces};
use crate::memo::Judgements;
use crate::nearest::did_you_mean;
use crate::refs::GATEWAY_GROUP;
use crate::verdict::Refusal;

/// A ListenerSet of a Gateway that is ours.
#[derive(Debug)]
pub(crate) struct ReadSet {
    /// Its name.
    pub(crate) name: ObjectName,
    /// The object.
    pub(crate) object: Arc<ListenerSet>,
    /// Why the Gateway does not take it, if it does not.
    pub(crate) refused: Option<Refusal>,
    /// Its listeners.
    pub(crate) entries: Vec<Entry>,
    /// What else there is to say.
    pub(crate) findings: Vec<Finding>,
}

/// The Gateway that a ListenerSet names.
pub(crate) fn parent(name: &ObjectName, set: &ListenerSet) -> Result<ObjectName, Refusal> {
    let parent = &set.spec.parent_ref;
    if parent.group() != GATEWAY_GROUP || parent.kind() != "Gateway" {
        return Err(Refusal::new(
            FieldPath::of("spec.parentRef"),
            "Invalid",
            format!(
                "The parent of a ListenerSet is a Gateway (group {GATEWAY_GROUP}); this one names {} of group \"{}\".",
                parent.kind(),
                parent.group()
            ),
        ));
    }
    let namespace = parent.namespace.as_deref().unwrap_or(&name.namespace);
    Ok(ObjectName::new(namespace, &parent.name))
}

/// The sentence about a Gateway that does not exist.
pub(crate) fn no_such_gateway(cluster: &Cluster, gateway: &ObjectName) -> String {
    cluster.withheld.absence("Gateway", gateway, || {
        let meant = did_you_mean(&gateway.name, cluster.gateways.names_in(&gateway.namespace));
        format!("{meant} {}", gateways_that_exist(cluster))
    })
}

/// The Gateways that could be named, as a sentence.
pub(crate) fn gateways_that_exist(cluster: &Cluster) -> String {
    let names: Vec<String> = cluster
        .gateways
        .iter()
        .map(|(name, _)| name.to_string())
        .collect();
    match names.len() {
        0 if cluster.on_host() => {
            "No Gateway is in what was read; give the file that has it as well.".to_owned()
        }
        0 => "There is no Gateway at all.".to_owned(),
        1 => format!("There is Gateway {}.", names.concat()),
        _ => format!(
            "There are the Gateways {}.",
            crate::nearest::list(&names, "")
        ),
    }
}

/// Reads a ListenerSet whose Gateway allows listeners from some namespaces.
pub(crate) fn read(
    cluster: &Cluster,
    judgements: &mut Judgements,
    allowed: &Namespaces,
    (gateway, name): (&ObjectName, &ObjectName),
    object: &Arc<ListenerSet>,
) -> ReadSet {
    let owner = Owner {
        kind: ListenerOwner::ListenerSet,
        name,
    };
    let (entries, findings) = read_all(cluster, judgements, owner, &object.spec.listeners);
    ReadSet {
        name: name.clone(),
        object: Arc::clone(object),
        refused: not_allowed(cluster, allowed, gateway, name),
        entries,
        findings,
    }
}

fn not_allowed(
    cluster: &Cluster,
    allowed: &Namespaces,
    gateway: &ObjectName,
    name: &ObjectName,
) -> Option<Refusal> {
    let labels = namespaces::labels(cluster, &name.namespace);
    if allowed.contain(&name.namespace, &labels) {
        return None;
    }
    let why = match allowed {
        Namespaces::All => return None,
        Namespaces::None => format!(
            "Gateway {gateway} takes no ListenerSets (spec.allowedListeners.namespaces.from is None, the default). Its owner can allow them with from: Same, All or Selector."
        ),
        Namespaces::Same(own) => format!(
            "Gateway {gateway} takes ListenerSets from its own namespace {own} only (spec.allowedListeners.namespaces.from is Same). Its owner can allow namespace {} with from: Selector and a label, or from: All.",
            name.namespace
        ),
        Namespaces::Selector(selector) => format!(
            "Gateway {gateway} takes ListenerSets from namespaces with certain labels (spec.allowedListeners.namespaces.selector), and namespace {} lacks {}.",
            name.namespace,
            selector.missing(&labels).join(" and ")
        ),
    };
    Some(Refusal::new(
        FieldPath::of("spec.parentRef"),
        "NotAllowed",
        why,
    ))
}
