//! GatewayClass: whose Gateways are ours, and what is said about the class.

use std::sync::Arc;

use daemun_model::names::{ObjectName, ObjectRef};
use daemun_model::verdict::{Part, Place, Verdict};
use daemun_objects::gateway_api::gatewayclass::GatewayClass;

use super::parameters;
use crate::cluster::Cluster;
use crate::nearest::did_you_mean;
use crate::verdict::{Refusal, fails, holds};

/// Whether a Gateway of a class is ours to serve.
pub(crate) enum Class {
    /// It is.
    Ours,
    /// The class is ours and cannot be used; the sentence says why.
    Refused(String),
    /// Another controller serves it, or, in Kubernetes, nobody does; the sentence says which.
    Foreign(String),
}

/// Judges the class that a Gateway names.
pub(crate) fn class(cluster: &Cluster, name: &str) -> Class {
    match cluster.gateway_classes.get(&ObjectName::new("", name)) {
        Some(class) if class.spec.controller_name != cluster.settings.controller => {
            Class::Foreign(format!(
                "It is of GatewayClass {name}, which belongs to the controller {}; Daemun serves classes of {}, and in files also Gateways whose class is not given.",
                class.spec.controller_name, cluster.settings.controller
            ))
        }
        Some(class) => match refusal(cluster, class) {
            Some(refusal) => Class::Refused(refusal.message),
            None => Class::Ours,
        },
        None if cluster.on_host() => Class::Ours,
        None => {
            let named = ObjectName::new("", name);
            let absence = cluster.withheld.absence("GatewayClass", &named, || {
                did_you_mean(name, cluster.gateway_classes.names_in(""))
            });
            Class::Foreign(format!("Its {absence}"))
        }
    }
}

/// What is said about a class of ours.
pub(crate) fn verdict(
    cluster: &Cluster,
    name: &ObjectName,
    class: &GatewayClass,
) -> Option<Verdict> {
    if class.spec.controller_name != cluster.settings.controller {
        return None;
    }
    let refusal = refusal(cluster, class);
    let accepted = match &refusal {
        None => holds(
            "Accepted",
            "Accepted",
            "Daemun serves the Gateways of this class.",
        ),
        Some(refusal) => fails("Accepted", refusal.reason, refusal.message.clone()),
    };
    let version = holds(
        "SupportedVersion",
        "SupportedVersion",
        "Objects are read as Gateway API v1.6.1.",
    );
    Some(Verdict {
        object: ObjectRef::new("GatewayClass", name.clone()),
        generation: class.metadata.generation.unwrap_or_default(),
        parts: Arc::new([Part {
            place: Place::Object,
            conditions: vec![accepted, version],
            attached: None,
            supported_kinds: None,
        }]),
        findings: refusal.iter().filter_map(Refusal::finding).collect(),
    })
}

/// Why a class cannot be used, if it cannot.
pub(crate) fn refusal(cluster: &Cluster, class: &GatewayClass) -> Option<Refusal> {
    parameters::of_class(cluster, class).err()
}
