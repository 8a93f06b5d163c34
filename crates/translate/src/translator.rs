//! Translating again and again: what follows from an object is kept until the object, or something that was
//! looked at for it, is another one.
//!
//! Gateways are judged together, because they are judged against one another, and only if something that they
//! look at has changed (their certificates are parsed once). Routes are looked at one by one, and only if something that they saw has changed; a Gateway's snapshot is the one before with the
//! parts that changed in their places. Whatever is made anew and equals what was there is thrown away for
//! what was there, so that who compares pointers sees no change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use daemun_model::names::{
    BackendKey, BackendKind, ListenerOwner, ObjectName, RouteKey, Transport,
};
use daemun_model::verdict::Verdict;

use crate::Outcome;
use crate::attach::Faces;
use crate::changes::{Changed, Changes};
use crate::cluster::Cluster;
use crate::emit::{self, Made};
use crate::endpoints::Slices;
use crate::exposure::fronts::Fronts;
use crate::lately::Lately;
use crate::memo::{Judgements, Wanted};
use crate::notes::Notes;
use crate::policies::BackendPolicies;
use crate::policy::targets::TlsTargets;
use crate::read::exposure;
use crate::read::faces::faces;
use crate::read::gateway::{ReadGateway, ReadGateways, read_gateways};
use crate::read::listenerpolicy;
use crate::read::route::{RouteOutcome, Surroundings};
use crate::read::routes;
use crate::standing::{Standing, Touched};
use crate::tls::certificates::next_change;

/// Translates again and again, and gives the same `Arc` for what did not change.
#[derive(Debug, Default)]
pub struct Translator {
    cluster: Option<Cluster>,
    judgements: Judgements,
    gateways: Arc<JudgedGateways>,
    faces: Faces,
    foreign: BTreeMap<ObjectName, String>,
    tls: TlsTargets,
    policies: BackendPolicies,
    slices: Slices,
    fronts: Fronts,
    standing: Standing,
    lately: Lately,
    notes: Notes,
    last: Outcome,
}

impl Translator {
    /// Translates a cluster.
    pub fn translate(&mut self, cluster: &Cluster) -> Outcome {
        let changes = Changes::between(self.cluster.as_ref(), cluster);
        self.fronts
            .take(self.cluster.as_ref(), cluster, &changes.services);
        let judged = self.judge_gateways(cluster, &changes);
        let gateways = &judged.gateways;
        let (policies, unsaid) = BackendPolicies::read(cluster, &mut self.judgements, gateways);
        let wanted = self.judgements.take_wanted().and(&judged.wanted);
        let mut touched = Touched::default();
        self.translate_routes(cluster, &changes, gateways, &mut touched);
        self.touch_backends(cluster, &changes, policies, &mut touched);
        let mut said = unsaid.say(cluster, &self.standing);
        said.extend(judged.said.iter().cloned());
        let made = Made {
            gateways,
            standing: &self.standing,
            touched: &touched,
            policies: &self.policies,
            slices: &self.slices,
            fronts: &self.fronts,
            looks: emit::look(cluster, &self.fronts, gateways),
            said,
            wanted,
        };
        let outcome = emit::outcome(cluster, made, &mut self.notes, &self.last);
        self.judgements
            .prune(&cluster.secrets, &cluster.config_maps);
        self.cluster = Some(cluster.clone());
        self.last = outcome.clone();
        outcome
    }

    /// Judges Gateways, ListenerSets and ListenerPolicies, unless nothing that they look at has changed and no
    /// certificate has come of age.
    fn judge_gateways(&mut self, cluster: &Cluster, changes: &Changes) -> Arc<JudgedGateways> {
        let still = self.cluster.as_ref().is_some_and(|old| {
            old.settings == cluster.settings
                && old.gateway_classes.is_same(&cluster.gateway_classes)
                && old.gateways.is_same(&cluster.gateways)
                && old.listener_sets.is_same(&cluster.listener_sets)
                && old.listener_policies.is_same(&cluster.listener_policies)
                && old.gateway_parameters.is_same(&cluster.gateway_parameters)
                && old.reference_grants.is_same(&cluster.reference_grants)
                && old.namespaces.is_same(&cluster.namespaces)
                && old.secrets.is_same(&cluster.secrets)
                && old.config_maps.is_same(&cluster.config_maps)
                && old.nodes.is_same(&cluster.nodes)
                && old.nodes_hidden == cluster.nodes_hidden
                && old.withheld == cluster.withheld
                && !exposure::fronts_changed(
                    (old, cluster),
                    &self.gateways.gateways.ours,
                    &changes.services,
                )
        });
        if !still || !self.gateways.holds_at(cluster.now) {
            let last = Arc::clone(&self.gateways);
            let mut gateways =
                read_gateways(cluster, &mut self.judgements, &self.fronts, &last.gateways);
            let said = listenerpolicy::apply_all(cluster, &mut gateways)
                .into_iter()
                .filter_map(|(policy, users)| policy.verdict(cluster, &users))
                .collect();
            let wanted = self.judgements.take_wanted();
            self.gateways = Arc::new(JudgedGateways {
                wanted,
                ..JudgedGateways::new(gateways, said, cluster.now)
            });
        }
        Arc::clone(&self.gateways)
    }

    fn translate_routes(
        &mut self,
        cluster: &Cluster,
        changes: &Changes,
        gateways: &ReadGateways,
        touched: &mut Touched,
    ) {
        let faces = kept_faces(faces(gateways, cluster.settings.home), &self.faces);
        let tls = TlsTargets::read(cluster);
        let stale = self.stale_routes(cluster, changes, gateways, (&faces, &tls));
        let defaults = default_gateways(&faces);
        let around = Surroundings {
            cluster,
            faces: &faces,
            defaults: &defaults,
            foreign: &gateways.foreign,
            tls: &tls,
        };
        let many = stale.len() > self.standing.routes().len();
        for key in stale {
            let next = routes::read(around, &key).map(|mut outcome| {
                self.lately.share(&mut outcome);
                let before = self.standing.routes().get(&key);
                Arc::new(match before {
                    Some(before) => keep_equal_parts(outcome, before),
                    None => outcome,
                })
            });
            self.standing.replace(&key, next, touched);
        }
        if many {
            self.standing.pack();
        }
        self.faces = faces;
        self.tls = tls;
        self.foreign.clone_from(&gateways.foreign);
    }

    /// The routes that must be looked at again, and those that are gone.
    fn stale_routes(
        &self,
        cluster: &Cluster,
        changes: &Changes,
        gateways: &ReadGateways,
        (faces, tls): (&Faces, &TlsTargets),
    ) -> BTreeSet<RouteKey> {
        let everything = changes.settings || *tls != self.tls;
        let Changed::These(keys) = &changes.routes else {
            return routes::all(cluster).collect();
        };
        let mut stale = keys.clone();
        let parents = ParentChanges {
            changed: changed_parents(&self.faces, faces),
            defaults: default_gateways(&self.faces) != default_gateways(faces),
            names: self.foreign != gateways.foreign
                || self.cluster.as_ref().is_none_or(|old| {
                    !old.gateways.is_same(&cluster.gateways)
                        || !old.listener_sets.is_same(&cluster.listener_sets)
                }),
        };
        let quiet = parents.changed.is_empty()
            && !parents.names
            && !changes.grants
            && !changes.namespaces.any()
            && !changes.services.any()
            && !changes.backends.any()
            && !changes.x_backends.any();
        if everything || !quiet {
            let others = self.standing.routes().iter();
            stale.extend(
                others
                    .filter(|(key, before)| {
                        everything || is_stale(before, &key.name, changes, &parents)
                    })
                    .map(|(key, _)| key.clone()),
            );
        }
        stale
    }

    /// The backends that must be made again because of something else than a route.
    fn touch_backends(
        &mut self,
        cluster: &Cluster,
        changes: &Changes,
        policies: BackendPolicies,
        touched: &mut Touched,
    ) {
        let services = self.take_slices(cluster, changes);
        let everything = policies != self.policies || changes.settings;
        self.policies = policies;
        let sources = [
            (BackendKind::Service, &changes.services),
            (BackendKind::Service, &services),
            (BackendKind::Backend, &changes.backends),
            (BackendKind::XBackend, &changes.x_backends),
        ];
        for (gateway, used) in self.standing.uses() {
            let into = touched.backends.entry(gateway.clone()).or_default();
            for (kind, changed) in sources {
                match changed {
                    Changed::These(names) if !everything => {
                        for name in names {
                            into.extend(
                                used.range(ports_of(kind, name)).map(|(key, _)| key.clone()),
                            );
                        }
                    }
                    Changed::All | Changed::These(_) => into.extend(used.keys().cloned()),
                }
            }
        }
    }

    /// Takes in the slices that changed, and names the Services that they belong to now, or did.
    fn take_slices(&mut self, cluster: &Cluster, changes: &Changes) -> Changed {
        let new = &cluster.endpoint_slices;
        match &changes.endpoint_slices {
            Changed::All => {
                self.slices = Slices::default();
                for (name, slice) in new {
                    self.slices.replace(name, None, Some(slice)).for_each(drop);
                }
                Changed::All
            }
            Changed::These(names) => {
                let old = self.cluster.as_ref().map(|old| &old.endpoint_slices);
                let mut services = BTreeSet::new();
                for name in names {
                    let old = old.and_then(|old| old.get(name));
                    services.extend(self.slices.replace(name, old, new.get(name)));
                }
                Changed::These(services)
            }
        }
    }
}

/// What was judged of Gateways, and for how long it holds.
#[derive(Debug, Default)]
struct JudgedGateways {
    gateways: ReadGateways,
    /// What is said about ListenerPolicies.
    said: Vec<Verdict>,
    /// Secrets and ConfigMaps that were looked for.
    wanted: Wanted,
    /// When it was judged, and when something else is to be said about a certificate.
    from: i64,
    until: i64,
}

impl JudgedGateways {
    fn new(gateways: ReadGateways, said: Vec<Verdict>, now: i64) -> Self {
        let entries = gateways.ours.iter().flat_map(ReadGateway::all_entries);
        let until = entries
            .flat_map(|entry| &entry.certificates)
            .filter_map(|certificate| next_change(certificate, now))
            .min()
            .unwrap_or(i64::MAX);
        Self {
            gateways,
            said,
            wanted: Wanted::default(),
            from: now,
            until,
        }
    }

    fn holds_at(&self, now: i64) -> bool {
        (self.from..self.until).contains(&now)
    }
}

/// The keys of all ports of an object.
fn ports_of(kind: BackendKind, name: &ObjectName) -> std::ops::RangeInclusive<BackendKey> {
    let key = |port, transport| BackendKey {
        kind,
        name: name.clone(),
        port,
        transport,
    };
    key(0, Transport::Tcp)..=key(u16::MAX, Transport::Udp)
}

/// What changed about parents.
struct ParentChanges {
    /// Parents that came, went, or look otherwise.
    changed: BTreeSet<(ListenerOwner, ObjectName)>,
    /// Whether the default Gateways are others.
    defaults: bool,
    /// Whether the names of parents did, or anything else that is said about missing ones.
    names: bool,
}

fn changed_parents(old: &Faces, new: &Faces) -> BTreeSet<(ListenerOwner, ObjectName)> {
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    let other = new
        .iter()
        .filter(|(key, face)| !old.get(*key).is_some_and(|old| Arc::ptr_eq(old, face)));
    gone.chain(other.map(|(key, _)| key)).cloned().collect()
}

fn is_stale(
    outcome: &RouteOutcome,
    name: &ObjectName,
    changes: &Changes,
    parents: &ParentChanges,
) -> bool {
    let RouteOutcome {
        served: _,
        backends: _,
        counted: _,
        verdict: _,
        seen,
        parents: looked_at,
        parent_missing,
        defaulted,
    } = outcome;
    let backends_changed = || {
        let all = [&changes.services, &changes.backends, &changes.x_backends];
        let any = all.iter().any(|changed| changed.any());
        any && (seen.names
            || seen.backends.iter().any(|(_, name)| {
                // A Service of a Backend's name, or the other way round, is worth a hint.
                all.iter().any(|changed| changed.contains(name))
            }))
    };
    let namespace_changed = || {
        changes.namespaces.any()
            && changes
                .namespaces
                .contains(&ObjectName::new("", &name.namespace))
    };
    let parent_changed =
        || !parents.changed.is_empty() && looked_at.iter().any(|key| parents.changed.contains(key));
    parent_changed()
        || (*parent_missing && parents.names)
        || (*defaulted && parents.defaults)
        || (seen.grants && changes.grants)
        || namespace_changed()
        || backends_changed()
}

/// The Gateways that take Routes which ask for default Gateways (GEP-3793), by name.
fn default_gateways(faces: &Faces) -> Vec<ObjectName> {
    let defaults = faces.iter().filter(|(_, face)| face.default);
    defaults.map(|((_, name), _)| name.clone()).collect()
}

fn kept_faces(mut new: Faces, old: &Faces) -> Faces {
    for (key, face) in &mut new {
        if let Some(old) = old.get(key).filter(|old| *old == face) {
            *face = Arc::clone(old);
        }
    }
    new
}

fn keep_equal_parts(mut outcome: RouteOutcome, before: &RouteOutcome) -> RouteOutcome {
    for (gateway, served) in &mut outcome.served {
        if let Some(same) = before.of(gateway).filter(|old| *old == served) {
            *served = same.clone();
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
