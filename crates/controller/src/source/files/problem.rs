//! What is wrong with files, as people are told it.

use std::fmt;
use std::sync::Arc;

use daemun_model::names::ObjectRef;
use daemun_model::verdict::{FieldPath, Severity};
use serde::Serialize;

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spot {
    /// The file, as it was named.
    pub file: Arc<str>,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// The line with those before it and marks under what is meant; none where a secret may stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snippet: Option<String>,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why an object or a file is not, or not wholly, what was meant. One word each, for metrics and JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Reason {
    /// The file or directory cannot be read.
    Unreadable,
    /// The text is not YAML, or more than the limits allow.
    Malformed,
    /// The object has fields or values that its kind does not have.
    Invalid,
    /// The same object is there twice.
    Duplicate,
    /// Nothing here reads this kind, or this version of it.
    UnknownKind,
    /// A file that a Secret or ConfigMap names cannot be read.
    NamedFile,
}

impl Reason {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "Unreadable",
            Self::Malformed => "Malformed",
            Self::Invalid => "Invalid",
            Self::Duplicate => "Duplicate",
            Self::UnknownKind => "UnknownKind",
            Self::NamedFile => "NamedFile",
        }
    }
}

/// Something that is wrong in the files, until it is put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A warning stops nothing; an error means that something that was written is not in force.
    pub severity: Severity,
    /// In one word.
    pub reason: Reason,
    /// The file; what stands in front of the message when there is no `spot`.
    pub file: Arc<str>,
    /// Where in the file, if there is such a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spot: Option<Spot>,
    /// The object, if it could be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectRef>,
    /// The field.
    pub path: FieldPath,
    /// What is, and what to do; without the place.
    pub message: String,
    /// What goes on being served instead, and since when; none if nothing was before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
}

/// What goes on as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// The objects; never empty.
    pub objects: Vec<ObjectRef>,
    /// When the youngest of them became what it is, in seconds since 1970.
    pub since: i64,
}

impl Problem {
    /// Whether it is the same problem as another one, though lines may have moved.
    pub fn is_same(&self, other: &Self) -> bool {
        self.reason == other.reason
            && self.file == other.file
            && self.object == other.object
            && self.path == other.path
            && self.message == other.message
    }

    /// What goes on being served, in sentences: for a process that serves.
    pub fn consequence(&self) -> String {
        if self.severity == Severity::Warning {
            return String::new();
        }
        match (&self.kept, &self.object) {
            (Some(kept), _) => kept.sentence(self.reason != Reason::Unreadable),
            (None, Some(object)) => {
                format!(
                    "{object} is not in force until this is put right. All else in the file is live."
                )
            }
            (None, None) if self.reason == Reason::Unreadable => {
                "Nothing of it is in force until this is put right.".to_owned()
            }
            (None, None) => {
                "What stands there is not in force until this is put right. All else in the file is live."
                    .to_owned()
            }
        }
    }
}

impl Kept {
    fn sentence(&self, rest_is_live: bool) -> String {
        const SHOWN: usize = 3;
        let named: Vec<String> = self
            .objects
            .iter()
            .take(SHOWN)
            .map(|object| object.name.to_string())
            .collect();
        let more = match self.objects.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (goes, was) = match self.objects.len() {
            1 => ("goes on as it was", ""),
            _ => ("go on as they were", ""),
        };
        let rest = if rest_is_live {
            " All else in the file is live."
        } else {
            ""
        };
        format!(
            "Nothing has changed: {}{more} {goes}{was} at {}.{rest}",
            named.join(", "),
            time_of_day(self.since)
        )
    }
}

/// A moment's time of day, in UTC.
fn time_of_day(seconds: i64) -> String {
    let of_day = seconds.rem_euclid(86_400);
    format!(
        "{:02}:{:02}:{:02} UTC",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )
}

impl fmt::Display for Problem {
    /// `file:line:column: message`, and the snippet below it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.spot {
            Some(spot) => {
                write!(f, "{spot}: {}", self.message)?;
                match &spot.snippet {
                    Some(snippet) => write!(f, "\n{snippet}"),
                    None => Ok(()),
                }
            }
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}
