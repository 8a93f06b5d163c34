//! Bytes that objects carry as base64 (`Secret.data`, `ConfigMap.binaryData`; RFC 4648, section 4).

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Decoded bytes. Shown as their number only: they may be a key.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Binary(pub Vec<u8>);

impl fmt::Debug for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Base64Visitor)
    }
}

struct Base64Visitor;

impl Visitor<'_> for Base64Visitor {
    type Value = Binary;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text in base64")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Binary, E> {
        // Written by hand in files, base64 is often wrapped; line ends carry nothing.
        let joined: String = text
            .chars()
            .filter(|character| !character.is_ascii_whitespace())
            .collect();
        STANDARD.decode(joined).map(Binary).map_err(|error| {
            E::custom(format!(
                "this value is not base64 ({error}); write it with `base64 -w0`, or under stringData"
            ))
        })
    }
}

impl JsonSchema for Binary {
    fn schema_name() -> Cow<'static, str> {
        "Binary".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "byte" })
    }
}

#[cfg(test)]
mod tests {
    use super::Binary;

    #[test]
    fn base64_is_decoded_and_never_shown() {
        let read: Binary = serde_json::from_str("\"c2Vj\\ncmV0\"").unwrap();
        assert_eq!(read.0, b"secret");
        assert_eq!(format!("{read:?}"), "6 bytes");
        let error = serde_json::from_str::<Binary>("\"not base64!\"").unwrap_err();
        assert!(error.to_string().contains("stringData"), "{error}");
    }
}
