//! A rule of an HTTPRoute: matches, filters, backends and settings (gateway-api `HTTPRouteRule`). One of a GRPCRoute
//! is the same, but for its matches.
//!
//! A rule whose matches cannot be understood is dropped: nobody knows what it would have taken. A rule that
//! has anything else wrong keeps its matches and answers 500, so that its requests do not fall through to a
//! rule that was not meant for them.

use std::borrow::Cow;

use daemun_model::backend::BackendTarget;
use daemun_model::filter::Filter;
use daemun_model::matching::RequestMatch;
use daemun_model::names::{BackendKey, RouteKey, RouteKind};
use daemun_model::policy::timeouts::Timeouts;
use daemun_model::route::{Rule, WeightedBackend};
use daemun_model::verdict::{FieldPath, Finding};
use daemun_objects::gateway_api::httproute::{HttpBackendRef, HttpRouteRule};

use crate::backends::Resolver;
use crate::filter::{self, Filters};
use crate::policy::{retry, session, timeouts};
use crate::value::is_section_name;
use crate::verdict::{Refusal, warning};

/// The largest weight of a backend reference.
const MAX_WEIGHT: u32 = 1_000_000;

/// A rule that was read.
pub(crate) struct ReadRule {
    /// The rule; none if it is dropped.
    pub(crate) rule: Option<Rule>,
    /// The backends that it refers to.
    pub(crate) backends: Vec<BackendKey>,
    /// Values that cannot be understood: the rule is dropped, or answers 500, in whole or in part.
    pub(crate) refused: Vec<Refusal>,
    /// References that cannot be resolved.
    pub(crate) unresolved: Vec<Refusal>,
    /// What works and may surprise.
    pub(crate) findings: Vec<Finding>,
    /// Whether the refusals concern the whole rule, not only a share of its requests.
    pub(crate) wholly: bool,
}

/// The matches of a rule; none if one of them cannot be understood.
pub(crate) struct Matches {
    read: Result<Vec<RequestMatch>, Vec<Refusal>>,
    findings: Vec<Finding>,
}

/// Where a rule stands.
pub(crate) struct Place<'a> {
    /// The route.
    pub(crate) route: &'a RouteKey,
    /// The rule's place in `spec.rules`, from 0.
    pub(crate) index: usize,
    /// The names of the rules before it.
    pub(crate) earlier_names: &'a [String],
}

/// Reads a rule whose matches were read.
pub(crate) fn read(
    resolver: &mut Resolver<'_>,
    written: &HttpRouteRule,
    matches: Matches,
    place: &Place<'_>,
) -> ReadRule {
    let HttpRouteRule {
        name,
        matches: _, // They were read: those of a GRPCRoute are others.
        filters: written_filters,
        backend_refs,
        timeouts: _, // In settings.
        retry: _,
        session_persistence: _,
    } = written;
    let path = FieldPath::of("spec.rules").index(place.index);
    let mut read = ReadRule {
        rule: None,
        backends: Vec::new(),
        refused: Vec::new(),
        unresolved: Vec::new(),
        findings: matches.findings,
        wholly: true,
    };
    let matches = match matches.read {
        Ok(matches) => matches,
        Err(refusals) => {
            read.refused = refusals;
            return read;
        }
    };
    let mut rule = Rule {
        index: place.index,
        name: name.clone(),
        matches,
        filters: Vec::new(),
        backends: Vec::new(),
        timeouts: Timeouts::default(),
        retry: None,
        session: None,
    };
    let filters = filter::read_all(
        resolver,
        written_filters,
        &rule.matches,
        &path.field("filters"),
    );
    let Filters {
        filters,
        refused,
        unresolved,
    } = filters;
    read.refused.extend(refused);
    read.unresolved.extend(unresolved);
    rule.filters = filters;
    settings(written, &path, place, &mut rule, &mut read);
    redirects_without_backends(backend_refs, &path, &mut rule, &mut read);
    read.wholly = !read.refused.is_empty();
    rule.backends.reserve_exact(backend_refs.len());
    for (index, reference) in backend_refs.iter().enumerate() {
        let path = path.field("backendRefs").index(index);
        let backend = read_backend(resolver, reference, &rule.matches, &path, &mut read);
        rule.backends.push(backend);
    }
    warn_about_backends(place.route.kind, &path, &rule, &mut read);
    if let Some(invalid) = take_invalid(&mut rule.filters) {
        // The answer is settled before any other filter could give one.
        rule.filters = vec![invalid];
        rule.backends.clear();
    }
    read.backends = keys(&rule);
    read.rule = Some(rule);
    read
}

/// A Route's rules; none is one rule that takes everything.
pub(crate) fn or_everything<R: Clone + Default>(written: &[R]) -> Cow<'_, [R]> {
    match written {
        [] => Cow::Owned(vec![R::default()]),
        written => Cow::Borrowed(written),
    }
}

/// The first filter that answers 500, if there is one.
fn take_invalid(filters: &mut Vec<Filter>) -> Option<Filter> {
    let at = filters
        .iter()
        .position(|filter| matches!(filter, Filter::Invalid(_)))?;
    Some(filters.swap_remove(at))
}

/// The backends that a rule's shares and its filters go to.
fn keys(rule: &Rule) -> Vec<BackendKey> {
    let of_shares = rule.backends.iter().flat_map(|share| &share.filters);
    let of_filters = rule
        .filters
        .iter()
        .chain(of_shares)
        .filter_map(filter::backend);
    let targets = rule
        .backends
        .iter()
        .filter_map(|share| match &share.target {
            BackendTarget::Backend(key) => Some(key),
            BackendTarget::Invalid { .. } => None,
        });
    targets.chain(of_filters).cloned().collect()
}

/// Reads the matches of the rule at `index`, each in the way of its kind. None mean that everything is taken.
pub(crate) fn matches<W>(
    written: &[W],
    index: usize,
    read: impl Fn(&W, &FieldPath, &mut Vec<Finding>) -> Result<RequestMatch, Refusal>,
) -> Matches {
    let path = FieldPath::of("spec.rules").index(index).field("matches");
    let mut findings = Vec::new();
    let mut all = Vec::with_capacity(written.len());
    let mut refused = Vec::new();
    for (index, written) in written.iter().enumerate() {
        match read(written, &path.index(index), &mut findings) {
            Ok(one) if all.contains(&one) => {}
            Ok(one) => all.push(one),
            Err(refusal) => refused.push(refusal),
        }
    }
    if written.is_empty() {
        all.push(RequestMatch::everything());
    }
    Matches {
        read: if refused.is_empty() {
            Ok(all)
        } else {
            Err(refused)
        },
        findings,
    }
}

fn settings(
    written: &HttpRouteRule,
    path: &FieldPath,
    place: &Place<'_>,
    rule: &mut Rule,
    read: &mut ReadRule,
) {
    let mut refuse = |refusal: Refusal| {
        rule.filters.push(Filter::Invalid(refusal.message.clone()));
        read.refused.push(refusal);
    };
    if let Some(name) = written.name.as_deref() {
        let path = path.field("name");
        if !is_section_name(name) {
            refuse(Refusal::unsupported(
                path,
                format!(
                    "\"{name}\" is not a name for a rule: lower case letters, digits and inner hyphens, with dots between labels (RFC 1123)."
                ),
            ));
        } else if place.earlier_names.iter().any(|earlier| earlier == name) {
            refuse(Refusal::unsupported(
                path,
                format!(
                    "There is a rule \"{name}\" before this one, and names are unique in a route; give it another name."
                ),
            ));
        }
    }
    if let Some(written) = &written.timeouts {
        match timeouts::read(written, &path.field("timeouts")) {
            Ok(limits) => rule.timeouts = limits,
            Err(refusal) => refuse(refusal),
        }
    }
    if let Some(written) = &written.retry {
        match retry::read(written, &path.field("retry")) {
            Ok(retry) => rule.retry = Some(Box::new(retry)),
            Err(refusal) => refuse(refusal),
        }
    }
    if let Some(written) = &written.session_persistence {
        let path = path.field("sessionPersistence");
        match session::read(written, &path, (place.route, place.index)) {
            Ok(session) => rule.session = Some(Box::new(session)),
            Err(refusal) => refuse(refusal),
        }
    }
}

fn redirects_without_backends(
    backend_refs: &[HttpBackendRef],
    path: &FieldPath,
    rule: &mut Rule,
    read: &mut ReadRule,
) {
    let redirects = rule
        .filters
        .iter()
        .any(|filter| matches!(filter, Filter::Redirect(_)));
    if redirects && !backend_refs.is_empty() {
        let refusal = Refusal::unsupported(
            path.field("backendRefs"),
            "A rule with a RequestRedirect filter sends nothing to backends, and backendRefs are given; take one of them out.",
        );
        rule.filters.push(Filter::Invalid(refusal.message.clone()));
        read.refused.push(refusal);
    }
}

fn read_backend(
    resolver: &mut Resolver<'_>,
    reference: &HttpBackendRef,
    matches: &[RequestMatch],
    path: &FieldPath,
    read: &mut ReadRule,
) -> WeightedBackend {
    let Filters {
        mut filters,
        refused,
        unresolved,
    } = filter::read_all(
        resolver,
        &reference.filters,
        matches,
        &path.field("filters"),
    );
    read.refused.extend(refused);
    read.unresolved.extend(unresolved);
    let weight = weight(reference.weight(), path).unwrap_or_else(|refusal| {
        filters.push(Filter::Invalid(refusal.message.clone()));
        read.refused.push(refusal);
        1
    });
    let target = match resolver.resolve(&reference.object(), path) {
        Ok(key) => BackendTarget::Backend(key),
        Err(invalid) => {
            let (target, refusal) = *invalid;
            read.unresolved.push(refusal);
            target
        }
    };
    if let Some(invalid) = take_invalid(&mut filters) {
        filters = vec![invalid];
    }
    WeightedBackend {
        target,
        weight,
        filters,
    }
}

/// Reads the weight of a backend reference at a path.
pub(crate) fn weight(written: i32, path: &FieldPath) -> Result<u32, Refusal> {
    u32::try_from(written)
        .ok()
        .filter(|weight| *weight <= MAX_WEIGHT)
        .ok_or_else(|| {
            Refusal::unsupported(
                path.field("weight"),
                format!(
                    "{written} is not a weight; 0 to {MAX_WEIGHT} are. The share counts as 1, and what it would get is refused."
                ),
            )
        })
}

fn warn_about_backends(kind: RouteKind, path: &FieldPath, rule: &Rule, read: &mut ReadRule) {
    let answers = rule.filters.iter().any(|filter| match filter {
        Filter::Redirect(_) | Filter::Invalid(_) => true,
        Filter::RequestHeaders(_)
        | Filter::ResponseHeaders(_)
        | Filter::Rewrite(_)
        | Filter::Mirror(_)
        | Filter::Cors(_)
        | Filter::ExternalAuth(_) => false,
    });
    if answers {
        return;
    }
    let (path, why) = if rule.backends.is_empty() {
        let why = "The rule has no backendRefs and no filter that answers";
        (path.clone(), why)
    } else if rule.backends.iter().all(|backend| backend.weight == 0) {
        (
            path.field("backendRefs"),
            "All backends of the rule have weight 0",
        )
    } else {
        return;
    };
    let told = match kind {
        RouteKind::Grpc => "calls get UNAVAILABLE",
        RouteKind::Http | RouteKind::Tls | RouteKind::Tcp | RouteKind::Udp => "requests get 500",
    };
    let message = format!("{why}: its {told}.");
    read.findings.push(warning(path, "NoBackends", message));
}
