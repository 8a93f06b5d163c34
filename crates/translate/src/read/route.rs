//! A Route of any kind: what its rules say, once, and its attachment to each parent. This is the unit of work:
//! what follows from one Route is kept until the Route or something that it looked at changes.
//!
//! What rules say is another matter for each kind (`httproute`, `grpcroute`, `streamroute`; `routes` knows which);
//! all else is the same for all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use daemun_model::names::{
    BackendKey, Created, ListenerKey, ListenerOwner, ObjectName, ObjectRef, RouteKey, RouteKind,
};
use daemun_model::route::{Attachment, HttpRoute};
use daemun_model::stream::StreamRoute;
use daemun_model::verdict::{Condition, Finding, Verdict};
use daemun_objects::gateway_api::gateway::DefaultScope;
use daemun_objects::gateway_api::route::RouteSpec;
use daemun_objects::gateway_api::shared::ParentReference;
use daemun_objects::{Metadata, Object, Open};

use super::hostnames::Hostnames;
use super::parents::Parents;
use crate::attach::Faces;
use crate::backends::Seen;
use crate::cluster::Cluster;
use crate::policy::targets::TlsTargets;
use crate::verdict::{Refusal, holds, messages, reason};

/// What a Route's translation looks at.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// Everything.
    pub(crate) cluster: &'a Cluster,
    /// The parents that are ours.
    pub(crate) faces: &'a Faces,
    /// Those of them that are default Gateways.
    pub(crate) defaults: &'a [ObjectName],
    /// Gateways that are not ours, with why.
    pub(crate) foreign: &'a BTreeMap<ObjectName, String>,
    /// What BackendTLSPolicies are about.
    pub(crate) tls: &'a TlsTargets,
}

/// What follows from one Route. Routes come in thousands, and most of these lists have one entry: none has
/// room for more than it holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RouteOutcome {
    /// For each Gateway that serves it: the Route with the attachments to that Gateway's listeners.
    pub(crate) served: Box<[(ObjectName, Served)]>,
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
    /// Whether it asks for default Gateways.
    pub(crate) defaulted: bool,
}

/// A Route as a snapshot holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    /// An HTTPRoute or GRPCRoute.
    Http(Arc<HttpRoute>),
    /// A TLSRoute, TCPRoute or UDPRoute.
    Stream(Arc<StreamRoute>),
}

impl RouteOutcome {
    /// The Route as a Gateway serves it, if it does.
    pub(crate) fn of(&self, gateway: &ObjectName) -> Option<&Served> {
        let of_gateway = self.served.iter().find(|(name, _)| name == gateway);
        of_gateway.map(|(_, served)| served)
    }

    /// The same, of an HTTPRoute or GRPCRoute.
    pub(crate) fn http(&self, gateway: &ObjectName) -> Option<Arc<HttpRoute>> {
        match self.of(gateway)? {
            Served::Http(route) => Some(Arc::clone(route)),
            Served::Stream(_) => None,
        }
    }

    /// The same, of a Route below HTTP.
    pub(crate) fn stream(&self, gateway: &ObjectName) -> Option<Arc<StreamRoute>> {
        match self.of(gateway)? {
            Served::Stream(route) => Some(Arc::clone(route)),
            Served::Http(_) => None,
        }
    }
}

/// What Routes of all kinds write (gateway-api `CommonRouteSpec`), and the hostnames.
pub(crate) struct Common<'a> {
    /// The Route.
    pub(crate) key: &'a RouteKey,
    /// Its metadata.
    pub(crate) metadata: &'a Metadata,
    /// `parentRefs`.
    pub(crate) parent_refs: &'a [ParentReference],
    /// `useDefaultGateways`.
    pub(crate) default_gateways: Option<&'a Open<DefaultScope>>,
    /// `hostnames`; any name for kinds that have none.
    pub(crate) hostnames: Hostnames,
}

impl<'a> Common<'a> {
    /// What a Route writes, with the hostnames that its kind has.
    pub(crate) fn of<S: RouteSpec>(
        key: &'a RouteKey,
        route: &'a Object<S>,
        hostnames: Hostnames,
    ) -> Self {
        Self {
            key,
            metadata: &route.metadata,
            parent_refs: route.spec.parent_refs(),
            default_gateways: route.spec.default_gateways(),
            hostnames,
        }
    }
}

/// What is to be said of a Route's rules, whatever they do.
#[derive(Default)]
pub(crate) struct Judged {
    /// The backends that they refer to.
    pub(crate) backends: Vec<BackendKey>,
    /// What was looked at.
    pub(crate) seen: Seen,
    /// Rules that are dropped or refuse what they take, in whole or in part: the rule's number from 1, and why.
    pub(crate) refused: Vec<(usize, Vec<Refusal>)>,
    /// Whether the refusals leave nothing of the Route.
    pub(crate) wholly: bool,
    /// References that cannot be resolved.
    pub(crate) unresolved: Vec<Refusal>,
    /// What else there is to say.
    pub(crate) findings: Vec<Finding>,
    /// Whether something is left that takes requests or connections, be it to refuse them: they must not fall
    /// through to others.
    pub(crate) takes: bool,
}

impl Judged {
    /// Why the Route as a whole is not accepted, if nothing is left of it.
    pub(crate) fn refusal(&self, kind: RouteKind) -> Option<(&'static str, String)> {
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
        let (what, told) = refused_in_words(kind);
        if self.takes && !message.contains(told) {
            message.push_str(&format!(" {what} {told}."));
        }
        Some((reason, message))
    }

    /// `PartiallyInvalid`, if some rules are refused and others not.
    pub(crate) fn partially_invalid(&self, kind: RouteKind) -> Option<Condition> {
        if self.refused.is_empty() || self.wholly {
            return None;
        }
        let dropped: Vec<String> = self
            .refused
            .iter()
            .map(|(number, refusals)| format!("Dropped Rule {number}: {}", messages(refusals)))
            .collect();
        let mut message = dropped.join(" ");
        match kind {
            RouteKind::Http => message.push_str(
                " A rule whose matches cannot be understood takes no requests; others that are wrong answer 500.",
            ),
            RouteKind::Grpc => message.push_str(
                " A rule whose matches cannot be understood takes no calls; others that are wrong answer UNAVAILABLE.",
            ),
            RouteKind::Tls | RouteKind::Tcp | RouteKind::Udp => {}
        }
        Some(holds(
            "PartiallyInvalid",
            reason::UNSUPPORTED_VALUE,
            message,
        ))
    }
}

/// What becomes of what a Route takes and cannot serve: what it is, and what is done with it.
pub(crate) fn refused_in_words(kind: RouteKind) -> (&'static str, &'static str) {
    match kind {
        RouteKind::Http => ("Requests that match are", "answered 500"),
        RouteKind::Grpc => ("Calls that match are", "answered UNAVAILABLE"),
        RouteKind::Tls | RouteKind::Tcp => ("Connections are", "refused"),
        RouteKind::Udp => ("Datagrams are", "dropped"),
    }
}

/// What follows from a Route, with what its rules become on the listeners of a Gateway.
pub(crate) fn outcome(
    around: Surroundings<'_>,
    common: &Common<'_>,
    mut judged: Judged,
    serve: impl Fn(Created, Vec<Attachment>) -> Served,
) -> RouteOutcome {
    let mut parents = Parents::default();
    parents.attach_all(around, common, &judged);
    let Parents {
        parts,
        mut findings,
        attachments,
        counted,
        looked_at,
        missing,
    } = parents;
    let refused = common.hostnames.refused.iter().cloned();
    findings.extend(refused.map(Into::into));
    findings.append(&mut judged.findings);
    let verdict = (!parts.is_empty() || around.cluster.on_host()).then(|| {
        Arc::new(Verdict {
            object: ObjectRef::new(common.key.kind.as_str(), common.key.name.clone()),
            generation: common.metadata.generation.unwrap_or_default(),
            parts: parts.into(),
            findings,
        })
    });
    let created = Created(common.metadata.created().unwrap_or_default());
    let served = attachments
        .into_iter()
        .map(|(gateway, mut attachments)| {
            attachments.shrink_to_fit();
            (gateway, serve(created, attachments))
        })
        .collect();
    judged.backends.sort_unstable();
    judged.backends.dedup();
    judged.seen.backends.shrink_to_fit();
    RouteOutcome {
        served,
        backends: judged.backends.into(),
        counted: counted.into(),
        verdict,
        seen: judged.seen,
        parents: looked_at.into(),
        parent_missing: missing,
        defaulted: common.asks_for_defaults(),
    }
}

impl Common<'_> {
    /// Whether it asks for default Gateways (GEP-3793).
    pub(crate) fn asks_for_defaults(&self) -> bool {
        self.default_gateways
            .is_some_and(|scope| *scope == DefaultScope::All)
    }
}
