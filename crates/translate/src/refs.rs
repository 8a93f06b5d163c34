//! References from one namespace into another, and the grants that permit them (gateway-api
//! `ReferenceGrant`). A grant names the kind that refers: one for Gateways does not count for ListenerSets.

use daemun_model::names::ObjectName;

use crate::cluster::Cluster;

/// The group of the Gateway API's kinds.
pub(crate) const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";
/// The group of the Gateway API's kinds that are experimental.
pub(crate) const X_GROUP: &str = "gateway.networking.x-k8s.io";
/// The group of our own kinds.
pub(crate) const OWN_GROUP: &str = "gateway.daemun.dev";

/// Who refers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Referrer<'a> {
    /// The group of its kind.
    pub(crate) group: &'a str,
    /// Its kind.
    pub(crate) kind: &'a str,
    /// Its namespace.
    pub(crate) namespace: &'a str,
}

/// To what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Referred<'a> {
    /// The group; empty for the core group.
    pub(crate) group: &'a str,
    /// The kind.
    pub(crate) kind: &'a str,
    /// The object.
    pub(crate) name: &'a ObjectName,
}

/// Whether a reference is permitted: within a namespace always, else by a grant in the namespace that is
/// referred to.
pub(crate) fn permitted(cluster: &Cluster, from: &Referrer<'_>, to: &Referred<'_>) -> bool {
    if from.namespace == to.name.namespace {
        return true;
    }
    cluster
        .reference_grants
        .in_namespace(&to.name.namespace)
        .any(|(_, grant)| {
            let from_matches = grant.spec.from.iter().any(|it| {
                it.group == from.group && it.kind == from.kind && it.namespace == from.namespace
            });
            let to_matches = grant.spec.to.iter().any(|it| {
                it.group == to.group
                    && it.kind == to.kind
                    && it.name.as_ref().is_none_or(|name| *name == to.name.name)
            });
            from_matches && to_matches
        })
}

/// The sentence for a reference that no grant permits.
pub(crate) fn refusal(from: &Referrer<'_>, to: &Referred<'_>) -> String {
    let Referrer {
        group: from_group,
        kind,
        namespace,
    } = from;
    let target = &to.name.namespace;
    let group = match to.group {
        "" => "\"\"",
        group => group,
    };
    format!(
        "{} {} is in another namespace, and no ReferenceGrant there permits it. The owner of namespace {target} can permit it with a ReferenceGrant: from {{group: {from_group}, kind: {kind}, namespace: {namespace}}}, to {{group: {group}, kind: {}, name: {}}}.",
        to.kind, to.name, to.kind, to.name.name
    )
}
