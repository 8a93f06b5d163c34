//! The parents that a Route names, and its attachment to each of them (gateway-api `CommonRouteSpec`).

use std::borrow::Cow;
use std::collections::BTreeMap;

use daemun_model::names::{ListenerKey, ListenerOwner, ObjectName};
use daemun_model::route::Attachment;
use daemun_model::verdict::{Condition, FieldPath, Finding, Part, Place, Severity, Status};
use daemun_objects::Open;
use daemun_objects::gateway_api::shared::ParentReference;

use super::listenerset::{gateways_that_exist, no_such_gateway};
use super::namespaces;
use super::route::{Common, Judged, Surroundings};
use crate::attach::{self, Face, Wish};
use crate::listener::Labels;
use crate::nearest::did_you_mean;
use crate::refs::GATEWAY_GROUP;
use crate::value::{port, unknown};
use crate::verdict::{Refusal, fails, holds, messages, reason, resolved_refs, warning};

/// What came of a Route's parents.
#[derive(Default)]
pub(crate) struct Parents {
    /// What is said for each of them.
    pub(crate) parts: Vec<Part>,
    /// What else there is to say.
    pub(crate) findings: Vec<Finding>,
    /// Where the Route is attached, by Gateway.
    pub(crate) attachments: BTreeMap<ObjectName, Vec<Attachment>>,
    /// The listeners that count it.
    pub(crate) counted: Vec<ListenerKey>,
    /// The parents that were looked at.
    pub(crate) looked_at: Vec<(ListenerOwner, ObjectName)>,
    /// Whether one of them was not there.
    pub(crate) missing: bool,
}

/// A parent that is asked for, and where: in `parentRefs`, or by `useDefaultGateways`.
struct Asked<'a> {
    reference: Cow<'a, ParentReference>,
    path: FieldPath,
}

impl Parents {
    /// Attaches a Route to all parents that it names, and to the default Gateways if it asks for them.
    pub(crate) fn attach_all(
        &mut self,
        around: Surroundings<'_>,
        common: &Common<'_>,
        judged: &Judged,
    ) {
        self.check_scope(common);
        if common.parent_refs.is_empty() && !common.asks_for_defaults() && around.cluster.on_host()
        {
            self.findings.push(warning(
                FieldPath::of("spec"),
                "NoMatchingParent",
                format!(
                    "The route has no parentRefs, so nobody serves it. {}",
                    gateways_that_exist(around.cluster)
                ),
            ));
            self.missing = true;
        }
        let route = &common.key.name;
        let labels = namespaces::labels(around.cluster, &route.namespace);
        for (index, reference) in common.parent_refs.iter().enumerate() {
            let path = FieldPath::of("spec.parentRefs").index(index);
            let earlier = common.parent_refs.get(..index).unwrap_or_default();
            if earlier.iter().any(|it| same_parent(it, reference, route)) {
                self.findings.push(
                    Refusal::unsupported(
                        path,
                        "This parent is named before, with the same sectionName and port; take one of them out.",
                    )
                    .into(),
                );
                continue;
            }
            let asked = Asked {
                reference: Cow::Borrowed(reference),
                path,
            };
            self.attach(around, (common, &labels), judged, &asked);
        }
        if common.asks_for_defaults() {
            self.attach_to_defaults(around, (common, &labels), judged);
        }
    }

    /// The default Gateways are parents as if they were named, except for those that are. Those that do not
    /// take the Route do not claim it: nothing is said of them, unless nobody takes it at all.
    fn attach_to_defaults(
        &mut self,
        around: Surroundings<'_>,
        (common, labels): (&Common<'_>, &Labels),
        judged: &Judged,
    ) {
        let route = &common.key.name;
        let path = FieldPath::of("spec.useDefaultGateways");
        if around.defaults.is_empty() && around.cluster.on_host() {
            self.findings.push(warning(
                path,
                "NoMatchingParent",
                "The route asks for default Gateways, and there is none: no Gateway has spec.defaultScope: All.",
            ));
            return;
        }
        let (said, found) = (self.parts.len(), self.findings.len());
        for gateway in around.defaults {
            let reference = ParentReference {
                name: gateway.name.clone(),
                namespace: Some(gateway.namespace.clone()),
                ..ParentReference::default()
            };
            let mut named = common.parent_refs.iter();
            if !named.any(|it| same_parent(it, &reference, route)) {
                let asked = Asked {
                    reference: Cow::Owned(reference),
                    path: path.clone(),
                };
                self.attach(around, (common, labels), judged, &asked);
            }
        }
        if self.parts.iter().any(is_accepted) {
            let claims = self.parts.split_off(said);
            self.parts.extend(claims.into_iter().filter(is_accepted));
            let kept = self.findings.split_off(found);
            let refused = |finding: &Finding| finding.severity == Severity::Error;
            self.findings
                .extend(kept.into_iter().filter(|it| !refused(it)));
        }
    }

    fn check_scope(&mut self, common: &Common<'_>) {
        if let Some(Open::Other(written)) = common.default_gateways
            && !written.is_empty()
        {
            let path = FieldPath::of("spec.useDefaultGateways");
            let refusal = unknown(&path, "scope", written, &["All", "None"]);
            self.findings.push(refusal.into());
        }
    }

    fn attach(
        &mut self,
        around: Surroundings<'_>,
        (common, labels): (&Common<'_>, &Labels),
        judged: &Judged,
        asked: &Asked<'_>,
    ) {
        let Some(face) = self
            .find(around, &common.key.name, asked)
            .and_then(|key| around.faces.get(&key))
        else {
            return;
        };
        let Asked { reference, path } = asked;
        let wish = Wish {
            kind: common.key.kind,
            namespace: &common.key.name.namespace,
            labels,
            hostnames: &common.hostnames.names,
            section: reference.section_name.as_deref(),
            // What is no port matches no listener.
            port: reference
                .port
                .map(|number| port(number).unwrap_or_default()),
            path: path.clone(),
        };
        let accepted = self.accept(face, &wish, common, judged);
        let is_accepted = accepted.status == Status::True;
        let mut conditions = vec![accepted, resolved_refs(&judged.unresolved)];
        conditions.extend(
            judged
                .partially_invalid(common.key.kind)
                .filter(|_| is_accepted),
        );
        self.parts.push(Part {
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

    /// The parent that a reference names, if it is one of ours; what is to be said otherwise is a finding.
    fn find(
        &mut self,
        around: Surroundings<'_>,
        route: &ObjectName,
        asked: &Asked<'_>,
    ) -> Option<(ListenerOwner, ObjectName)> {
        let Asked { reference, path } = asked;
        let namespace = reference.namespace.as_deref().unwrap_or(&route.namespace);
        let name = ObjectName::new(namespace, &reference.name);
        let owner = match (reference.group(), reference.kind()) {
            (GATEWAY_GROUP, "Gateway") => ListenerOwner::Gateway,
            (GATEWAY_GROUP, "ListenerSet") => ListenerOwner::ListenerSet,
            (group, kind) => {
                if around.cluster.on_host() {
                    self.findings.push(warning(
                    path.field("kind"),
                    "NoMatchingParent",
                    format!("{kind} of group \"{group}\" is not a parent that is served; Gateway and ListenerSet (group {GATEWAY_GROUP}) are."),
                ));
                }
                return None;
            }
        };
        let key = (owner, name);
        self.looked_at.push(key.clone());
        if around.faces.contains_key(&key) {
            return Some(key);
        }
        self.missing = true;
        if around.cluster.on_host() {
            let (owner, name) = &key;
            let message = match owner {
                ListenerOwner::Gateway => match around.foreign.get(name) {
                    Some(why) => format!("Gateway {name} is not served by Daemun. {why}"),
                    None => no_such_gateway(around.cluster, name),
                },
                ListenerOwner::ListenerSet => match around.cluster.listener_sets.get(name) {
                    Some(_) => format!("ListenerSet {name} belongs to no Gateway that is served."),
                    None => around.cluster.withheld.absence("ListenerSet", name, || {
                        let sets = &around.cluster.listener_sets;
                        did_you_mean(&name.name, sets.names_in(&name.namespace))
                    }),
                },
            };
            self.findings
                .push(Refusal::new(path.field("name"), "NoMatchingParent", message).into());
        }
        None
    }

    /// Attaches the Route to a parent, and says so.
    fn accept(
        &mut self,
        face: &Face,
        wish: &Wish<'_>,
        common: &Common<'_>,
        judged: &Judged,
    ) -> Condition {
        if common.hostnames.names.is_empty() {
            return fails(
                "Accepted",
                reason::UNSUPPORTED_VALUE,
                messages(&common.hostnames.refused),
            );
        }
        let attached = match attach::attach(face, wish) {
            Ok(attached) => attached,
            Err(refusal) => {
                let condition = fails("Accepted", refusal.reason, refusal.message.clone());
                self.findings.push(refusal.into());
                return condition;
            }
        };
        self.findings.extend(attached.findings);
        // Rules that refuse stay where they would have been: what they take must not fall through to others.
        if judged.takes && !attached.attachments.is_empty() {
            let all = self.attachments.entry(face.gateway.clone()).or_default();
            for attachment in attached.attachments {
                if !all.iter().any(|it| it.listener == attachment.listener) {
                    all.push(attachment);
                }
            }
        }
        if let Some((reason, message)) = judged.refusal(common.key.kind) {
            return fails("Accepted", reason, message);
        }
        for key in &attached.listeners {
            if !self.counted.contains(key) {
                self.counted.push(key.clone());
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
}

fn is_accepted(part: &Part) -> bool {
    let mut conditions = part.conditions.iter();
    conditions.any(|it| it.kind == "Accepted" && it.status == Status::True)
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
