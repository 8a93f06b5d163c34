//! Routes below HTTP: TLSRoutes, TCPRoutes and UDPRoutes. Each has one rule, and the rule has backends only.
//!
//! A backend that cannot be resolved refuses its share of the connections (of datagrams: they are dropped). A
//! rule that has anything else wrong refuses all, so that none falls through to a Route that was not meant for
//! it.

use std::sync::Arc;

use daemun_model::backend::BackendTarget;
use daemun_model::names::{RouteKey, RouteKind};
use daemun_model::stream::{StreamBackend, StreamRoute};
use daemun_model::verdict::FieldPath;
use daemun_objects::Object;
use daemun_objects::gateway_api::route::StreamRouteSpec;
use daemun_objects::gateway_api::shared::{BackendRef, StreamRouteRule};

use super::hostnames::Hostnames;
use super::route::{self, Common, Judged, RouteOutcome, Served, Surroundings, refused_in_words};
use super::rule::weight;
use crate::backends::Resolver;
use crate::value::is_section_name;
use crate::verdict::{Refusal, warning};

/// Translates a Route with the hostnames that its kind has.
pub(crate) fn read<S: StreamRouteSpec>(
    around: Surroundings<'_>,
    key: &RouteKey,
    route: &Object<S>,
    hostnames: Hostnames,
) -> RouteOutcome {
    let common = Common::of(key, route, hostnames);
    let mut resolver = Resolver::new(around.cluster, around.tls, (key.kind, &key.name.namespace));
    let (rule, mut judged) = read_rule(&mut resolver, key.kind, route.spec.rules());
    judged.seen = resolver.seen;
    route::outcome(around, &common, judged, |created, attachments| {
        let ReadRule { name, backends } = rule.clone();
        Served::Stream(Arc::new(StreamRoute {
            key: key.clone(),
            created,
            attachments,
            rule: name,
            backends,
        }))
    })
}

/// The rule of a Route.
#[derive(Clone, Default)]
struct ReadRule {
    name: Option<String>,
    backends: Vec<StreamBackend>,
}

fn read_rule(
    resolver: &mut Resolver<'_>,
    kind: RouteKind,
    rules: &[StreamRouteRule],
) -> (ReadRule, Judged) {
    let path = FieldPath::of("spec.rules");
    let mut judged = Judged {
        takes: true,
        ..Judged::default()
    };
    let Some((rule, more)) = rules.split_first() else {
        let refusal = Refusal::unsupported(
            path,
            format!("A {} has one rule, and rules has none.", kind.as_str()),
        );
        judged.findings.push(refusal.clone().into());
        judged.refused.push((1, vec![refusal]));
        judged.wholly = true;
        return (ReadRule::default(), judged);
    };
    let StreamRouteRule { name, backend_refs } = rule;
    let path = path.index(0);
    let mut refused = Vec::new();
    if let Some(name) = name.as_deref().filter(|name| !is_section_name(name)) {
        refused.push(Refusal::unsupported(
            path.field("name"),
            format!(
                "\"{name}\" is not a name for a rule: lower case letters, digits and inner hyphens, with dots between labels (RFC 1123)."
            ),
        ));
        judged.wholly = true;
    }
    let path = path.field("backendRefs");
    let mut backends = Vec::with_capacity(backend_refs.len());
    for (index, reference) in backend_refs.iter().enumerate() {
        let path = path.index(index);
        let (backend, wrong) = read_backend(resolver, reference, &path, &mut judged);
        backends.push(backend);
        refused.extend(wrong);
    }
    if judged.wholly {
        backends.clear();
    } else if backends.iter().all(|backend| backend.weight == 0) {
        judged
            .findings
            .push(nothing_to_send_to(kind, &backends, path));
    }
    let targets = backends.iter().map(|backend| &backend.target);
    judged.backends = targets.filter_map(BackendTarget::key).cloned().collect();
    if !refused.is_empty() {
        judged.refused.push((1, refused));
    }
    for (index, _) in more.iter().enumerate() {
        let number = index + 2;
        let refusal = Refusal::unsupported(
            FieldPath::of("spec.rules").index(index + 1),
            format!(
                "A {} has one rule; rule {number} is not served. Write another route for it.",
                kind.as_str()
            ),
        );
        judged.refused.push((number, vec![refusal]));
    }
    let all = judged.refused.iter().flat_map(|(_, refused)| refused);
    let all = all.chain(&judged.unresolved).cloned();
    let found: Vec<_> = all.map(Into::into).collect();
    judged.findings.extend(found);
    let name = name.clone();
    (ReadRule { name, backends }, judged)
}

fn read_backend(
    resolver: &mut Resolver<'_>,
    reference: &BackendRef,
    path: &FieldPath,
    judged: &mut Judged,
) -> (StreamBackend, Option<Refusal>) {
    let (target, written) = match resolver.resolve(&reference.object(), path) {
        Ok(key) => {
            let written = key.to_string();
            (BackendTarget::Backend(key), written)
        }
        Err(invalid) => {
            let (target, refusal) = *invalid;
            judged.unresolved.push(refusal);
            (target, reference.name.clone())
        }
    };
    match weight(reference.weight(), path) {
        Ok(weight) => (StreamBackend { target, weight }, None),
        Err(refusal) => {
            let target = BackendTarget::Invalid {
                written,
                reason: refusal.message.clone(),
            };
            (StreamBackend { target, weight: 1 }, Some(refusal))
        }
    }
}

fn nothing_to_send_to(
    kind: RouteKind,
    backends: &[StreamBackend],
    path: FieldPath,
) -> daemun_model::verdict::Finding {
    let (what, told) = refused_in_words(kind);
    let why = if backends.is_empty() {
        "The rule has no backendRefs"
    } else {
        "All backends of the rule have weight 0"
    };
    warning(path, "NoBackends", format!("{why}. {what} {told}."))
}
