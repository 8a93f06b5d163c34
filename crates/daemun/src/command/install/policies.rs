//! The admission policies, which are printed when they are asked for: each is a rule of the API server's own
//! (ValidatingAdmissionPolicy) with its binding, so that nothing has to run for them.
//!
//! They are about people and what acts for them; whether a Gateway's way in is what it is to be is the controller's.

use clap::ValueEnum;
use serde_json::{Value, json};

use super::Arguments;
use super::object::{NAME, cluster_name, cluster_wide};
use super::roles::RBAC;
use crate::roles::policy::{
    EXPOSE, HOSTNAMES, MAY_EXPOSE, keys_of_load_balancers, notes_of_load_balancers,
};
use crate::roles::rule::{GATEWAY_API, OURS, rules};

/// What can be guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Guarded {
    /// Only operators make Services of type LoadBalancer or NodePort, and change GatewayParameters
    Exposure,
    /// Routes and ListenerSets have only hostnames that their namespace is given
    Hostnames,
}

impl Guarded {
    /// Its name as an option and as a file.
    #[cfg(test)]
    pub(super) const ALL: [(&'static str, Self); 2] =
        [("exposure", Self::Exposure), ("hostnames", Self::Hostnames)];

    /// All objects of it.
    pub(super) fn objects(self, arguments: &Arguments) -> Vec<Value> {
        let mut all = Vec::new();
        if self == Self::Exposure {
            all.extend(controllers_right(arguments));
        }
        for (name, spec) in self.policies() {
            all.extend(policy(arguments, name, &spec));
        }
        all
    }

    /// The policies, by name.
    pub(super) fn policies(self) -> [(&'static str, Value); 2] {
        match self {
            Self::Exposure => [
                ("daemun-exposure-of-services", of_services()),
                ("daemun-exposure-of-gateways", of_parameters()),
            ],
            Self::Hostnames => [
                ("daemun-hostnames-of-routes", of_routes()),
                ("daemun-hostnames-of-listener-sets", of_listener_sets()),
            ],
        }
    }
}

const ADMISSION: &str = "admissionregistration.k8s.io/v1";

/// A policy, and that it is in force everywhere.
fn policy(arguments: &Arguments, name: &str, spec: &Value) -> [Value; 2] {
    let name = cluster_name(arguments, name);
    let kind = "ValidatingAdmissionPolicy";
    let policy = cluster_wide(ADMISSION, kind, &name, json!({ "spec": spec }));
    let bound = json!({ "spec": { "policyName": name, "validationActions": ["Deny"] } });
    let kind = "ValidatingAdmissionPolicyBinding";
    [policy, cluster_wide(ADMISSION, kind, &name, bound)]
}

/// The controller makes Services for Gateways, and so has the right that the policy asks for. It is bound here, and not
/// among the controller's rights, because without the policy nobody asks.
fn controllers_right(arguments: &Arguments) -> [Value; 2] {
    let name = cluster_name(arguments, "daemun-exposure");
    let allowed = rules(&[MAY_EXPOSE]);
    let role = cluster_wide(RBAC, "ClusterRole", &name, json!({ "rules": allowed }));
    let bound = json!({
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name },
        "subjects": [{ "kind": "ServiceAccount", "name": NAME, "namespace": arguments.namespace }],
    });
    [role, cluster_wide(RBAC, "ClusterRoleBinding", &name, bound)]
}

/// What requests a policy looks at: those that make or change a thing. Deletion is left to roles: the cluster's own
/// collectors of garbage delete, too.
fn changes_of(group: &str, resources: &[&str]) -> Value {
    json!({
        "resourceRules": [{
            "apiGroups": [group],
            "apiVersions": ["*"],
            "operations": ["CREATE", "UPDATE"],
            "resources": resources,
        }],
    })
}

fn variable(name: &str, expression: impl Into<String>) -> Value {
    json!({ "name": name, "expression": expression.into() })
}

/// Whether whoever asks has the right to make things reachable.
fn is_operator() -> Value {
    let (group, resource, verb) = EXPOSE;
    variable(
        "isOperator",
        format!(
            "authorizer.group('{group}').resource('{resource}').namespace(request.namespace).check('{verb}').allowed()"
        ),
    )
}

/// Who may do it, as the end of a sentence.
fn by_whom() -> String {
    let (group, resource, verb) = EXPOSE;
    format!(
        "' is not allowed that: it takes an infrastructure operator, who has the right to {verb} {resource}.{group} in namespace ' + request.namespace + '.'"
    )
}

fn of_services() -> Value {
    let list = |keys: Vec<&str>| format!("['{}']", keys.join("', '"));
    let of_theirs =
        "!(key in variables.notes) && variables.keys.exists(start, key.startsWith(start))";
    json!({
        "failurePolicy": "Fail",
        "matchConstraints": changes_of("", &["services"]),
        "matchConditions": [{
            "name": "reachable-from-outside",
            "expression": "object.spec.?type.orValue('ClusterIP') in ['LoadBalancer', 'NodePort'] || size(object.spec.?externalIPs.orValue([])) > 0",
        }],
        "variables": [
            is_operator(),
            // What makes load balancers notes on the Service which it made.
            variable("isOfTheCluster", "request.userInfo.username.startsWith('system:') && request.userInfo.username != 'system:anonymous' && (!request.userInfo.username.startsWith('system:serviceaccount:') || request.userInfo.username.startsWith('system:serviceaccount:kube-system:'))"),
            // The annotations that those look at who make load balancers, and what they note themselves.
            variable("keys", list(keys_of_load_balancers())),
            variable("notes", list(notes_of_load_balancers())),
            variable("before", "request.operation == 'CREATE' ? {} : oldObject.metadata.?annotations.orValue({})"),
            variable("after", "object.metadata.?annotations.orValue({})"),
            // Looked at is what changed, so that what is there already costs nothing.
            variable("written", format!("variables.after.exists(key, (!(key in variables.before) || variables.before[key] != variables.after[key]) && {of_theirs})")),
            variable("takenOut", format!("variables.before.exists(key, !(key in variables.after) && {of_theirs})")),
            // Pools of addresses choose Services by their labels.
            variable("labelled", "request.operation != 'CREATE' && object.metadata.?labels.orValue({}) != oldObject.metadata.?labels.orValue({})"),
            // What others write into a Service (finalizers, notes) is theirs.
            variable("changed", "request.operation == 'CREATE' || object.spec != oldObject.spec || variables.labelled || variables.written || variables.takenOut"),
        ],
        "validations": [{
            // Whoever may is not kept from it by what others wrote.
            "expression": "variables.isOfTheCluster || variables.isOperator || !variables.changed",
            "message": "A Service of type LoadBalancer or NodePort, or with externalIPs, is reachable from outside of the cluster, and only infrastructure operators may make or change one.",
            "messageExpression": format!("'Service ' + request.namespace + '/' + request.name + (size(object.spec.?externalIPs.orValue([])) > 0 ? ' (with externalIPs)' : ' (of type ' + object.spec.type + ')') + ' is reachable from outside of the cluster, and ' + request.userInfo.username + {}", by_whom()),
            "reason": "Forbidden",
        }],
    })
}

fn of_parameters() -> Value {
    json!({
        "failurePolicy": "Fail",
        "matchConstraints": changes_of(OURS, &["gatewayparameters"]),
        "matchConditions": [{
            "name": "changed",
            "expression": "request.operation == 'CREATE' || object.spec != oldObject.spec",
        }],
        "variables": [is_operator()],
        "validations": [
            {
                "expression": "(object.spec.?exposure.?reach.orValue('') != 'Public' && !('Public' in object.spec.?exposure.?allowedReach.orValue([]))) || variables.isOperator",
                "message": "GatewayParameters with reach Public make Gateways reachable from the internet, and only infrastructure operators may ask for that.",
                "messageExpression": format!("'GatewayParameters ' + request.namespace + '/' + request.name + ' asks for reach Public, which is reachable from the internet, and ' + request.userInfo.username + {}", by_whom()),
                "reason": "Forbidden",
            },
            {
                "expression": "variables.isOperator",
                "message": "GatewayParameters say who may reach Gateways, and only infrastructure operators may change them.",
                "messageExpression": format!("'GatewayParameters ' + request.namespace + '/' + request.name + ' says who may reach Gateways, and ' + request.userInfo.username + {}", by_whom()),
                "reason": "Forbidden",
            },
        ],
    })
}

fn of_routes() -> Value {
    let resources = ["grpcroutes", "httproutes", "tlsroutes"];
    hostnames(
        &resources,
        &variable("hostnames", "object.spec.?hostnames.orValue([])"),
        &variable("takesAll", "size(variables.hostnames) == 0"),
        "names no hostname, and so would take all of its listener",
    )
}

fn of_listener_sets() -> Value {
    hostnames(
        &["listenersets"],
        &variable(
            "hostnames",
            "object.spec.listeners.filter(listener, has(listener.hostname)).map(listener, listener.hostname)",
        ),
        // For TCP and UDP there are no hostnames.
        &variable(
            "takesAll",
            "object.spec.listeners.exists(listener, !has(listener.hostname) && !(listener.protocol in ['TCP', 'UDP']))",
        ),
        "has a listener without a hostname, which would take all",
    )
}

/// That every hostname is one that the namespace has. It holds for everybody, also for what applies objects for others
/// with every right that there is.
fn hostnames(resources: &[&str], names: &Value, takes_all: &Value, how: &str) -> Value {
    let what = "request.kind.kind + ' ' + request.namespace + '/' + request.name + '";
    let owned = format!(
        "(size(variables.owned) == 0 ? 'none: it has no annotation {HOSTNAMES}.' : variables.owned.join(', ') + ' (annotation {HOSTNAMES}).')"
    );
    json!({
        "failurePolicy": "Fail",
        "matchConstraints": changes_of(GATEWAY_API, resources),
        "matchConditions": [{
            "name": "changed",
            "expression": "request.operation == 'CREATE' || object.spec != oldObject.spec",
        }],
        "variables": [
            variable("owned", format!("namespaceObject.metadata.?annotations[?'{HOSTNAMES}'].orValue('').split(',').map(name, name.trim().lowerAscii()).filter(name, name != '')")),
            names,
            takes_all,
            variable("foreign", "variables.hostnames.filter(hostname, !variables.owned.exists(name, name == '*' || name == hostname || (name.startsWith('*.') && hostname.endsWith(name.substring(1)))))"),
        ],
        "validations": [
            {
                "expression": "size(variables.foreign) == 0",
                "message": "A hostname is not one of those that the namespace is given.",
                "messageExpression": format!("{what} asks for ' + variables.foreign.join(', ') + ', and namespace ' + request.namespace + ' is given ' + {owned}"),
                "reason": "Forbidden",
            },
            {
                "expression": "!variables.takesAll || '*' in variables.owned",
                "message": "Without a hostname all hostnames are meant, and the namespace is not given all.",
                "messageExpression": format!("{what} {how}; namespace ' + request.namespace + ' is given ' + {owned}"),
                "reason": "Forbidden",
            },
        ],
    })
}
