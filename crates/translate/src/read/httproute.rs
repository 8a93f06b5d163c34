//! HTTPRoutes: their rules (gateway-api `HTTPRoute`).

use std::sync::Arc;

use daemun_model::names::{Created, RouteKey};
use daemun_model::route::{HttpRoute, Rule};
use daemun_objects::gateway_api::httproute::{HttpRoute as Written, HttpRouteRule};

use super::hostnames::Hostnames;
use super::route::{self, Common, Judged, RouteOutcome, Served, Surroundings};
use super::rule;
use crate::backends::Resolver;

/// Translates an HTTPRoute.
pub(crate) fn read(around: Surroundings<'_>, key: &RouteKey, route: &Written) -> RouteOutcome {
    let common = Common {
        key,
        metadata: &route.metadata,
        parent_refs: &route.spec.parent_refs,
        default_gateways: route.spec.use_default_gateways.as_ref(),
        hostnames: Hostnames::read(&route.spec.hostnames),
    };
    let (rules, judged) = read_rules(around, key, &route.spec.rules);
    outcome(around, &common, &rules, judged)
}

/// What follows from an HTTPRoute or GRPCRoute with these rules.
pub(crate) fn outcome(
    around: Surroundings<'_>,
    common: &Common<'_>,
    rules: &[Rule],
    judged: Judged,
) -> RouteOutcome {
    route::outcome(around, common, judged, |created: Created, attachments| {
        Served::Http(Arc::new(HttpRoute {
            key: common.key.clone(),
            created,
            attachments,
            rules: rules.to_vec(),
        }))
    })
}

/// Reads rules; none stand for one that takes everything.
pub(crate) fn read_rules(
    around: Surroundings<'_>,
    key: &RouteKey,
    written: &[HttpRouteRule],
) -> (Vec<Rule>, Judged) {
    let mut resolver = Resolver::new(around.cluster, around.tls, (key.kind, &key.name.namespace));
    let everything = [HttpRouteRule::default()];
    let written = if written.is_empty() {
        everything.as_slice()
    } else {
        written
    };
    let mut rules = Vec::with_capacity(written.len());
    let mut judged = Judged {
        wholly: true,
        ..Judged::default()
    };
    let mut earlier_names: Vec<&str> = Vec::new();
    for (index, written) in written.iter().enumerate() {
        let place = rule::Place {
            route: &key.name,
            index,
            earlier_names: &earlier_names,
        };
        let read = rule::read(&mut resolver, written, &place);
        earlier_names.extend(written.name.as_deref());
        rules.extend(read.rule);
        judged.backends.extend(read.backends);
        judged.wholly &= read.wholly;
        let refused = read.refused.iter().cloned().map(Into::into);
        let unresolved = read.unresolved.iter().cloned().map(Into::into);
        judged.findings.extend(refused);
        judged.findings.extend(unresolved);
        judged.findings.extend(read.findings);
        judged.unresolved.extend(read.unresolved);
        if !read.refused.is_empty() {
            judged.refused.push((index + 1, read.refused));
        }
    }
    judged.takes = !rules.is_empty();
    judged.seen = resolver.seen;
    (rules, judged)
}
