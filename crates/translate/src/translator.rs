//! Translating again and again: what follows from an object is kept until the object, or something that was
//! looked at for it, is another one.
//!
//! Gateways are few and are judged every time (their certificates are parsed once). Routes are many and are
//! looked at only if something that they saw has changed. Whatever is made anew and equals what was there is
//! thrown away for what was there, so that who compares pointers sees no change.

use std::collections::BTreeMap;
use std::sync::Arc;

use daemun_model::backend::Backend;
use daemun_model::names::{BackendKey, BackendKind, ListenerOwner, ObjectName};
use daemun_model::verdict::Verdict;

use crate::Outcome;
use crate::attach::{self, Faces};
use crate::changes::{Changed, Changes};
use crate::cluster::Cluster;
use crate::emit::{self, Made};
use crate::endpoints::{self, Slices, service_of};
use crate::memo::Judgements;
use crate::policies::BackendPolicies;
use crate::policy::targets::TlsTargets;
use crate::read::gateway::{ReadGateways, read_gateways};
use crate::read::httproute::{self, RouteOutcome, Surroundings};
use crate::read::listenerpolicy;

/// Translates again and again, and gives the same `Arc` for what did not change.
#[derive(Debug, Default)]
pub struct Translator {
    cluster: Option<Cluster>,
    judgements: Judgements,
    faces: Faces,
    foreign: BTreeMap<ObjectName, String>,
    tls: TlsTargets,
    routes: Routes,
    slices: Slices,
    backends: Backends,
    policies: BackendPolicies,
    last: Outcome,
}

/// What follows from each route.
pub(crate) type Routes = BTreeMap<ObjectName, Arc<RouteOutcome>>;
/// The backends of each Gateway.
pub(crate) type Backends = BTreeMap<ObjectName, BTreeMap<BackendKey, Arc<Backend>>>;

impl Translator {
    /// Translates a cluster.
    pub fn translate(&mut self, cluster: &Cluster) -> Outcome {
        let changes = Changes::between(self.cluster.as_ref(), cluster);
        let mut gateways = read_gateways(cluster, &mut self.judgements);
        let listener_policies = listenerpolicy::apply_all(cluster, &mut gateways);
        let (policies, unsaid) = BackendPolicies::read(cluster, &mut self.judgements, &gateways);
        self.translate_routes(cluster, &changes, &gateways);
        self.translate_backends(cluster, &changes, policies);
        let mut said = unsaid.say(cluster, &self.backends);
        said.extend(
            listener_policies
                .into_iter()
                .filter_map(|(policy, users)| policy.verdict(cluster, &users)),
        );
        let made = Made {
            gateways: &gateways,
            routes: &self.routes,
            backends: &self.backends,
            said,
        };
        let outcome = emit::outcome(cluster, made, &self.last);
        self.judgements
            .prune(&cluster.secrets, &cluster.config_maps);
        self.cluster = Some(cluster.clone());
        self.last = outcome.clone();
        outcome
    }

    fn translate_routes(&mut self, cluster: &Cluster, changes: &Changes, gateways: &ReadGateways) {
        let faces = kept_faces(attach::faces(gateways), &self.faces);
        let tls = TlsTargets::read(cluster);
        let parents = ParentChanges {
            old: &self.faces,
            new: &faces,
            names: changes.settings
                || self.foreign != gateways.foreign
                || self.faces.len() != faces.len()
                || !self.faces.keys().eq(faces.keys())
                || self.cluster.as_ref().is_none_or(|old| {
                    !old.gateways.is_same(&cluster.gateways)
                        || !old.listener_sets.is_same(&cluster.listener_sets)
                }),
        };
        let tls_changed = tls != self.tls;
        let around = Surroundings {
            cluster,
            faces: &faces,
            foreign: &gateways.foreign,
            tls: &tls,
        };
        let mut routes = Routes::new();
        for (name, route) in &cluster.http_routes {
            let before = self.routes.get(name);
            let kept =
                before.filter(|before| !tls_changed && !is_stale(before, name, changes, &parents));
            let outcome = match kept {
                Some(kept) => Arc::clone(kept),
                None => {
                    let outcome = httproute::read(around, name, route);
                    Arc::new(match before {
                        Some(before) => keep_equal_parts(outcome, before),
                        None => outcome,
                    })
                }
            };
            routes.insert(name.clone(), outcome);
        }
        self.routes = routes;
        self.faces = faces;
        self.tls = tls;
        self.foreign.clone_from(&gateways.foreign);
    }

    fn translate_backends(
        &mut self,
        cluster: &Cluster,
        changes: &Changes,
        policies: BackendPolicies,
    ) {
        let touched = self.touched_services(cluster, changes);
        if changes.endpoint_slices.any() {
            self.slices = Slices::gather(cluster);
        }
        let all = policies != self.policies || changes.settings;
        let is_touched = |key: &BackendKey| match key.kind {
            BackendKind::Service => {
                all || changes.services.contains(&key.name) || touched.contains(&key.name)
            }
            BackendKind::Backend => all || changes.backends.contains(&key.name),
        };
        let mut wanted = Backends::new();
        for outcome in self.routes.values() {
            for gateway in outcome.routes.keys() {
                let before = self.backends.get(gateway);
                let backends = wanted.entry(gateway.clone()).or_default();
                for key in &outcome.backends {
                    if backends.contains_key(key) {
                        continue;
                    }
                    let before = before.and_then(|before| before.get(key));
                    let backend = match before.filter(|_| !is_touched(key)) {
                        Some(kept) => Some(Arc::clone(kept)),
                        None => endpoints::backend(cluster, &self.slices, key).map(|mut made| {
                            policies.apply(cluster, gateway, &mut made);
                            or_before(made, before)
                        }),
                    };
                    if let Some(backend) = backend {
                        backends.insert(key.clone(), backend);
                    }
                }
            }
        }
        self.backends = wanted;
        self.policies = policies;
    }

    /// Services whose slices changed: those that the slices belong to now, or did.
    fn touched_services(&self, cluster: &Cluster, changes: &Changes) -> Changed {
        let Changed::These(names) = &changes.endpoint_slices else {
            return Changed::All;
        };
        let old = self.cluster.as_ref().map(|old| &old.endpoint_slices);
        let maps = [old, Some(&cluster.endpoint_slices)];
        let slices = names
            .iter()
            .flat_map(|name| maps.iter().filter_map(move |map| (*map)?.get(name)));
        Changed::These(slices.filter_map(|slice| service_of(slice)).collect())
    }
}

/// What changed about parents.
struct ParentChanges<'a> {
    old: &'a Faces,
    new: &'a Faces,
    /// Whether the names of parents did, or anything that messages about missing parents say.
    names: bool,
}

impl ParentChanges<'_> {
    fn changed(&self, key: &(ListenerOwner, ObjectName)) -> bool {
        match (self.old.get(key), self.new.get(key)) {
            (Some(old), Some(new)) => !Arc::ptr_eq(old, new),
            (None, None) => false,
            _ => true,
        }
    }
}

fn is_stale(
    outcome: &RouteOutcome,
    name: &ObjectName,
    changes: &Changes,
    parents: &ParentChanges<'_>,
) -> bool {
    let RouteOutcome {
        routes: _,
        backends: _,
        counted: _,
        verdict: _,
        seen,
        parents: looked_at,
        parent_missing,
    } = outcome;
    let backends_changed = || {
        let any = changes.services.any() || changes.backends.any();
        any && (seen.names
            || seen.backends.iter().any(|(_, name)| {
                // A Service of a Backend's name, or the other way round, is worth a hint.
                changes.services.contains(name) || changes.backends.contains(name)
            }))
    };
    let namespace_changed = || {
        changes.namespaces.any()
            && changes
                .namespaces
                .contains(&ObjectName::new("", &name.namespace))
    };
    changes.settings
        || changes.http_routes.contains(name)
        || looked_at.iter().any(|key| parents.changed(key))
        || (*parent_missing && parents.names)
        || (seen.grants && changes.grants)
        || namespace_changed()
        || backends_changed()
}

fn kept_faces(mut new: Faces, old: &Faces) -> Faces {
    for (key, face) in &mut new {
        if let Some(old) = old.get(key).filter(|old| *old == face) {
            *face = Arc::clone(old);
        }
    }
    new
}

/// What was there, if it is the same.
fn or_before<T: PartialEq>(made: T, before: Option<&Arc<T>>) -> Arc<T> {
    match before {
        Some(before) if **before == made => Arc::clone(before),
        _ => Arc::new(made),
    }
}

fn keep_equal_parts(mut outcome: RouteOutcome, before: &RouteOutcome) -> RouteOutcome {
    for (gateway, route) in &mut outcome.routes {
        if let Some(same) = before.routes.get(gateway).filter(|old| *old == route) {
            *route = Arc::clone(same);
        }
    }
    keep_equal_verdict(&mut outcome.verdict, before.verdict.as_ref());
    outcome
}

fn keep_equal_verdict(made: &mut Option<Arc<Verdict>>, before: Option<&Arc<Verdict>>) {
    if let Some(before) = before
        && made.as_ref() == Some(before)
    {
        *made = Some(Arc::clone(before));
    }
}
