//! How values of other crates are written and read: for people as they would write them, on the wire whole.
//!
//! One module each, for `#[serde(with = "crate::carried::…")]`. What is read is parsed, so that a value that
//! came over the wire is as correct as one that `translate` made.

use std::fmt::{self, Display};

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::Serializer;

/// Implements `Serialize` for types whose displayed form is for people, and which travel as what they are made
/// of; and `Deserialize` for the latter. The type derives both with `#[serde(remote = "Self")]`.
macro_rules! shown_as_displayed {
    ($($name:ty),+ $(,)?) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    // Not this function, but the one that is derived.
                    <$name>::serialize(self, serializer)
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <$name>::deserialize(deserializer)
            }
        }
    )+};
}
pub(crate) use shown_as_displayed;

/// A value that is text in both forms.
pub(crate) mod text {
    use std::borrow::Cow;
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = Cow::<str>::deserialize(deserializer)?;
        super::parsed(&text)
    }
}

/// A list of values that are text in both forms.
pub(crate) mod texts {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(
        values: &[T],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(ToString::to_string))
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| super::parsed(text)).collect()
    }
}

/// A method, if there is one.
pub(crate) mod method {
    use http::Method;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        method: &Option<Method>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        method.as_ref().map(Method::as_str).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Method>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| super::parsed(&text)).transpose()
    }
}

/// A duration: as GEP-2257 writes it for people, and whole on the wire.
pub(crate) mod duration {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::shown::duration_text;

    pub(crate) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&duration_text(*duration))
        } else {
            duration.serialize(serializer)
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        Duration::deserialize(deserializer)
    }
}

/// The same for one that may be missing; for fields that say `default` too.
pub(crate) mod duration_option {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::shown::duration_text;

    pub(crate) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) if serializer.is_human_readable() => {
                serializer.serialize_some(&duration_text(*duration))
            }
            _ => duration.serialize(serializer),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Option::deserialize(deserializer)
    }
}

/// Header lines: `name: value` for people, pairs on the wire.
pub(crate) mod header_lines {
    use http::{HeaderName, HeaderValue};
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::{ByteBuf, Bytes};

    pub(crate) fn serialize<S: Serializer>(
        headers: &[(HeaderName, HeaderValue)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_seq(headers.iter().map(|(name, value)| {
                format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()))
            }));
        }
        let pairs = headers.iter();
        serializer.collect_seq(pairs.map(|(name, value)| (name.as_str(), Bytes(value.as_bytes()))))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, D::Error> {
        let pairs = Vec::<(String, ByteBuf)>::deserialize(deserializer)?;
        let header = |(name, ByteBuf(value)): (String, ByteBuf)| {
            let value = HeaderValue::from_bytes(&value).map_err(D::Error::custom)?;
            Ok((super::parsed(&name)?, value))
        };
        pairs.into_iter().map(header).collect()
    }
}

/// Bytes that travel as bytes, not as a list of numbers.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl serde::Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

/// What came of them.
pub(crate) struct ByteBuf(pub(crate) Vec<u8>);

impl<'de> Deserialize<'de> for ByteBuf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = ByteBuf;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<ByteBuf, E> {
                Ok(ByteBuf(bytes.to_vec()))
            }

            fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<ByteBuf, E> {
                Ok(ByteBuf(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Reader)
    }
}

/// Whether a value need not be sent.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A number that is at least 1.
///
/// # Errors
/// It is 0.
pub(crate) fn at_least_one<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + PartialEq + Default,
    D: Deserializer<'de>,
{
    let number = T::deserialize(deserializer)?;
    if number == T::default() {
        return Err(de::Error::custom("the number must be at least 1"));
    }
    Ok(number)
}

fn parsed<T: std::str::FromStr<Err: Display>, E: de::Error>(text: &str) -> Result<T, E> {
    let wrong = |error| E::custom(format_args!("\"{text}\" cannot be read: {error}"));
    text.parse().map_err(wrong)
}
