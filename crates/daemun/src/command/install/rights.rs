//! What the controller may do in a cluster, and no more: each rule says what it is for.

use serde_json::{Value, json};

use super::Arguments;
use super::object::{NAME, cluster_name, cluster_wide, object};

/// A rule: API group, resources, verbs.
pub(super) type Rule = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const READ: &[&str] = &["get", "list", "watch"];
/// Statuses are patched: of lists that several controllers share, with the version that was read.
const TELL: &[&str] = &["patch"];
/// Server-side apply patches, and creates what is not there.
const MAKE: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];

/// In every namespace that is looked at.
pub(super) const IN_NAMESPACES: &[Rule] = &[
    // What is translated.
    (
        "gateway.networking.k8s.io",
        &[
            "backendtlspolicies",
            "gateways",
            "grpcroutes",
            "httproutes",
            "listenersets",
            "referencegrants",
            "tcproutes",
            "tlsroutes",
            "udproutes",
        ],
        READ,
    ),
    (
        "gateway.networking.x-k8s.io",
        &["xbackends", "xbackendtrafficpolicies"],
        READ,
    ),
    (
        "gateway.daemun.dev",
        &[
            "backendpolicies",
            "backends",
            "gatewayparameters",
            "listenerpolicies",
        ],
        READ,
    ),
    ("discovery.k8s.io", &["endpointslices"], READ),
    // Certificates. Of Secrets only those are read that something refers to, and of the others no more than the name.
    ("", &["secrets"], READ),
    // What owners are told.
    (
        "gateway.networking.k8s.io",
        &[
            "backendtlspolicies/status",
            "gateways/status",
            "grpcroutes/status",
            "httproutes/status",
            "listenersets/status",
            "tcproutes/status",
            "tlsroutes/status",
            "udproutes/status",
        ],
        TELL,
    ),
    (
        "gateway.networking.x-k8s.io",
        &["xbackends/status", "xbackendtrafficpolicies/status"],
        TELL,
    ),
    (
        "gateway.daemun.dev",
        &[
            "backendpolicies/status",
            "backends/status",
            "gatewayparameters/status",
            "listenerpolicies/status",
        ],
        TELL,
    ),
    ("events.k8s.io", &["events"], &["create"]),
    // Why a Service has no address.
    ("", &["events"], &["list"]),
    // What is made around a Gateway, in its namespace. Services and ConfigMaps are also read for Routes and policies.
    ("", &["configmaps", "serviceaccounts", "services"], MAKE),
    ("apps", &["daemonsets", "deployments"], MAKE),
    ("policy", &["poddisruptionbudgets"], MAKE),
    ("autoscaling", &["horizontalpodautoscalers"], MAKE),
    // Why proxies do not run, and that a proxy's pod is alive.
    ("", &["pods"], READ),
];

/// Of objects that are in no namespace.
pub(super) const CLUSTER_WIDE: &[Rule] = &[
    ("gateway.networking.k8s.io", &["gatewayclasses"], READ),
    // The finalizer that keeps a class while Gateways use it, and which installation serves it.
    ("gateway.networking.k8s.io", &["gatewayclasses"], &["patch"]),
    // Whether another installation that says so is alive.
    ("coordination.k8s.io", &["leases"], &["get"]),
    (
        "gateway.networking.k8s.io",
        &["gatewayclasses/status"],
        TELL,
    ),
    // Which namespaces a listener takes Routes from.
    ("", &["namespaces"], READ),
    // Who makes load balancers here.
    ("", &["nodes"], READ),
    // Which release and channel of the Gateway API there is.
    ("apiextensions.k8s.io", &["customresourcedefinitions"], READ),
    // Who a proxy is.
    ("authentication.k8s.io", &["tokenreviews"], &["create"]),
    // Whether another installation that says it serves the same classes is alive.
    ("coordination.k8s.io", &["leases"], &["get"]),
];

/// What people see who may see a namespace: it becomes part of the roles view and edit, so that the owners of Routes
/// can look at them, and ask `daemun explain`.
const FOR_PEOPLE: &[Rule] = &[
    (
        "gateway.networking.k8s.io",
        &[
            "backendtlspolicies",
            "gateways",
            "grpcroutes",
            "httproutes",
            "listenersets",
            "referencegrants",
            "tcproutes",
            "tlsroutes",
            "udproutes",
        ],
        READ,
    ),
    (
        "gateway.networking.x-k8s.io",
        &["xbackends", "xbackendtrafficpolicies"],
        READ,
    ),
    (
        "gateway.daemun.dev",
        &[
            "backendpolicies",
            "backends",
            "gatewayparameters",
            "listenerpolicies",
        ],
        READ,
    ),
];

/// In the controller's own namespace.
pub(super) const AT_HOME: &[Rule] = &[
    // Which of the controllers leads.
    (
        "coordination.k8s.io",
        &["leases"],
        &["get", "create", "update"],
    ),
    // The authorities by which proxies know the controllers.
    ("", &["secrets"], &["get", "create", "update"]),
    // The parameters of GatewayClasses.
    ("gateway.daemun.dev", &["gatewayparameters"], READ),
];

/// Whom the controller is, and what it may do.
pub(super) fn rights(arguments: &Arguments) -> Vec<Value> {
    let mut all = vec![object(arguments, "v1", "ServiceAccount", json!({}))];
    let name = cluster_name(arguments);
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
    all.push(for_people());
    all.extend(role(arguments, &arguments.namespace, &rules(AT_HOME), NAME));
    for namespace in &arguments.watch_namespace {
        let name = format!("{NAME}-{}", arguments.namespace);
        all.extend(role(arguments, namespace, &rules(IN_NAMESPACES), &name));
    }
    all
}

const RBAC: &str = "rbac.authorization.k8s.io/v1";

/// The role that becomes part of others.
fn for_people() -> Value {
    let mut role = cluster_wide(
        RBAC,
        "ClusterRole",
        "daemun-view",
        json!({ "rules": rules(FOR_PEOPLE) }),
    );
    role["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-view"] = json!("true");
    role
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

pub(super) fn rules(rules: &[Rule]) -> Vec<Value> {
    rules
        .iter()
        .map(|(group, resources, verbs)| {
            json!({ "apiGroups": [group], "resources": resources, "verbs": verbs })
        })
        .collect()
}
