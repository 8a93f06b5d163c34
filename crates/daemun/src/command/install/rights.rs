//! What the controller may do in a cluster, and no more: each rule says what it is for.

use serde_json::{Value, json};

use super::Arguments;
use super::object::{NAME, cluster_name, cluster_wide, object};
use super::roles::{self, RBAC};
use crate::roles::rule::{EXPERIMENTAL, GATEWAY_API, OURS, READ, Rule, rule, rules};

/// The controller reads what it watches from the watch.
const WATCH: &[&str] = &["list", "watch"];
/// Server-side apply patches, and creates what is not there.
const MAKE: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];

/// The kinds of the Gateway API whose owners are told something in the status, but for GatewayClasses.
const TOLD: &[&str] = &[
    "backendtlspolicies",
    "gateways",
    "grpcroutes",
    "httproutes",
    "listenersets",
    "tcproutes",
    "tlsroutes",
    "udproutes",
];
const TOLD_EXPERIMENTAL: &[&str] = &["xbackends", "xbackendtrafficpolicies"];
const TOLD_OURS: &[&str] = &["backendpolicies", "backends", "listenerpolicies"];
/// The kinds that are only read.
const GRANTS: &[&str] = &["referencegrants"];
const PARAMETERS: &[&str] = &["gatewayparameters"];

/// In every namespace that is looked at.
pub(super) const IN_NAMESPACES: &[Rule] = &[
    // What is translated, and what owners are told.
    rule(GATEWAY_API, TOLD, READ),
    rule(GATEWAY_API, TOLD, &[]).told(),
    rule(GATEWAY_API, GRANTS, WATCH),
    rule(EXPERIMENTAL, TOLD_EXPERIMENTAL, READ),
    rule(EXPERIMENTAL, TOLD_EXPERIMENTAL, &[]).told(),
    rule(OURS, TOLD_OURS, READ),
    rule(OURS, TOLD_OURS, &[]).told(),
    rule(OURS, PARAMETERS, WATCH),
    rule("discovery.k8s.io", &["endpointslices"], WATCH),
    // Certificates. Of Secrets only those are read that something refers to, and of the others no more than the name.
    rule("", &["secrets"], READ),
    // What owners are told besides.
    rule("events.k8s.io", &["events"], &["create"]),
    // Why a Service has no address.
    rule("", &["events"], &["list"]),
    // What is made around a Gateway, in its namespace. Services and ConfigMaps are also read for Routes and policies.
    rule("", &["configmaps", "serviceaccounts", "services"], MAKE),
    // What a Service was made for, where those who may write Services do not write.
    rule("", &["services"], &[]).told(),
    rule("apps", &["daemonsets", "deployments"], MAKE),
    rule("policy", &["poddisruptionbudgets"], MAKE),
    rule("autoscaling", &["horizontalpodautoscalers"], MAKE),
    // Why proxies do not run, and that a proxy's pod is alive.
    rule("", &["pods"], WATCH),
];

/// Of objects that are in no namespace.
pub(super) const CLUSTER_WIDE: &[Rule] = &[
    rule(GATEWAY_API, &["gatewayclasses"], READ),
    // The finalizer that keeps a class while Gateways use it, and which installation serves it.
    rule(GATEWAY_API, &["gatewayclasses"], &["patch"]),
    rule(GATEWAY_API, &["gatewayclasses"], &[]).told(),
    // Which namespaces a listener takes Routes from.
    rule("", &["namespaces"], WATCH),
    // Who makes load balancers here.
    rule("", &["nodes"], WATCH),
    // Which release and channel of the Gateway API there is.
    rule(
        "apiextensions.k8s.io",
        &["customresourcedefinitions"],
        WATCH,
    ),
    // Who a proxy is.
    rule("authentication.k8s.io", &["tokenreviews"], &["create"]),
    // Whether another installation that says it serves the same classes is alive.
    rule("coordination.k8s.io", &["leases"], &["get"]),
];

/// In the controller's own namespace.
pub(super) const AT_HOME: &[Rule] = &[
    // Which of the controllers leads.
    rule(
        "coordination.k8s.io",
        &["leases"],
        &["get", "create", "update"],
    ),
    // The authorities by which proxies know the controllers. What is not there yet has no name to be permitted by.
    rule("", &["secrets"], &["get", "update"]).named(&[daemun_controller::wire::SECRET]),
    rule("", &["secrets"], &["create"]),
    // The parameters of GatewayClasses.
    rule(OURS, PARAMETERS, WATCH),
];

/// Whom the controller is, and what it may do.
pub(super) fn rights(arguments: &Arguments) -> Vec<Value> {
    let mut all = vec![object(arguments, "v1", "ServiceAccount", json!({}))];
    let name = cluster_name(arguments, NAME);
    let everywhere = arguments.watch_namespace.is_empty();
    let mut cluster = rules(CLUSTER_WIDE);
    if everywhere {
        cluster.extend(rules(IN_NAMESPACES));
    }
    all.push(cluster_wide(
        RBAC,
        "ClusterRole",
        &name,
        json!({ "rules": cluster }),
    ));
    all.push(binding(
        arguments,
        cluster_wide(RBAC, "ClusterRoleBinding", &name, json!({})),
        "ClusterRole",
    ));
    all.push(roles::viewer(arguments));
    all.extend(role(arguments, &arguments.namespace, &rules(AT_HOME), NAME));
    for namespace in &arguments.watch_namespace {
        let name = format!("{NAME}-{}", arguments.namespace);
        all.extend(role(arguments, namespace, &rules(IN_NAMESPACES), &name));
    }
    all
}

/// A Role in a namespace, bound to the controller.
fn role(arguments: &Arguments, namespace: &str, rules: &[Value], name: &str) -> [Value; 2] {
    let mut role = cluster_wide(RBAC, "Role", name, json!({ "rules": rules }));
    role["metadata"]["namespace"] = json!(namespace);
    let mut bound = cluster_wide(RBAC, "RoleBinding", name, json!({}));
    bound["metadata"]["namespace"] = json!(namespace);
    [role, binding(arguments, bound, "Role")]
}

/// Makes an object a binding of the role of its name to the controller.
fn binding(arguments: &Arguments, mut object: Value, kind: &str) -> Value {
    object["roleRef"] = json!({
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": kind,
        "name": object["metadata"]["name"],
    });
    object["subjects"] = json!([{
        "kind": "ServiceAccount",
        "name": NAME,
        "namespace": arguments.namespace,
    }]);
    object
}
