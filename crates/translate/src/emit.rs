//! The outcome put together: what each Gateway's proxy must do, and what every owner must be told. What is
//! the same as before is the same `Arc`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use daemun_model::backend::Backend;
use daemun_model::gateway::Gateway;
use daemun_model::listener::{Listener, ListenerProtocol, TlsListener};
use daemun_model::names::{BackendKey, ObjectName, ObjectRef, RouteKey};
use daemun_model::persistent::Map;
use daemun_model::snapshot::{Configuration, Snapshot};
use daemun_model::tls::{Certificate, Termination};
use daemun_model::verdict::{FieldPath, Verdict};
use daemun_model::verdicts::Verdicts;
use daemun_objects::gateway_api::gateway::TlsMode;

use crate::Outcome;
use crate::blame;
use crate::cluster::{Cluster, Home};
use crate::endpoints::{self, Slices};
use crate::exposure::change::Changes;
use crate::exposure::fronts::Fronts;
use crate::exposure::observed::{Observed, Whose, observe};
use crate::infrastructure::{Infrastructure, bind_port};
use crate::listener::{Entry, Protocol, Treatment};
use crate::memo::Wanted;
use crate::notes::Notes;
use crate::policies::BackendPolicies;
use crate::read::gateway::{ReadGateway, ReadGateways};
use crate::read::gatewayclass;
use crate::read::route::RouteOutcome;
use crate::standing::{Standing, Touched};
use crate::status;
use crate::surroundings;
use crate::verdict::warning;

/// All that was made, before it is put together.
pub(crate) struct Made<'a> {
    /// Gateways and ListenerSets.
    pub(crate) gateways: &'a ReadGateways,
    /// What follows from routes.
    pub(crate) standing: &'a Standing,
    /// What of it may be different from before.
    pub(crate) touched: &'a Touched,
    /// What policies say about backends.
    pub(crate) policies: &'a BackendPolicies,
    /// EndpointSlices by Service.
    pub(crate) slices: &'a Slices,
    /// Services in front of Gateways.
    pub(crate) fronts: &'a Fronts,
    /// What is seen of them, by Gateway.
    pub(crate) looks: BTreeMap<&'a ObjectName, Look>,
    /// What is said about Backends and policies.
    pub(crate) said: Vec<Verdict>,
    /// Secrets and ConfigMaps that were looked for.
    pub(crate) wanted: Wanted,
}

impl Made<'_> {
    /// What is seen of a Gateway's way in.
    fn observed(&self, gateway: &ObjectName) -> Option<&Observed> {
        self.looks.get(gateway)?.observed.as_ref()
    }
}

/// A Gateway's way in, looked at.
#[derive(Default)]
pub(crate) struct Look {
    /// What becomes of its load balancers.
    changes: Changes,
    /// What is seen of them.
    observed: Option<Observed>,
}

/// Looks at the ways in of all Gateways, once for all that is made of it. On a host there are none.
pub(crate) fn look<'a>(
    cluster: &Cluster,
    fronts: &Fronts,
    gateways: &'a ReadGateways,
) -> BTreeMap<&'a ObjectName, Look> {
    let gateways = gateways.ours.iter().filter(|_| !cluster.on_host());
    let look = |gateway: &ReadGateway| {
        let changes = surroundings::changes(cluster, fronts, gateway);
        let whose = Whose {
            gateway: &gateway.name,
            changes: &changes,
            uid: gateway.uid(),
            exposure: gateway.exposure.as_ref(),
            written: gateway
                .parameters
                .as_ref()
                .is_some_and(|parameters| parameters.way_in.reach.is_some()),
            selects: &|selector| surroundings::selects(gateway, selector),
        };
        let observed = observe(cluster, fronts, whose);
        Look { changes, observed }
    };
    gateways
        .map(|gateway| (&gateway.name, look(gateway)))
        .collect()
}

/// Puts the outcome together.
pub(crate) fn outcome(
    cluster: &Cluster,
    mut made: Made<'_>,
    notes: &mut Notes,
    last: &Outcome,
) -> Outcome {
    let said = std::mem::take(&mut made.said);
    let wanted = std::mem::take(&mut made.wanted);
    let configuration = configuration(cluster, &made, &last.configuration);
    notes.update(made.standing, made.touched, &configuration);
    Outcome {
        configuration,
        verdicts: verdicts(cluster, (&made, notes), said, &last.verdicts),
        infrastructure: infrastructure(cluster, &made, &last.infrastructure),
        wanted: kept(wanted, Some(&last.wanted)),
        names: kept(names(&made), Some(&last.names)),
    }
}

/// The names that load balancers in front of our Gateways show.
fn names(made: &Made<'_>) -> BTreeSet<String> {
    let gateways = made.gateways.ours.iter();
    let names = gateways.flat_map(|gateway| made.fronts.names(&gateway.name, gateway.uid()));
    names.map(str::to_owned).collect()
}

fn infrastructure(
    cluster: &Cluster,
    made: &Made<'_>,
    last: &BTreeMap<ObjectName, Arc<Infrastructure>>,
) -> BTreeMap<ObjectName, Arc<Infrastructure>> {
    match cluster.settings.home {
        Home::Host => BTreeMap::new(),
        Home::Kubernetes => made
            .gateways
            .ours
            .iter()
            .map(|gateway| {
                let none = Changes::default();
                let look = made.looks.get(&gateway.name);
                let changes = look.map_or(&none, |look| &look.changes);
                let made = Infrastructure {
                    looked_at: surroundings::looked_at(cluster, made.fronts, gateway),
                    lacks_public: surroundings::lacks_public(cluster, made.fronts, gateway),
                    named: surroundings::named(cluster, made.fronts, gateway),
                    ..surroundings::of(cluster, gateway, changes)
                };
                (gateway.name.clone(), kept(made, last.get(&gateway.name)))
            })
            .collect(),
    }
}

fn configuration(cluster: &Cluster, made: &Made<'_>, last: &Configuration) -> Configuration {
    let home = cluster.settings.home;
    let configured = made.gateways.ours.iter();
    let gateways = configured
        .filter(|gateway| gateway.is_configured(home))
        .map(|gateway| {
            let name = &gateway.name;
            let snapshot = snapshot(cluster, made, gateway, last.gateways.get(name));
            (name.clone(), snapshot)
        })
        .collect();
    Configuration { gateways }
}

fn snapshot(
    cluster: &Cluster,
    made: &Made<'_>,
    gateway: &ReadGateway,
    before: Option<&Arc<Snapshot>>,
) -> Arc<Snapshot> {
    let own = kept(
        Gateway {
            name: gateway.name.clone(),
            generation: gateway.object.metadata.generation.unwrap_or_default(),
            addresses: gateway.addresses.clone(),
            closed: made
                .observed(&gateway.name)
                .and_then(|observed| observed.closed.clone()),
        },
        before.map(|before| &before.gateway),
    );
    let listeners: Map<_, _> = gateway
        .all_entries()
        .filter_map(|entry| {
            let before = before.and_then(|before| before.listeners.get(&entry.key));
            Some((entry.key.clone(), kept(listener(cluster, entry)?, before)))
        })
        .collect();
    let used = made.standing.uses().get(&gateway.name);
    let shown = used
        .into_iter()
        .flat_map(|used| made.policies.certificates(used));
    let certificates = certificates(gateway, shown);
    let all = RoutesOf {
        gateway: &gateway.name,
        standing: made.standing,
        touched: made.touched.routes.get(&gateway.name),
        before: before.is_some(),
    };
    let routes = all.differences(before.map(|before| &before.routes), RouteOutcome::http);
    let streams = all.differences(before.map(|before| &before.streams), RouteOutcome::stream);
    let backends = backends(cluster, made, &gateway.name, before);
    match before {
        Some(before)
            if routes.is_empty()
                && streams.is_empty()
                && backends.is_empty()
                && Arc::ptr_eq(&before.gateway, &own)
                && same(&before.listeners, &listeners)
                && same(&before.certificates, &certificates) =>
        {
            Arc::clone(before)
        }
        before => {
            let old = before.map(Arc::as_ref);
            Arc::new(Snapshot {
                gateway: own,
                listeners,
                routes: with(old.map(|old| &old.routes), routes),
                streams: with(old.map(|old| &old.streams), streams),
                backends: with(old.map(|old| &old.backends), backends),
                certificates,
            })
        }
    }
}

/// Parts that are different: the new one, or none where there is none any more.
type Differences<K, V> = Vec<(K, Option<Arc<V>>)>;

fn with<K: Ord + Clone, V>(
    old: Option<&Map<K, Arc<V>>>,
    differences: Differences<K, V>,
) -> Map<K, Arc<V>> {
    let mut map = old.cloned().unwrap_or_default();
    if map.is_empty() {
        let all = differences.into_iter();
        return all.filter_map(|(key, value)| Some((key, value?))).collect();
    }
    for (key, value) in differences {
        match value {
            Some(value) => drop(map.insert(key, value)),
            None => drop(map.remove(&key)),
        }
    }
    map
}

fn differs<V>(old: Option<&Arc<V>>, new: Option<&Arc<V>>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => !Arc::ptr_eq(old, new),
        (None, None) => false,
        _ => true,
    }
}

/// The Routes of a Gateway.
struct RoutesOf<'a> {
    gateway: &'a ObjectName,
    standing: &'a Standing,
    touched: Option<&'a BTreeSet<RouteKey>>,
    before: bool,
}

impl RoutesOf<'_> {
    /// Those that differ from before, of one of the two kinds that a snapshot holds.
    fn differences<V>(
        &self,
        before: Option<&Map<RouteKey, Arc<V>>>,
        of_kind: impl Fn(&RouteOutcome, &ObjectName) -> Option<Arc<V>>,
    ) -> Differences<RouteKey, V> {
        let all = self.standing.routes();
        let difference = |key: &RouteKey| {
            let old = before.and_then(|before| before.get(key));
            let outcome = all.get(key);
            let new = outcome.and_then(|outcome| of_kind(outcome, self.gateway));
            differs(old, new.as_ref()).then(|| (key.clone(), new))
        };
        if self.before {
            let touched = self.touched.into_iter().flatten();
            touched.filter_map(difference).collect()
        } else {
            all.keys().filter_map(difference).collect()
        }
    }
}

fn backends(
    cluster: &Cluster,
    made: &Made<'_>,
    gateway: &ObjectName,
    before: Option<&Arc<Snapshot>>,
) -> Differences<BackendKey, Backend> {
    let used = made.standing.backends_of(gateway);
    let make = |key: &BackendKey| {
        used?.get(key)?;
        let mut backend = endpoints::backend(cluster, made.slices, key)?;
        made.policies.apply(cluster, gateway, &mut backend);
        Some(backend)
    };
    let difference = |key: &BackendKey| {
        let old = before.and_then(|before| before.backends.get(key));
        let new = make(key).map(|backend| kept(backend, old));
        differs(old, new.as_ref()).then(|| (key.clone(), new))
    };
    match before {
        None => used
            .into_iter()
            .flat_map(BTreeMap::keys)
            .filter_map(difference)
            .collect(),
        Some(_) => {
            let touched = made.touched.backends.get(gateway);
            touched
                .into_iter()
                .flatten()
                .filter_map(difference)
                .collect()
        }
    }
}

/// Whether two maps hold the very same parts.
fn same<K: PartialEq, V>(one: &Map<K, Arc<V>>, two: &Map<K, Arc<V>>) -> bool {
    one.len() == two.len()
        && one
            .iter()
            .zip(two)
            .all(|((key, value), (other, old))| Arc::ptr_eq(value, old) && key == other)
}

/// What was there, if it is the same.
fn kept<T: PartialEq>(made: T, before: Option<&Arc<T>>) -> Arc<T> {
    match before {
        Some(before) if **before == made => Arc::clone(before),
        _ => Arc::new(made),
    }
}

fn listener(cluster: &Cluster, entry: &Entry) -> Option<Listener> {
    if !entry.served() {
        return None;
    }
    let Treatment {
        limits,
        min_version,
        max_version,
        proxy_status,
        refused,
    } = &entry.treatment;
    let termination = || Termination {
        certificates: entry
            .certificates
            .iter()
            .map(|certificate| certificate.name.clone())
            .collect(),
        min_version: *min_version,
        max_version: *max_version,
        client: entry.client.clone(),
    };
    let protocol = match entry.protocol? {
        Protocol::Http => ListenerProtocol::Http,
        Protocol::Https => ListenerProtocol::Https(termination()),
        Protocol::Tls(TlsMode::Passthrough) => ListenerProtocol::Tls(TlsListener::Passthrough),
        Protocol::Tls(TlsMode::Terminate) => {
            ListenerProtocol::Tls(TlsListener::Terminate(termination()))
        }
        Protocol::Tcp => ListenerProtocol::Tcp,
        Protocol::Udp => ListenerProtocol::Udp,
    };
    Some(Listener {
        key: entry.key.clone(),
        port: entry.port,
        bind: bind_port(cluster.settings.home, entry.port),
        hostname: entry.hostname.clone(),
        protocol,
        forwarding: entry.forwarding.clone(),
        sources: entry.sources.clone(),
        limits: limits.clone(),
        proxy_status: *proxy_status,
        refused: refused.clone(),
    })
}

fn certificates<'c>(
    gateway: &'c ReadGateway,
    shown: impl Iterator<Item = &'c Arc<Certificate>>,
) -> Map<ObjectName, Arc<Certificate>> {
    let own = gateway
        .client_certificate
        .iter()
        .filter_map(|certificate| certificate.as_ref().ok());
    gateway
        .all_entries()
        .filter(|entry| entry.served())
        .flat_map(|entry| &entry.certificates)
        .chain(own)
        .chain(shown)
        .map(|certificate| (certificate.name.clone(), Arc::clone(certificate)))
        .collect()
}

fn verdicts(
    cluster: &Cluster,
    (made, notes): (&Made<'_>, &Notes),
    said: Vec<Verdict>,
    last: &Verdicts,
) -> Verdicts {
    let (gateways, standing) = (made.gateways, made.standing);
    let mut all: Vec<Verdict> = cluster
        .gateway_classes
        .iter()
        .filter_map(|(name, class)| gatewayclass::verdict(cluster, name, class))
        .collect();
    for gateway in &gateways.ours {
        let seen = made.observed(&gateway.name);
        all.push(status::gateway(gateway, standing, seen));
        let sets = gateway.sets.iter();
        all.extend(sets.map(|set| status::set(gateway, set, standing, seen)));
    }
    if cluster.on_host() {
        all.extend(gateways.foreign.iter().map(|(name, why)| Verdict {
            object: ObjectRef::new("Gateway", name.clone()),
            generation: 0,
            parts: Arc::default(),
            findings: vec![warning(
                FieldPath::of("spec.gatewayClassName"),
                "NotServed",
                format!("This Gateway is not served. {why}"),
            )],
        }));
    }
    all.extend(
        gateways
            .orphans
            .iter()
            .map(|(name, set, refusal)| status::orphan(name, set, refusal)),
    );
    all.extend(said);
    all.extend(blame::verdicts(cluster, gateways));
    let before: BTreeMap<&ObjectRef, &Arc<Verdict>> = last
        .others()
        .iter()
        .map(|verdict| (&verdict.object, verdict))
        .collect();
    let others = all.into_iter().map(|verdict| {
        let before = before.get(&verdict.object).copied();
        kept(verdict, before)
    });
    // Those of routes were kept, or not, with the routes themselves.
    Verdicts::new(others.collect(), notes.verdicts().clone())
}
