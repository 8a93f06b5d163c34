//! HTTPRoutes: their rules (gateway-api `HTTPRoute`).

use std::borrow::Cow;
use std::sync::Arc;

use daemun_model::names::{Created, RouteKey};
use daemun_model::route::{HttpRoute, Rule};
use daemun_objects::gateway_api::httproute::{HttpRoute as Written, HttpRouteRule};

use super::hostnames::Hostnames;
use super::route::{self, Common, Judged, RouteOutcome, Served, Surroundings};
use super::{matches, rule};
use crate::backends::Resolver;

/// Translates an HTTPRoute.
pub(crate) fn read(around: Surroundings<'_>, key: &RouteKey, route: &Written) -> RouteOutcome {
    let common = Common::of(key, route, Hostnames::read(&route.spec.hostnames));
    let written = rule::or_everything(&route.spec.rules);
    let rules = written.iter().enumerate().map(|(index, rule)| {
        let matches = rule::matches(&rule.matches, index, matches::read);
        (Cow::Borrowed(rule), matches)
    });
    let (rules, judged) = read_rules(around, key, rules);
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

/// Reads rules with their matches.
pub(crate) fn read_rules<'a>(
    around: Surroundings<'_>,
    key: &RouteKey,
    written: impl Iterator<Item = (Cow<'a, HttpRouteRule>, rule::Matches)>,
) -> (Vec<Rule>, Judged) {
    let mut resolver = Resolver::new(around.cluster, around.tls, (key.kind, &key.name.namespace));
    let mut rules = Vec::new();
    let mut judged = Judged {
        wholly: true,
        ..Judged::default()
    };
    let mut earlier_names: Vec<String> = Vec::new();
    for (index, (written, matches)) in written.enumerate() {
        let place = rule::Place {
            route: key,
            index,
            earlier_names: &earlier_names,
        };
        let read = rule::read(&mut resolver, &written, matches, &place);
        earlier_names.extend(written.name.clone());
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
