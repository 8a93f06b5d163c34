//! What policies say about backends: TLS, balance, connections. Read once for a translation; given to each
//! backend as it is made.

use std::collections::{BTreeMap, BTreeSet};

use daemun_model::backend::Backend;
use daemun_model::names::{BackendKey, BackendKind, ObjectName};
use daemun_model::tls::BackendTls;
use daemun_model::verdict::Verdict;

use crate::cluster::Cluster;
use crate::endpoints::port_of;
use crate::memo::Judgements;
use crate::policy::targets::{Judged, Target};
use crate::read::backend::{self, TlsOfBackends};
use crate::read::backendpolicy::{self, SettingsByTarget};
use crate::read::backendtlspolicy::{self, TlsByTarget};
use crate::read::gateway::ReadGateways;
use crate::standing::Standing;

/// What policies, and Backends themselves, say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct BackendPolicies {
    tls: TlsByTarget,
    own_tls: TlsOfBackends,
    settings: SettingsByTarget,
    /// The certificate that each Gateway shows to backends, or why it cannot.
    shown: BTreeMap<ObjectName, Result<ObjectName, String>>,
}

/// What is to be said about policies and Backends, once it is known who uses them.
pub(crate) struct Unsaid {
    policies: Vec<Judged>,
    backends: Vec<Verdict>,
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
        policies.extend(others);
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
            shown,
        };
        (read, Unsaid { policies, backends })
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
        match tls {
            Ok(None) => {}
            Ok(Some(mut tls)) => {
                match self.shown.get(gateway) {
                    Some(Ok(certificate)) => tls.client_certificate = Some(certificate.clone()),
                    Some(Err(why)) => backend.refused = Some(why.clone()),
                    None => {}
                }
                backend.tls = Some(tls);
            }
            Err(why) => backend.refused = Some(why),
        }
    }

    fn tls_of(&self, cluster: &Cluster, key: &BackendKey) -> Result<Option<BackendTls>, String> {
        match key.kind {
            BackendKind::Service => both(&self.tls, cluster, key).last().cloned().transpose(),
            BackendKind::Backend => self.own_tls.get(&key.name).cloned().unwrap_or(Ok(None)),
        }
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
        BackendKind::Backend => None,
    }
}

impl Unsaid {
    /// What is to be said, with the Gateways through which each policy works: those that have a backend of
    /// its targets.
    pub(crate) fn say(self, cluster: &Cluster, standing: &Standing) -> Vec<Verdict> {
        let Self {
            policies,
            backends: mut verdicts,
        } = self;
        if policies.is_empty() {
            return verdicts;
        }
        let users = users(cluster, standing);
        for policy in policies {
            let gateways: BTreeSet<ObjectName> =
                policy
                    .claimed
                    .exist
                    .iter()
                    .filter_map(|target| {
                        let users = users.get(&(target.kind, &target.name))?;
                        Some(users.iter().filter(|(_, port)| {
                            target.section.is_none() || target.section == *port
                        }))
                    })
                    .flatten()
                    .map(|(gateway, _)| (*gateway).clone())
                    .collect();
            verdicts.extend(policy.verdict(cluster, &gateways));
        }
        verdicts
    }
}

type Users<'a> = BTreeMap<(&'static str, &'a ObjectName), Vec<(&'a ObjectName, Option<String>)>>;

/// Which Gateways use which objects as backends, with the names of ports.
fn users<'a>(cluster: &Cluster, standing: &'a Standing) -> Users<'a> {
    let mut users = Users::new();
    for (gateway, backends) in standing.uses() {
        for key in backends.keys() {
            users
                .entry((key.kind.as_str(), &key.name))
                .or_default()
                .push((gateway, port_name(cluster, key)));
        }
    }
    users
}
