//! What is wrong with one object, and where in it: the error of our deserializer.

use std::fmt;

use daemun_model::verdict::FieldPath;
use daemun_translate::nearest::nearest;
use serde::de::{Expected, Unexpected};

use super::document::Place;

/// One thing that is wrong. Reads `what, in <object and path>; remedy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// What is: a clause that begins in lower case.
    pub(super) what: String,
    /// What to do about it, if that can be said.
    pub(super) remedy: Option<String>,
    /// Where; none until a deserializer that knows has seen it.
    pub(super) place: Option<(Place, FieldPath)>,
}

impl Fault {
    /// A fault whose place is not known yet.
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            remedy: None,
            place: None,
        }
    }

    /// Something that is not what it should be: `a string is found where a list is expected`.
    pub(super) fn mismatch(found: &str, expected: &str) -> Self {
        Self::new(format!("{found} is found where {expected} is expected"))
    }

    /// A name that is not among those that may stand there.
    pub(super) fn unknown(what: &str, written: &str, known: &[&str]) -> Self {
        let remedy = match nearest(written, known.iter().copied()) {
            Some(name) => Some(format!("did you mean \"{name}\"?")),
            None if (1..=12).contains(&known.len()) => {
                Some(format!("known are: {}", known.join(", ")))
            }
            None => None,
        };
        Self {
            remedy,
            ..Self::new(format!("{what} \"{written}\""))
        }
    }

    /// Adds what to do.
    #[must_use]
    pub(super) fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..self
        }
    }

    /// Says where, unless that is known already: the innermost place counts.
    #[must_use]
    pub(super) fn at(mut self, place: Place, path: impl FnOnce() -> FieldPath) -> Self {
        if self.place.is_none() {
            self.place = Some((place, path()));
        }
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::mismatch(&found_words(found), &expected.to_string())
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::mismatch(&found_words(found), &expected.to_string())
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown("unknown value", variant, expected)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown("unknown field", field, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("the field \"{field}\" is missing"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(format!("the field \"{field}\" stands twice"))
    }
}

/// What was found, without the text of strings: it may be a secret.
fn found_words(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Str(_) | Unexpected::Char(_) => "a string".to_owned(),
        Unexpected::Bytes(_) => "binary data".to_owned(),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a mapping".to_owned(),
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Signed(value) => value.to_string(),
        Unexpected::Unsigned(value) => value.to_string(),
        Unexpected::Float(value) => value.to_string(),
        other => other.to_string(),
    }
}
