//! The status of our own kinds, in the Gateway API's forms.

use serde_json::{Value, json};

/// Which form a kind's status has.
#[derive(Clone, Copy)]
pub(super) enum Of {
    /// `status.conditions`.
    Object,
    /// `status.ancestors[]`, as policies have it (GEP-713).
    Ancestors,
}

impl Of {
    /// The schema.
    pub(super) fn schema(self) -> Value {
        match self {
            Self::Object => json!({
                "type": "object",
                "description": "What became of it.",
                "properties": { "conditions": conditions() },
            }),
            Self::Ancestors => json!({
                "type": "object",
                "description": "What became of it, for each Gateway through which it works.",
                "properties": { "ancestors": {
                    "type": "array",
                    "maxItems": 16,
                    "items": {
                        "type": "object",
                        "required": ["ancestorRef", "controllerName"],
                        "properties": {
                            "ancestorRef": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "group": text(253),
                                    "kind": text(63),
                                    "namespace": text(63),
                                    "name": text(253),
                                    "sectionName": text(253),
                                    "port": { "type": "integer", "format": "int32" },
                                },
                            },
                            "controllerName": text(253),
                            "conditions": conditions(),
                        },
                    },
                } },
            }),
        }
    }
}

fn text(longest: u32) -> Value {
    json!({ "type": "string", "maxLength": longest })
}

/// `metav1.Condition`.
fn conditions() -> Value {
    json!({
        "type": "array",
        "maxItems": 8,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["lastTransitionTime", "message", "reason", "status", "type"],
            "properties": {
                "type": text(316),
                "status": { "type": "string", "enum": ["True", "False", "Unknown"] },
                "reason": { "type": "string", "minLength": 1, "maxLength": 1024 },
                "message": text(32768),
                "observedGeneration": { "type": "integer", "format": "int64", "minimum": 0 },
                "lastTransitionTime": { "type": "string", "format": "date-time" },
            },
        },
    })
}
