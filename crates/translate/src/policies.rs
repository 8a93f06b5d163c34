//! What policies say about backends: TLS, balance, connections. Read once for a translation; given to each
//! backend as it is made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use daemun_model::backend::Backend;
use daemun_model::names::{BackendKey, BackendKind, ObjectName, Transport};
use daemun_model::tls::{BackendTls, Certificate};
use daemun_model::verdict::Verdict;

use crate::cluster::Cluster;
use crate::endpoints::port_of;
use crate::memo::Judgements;
use crate::policy::targets::{Judged, Target};
use crate::read::backend::{self, TlsOfBackends};
use crate::read::backendpolicy::{self, SettingsByTarget};
use crate::read::backendtlspolicy::{self, TlsByTarget};
use crate::read::gateway::ReadGateways;
use crate::read::xbackend::{self, JudgedXBackend, ReadXBackends, XBackendTlsByName};
use crate::read::xbackendtrafficpolicy::{self, TrafficByTarget};
use crate::standing::Standing;

/// What policies, and Backends themselves, say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct BackendPolicies {
    tls: TlsByTarget,
    own_tls: TlsOfBackends,
    settings: SettingsByTarget,
    traffic: TrafficByTarget,
    x_tls: XBackendTlsByName,
    /// The certificates that are shown to XBackends, by the names of these.
    x_certificates: BTreeMap<ObjectName, Arc<Certificate>>,
    /// The certificate that each Gateway shows to backends, or why it cannot.
    shown: BTreeMap<ObjectName, Result<ObjectName, String>>,
}

/// What is to be said about policies and Backends, once it is known who uses them.
pub(crate) struct Unsaid {
    policies: Vec<Judged>,
    backends: Vec<Verdict>,
    x_backends: Vec<JudgedXBackend>,
}

impl BackendPolicies {
    /// Reads them.
    pub(crate) fn read(
        cluster: &Cluster,
        judgements: &mut Judgements,
        gateways: &ReadGateways,
    ) -> (Self, Unsaid) {
        let (tls, mut policies) = backendtlspolicy::read_all(cluster, judgements);
        let (settings, others) = backendpolicy::read_all(cluster);
        let (own_tls, backends) = backend::read_all(cluster, judgements);
        let (traffic, traffic_policies) = xbackendtrafficpolicy::read_all(cluster);
        let ReadXBackends {
            tls: x_tls,
            certificates: x_certificates,
            judged: x_backends,
        } = xbackend::read_all(cluster, judgements);
        policies.extend(others);
        policies.extend(traffic_policies);
        let shown = gateways
            .ours
            .iter()
            .filter_map(|gateway| {
                let shown = match gateway.client_certificate.as_ref()? {
                    Ok(certificate) => Ok(certificate.name.clone()),
                    Err(refusal) => Err(format!("Gateway {}: {}", gateway.name, refusal.message)),
                };
                Some((gateway.name.clone(), shown))
            })
            .collect();
        let read = Self {
            tls,
            own_tls,
            settings,
            traffic,
            x_tls,
            x_certificates,
            shown,
        };
        let unsaid = Unsaid {
            policies,
            backends,
            x_backends,
        };
        (read, unsaid)
    }

    /// Gives a backend of a Gateway what holds for it.
    pub(crate) fn apply(&self, cluster: &Cluster, gateway: &ObjectName, backend: &mut Backend) {
        let tls = self.tls_of(cluster, &backend.key);
        // From the whole object to the port, which has the last word on each section.
        for settings in both(&self.settings, cluster, &backend.key) {
            match settings {
                Ok(settings) => {
                    if let Some(balance) = &settings.balance {
                        backend.balance = balance.clone();
                    }
                    if let Some(connections) = &settings.connections {
                        backend.connections = connections.clone();
                    }
                }
                Err(why) => backend.refused = Some(why.clone()),
            }
        }
        for settings in both(&self.traffic, cluster, &backend.key) {
            match settings {
                Ok(settings) => {
                    backend.retry_budget.clone_from(&settings.retry_budget);
                    backend.session.clone_from(&settings.session);
                }
                Err(why) => backend.refused = Some(why.clone()),
            }
        }
        match tls {
            // Datagrams carry no TLS.
            Ok(_) if backend.key.transport == Transport::Udp => {}
            Ok(None) => {}
            // It says itself what is shown to it.
            Ok(Some(tls)) if backend.key.kind == BackendKind::XBackend => backend.tls = Some(tls),
            Ok(Some(mut tls)) => {
                match self.shown.get(gateway) {
                    Some(Ok(certificate)) => tls.client_certificate = Some(certificate.clone()),
                    Some(Err(why)) => backend.tls_refused = Some(why.clone()),
                    None => {}
                }
                backend.tls = Some(tls);
            }
            // A policy about a Service closes nothing that has no TLS of the gateway's.
            Err(why) if backend.key.kind == BackendKind::Service => {
                if backend.key.transport == Transport::Tcp {
                    backend.tls_refused = Some(why);
                }
            }
            // Of these kinds it is the object that is not valid.
            Err(why) => backend.refused = Some(why),
        }
    }

    fn tls_of(&self, cluster: &Cluster, key: &BackendKey) -> Result<Option<BackendTls>, String> {
        match key.kind {
            BackendKind::Service => both(&self.tls, cluster, key).last().cloned().transpose(),
            BackendKind::Backend => self.own_tls.get(&key.name).cloned().unwrap_or(Ok(None)),
            BackendKind::XBackend => self.x_tls.get(&key.name).cloned().unwrap_or(Ok(None)),
        }
    }

    /// The certificates that are shown to backends of their own accord, of those that are used.
    pub(crate) fn certificates<'p>(
        &'p self,
        used: &'p BTreeMap<BackendKey, usize>,
    ) -> impl Iterator<Item = &'p Arc<Certificate>> {
        let is_used = |name: &ObjectName| {
            let key = |port, transport| BackendKey {
                kind: BackendKind::XBackend,
                name: name.clone(),
                port,
                transport,
            };
            let ports = key(0, Transport::Tcp)..=key(u16::MAX, Transport::Udp);
            used.range(ports).next().is_some()
        };
        let shown = self.x_certificates.iter();
        shown.filter_map(move |(name, shown)| is_used(name).then_some(shown))
    }
}

/// What is said for the whole object, and then for a backend's port.
fn both<'p, V>(
    by_target: &'p BTreeMap<Target, V>,
    cluster: &Cluster,
    key: &BackendKey,
) -> impl Iterator<Item = &'p V> {
    let find = |section| {
        by_target.get(&Target {
            kind: key.kind.as_str(),
            name: key.name.clone(),
            section,
        })
    };
    let found = if by_target.is_empty() {
        [None, None]
    } else {
        let port = port_name(cluster, key);
        [find(None), port.and_then(|port| find(Some(port)))]
    };
    found.into_iter().flatten()
}

fn port_name(cluster: &Cluster, key: &BackendKey) -> Option<String> {
    match key.kind {
        BackendKind::Service => {
            let service = cluster.services.get(&key.name)?;
            port_of(service, key)?.name.clone()
        }
        BackendKind::Backend | BackendKind::XBackend => None,
    }
}

impl Unsaid {
    /// What is to be said, with the Gateways through which each policy works: those that have a backend of
    /// its targets.
    pub(crate) fn say(self, cluster: &Cluster, standing: &Standing) -> Vec<Verdict> {
        let Self {
            policies,
            backends: mut verdicts,
            x_backends,
        } = self;
        if policies.is_empty() && x_backends.is_empty() {
            return verdicts;
        }
        let users = users(cluster, standing);
        for judged in x_backends {
            let gateways: BTreeSet<&ObjectName> = users
                .get(&(BackendKind::XBackend.as_str(), &judged.name))
                .into_iter()
                .flatten()
                .map(|user| user.gateway)
                .collect();
            verdicts.extend(judged.verdict(cluster, gateways));
        }
        for policy in policies {
            // Datagrams carry no TLS.
            let is_tls = policy.object.kind == backendtlspolicy::KIND;
            let counts = |user: &User<'_>| user.transport == Transport::Tcp || !is_tls;
            let targets = policy.claimed.exist.iter();
            let gateways: BTreeSet<ObjectName> = targets
                .filter_map(|target| {
                    let users = users.get(&(target.kind, &target.name))?.iter();
                    Some(users.filter(move |user| {
                        counts(user) && (target.section.is_none() || target.section == user.port)
                    }))
                })
                .flatten()
                .map(|user| user.gateway.clone())
                .collect();
            verdicts.extend(policy.verdict(cluster, &gateways));
        }
        verdicts
    }
}

type Users<'a> = BTreeMap<(&'static str, &'a ObjectName), Vec<User<'a>>>;

/// A use of an object as a backend.
struct User<'a> {
    gateway: &'a ObjectName,
    /// The port's name.
    port: Option<String>,
    transport: Transport,
}

/// Which Gateways use which objects as backends.
fn users<'a>(cluster: &Cluster, standing: &'a Standing) -> Users<'a> {
    let mut users = Users::new();
    for (gateway, backends) in standing.uses() {
        for key in backends.keys() {
            users
                .entry((key.kind.as_str(), &key.name))
                .or_default()
                .push(User {
                    gateway,
                    port: port_name(cluster, key),
                    transport: key.transport,
                });
        }
    }
    users
}
