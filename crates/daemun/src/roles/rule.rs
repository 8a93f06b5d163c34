//! A rule of a role, as Kubernetes' RBAC has them: what may be done with which resources of an API group.

use serde_json::{Value, json};

/// The Gateway API's group.
pub(crate) const GATEWAY_API: &str = "gateway.networking.k8s.io";
/// The group of what the Gateway API is trying out.
pub(crate) const EXPERIMENTAL: &str = "gateway.networking.x-k8s.io";
/// Our own group.
pub(crate) const OURS: &str = "gateway.daemun.dev";

/// To look at things, once and as they change.
pub(crate) const READ: &[&str] = &["get", "list", "watch"];

/// A rule: what may be done with which resources of an API group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    /// Only these objects; none means all.
    names: &'static [&'static str],
    /// Whether it is about the objects' statuses, and not about the objects themselves.
    statuses: bool,
}

/// A rule for all objects of some resources.
pub(crate) const fn rule(
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
) -> Rule {
    Rule {
        group,
        resources,
        verbs,
        names: &[],
        statuses: false,
    }
}

impl Rule {
    /// The same for the objects of these names only.
    pub(crate) const fn named(mut self, names: &'static [&'static str]) -> Self {
        self.names = names;
        self
    }

    /// Statuses are patched: of lists that several controllers share, with the version that was read.
    pub(crate) const fn told(mut self) -> Self {
        self.verbs = &["patch"];
        self.statuses = true;
        self
    }

    /// Whether it allows a verb on every object of a resource.
    pub(crate) fn allows(&self, verb: &str, group: &str, resource: &str) -> bool {
        let Self {
            group: of,
            resources,
            verbs,
            names,
            statuses,
        } = self;
        *of == group
            && resources.contains(&resource)
            && verbs.contains(&verb)
            && names.is_empty()
            && !statuses
    }
}

/// Rules as a role has them.
pub(crate) fn rules(rules: &[Rule]) -> Vec<Value> {
    rules.iter().map(written).collect()
}

fn written(rule: &Rule) -> Value {
    let Rule {
        group,
        resources,
        verbs,
        names,
        statuses,
    } = rule;
    let part = if *statuses { "/status" } else { "" };
    let resources: Vec<String> = resources.iter().map(|it| format!("{it}{part}")).collect();
    let mut rule = json!({ "apiGroups": [group], "resources": resources, "verbs": verbs });
    if !names.is_empty() {
        rule["resourceNames"] = json!(names);
    }
    rule
}
