//! Open enums: a value out of a list that may grow.
//!
//! A newer API has values that this program does not know. They must not make an object unreadable
//! (gateway-api: "implementations MUST be prepared for unknown values"), so they are kept as they
//! were written and judged where the object is translated.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

/// The values of a list that are known here.
pub trait Known: Copy + Eq + fmt::Debug + 'static {
    /// The type's name, for schemas.
    const NAME: &'static str;
    /// Each value as it is written, with what it is.
    const VALUES: &'static [(&'static str, Self)];
    /// Whether the API itself refuses other values (an `enum` in its schema), or leaves the list open.
    const CLOSED: bool;

    /// The value as it is written.
    fn as_str(self) -> &'static str {
        Self::VALUES
            .iter()
            .find(|(_, value)| *value == self)
            .map_or("", |(text, _)| text)
    }
}

/// A known value, or text that is none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Open<T> {
    /// A value that is known here.
    Known(T),
    /// What else was written.
    Other(String),
}

impl<T: Known> Open<T> {
    /// The value that a text stands for.
    pub fn new(text: &str) -> Self {
        T::VALUES
            .iter()
            .find(|(written, _)| *written == text)
            .map_or_else(
                || Self::Other(text.to_owned()),
                |(_, value)| Self::Known(*value),
            )
    }

    /// The known value, if it is one.
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(value) => Some(*value),
            Self::Other(_) => None,
        }
    }

    /// The value as it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(value) => value.as_str(),
            Self::Other(text) => text,
        }
    }
}

impl<T: Known> From<T> for Open<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T: Known> PartialEq<T> for Open<T> {
    fn eq(&self, other: &T) -> bool {
        self.known() == Some(*other)
    }
}

impl<T: Known> fmt::Display for Open<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de, T: Known> Deserialize<'de> for Open<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(OpenVisitor(PhantomData))
    }
}

impl<T: Known> Serialize for Open<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

struct OpenVisitor<T>(PhantomData<T>);

impl<T: Known> Visitor<'_> for OpenVisitor<T> {
    type Value = Open<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one of ")?;
        for (index, (text, _)) in T::VALUES.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "\"{text}\"")?;
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Open<T>, E> {
        Ok(Open::new(text))
    }
}

impl<T: Known> JsonSchema for Open<T> {
    fn schema_name() -> Cow<'static, str> {
        T::NAME.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let values: Vec<&str> = T::VALUES.iter().map(|(text, _)| *text).collect();
        if T::CLOSED {
            json_schema!({ "type": "string", "enum": values })
        } else {
            json_schema!({ "type": "string", "examples": values })
        }
    }
}

/// Declares an enum with the text of each value, and makes it [`Known`]. `closed` where the API's own
/// schema lists the values, `open` where others may be written.
macro_rules! known_values {
    (
        $list:ident
        $(#[$meta:meta])*
        pub enum $name:ident { $( $(#[$of_value:meta])* $value:ident = $text:literal ),+ $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $( $(#[$of_value])* $value ),+
        }

        impl $crate::open::Known for $name {
            const NAME: &'static str = stringify!($name);
            const VALUES: &'static [(&'static str, Self)] = &[ $( ($text, Self::$value) ),+ ];
            const CLOSED: bool = $crate::open::known_values!(@ $list);
        }
    };
    (@ closed) => { true };
    (@ open) => { false };
}

pub(crate) use known_values;

#[cfg(test)]
mod tests {
    use super::Open;
    use crate::gateway_api::shared::FromNamespaces;

    #[test]
    fn an_unknown_value_is_data() {
        let known: Open<FromNamespaces> = serde_json::from_str("\"Selector\"").unwrap();
        assert_eq!(known, FromNamespaces::Selector);
        let other: Open<FromNamespaces> = serde_json::from_str("\"Galaxy\"").unwrap();
        assert_eq!(other, Open::Other("Galaxy".to_owned()));
        assert_eq!(other.to_string(), "Galaxy");
        assert_eq!(other.known(), None);
    }

    #[test]
    fn what_is_no_text_is_refused_with_the_list_of_values() {
        let error = serde_json::from_str::<Open<FromNamespaces>>("[]").unwrap_err();
        assert!(error.to_string().contains("\"Selector\""), "{error}");
    }
}
