//! Whether an object already is as it is wanted: what the cluster adds to it does not count.

use serde_json::Value;

/// Whether everything that is wanted is there.
pub(super) fn holds(wanted: &Value, seen: &Value) -> bool {
    match (wanted, seen) {
        (Value::Object(wanted), Value::Object(seen)) => wanted.iter().all(|(field, wanted)| {
            let there = seen.get(field);
            // An empty value is left out when it is stored.
            there.map_or_else(|| is_nothing(wanted), |there| holds(wanted, there))
        }),
        (Value::Array(wanted), Value::Array(seen)) => {
            wanted.len() == seen.len()
                && wanted
                    .iter()
                    .zip(seen)
                    .all(|(wanted, seen)| holds(wanted, seen))
        }
        (wanted, seen) => wanted == seen,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::holds;

    #[test]
    fn what_the_cluster_adds_does_not_count() {
        let seen = json!({"a": 1, "list": [{"name": "x", "added": true}], "more": {}});
        for (wanted, expected) in [
            (json!({}), true),
            (json!({"a": 1}), true),
            (json!({"a": 2}), false),
            (json!({"b": 1}), false),
            (json!({"b": {}, "c": [], "d": null}), true),
            (json!({"list": [{"name": "x"}]}), true),
            (json!({"list": [{"name": "y"}]}), false),
            (json!({"list": []}), false),
        ] {
            assert_eq!(holds(&wanted, &seen), expected, "{wanted}");
        }
    }
}
