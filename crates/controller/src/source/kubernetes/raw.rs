//! An object as the API server sends it, and what is kept of it.
//!
//! The text is kept until the object is read as what it is; what nobody looks at (who manages which field,
//! the copy that `kubectl apply` makes of the object) never becomes a value.

use daemun_model::names::ObjectName;
use daemun_objects::{Any, KindInfo};
use daemun_translate::cluster::name_of_any;
use kube::core::ObjectMeta;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::served::Served;

/// The copy of the object that `kubectl apply` makes.
const COPY: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object of any kind, not read yet.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub(super) meta: ObjectMeta,
    text: Box<RawValue>,
}

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    metadata: HeadMeta,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeadMeta {
    name: Option<String>,
    namespace: Option<String>,
    resource_version: Option<String>,
    finalizers: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Tail<'a> {
    #[serde(borrow)]
    status: Option<&'a RawValue>,
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let Head { metadata } = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        let HeadMeta {
            name,
            namespace,
            resource_version,
            finalizers,
        } = metadata;
        let meta = ObjectMeta {
            name,
            namespace,
            resource_version,
            finalizers,
            ..ObjectMeta::default()
        };
        Ok(Self { meta, text })
    }
}

/// An object that was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    /// Its name.
    pub(crate) name: ObjectName,
    /// The object.
    pub(crate) object: Any,
    /// What others and we wrote into it.
    pub(crate) written: Written,
}

/// What is written into an object by controllers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// Which state of the object this is.
    pub(crate) resource_version: Box<str>,
    /// `metadata.uid`.
    pub(crate) uid: Box<str>,
    /// `metadata.generation`.
    pub(crate) generation: i64,
    /// `status`, as JSON; none for kinds whose status is nobody's business here.
    pub(crate) status: Option<Box<str>>,
    /// `metadata.finalizers`.
    pub(crate) finalizers: Vec<String>,
    /// Whether deletion was asked for.
    pub(crate) deleting: bool,
    /// The installation that says a GatewayClass is its own ([`CLAIM`]).
    pub(crate) claim: Option<Box<str>>,
}

/// An annotation of a GatewayClass: the namespace of the controller that serves it.
pub(crate) const CLAIM: &str = "gateway.daemun.dev/controlled-by";

impl Raw {
    /// The object's name.
    pub(super) fn name(&self) -> ObjectName {
        name(&self.meta)
    }

    /// Reads the object.
    ///
    /// # Errors
    /// What is not as the kind wants it.
    pub(crate) fn read(self, served: &Served) -> Result<Seen, String> {
        let Self { meta, text } = self;
        let mut json = serde_json::Deserializer::from_str(text.get());
        let read = Any::deserialize(&served.api_version(), served.kind.kind, &mut json);
        let mut object = match read {
            Some(Ok(object)) => object,
            Some(Err(error)) => return Err(error.to_string()),
            None => return Err(format!("the kind {} is not known", served.kind.kind)),
        };
        let status = if has_status(served.kind) {
            let tail: Tail<'_> =
                serde_json::from_str(text.get()).map_err(|error| error.to_string())?;
            tail.status.map(|status| status.get().into())
        } else {
            None
        };
        let metadata = object.metadata_mut();
        metadata.annotations.remove(COPY);
        let claim = metadata.annotations.get(CLAIM).map(|it| it.as_str().into());
        let resource_version = metadata.resource_version.take().unwrap_or_default();
        let written = Written {
            resource_version: resource_version.into(),
            uid: metadata.uid.clone().unwrap_or_default().into(),
            generation: metadata.generation.unwrap_or_default(),
            deleting: metadata.deletion_timestamp.is_some(),
            status,
            finalizers: meta.finalizers.unwrap_or_default(),
            claim,
        };
        Ok(Seen {
            name: name_of_any(&object),
            object,
            written,
        })
    }
}

/// Whether the controller says something in the status of a kind's objects.
pub(crate) fn has_status(kind: &KindInfo) -> bool {
    kind.kind != "ReferenceGrant"
        && (kind.group.starts_with("gateway.networking.") || kind.group == "gateway.daemun.dev")
}

/// The name in metadata.
pub(super) fn name(meta: &ObjectMeta) -> ObjectName {
    ObjectName::new(
        meta.namespace.clone().unwrap_or_default(),
        meta.name.clone().unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use daemun_model::names::ObjectName;
    use daemun_objects::Any;

    use super::super::served::{Served, kind};
    use super::Raw;

    const ROUTE: &str = r#"{
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {
            "name": "a", "namespace": "n", "uid": "u", "generation": 3, "resourceVersion": "17",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "x": "y"},
            "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}],
            "somethingNew": true
        },
        "spec": {"parentRefs": [{"name": "gw", "notKnownYet": 1}], "rules": [], "alsoNew": {}},
        "status": {"parents": [{"controllerName": "x"}]}
    }"#;

    #[test]
    fn an_object_is_read_whatever_else_stands_in_it() {
        let raw: Raw = serde_json::from_str(ROUTE).unwrap();
        assert_eq!(raw.name(), ObjectName::new("n", "a"));
        let seen = raw.read(&Served::new(kind("HTTPRoute").unwrap())).unwrap();
        let Any::HttpRoute(route) = &seen.object else {
            unreachable!("an HTTPRoute was read");
        };
        assert_eq!(route.metadata.annotations.len(), 1);
        assert_eq!(route.spec.parent_refs[0].name, "gw");
        assert_eq!(&*seen.written.resource_version, "17");
        assert_eq!(seen.written.generation, 3);
        let status = seen.written.status.as_deref();
        assert_eq!(status, Some(r#"{"parents": [{"controllerName": "x"}]}"#));
    }

    #[test]
    fn two_states_that_differ_in_status_alone_are_the_same_object() {
        let read = |text: &str| {
            let raw: Raw = serde_json::from_str(text).unwrap();
            raw.read(&Served::new(kind("HTTPRoute").unwrap())).unwrap()
        };
        let later = ROUTE
            .replace("\"17\"", "\"18\"")
            .replace("\"x\"}]", "\"z\"}]");
        assert_eq!(read(ROUTE).object, read(&later).object);
        assert_ne!(read(ROUTE).written, read(&later).written);
    }

    #[test]
    fn an_object_that_is_not_as_its_kind_wants_it_says_why() {
        let text = ROUTE.replace("\"rules\": []", "\"rules\": 3");
        let raw: Raw = serde_json::from_str(&text).unwrap();
        let why = raw
            .read(&Served::new(kind("HTTPRoute").unwrap()))
            .unwrap_err();
        assert!(why.contains("invalid type"), "{why}");
    }
}
