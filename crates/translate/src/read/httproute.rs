//! An HTTPRoute: its rules, once, and its attachment to each parent. This is the unit of work: what follows
//! from one route is kept until the route or something that it looked at changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use daemun_model::hostname::HostPattern;
use daemun_model::names::{
    BackendKey, Created, ListenerKey, ListenerOwner, ObjectName, ObjectRef, RouteKey, RouteKind,
};
use daemun_model::route::{Attachment, HttpRoute, Rule};
use daemun_model::verdict::{Condition, FieldPath, Finding, Part, Place, Verdict};
use daemun_objects::gateway_api::httproute::{HttpRoute as Written, HttpRouteRule};
use daemun_objects::gateway_api::shared::ParentReference;

use super::listenerset::gateways_that_exist;
use super::{namespaces, rule};
use crate::attach::{self, Faces, Wish};
use crate::backends::{Resolver, Seen};
use crate::cluster::Cluster;
use crate::nearest::did_you_mean;
use crate::policy::targets::TlsTargets;
use crate::refs::GATEWAY_GROUP;
use crate::value::capitalized;
use crate::value::port;
use crate::verdict::{Refusal, fails, holds, messages, reason, resolved_refs, warning};

/// The kind, as listeners name it.
const KIND: RouteKind = RouteKind::Http;

/// What a route's translation looks at.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// Everything.
    pub(crate) cluster: &'a Cluster,
    /// The parents that are ours.
    pub(crate) faces: &'a Faces,
    /// Gateways that are not ours, with why.
    pub(crate) foreign: &'a BTreeMap<ObjectName, String>,
    /// What BackendTLSPolicies are about.
    pub(crate) tls: &'a TlsTargets,
}

/// What follows from one route. Routes come in thousands, and most of these lists have one entry: none has
/// room for more than it holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RouteOutcome {
    /// For each Gateway that serves it: the route with the attachments to that Gateway's listeners.
    pub(crate) routes: Box<[(ObjectName, Arc<HttpRoute>)]>,
    /// The backends that it refers to.
    pub(crate) backends: Arc<[BackendKey]>,
    /// The listeners whose `attachedRoutes` counts it.
    pub(crate) counted: Arc<[ListenerKey]>,
    /// What its owner must be told; none if no parent is ours.
    pub(crate) verdict: Option<Arc<Verdict>>,
    /// What was looked at.
    pub(crate) seen: Seen,
    /// The parents that were looked at.
    pub(crate) parents: Arc<[(ListenerOwner, ObjectName)]>,
    /// Whether a parent was not there, so that a new one may be it.
    pub(crate) parent_missing: bool,
}

impl RouteOutcome {
    /// The route as a Gateway serves it, if it does.
    pub(crate) fn of(&self, gateway: &ObjectName) -> Option<&Arc<HttpRoute>> {
        let of_gateway = self.routes.iter().find(|(name, _)| name == gateway);
        of_gateway.map(|(_, route)| route)
    }
}

/// Translates a route.
pub(crate) fn read(around: Surroundings<'_>, name: &ObjectName, route: &Written) -> RouteOutcome {
    let mut rules = read_rules(around, name, &route.spec.rules);
    let hostnames = read_hostnames(&route.spec.hostnames);
    let mut parents = Parents {
        parts: Vec::new(),
        findings: Vec::new(),
        attachments: BTreeMap::new(),
        counted: Vec::new(),
        looked_at: Vec::new(),
        missing: false,
    };
    if around.cluster.on_host() && route.spec.use_default_gateways.is_some() {
        parents.findings.push(warning(
            FieldPath::of("spec.useDefaultGateways"),
            "NotSupported",
            "Default Gateways are not served by this version of Daemun; name the Gateway in parentRefs.",
        ));
    }
    attach_all(around, (name, route), (&hostnames, &rules), &mut parents);
    let object = ObjectRef::new(KIND.as_str(), name.clone());
    let mut findings: Vec<Finding> = parents.findings;
    findings.extend(hostnames.refused.iter().cloned().map(Into::into));
    findings.append(&mut rules.findings);
    let verdict = (!parents.parts.is_empty() || around.cluster.on_host()).then(|| {
        Arc::new(Verdict {
            object,
            generation: route.metadata.generation.unwrap_or_default(),
            parts: parents.parts.into(),
            findings,
        })
    });
    let routes = parents
        .attachments
        .into_iter()
        .map(|(gateway, mut attachments)| {
            attachments.shrink_to_fit();
            let route = HttpRoute {
                key: RouteKey {
                    kind: KIND,
                    name: name.clone(),
                },
                created: Created(route.metadata.created().unwrap_or_default()),
                attachments,
                rules: rules.rules.clone(),
            };
            (gateway, Arc::new(route))
        })
        .collect();
    RouteOutcome {
        routes,
        backends: rules.backends.into(),
        counted: parents.counted.into(),
        verdict,
        seen: rules.seen,
        parents: parents.looked_at.into(),
        parent_missing: parents.missing,
    }
}

/// A route's rules, and what is to be said of them.
struct Rules {
    rules: Vec<Rule>,
    backends: Vec<BackendKey>,
    seen: Seen,
    /// Rules that are dropped or answer 500, in whole or in part: the rule's number from 1, and why.
    refused: Vec<(usize, Vec<Refusal>)>,
    /// Whether nothing is left of the route.
    wholly: bool,
    unresolved: Vec<Refusal>,
    findings: Vec<Finding>,
}

fn read_rules(around: Surroundings<'_>, name: &ObjectName, written: &[HttpRouteRule]) -> Rules {
    let mut resolver = Resolver::new(around.cluster, around.tls, (KIND, &name.namespace));
    let everything = [HttpRouteRule::default()];
    let written = if written.is_empty() {
        everything.as_slice()
    } else {
        written
    };
    let mut rules = Rules {
        rules: Vec::with_capacity(written.len()),
        backends: Vec::new(),
        seen: Seen::default(),
        refused: Vec::new(),
        wholly: true,
        unresolved: Vec::new(),
        findings: Vec::new(),
    };
    let mut earlier_names: Vec<&str> = Vec::new();
    for (index, written) in written.iter().enumerate() {
        let place = rule::Place {
            route: name,
            index,
            earlier_names: &earlier_names,
        };
        let read = rule::read(&mut resolver, written, &place);
        earlier_names.extend(written.name.as_deref());
        rules.rules.extend(read.rule);
        rules.backends.extend(read.backends);
        rules.wholly &= read.wholly;
        let refused = read.refused.iter().cloned().map(Into::into);
        let unresolved = read.unresolved.iter().cloned().map(Into::into);
        rules.findings.extend(refused);
        rules.findings.extend(unresolved);
        rules.findings.extend(read.findings);
        rules.unresolved.extend(read.unresolved);
        if !read.refused.is_empty() {
            rules.refused.push((index + 1, read.refused));
        }
    }
    rules.backends.sort_unstable();
    rules.backends.dedup();
    rules.seen = resolver.seen;
    rules.seen.backends.shrink_to_fit();
    rules
}

impl Rules {
    /// Why the route as a whole is not accepted, if nothing is left of it.
    fn refusal(&self) -> Option<(&'static str, String)> {
        let (_, first) = self.refused.first().filter(|_| self.wholly)?;
        let reason = first
            .first()
            .map_or(reason::UNSUPPORTED_VALUE, |it| it.reason);
        let all: Vec<Refusal> = self
            .refused
            .iter()
            .flat_map(|(_, refusals)| refusals.iter().cloned())
            .collect();
        let mut message = messages(&all);
        if !self.rules.is_empty() && !message.contains("answered 500") {
            message.push_str(" Requests that match are answered 500.");
        }
        Some((reason, message))
    }

    /// `PartiallyInvalid`, if some rules are refused and others not.
    fn partially_invalid(&self) -> Option<Condition> {
        if self.refused.is_empty() || self.wholly {
            return None;
        }
        let dropped: Vec<String> = self
            .refused
            .iter()
            .map(|(number, refusals)| format!("Dropped Rule {number}: {}", messages(refusals)))
            .collect();
        Some(holds(
            "PartiallyInvalid",
            reason::UNSUPPORTED_VALUE,
            format!(
                "{} A rule whose matches cannot be understood takes no requests; others that are wrong answer 500.",
                dropped.join(" ")
            ),
        ))
    }
}

/// A route's hostnames.
struct Hostnames {
    /// Never empty, unless all that were written are refused.
    names: Vec<HostPattern>,
    refused: Vec<Refusal>,
}

fn read_hostnames(written: &[String]) -> Hostnames {
    let mut hostnames = Hostnames {
        names: Vec::with_capacity(written.len()),
        refused: Vec::new(),
    };
    if written.is_empty() {
        hostnames.names.push(HostPattern::Any);
    }
    for (index, name) in written.iter().enumerate() {
        let path = FieldPath::of("spec.hostnames").index(index);
        match HostPattern::parse(name) {
            Ok(HostPattern::Any) => hostnames.refused.push(Refusal::unsupported(
                path,
                format!("\"{name}\" is not a hostname; leave hostnames out for all names."),
            )),
            Ok(pattern) if hostnames.names.contains(&pattern) => {}
            Ok(pattern) => hostnames.names.push(pattern),
            Err(why) => hostnames.refused.push(Refusal::unsupported(
                path,
                format!("{}.", capitalized(&why)),
            )),
        }
    }
    hostnames
}

/// What came of a route's parents.
struct Parents {
    parts: Vec<Part>,
    findings: Vec<Finding>,
    attachments: BTreeMap<ObjectName, Vec<Attachment>>,
    counted: Vec<ListenerKey>,
    looked_at: Vec<(ListenerOwner, ObjectName)>,
    missing: bool,
}

fn attach_all(
    around: Surroundings<'_>,
    (name, route): (&ObjectName, &Written),
    (hostnames, rules): (&Hostnames, &Rules),
    parents: &mut Parents,
) {
    let labels = namespaces::labels(around.cluster, &name.namespace);
    if route.spec.parent_refs.is_empty() && around.cluster.on_host() {
        parents.findings.push(warning(
            FieldPath::of("spec"),
            "NoMatchingParent",
            format!(
                "The route has no parentRefs, so nobody serves it. {}",
                gateways_that_exist(around.cluster)
            ),
        ));
        parents.missing = true;
    }
    for (index, reference) in route.spec.parent_refs.iter().enumerate() {
        let path = FieldPath::of("spec.parentRefs").index(index);
        let earlier = route.spec.parent_refs.get(..index).unwrap_or_default();
        if earlier.iter().any(|it| same_parent(it, reference, name)) {
            parents.findings.push(
                Refusal::unsupported(
                    path,
                    "This parent is named before, with the same sectionName and port; take one of them out.",
                )
                .into(),
            );
            continue;
        }
        let Some(key) = find_parent(around, name, reference, (&path, parents)) else {
            continue;
        };
        let Some(face) = around.faces.get(&key) else {
            continue;
        };
        let wish = Wish {
            kind: KIND.as_str(),
            namespace: &name.namespace,
            labels: &labels,
            hostnames: &hostnames.names,
            section: reference.section_name.as_deref(),
            // What is no port matches no listener.
            port: reference
                .port
                .map(|number| port(number).unwrap_or_default()),
            path: path.clone(),
        };
        let accepted = accept(face, &wish, (hostnames, rules), parents);
        let mut conditions = vec![accepted, resolved_refs(&rules.unresolved)];
        let is_accepted = conditions
            .first()
            .is_some_and(|it| it.status == daemun_model::verdict::Status::True);
        conditions.extend(rules.partially_invalid().filter(|_| is_accepted));
        parents.parts.push(Part {
            place: Place::Parent {
                parent: face.object.clone(),
                section: reference.section_name.clone(),
                port: reference.port.and_then(port),
            },
            conditions,
            attached: None,
            supported_kinds: None,
        });
    }
}

fn same_parent(one: &ParentReference, two: &ParentReference, route: &ObjectName) -> bool {
    let namespace = |it: &ParentReference| {
        it.namespace
            .clone()
            .unwrap_or_else(|| route.namespace.clone())
    };
    one.group() == two.group()
        && one.kind() == two.kind()
        && one.name == two.name
        && namespace(one) == namespace(two)
        && one.section_name == two.section_name
        && one.port == two.port
}

/// The parent that a reference names, if it is one of ours; what is to be said otherwise is a finding.
fn find_parent(
    around: Surroundings<'_>,
    route: &ObjectName,
    reference: &ParentReference,
    (path, parents): (&FieldPath, &mut Parents),
) -> Option<(ListenerOwner, ObjectName)> {
    let namespace = reference.namespace.as_deref().unwrap_or(&route.namespace);
    let name = ObjectName::new(namespace, &reference.name);
    let owner = match (reference.group(), reference.kind()) {
        (GATEWAY_GROUP, "Gateway") => ListenerOwner::Gateway,
        (GATEWAY_GROUP, "ListenerSet") => ListenerOwner::ListenerSet,
        (group, kind) => {
            if around.cluster.on_host() {
                parents.findings.push(warning(
                    path.field("kind"),
                    "NoMatchingParent",
                    format!("{kind} of group \"{group}\" is not a parent that is served; Gateway and ListenerSet (group {GATEWAY_GROUP}) are."),
                ));
            }
            return None;
        }
    };
    let key = (owner, name);
    parents.looked_at.push(key.clone());
    if around.faces.contains_key(&key) {
        return Some(key);
    }
    parents.missing = true;
    if around.cluster.on_host() {
        let (owner, name) = &key;
        let message = match owner {
            ListenerOwner::Gateway => match around.foreign.get(name) {
                Some(why) => format!("Gateway {name} is not served by Daemun. {why}"),
                None => super::listenerset::no_such_gateway(around.cluster, name),
            },
            ListenerOwner::ListenerSet => match around.cluster.listener_sets.get(name) {
                Some(_) => format!("ListenerSet {name} belongs to no Gateway that is served."),
                None => format!(
                    "ListenerSet {name} does not exist.{}",
                    did_you_mean(
                        &name.name,
                        around.cluster.listener_sets.names_in(&name.namespace)
                    )
                ),
            },
        };
        parents
            .findings
            .push(Refusal::new(path.field("name"), "NoMatchingParent", message).into());
    }
    None
}

/// Attaches the route to a parent, and says so.
fn accept(
    face: &attach::Face,
    wish: &Wish<'_>,
    (hostnames, rules): (&Hostnames, &Rules),
    parents: &mut Parents,
) -> Condition {
    if hostnames.names.is_empty() {
        return fails(
            "Accepted",
            reason::UNSUPPORTED_VALUE,
            messages(&hostnames.refused),
        );
    }
    let attached = match attach::attach(face, wish) {
        Ok(attached) => attached,
        Err(refusal) => {
            let condition = fails("Accepted", refusal.reason, refusal.message.clone());
            parents.findings.push(refusal.into());
            return condition;
        }
    };
    parents.findings.extend(attached.findings);
    // Rules that answer 500 stay where they would have been: their requests must not fall through to others.
    if !rules.rules.is_empty() && !attached.attachments.is_empty() {
        let all = parents.attachments.entry(face.gateway.clone()).or_default();
        for attachment in attached.attachments {
            if !all.iter().any(|it| it.listener == attachment.listener) {
                all.push(attachment);
            }
        }
    }
    if let Some((reason, message)) = rules.refusal() {
        return fails("Accepted", reason, message);
    }
    for key in &attached.listeners {
        if !parents.counted.contains(key) {
            parents.counted.push(key.clone());
        }
    }
    let names: Vec<&str> = attached
        .listeners
        .iter()
        .map(|key| key.name.as_str())
        .collect();
    holds(
        "Accepted",
        "Accepted",
        format!(
            "The route is attached to {} of {}.",
            match names.as_slice() {
                [one] => format!("listener {one}"),
                all => format!("the listeners {}", all.join(", ")),
            },
            face.object
        ),
    )
}
