//! An object as it was seen in the cluster.

use std::net::IpAddr;

use daemun_objects::gateway_api::GROUP;
use daemun_translate::infrastructure::MADE_FOR;
use kube::core::DynamicObject;
use serde_json::Value;

use super::kinds::Kind;
use super::names;

/// An object that was made, or a pod of a workload that was.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) kind: Kind,
    /// All of it but who set which field.
    pub(super) object: Value,
}

impl Seen {
    /// Takes an object over; none if it is not to be written as JSON, which does not happen.
    pub(super) fn new(kind: Kind, mut object: DynamicObject) -> Option<Self> {
        object.metadata.managed_fields = None;
        let object = serde_json::to_value(object).ok()?;
        Some(Self { kind, object })
    }

    /// What is at a JSON pointer.
    pub(super) fn at(&self, pointer: &str) -> Option<&Value> {
        self.object.pointer(pointer)
    }

    /// The text at a JSON pointer, or nothing.
    pub(super) fn text(&self, pointer: &str) -> &str {
        self.at(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// The number at a JSON pointer, or 0, which is what Kubernetes leaves out.
    pub(super) fn number(&self, pointer: &str) -> i64 {
        self.at(pointer).and_then(Value::as_i64).unwrap_or_default()
    }

    /// The list at a JSON pointer, or an empty one.
    pub(super) fn list(&self, pointer: &str) -> &[Value] {
        self.at(pointer)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// Its namespace.
    pub(super) fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }

    /// Its uid.
    pub(super) fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }

    /// An annotation, or nothing.
    pub(super) fn annotation(&self, key: &str) -> &str {
        self.at("/metadata/annotations")
            .and_then(|annotations| annotations.get(key))
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Whether its status says what it was made for.
    pub(super) fn is_noted(&self) -> bool {
        let conditions = self.list("/status/conditions").iter();
        let mut types = conditions.filter_map(|it| it.get("type")?.as_str());
        types.any(|it| it == MADE_FOR)
    }

    /// Whether its deletion was asked for.
    pub(super) fn is_going(&self) -> bool {
        self.at("/metadata/deletionTimestamp").is_some()
    }

    /// The name and uid of the Gateway whose own it is. An object has one such owner at most.
    pub(super) fn owner(&self) -> Option<(&str, &str)> {
        let owners = self.list("/metadata/ownerReferences").iter();
        let is = |owner: &Value, field, value: &str| owner.get(field).is_some_and(|it| it == value);
        let version = |owner: &Value| {
            let version = owner.get("apiVersion").and_then(Value::as_str);
            version.and_then(|version| version.split('/').next().map(str::to_owned))
        };
        owners
            .filter(|owner| {
                is(owner, "kind", "Gateway")
                    && version(owner).as_deref() == Some(GROUP)
                    && owner.get("controller") == Some(&Value::Bool(true))
            })
            .find_map(|owner| Some((owner.get("name")?.as_str()?, owner.get("uid")?.as_str()?)))
    }

    /// Whether it was made for a Gateway of this name: it is the Gateway's own, or a pod, whose owner is the workload.
    pub(super) fn is_for(&self, gateway: &str) -> bool {
        self.kind == Kind::Pod || self.owner().is_some_and(|(owner, _)| owner == gateway)
    }

    /// Whether it was made for the Gateway of this uid, and not for an earlier one of the same name.
    pub(super) fn is_for_this(&self, uid: &str) -> bool {
        self.kind == Kind::Pod || self.owner().is_some_and(|(_, owner)| owner == uid)
    }

    /// Whether it was made for Gateways of this controller.
    pub(super) fn is_of(&self, controller: &str) -> bool {
        self.annotation(names::OF_CONTROLLER) == controller
    }

    /// The part of it that a person or a program wrote, not what follows from that.
    pub(super) fn written(&self) -> Value {
        let mut written = self.object.clone();
        if let Some(fields) = written.as_object_mut() {
            fields.remove("status");
        }
        if let Some(metadata) = written.get_mut("metadata").and_then(Value::as_object_mut) {
            for field in ["resourceVersion", "generation", "creationTimestamp"] {
                metadata.remove(field);
            }
        }
        written
    }

    /// Addresses that the cluster's load balancer gave a Service, as written: an IP address or a name each.
    pub(super) fn given(&self) -> Vec<&str> {
        self.list("/status/loadBalancer/ingress")
            .iter()
            .filter_map(|ingress| {
                let text = |field| ingress.get(field).and_then(Value::as_str);
                let text = |field| text(field).filter(|text| !text.is_empty());
                text("ip").or_else(|| text("hostname"))
            })
            .collect()
    }

    /// The addresses inside of the cluster that a Service has.
    pub(super) fn cluster_ips(&self) -> Vec<IpAddr> {
        self.list("/spec/clusterIPs")
            .iter()
            .filter_map(|ip| ip.as_str()?.parse().ok())
            .collect()
    }
}
