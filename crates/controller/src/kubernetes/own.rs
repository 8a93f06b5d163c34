//! Whether the CRDs of our own kinds are those of this version: what an older one does not know, the API server drops
//! from objects without a word, and Helm leaves CRDs as they are.

use std::collections::{BTreeMap, BTreeSet};

use daemun_objects::own::{GROUP, RELEASE, THIS_RELEASE};

/// What was said about it.
#[derive(Debug, Default)]
pub(super) struct Own(BTreeSet<String>);

impl Own {
    /// Says what is new, from the annotations of CRDs by the CRDs' names.
    pub(super) fn say(&mut self, definitions: &BTreeMap<String, BTreeMap<String, String>>) {
        let differing = differing(definitions);
        for sentence in differing.difference(&self.0) {
            tracing::warn!("{sentence}");
        }
        self.0 = differing;
    }
}

fn differing(definitions: &BTreeMap<String, BTreeMap<String, String>>) -> BTreeSet<String> {
    let own = definitions.iter().filter(|(name, _)| {
        let group = name.split_once('.').map(|(_, group)| group);
        group == Some(GROUP)
    });
    own.filter_map(|(name, annotations)| {
        let release = annotations.get(RELEASE);
        let is = match release {
            Some(release) if release == THIS_RELEASE => return None,
            Some(release) => format!("is of version {release}"),
            None => "does not say of which version it is".to_owned(),
        };
        Some(format!(
            "The CRD {name} {is}, and this controller is of version {THIS_RELEASE}: the API server drops fields that the CRD does not know. Apply the CRDs of this version (`daemun install` prints them; `helm upgrade` leaves CRDs as they are, so there: kubectl apply --server-side -f deploy/crds)."
        ))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use daemun_objects::own::{RELEASE, THIS_RELEASE};

    use super::differing;

    #[test]
    fn a_crd_of_another_version_is_named() {
        let definition = |name: &str, release: Option<&str>| {
            let annotation = release.map(|release| (RELEASE.to_owned(), release.to_owned()));
            (name.to_owned(), annotation.into_iter().collect())
        };
        let definitions = BTreeMap::from([
            definition("backends.gateway.daemun.dev", Some(THIS_RELEASE)),
            definition("listenerpolicies.gateway.daemun.dev", Some("0.0.9")),
            definition("backendpolicies.gateway.daemun.dev", None),
            definition("httproutes.gateway.networking.k8s.io", Some("0.0.9")),
        ]);
        let said: Vec<String> = differing(&definitions).into_iter().collect();
        assert_eq!(said.len(), 2);
        assert!(said[0].contains("backendpolicies.gateway.daemun.dev does not say"));
        assert!(said[1].contains("listenerpolicies.gateway.daemun.dev is of version 0.0.9,"));
    }
}
