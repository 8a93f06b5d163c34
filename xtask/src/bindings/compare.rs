//! The comparison of a CRD's shape with that of the bindings.

use std::collections::BTreeSet;
use std::fmt;

use super::shape::{Field, Shape};

/// A channel that CRDs are published in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    /// What is stable.
    Standard,
    /// That and what is not: everything that the bindings have is there.
    Experimental,
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Standard => "standard",
            Self::Experimental => "experimental",
        })
    }
}

/// What differs, one sentence each, with the path from `spec` on. The standard channel lacks fields
/// and values that the bindings have; that they exist at all is found in the experimental one.
pub(super) fn compare(channel: Channel, crd: &Shape, ours: &Shape) -> Vec<String> {
    let mut comparison = Comparison {
        all: channel == Channel::Experimental,
        findings: Vec::new(),
    };
    comparison.shapes("spec", crd, ours);
    comparison.findings
}

struct Comparison {
    /// Whether the CRD must have everything that the bindings have.
    all: bool,
    findings: Vec<String>,
}

impl Comparison {
    fn shapes(&mut self, path: &str, crd: &Shape, ours: &Shape) {
        match (crd, ours) {
            (Shape::Object(crd), Shape::Object(ours)) => {
                for (name, field) in crd {
                    self.field(&format!("{path}.{name}"), field, ours.get(name));
                }
                if !self.all {
                    return;
                }
                for name in ours.keys().filter(|name| !crd.contains_key(*name)) {
                    self.find(
                        path,
                        &format!("the bindings have a field \"{name}\" that the CRD does not have"),
                    );
                }
            }
            (Shape::List(crd), Shape::List(ours)) => self.shapes(&format!("{path}[]"), crd, ours),
            (Shape::Map(crd), Shape::Map(ours)) => self.shapes(&format!("{path}.*"), crd, ours),
            (Shape::Text(crd), Shape::Text(Some(ours))) => self.values(path, crd.as_ref(), ours),
            (Shape::Unknown(what), _) | (_, Shape::Unknown(what)) => {
                self.find(
                    path,
                    &format!("this comparison does not understand \"{what}\""),
                );
            }
            // A plain string in the bindings takes every listed value.
            (Shape::Text(_), Shape::Text(None)) => {}
            (crd, ours) if crd == ours => {}
            (crd, ours) => self.find(
                path,
                &format!("the CRD has {crd}, the bindings have {ours}"),
            ),
        }
    }

    fn field(&mut self, path: &str, crd: &Field, ours: Option<&Field>) {
        let Some(ours) = ours else {
            return self.find(path, "the CRD has this field, the bindings do not");
        };
        match (crd.required, ours.required) {
            (true, false) => self.find(path, "it is required in the CRD, optional in the bindings"),
            (false, true) => self.find(path, "it is optional in the CRD, required in the bindings"),
            (true, true) | (false, false) => {}
        }
        self.shapes(path, &crd.shape, &ours.shape);
    }

    fn values(&mut self, path: &str, crd: Option<&BTreeSet<String>>, ours: &BTreeSet<String>) {
        let Some(crd) = crd else {
            return self.find(
                path,
                "the bindings list all values, the CRD leaves the list open",
            );
        };
        for value in crd.difference(ours) {
            self.find(
                path,
                &format!("the CRD lists the value \"{value}\", the bindings do not know it"),
            );
        }
        if !self.all {
            return;
        }
        for value in ours.difference(crd) {
            self.find(
                path,
                &format!("the bindings list the value \"{value}\", the CRD does not"),
            );
        }
    }

    fn find(&mut self, path: &str, what: &str) {
        self.findings.push(format!("{path}: {what}."));
    }
}

#[cfg(test)]
mod tests {
    use schemars::{JsonSchema, schema_for};
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::{Channel, compare};
    use crate::bindings::shape::Shape;

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Spec {
        host_name: String,
        #[serde(default)]
        ports: Vec<Port>,
        labels: Option<std::collections::BTreeMap<String, String>>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Port {
        number: i32,
        tls: Option<Tls>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Tls {
        mode: Mode,
    }

    #[derive(Deserialize, JsonSchema)]
    enum Mode {
        Terminate,
        Passthrough,
    }

    fn crd() -> Value {
        json!({ "type": "object", "required": ["hostName"], "properties": {
            "hostName": { "type": "string", "maxLength": 253 },
            "labels": { "type": "object", "additionalProperties": { "type": "string" } },
            "ports": { "type": "array", "items": {
                "type": "object", "required": ["number"], "properties": {
                    "number": { "type": "integer", "format": "int32" },
                    "tls": { "type": "object", "required": ["mode"], "properties": {
                        "mode": { "type": "string", "enum": ["Terminate", "Passthrough"] },
                    }},
                },
            }},
        }})
    }

    fn differences(channel: Channel, crd: &Value) -> Vec<String> {
        let schema = schema_for!(Spec);
        let ours = Shape::of_ours(schema.as_value(), schema.as_value());
        compare(channel, &Shape::of_crd(crd), &ours)
    }

    #[test]
    fn the_same_shape_has_no_differences() {
        for channel in [Channel::Standard, Channel::Experimental] {
            assert_eq!(differences(channel, &crd()), Vec::<String>::new());
        }
    }

    #[test]
    fn each_kind_of_difference_is_found_at_its_path() {
        let port = "/properties/ports/items/properties";
        let mode = format!("{port}/tls/properties/mode");
        for (at, change, expected) in [
            // (what is changed in the CRD, to what, what is found)
            (
                format!("{port}/number"),
                json!({ "type": "string" }),
                "spec.ports[].number: the CRD has a string, the bindings have an integer.",
            ),
            (
                format!("{port}/name"),
                json!({ "type": "string" }),
                "spec.ports[].name: the CRD has this field, the bindings do not.",
            ),
            (
                "/properties/labels".to_owned(),
                json!({ "type": "array", "items": { "type": "string" } }),
                "spec.labels: the CRD has a list, the bindings have a map.",
            ),
            (
                "/properties/labels/additionalProperties/type".to_owned(),
                json!("boolean"),
                "spec.labels.*: the CRD has a boolean, the bindings have a string.",
            ),
            (
                "/required".to_owned(),
                json!([]),
                "spec.hostName: it is optional in the CRD, required in the bindings.",
            ),
            (
                "/required".to_owned(),
                json!(["hostName", "ports"]),
                "spec.ports: it is required in the CRD, optional in the bindings.",
            ),
            (
                format!("{mode}/enum"),
                json!(["Terminate", "Passthrough", "Mirror"]),
                "spec.ports[].tls.mode: the CRD lists the value \"Mirror\", the bindings do not know it.",
            ),
            (
                mode.clone(),
                json!({ "type": "string" }),
                "spec.ports[].tls.mode: the bindings list all values, the CRD leaves the list open.",
            ),
            (
                mode,
                json!({ "type": "number" }),
                "spec.ports[].tls.mode: this comparison does not understand \"number\".",
            ),
        ] {
            let mut crd = crd();
            let (parent, key) = at.rsplit_once('/').unwrap();
            crd.pointer_mut(parent).unwrap()[key] = change;
            for channel in [Channel::Standard, Channel::Experimental] {
                assert_eq!(differences(channel, &crd), [expected], "{channel}");
            }
        }
    }

    #[test]
    fn what_only_the_bindings_have_is_found_in_the_experimental_channel() {
        let mut crd = crd();
        crd["properties"].as_object_mut().unwrap().remove("ports");
        assert_eq!(differences(Channel::Standard, &crd), Vec::<String>::new());
        assert_eq!(
            differences(Channel::Experimental, &crd),
            ["spec: the bindings have a field \"ports\" that the CRD does not have."]
        );
    }
}
