//! Where the API server serves a kind: its path, for the client.

use std::borrow::Cow;

use daemun_objects::{Any, KindInfo};
use kube::core::DynamicResourceScope;

/// A kind in one version.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    /// The kind.
    pub(crate) kind: &'static KindInfo,
    /// The version that is asked for.
    pub(crate) version: &'static str,
}

/// CustomResourceDefinitions: which kinds there are, and of which release.
pub(crate) const DEFINITIONS: &KindInfo = &KindInfo {
    group: "apiextensions.k8s.io",
    version: "v1",
    other_versions: &[],
    kind: "CustomResourceDefinition",
    namespaced: false,
};

impl Served {
    /// A kind in the version that is watched first.
    pub(crate) fn new(kind: &'static KindInfo) -> Self {
        Self {
            kind,
            version: kind.version,
        }
    }

    /// `apiVersion`.
    pub(crate) fn api_version(&self) -> String {
        match self.kind.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }
}

/// The kind of a name; none if it is not known here.
pub(crate) fn kind(name: &str) -> Option<&'static KindInfo> {
    Any::KINDS.iter().find(|info| info.kind == name)
}

/// The name of a kind's objects in paths and roles: `httproutes`.
pub fn plural(kind: &KindInfo) -> String {
    let name = kind.kind.to_ascii_lowercase();
    if name.ends_with("parameters") {
        name
    } else if name.ends_with('s') || name.ends_with('x') {
        name + "es"
    } else if let Some(stem) = name.strip_suffix('y').filter(|stem| !ends_in_vowel(stem)) {
        format!("{stem}ies")
    } else {
        name + "s"
    }
}

/// A kind as roles and people name it: `httproutes.gateway.networking.k8s.io`.
pub(crate) fn full_name(kind: &KindInfo) -> String {
    match kind.group {
        "" => plural(kind),
        group => format!("{}.{group}", plural(kind)),
    }
}

fn ends_in_vowel(text: &str) -> bool {
    text.ends_with(['a', 'e', 'i', 'o', 'u'])
}

impl kube::Resource for super::raw::Raw {
    type DynamicType = Served;
    type Scope = DynamicResourceScope;

    fn kind(served: &Served) -> Cow<'_, str> {
        served.kind.kind.into()
    }

    fn group(served: &Served) -> Cow<'_, str> {
        served.kind.group.into()
    }

    fn version(served: &Served) -> Cow<'_, str> {
        served.version.into()
    }

    fn plural(served: &Served) -> Cow<'_, str> {
        plural(served.kind).into()
    }

    fn meta(&self) -> &kube::core::ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut kube::core::ObjectMeta {
        &mut self.meta
    }
}

#[cfg(test)]
mod tests {
    use daemun_objects::Any;

    use super::plural;

    #[test]
    fn kinds_are_named_as_their_definitions_name_them() {
        let plurals: Vec<String> = Any::KINDS.iter().map(plural).collect();
        for expected in [
            "gatewayclasses",
            "gateways",
            "httproutes",
            "listenersets",
            "backendtlspolicies",
            "endpointslices",
            "listenerpolicies",
        ] {
            assert!(
                plurals.iter().any(|plural| plural == expected),
                "{expected}"
            );
        }
    }
}
