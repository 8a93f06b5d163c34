//! Judgements that are kept: a certificate is parsed once, not with every translation.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use daemun_model::names::ObjectName;
use daemun_model::tls::{Certificate, Pem};
use daemun_objects::core::configmap::ConfigMap;
use daemun_objects::core::secret::Secret;

use crate::cluster::{Cluster, Objects};
use crate::tls::{authorities, certificates};

/// What was made of an object, and of which version of it.
type Judged<T, V> = HashMap<ObjectName, (Arc<T>, Result<V, String>)>;

/// Judgements about Secrets and ConfigMaps, by name, each with the object it was made of.
#[derive(Debug, Default)]
pub(crate) struct Judgements {
    certificates: Judged<Secret, Arc<Certificate>>,
    secret_bundles: Judged<Secret, Pem>,
    bundles: Judged<ConfigMap, Pem>,
    wanted: Wanted,
}

/// Secrets and ConfigMaps that were looked for, whether they are there or not: what a source of objects that
/// does not read all of them has to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Names of Secrets.
    pub secrets: BTreeSet<ObjectName>,
    /// Names of ConfigMaps.
    pub config_maps: BTreeSet<ObjectName>,
}

impl Wanted {
    /// These and others.
    #[must_use]
    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.secrets.extend(other.secrets.iter().cloned());
        self.config_maps.extend(other.config_maps.iter().cloned());
        self
    }
}

impl Judgements {
    /// Looks for a Secret, and notes that it was looked for.
    pub(crate) fn look_for_secret<'c>(
        &mut self,
        cluster: &'c Cluster,
        name: &ObjectName,
    ) -> Option<&'c Arc<Secret>> {
        self.wanted.secrets.insert(name.clone());
        cluster.secrets.get(name)
    }

    /// Looks for a ConfigMap, and notes that it was looked for.
    pub(crate) fn look_for_config_map<'c>(
        &mut self,
        cluster: &'c Cluster,
        name: &ObjectName,
    ) -> Option<&'c Arc<ConfigMap>> {
        self.wanted.config_maps.insert(name.clone());
        cluster.config_maps.get(name)
    }

    /// What was looked for since this was asked last.
    pub(crate) fn take_wanted(&mut self) -> Wanted {
        std::mem::take(&mut self.wanted)
    }

    /// Forgets what was made of objects that are gone.
    pub(crate) fn prune(&mut self, secrets: &Objects<Secret>, config_maps: &Objects<ConfigMap>) {
        self.certificates
            .retain(|name, _| secrets.get(name).is_some());
        self.secret_bundles
            .retain(|name, _| secrets.get(name).is_some());
        self.bundles
            .retain(|name, _| config_maps.get(name).is_some());
    }

    /// A Secret as a certificate with its key.
    pub(crate) fn certificate(
        &mut self,
        name: &ObjectName,
        secret: &Arc<Secret>,
    ) -> Result<Arc<Certificate>, String> {
        remembered(&mut self.certificates, name, secret, |secret| {
            certificates::judge(
                name,
                &certificates::Written {
                    chain: secret.value(certificates::CHAIN),
                    key: secret.value(certificates::KEY),
                },
            )
            .map(Arc::new)
        })
    }

    /// A ConfigMap as a bundle of authorities.
    pub(crate) fn bundle(
        &mut self,
        name: &ObjectName,
        map: &Arc<ConfigMap>,
    ) -> Result<Pem, String> {
        remembered(&mut self.bundles, name, map, |map| {
            authorities::judge("ConfigMap", name, map.value(authorities::BUNDLE))
        })
    }

    /// A Secret as a bundle of authorities.
    pub(crate) fn secret_bundle(
        &mut self,
        name: &ObjectName,
        secret: &Arc<Secret>,
    ) -> Result<Pem, String> {
        remembered(&mut self.secret_bundles, name, secret, |secret| {
            authorities::judge("Secret", name, secret.value(authorities::BUNDLE))
        })
    }
}

fn remembered<T, V: Clone>(
    memo: &mut Judged<T, V>,
    name: &ObjectName,
    object: &Arc<T>,
    judge: impl FnOnce(&T) -> Result<V, String>,
) -> Result<V, String> {
    match memo.get(name) {
        Some((of, judgement)) if Arc::ptr_eq(of, object) => judgement.clone(),
        _ => {
            let judgement = judge(object);
            memo.insert(name.clone(), (Arc::clone(object), judgement.clone()));
            judgement
        }
    }
}
