//! What is wrong with a link, and what to do about it.
//!
//! What is to be typed or pasted stands apart from the sentences, so that a line of it is never broken.

use std::fmt;

use daemun_controller::source::files::Spot;
use serde::{Serialize, Serializer};

use super::known::Known;
use super::lang::{Lang, Words, fill};
use super::words as w;
use super::{Link, Owner, State, said};

/// What is wrong, and what to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Trouble {
    pub(crate) what: String,
    /// What the controller said, where `what` says it in another language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// Where that is written, if it was read from a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) spot: Option<Spot>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) remedies: Vec<Remedy>,
}

/// What somebody can do. For programs it is one text, of which the lines after the first are what is to be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remedy {
    /// A sentence.
    pub(crate) says: String,
    /// What is to be typed or pasted for it, line by line.
    pub(crate) paste: Vec<String>,
}

impl Serialize for Remedy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { says, paste } = self;
        let lines = [says].into_iter().chain(paste).map(String::as_str);
        serializer.serialize_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wrong {
    /// `Service shop/shop-daemun`.
    pub(crate) object: String,
    pub(crate) link: Link,
    pub(crate) state: State,
    pub(crate) owner: Owner,
    #[serde(flatten)]
    pub(crate) trouble: Trouble,
}

impl Trouble {
    /// What a condition or a finding says.
    pub(super) fn said(known: &Known<'_>, (kind, reason): (&str, &str), message: &str) -> Self {
        match said::meaning(known.lang, kind, reason) {
            Some(meaning) => Self {
                what: meaning,
                message: Some(message.to_owned()),
                ..Self::default()
            },
            None => message.into(),
        }
    }

    /// What the controller said, as a quotation.
    pub(super) fn quoted(&self, lang: Lang) -> Option<String> {
        let message = self.message.as_ref()?;
        Some(w::CONTROLLER_SAYS.say(lang, &[message]))
    }

    /// With where it is written.
    #[must_use]
    pub(super) fn at(mut self, spot: Option<Spot>) -> Self {
        self.spot = spot;
        self
    }

    /// With what to do about it.
    #[must_use]
    pub(super) fn with(mut self, remedies: impl IntoIterator<Item = Remedy>) -> Self {
        self.remedies.extend(remedies);
        self
    }
}

impl From<String> for Trouble {
    fn from(what: String) -> Self {
        Self {
            what,
            ..Self::default()
        }
    }
}

impl From<&str> for Trouble {
    fn from(what: &str) -> Self {
        what.to_owned().into()
    }
}

impl From<String> for Remedy {
    fn from(says: String) -> Self {
        Self {
            says,
            paste: Vec::new(),
        }
    }
}

impl Words {
    /// As something to do: what stands behind the first line's end is to be typed or pasted as it is.
    pub(super) fn remedy(&self, lang: Lang, values: &[&dyn fmt::Display]) -> Remedy {
        let mut lines = self.of(lang).lines().map(|line| fill(line, values));
        Remedy {
            says: lines.next().unwrap_or_default(),
            paste: lines.collect(),
        }
    }
}
