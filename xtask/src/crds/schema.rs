//! A JSON schema as Kubernetes takes it in a CRD: "structural", so without references, alternatives or null, and
//! without defaults, because a field that is left out is not the same as one that says the default.

use serde_json::{Map, Value};

/// The schema in Kubernetes' form.
pub(super) fn structural(schema: &Value) -> Value {
    let Value::Object(fields) = schema else {
        // `true`: anything.
        return serde_json::json!({ "x-kubernetes-preserve-unknown-fields": true });
    };
    let mut fields = flattened(fields.clone());
    for word in ["$schema", "title", "default", "examples", "$defs"] {
        fields.remove(word);
    }
    if let Some(Value::String(text)) = fields.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    if let Some(Value::String(format)) = fields.get_mut("format") {
        let known = match format.as_str() {
            "uint8" | "uint16" | "int16" | "int8" => "int32",
            "uint32" | "uint64" => "int64",
            other => other,
        };
        *format = known.to_owned();
    }
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        for property in properties.values_mut() {
            *property = structural(property);
        }
    }
    for word in ["items", "additionalProperties"] {
        if let Some(inner) = fields.get_mut(word)
            && inner.is_object()
        {
            *inner = structural(inner);
        }
    }
    Value::Object(fields)
}

/// A schema without the alternative null, and with Kubernetes' word for a number or a text.
fn flattened(mut fields: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Array(types)) = fields.get("type") {
        let other = types.iter().find(|kind| *kind != "null").cloned();
        fields.extend(other.map(|kind| ("type".to_owned(), kind)));
    }
    if let Some(Value::Array(values)) = fields.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    let Some(Value::Array(alternatives)) = fields.remove("anyOf") else {
        return fields;
    };
    let real: Vec<Map<String, Value>> = alternatives
        .into_iter()
        .filter(|schema| schema["type"] != "null")
        .filter_map(|schema| schema.as_object().cloned())
        .collect();
    match &real[..] {
        [one] => {
            let mut all = flattened(one.clone());
            // What the field says about itself says more than what its type does.
            all.extend(fields);
            all
        }
        _ => {
            fields.insert("x-kubernetes-int-or-string".to_owned(), Value::Bool(true));
            fields
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::structural;

    #[test]
    fn schemas_become_structural() {
        for (schema, expected) in [
            (
                json!({"type": ["string", "null"]}),
                json!({"type": "string"}),
            ),
            (
                json!({"anyOf": [{"type": "object", "description": "type"}, {"type": "null"}], "description": "field"}),
                json!({"type": "object", "description": "field"}),
            ),
            (
                json!({"anyOf": [{"type": "integer"}, {"type": "string"}], "default": 1}),
                json!({"x-kubernetes-int-or-string": true}),
            ),
            (
                json!({"properties": {"a": {"type": "integer", "format": "uint16"}, "b": true}}),
                json!({"properties": {
                    "a": {"type": "integer", "format": "int32"},
                    "b": {"x-kubernetes-preserve-unknown-fields": true},
                }}),
            ),
            (
                json!({"enum": ["A", null], "type": ["string", "null"], "description": "one\ntwo"}),
                json!({"enum": ["A"], "type": "string", "description": "one two"}),
            ),
        ] {
            assert_eq!(structural(&schema), expected);
        }
    }
}
