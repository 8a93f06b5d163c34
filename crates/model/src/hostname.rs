//! Hostnames as listeners and routes write them: exact, wildcard, or any.
//!
//! A wildcard `*.example.com` stands for one or more labels and never for the apex
//! (gateway-api `Hostname`, `HTTPRoute.spec.hostnames`). Names are compared in ASCII lower case.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A set of hostnames.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HostPattern {
    /// Every hostname: nothing was written.
    Any,
    /// All names that end in this suffix and have at least one more label. Held with its leading
    /// dot: `.example.com`.
    Wildcard(String),
    /// Just this name.
    Exact(String),
}

impl HostPattern {
    /// Reads a `Hostname` of the Gateway API: RFC 1123 labels, optionally with `*` as the whole first
    /// label. Empty means any.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the name.
    pub fn parse(written: &str) -> Result<Self, String> {
        if written.is_empty() || written == "*" {
            return Ok(Self::Any);
        }
        let lower = written.to_ascii_lowercase();
        let (wildcard, rest) = match lower.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, lower.as_str()),
        };
        if lower.len() > 253 {
            return Err(format!(
                "the hostname \"{written}\" is longer than 253 characters"
            ));
        }
        if rest.parse::<std::net::IpAddr>().is_ok() {
            return Err(format!(
                "\"{written}\" is an IP address; a hostname is needed"
            ));
        }
        if let Some(label) = rest.split('.').find(|label| !is_label(label)) {
            return Err(format!(
                "\"{written}\" is not a hostname: \"{label}\" is not a label of letters, digits and inner hyphens (RFC 1123)"
            ));
        }
        Ok(if wildcard {
            Self::Wildcard(format!(".{rest}"))
        } else {
            Self::Exact(rest.to_owned())
        })
    }

    /// Whether a name (lower case, without port or trailing dot) is in the set.
    pub fn contains(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Wildcard(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
            Self::Exact(name) => name == host,
        }
    }

    /// The names that are in both sets: always one of the two patterns, or nothing.
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Any, pattern) | (pattern, Self::Any) => Some(pattern.clone()),
            (Self::Exact(name), pattern) | (pattern, Self::Exact(name)) => {
                pattern.contains(name).then(|| Self::Exact(name.clone()))
            }
            (Self::Wildcard(one), Self::Wildcard(two)) => {
                let (long, short) = if one.len() >= two.len() {
                    (one, two)
                } else {
                    (two, one)
                };
                long.ends_with(short.as_str())
                    .then(|| Self::Wildcard(long.clone()))
            }
        }
    }

    /// How specific the pattern is: exact before wildcard before any, longer before shorter. Greater
    /// wins (gateway-api `HTTPRoute.spec.hostnames`, precedence).
    pub fn specificity(&self) -> (u8, usize) {
        match self {
            Self::Any => (0, 0),
            Self::Wildcard(suffix) => (1, suffix.len()),
            Self::Exact(name) => (2, name.len()),
        }
    }
}

fn is_label(label: &str) -> bool {
    let bytes = label.as_bytes();
    let alphanumeric = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    bytes.len() <= 63
        && alphanumeric(bytes.first())
        && alphanumeric(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Wildcard(suffix) => write!(f, "*{suffix}"),
            Self::Exact(name) => f.write_str(name),
        }
    }
}

impl Serialize for HostPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HostPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&written).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::HostPattern;

    fn pattern(written: &str) -> HostPattern {
        HostPattern::parse(written).unwrap()
    }

    #[test]
    fn a_wildcard_holds_one_or_more_labels_and_not_the_apex() {
        let wildcard = pattern("*.Example.com");
        for (host, inside) in [
            ("a.example.com", true),
            ("a.b.example.com", true),
            ("example.com", false),
            (".example.com", false),
            ("aexample.com", false),
        ] {
            assert_eq!(wildcard.contains(host), inside, "{host}");
        }
    }

    #[test]
    fn intersections_are_the_narrower_pattern_or_nothing() {
        for (one, two, both) in [
            ("", "a.com", Some("a.com")),
            ("*.a.com", "b.a.com", Some("b.a.com")),
            ("*.a.com", "a.com", None),
            ("*.a.com", "*.b.a.com", Some("*.b.a.com")),
            ("*.a.com", "*.b.com", None),
            ("a.com", "b.com", None),
            ("*.a.com", "", Some("*.a.com")),
        ] {
            let expected = both.map(pattern);
            assert_eq!(
                pattern(one).intersect(&pattern(two)),
                expected,
                "{one} and {two}"
            );
            assert_eq!(
                pattern(two).intersect(&pattern(one)),
                expected,
                "{two} and {one}"
            );
        }
    }

    #[test]
    fn what_is_no_hostname_is_refused() {
        for written in [
            "a..b", "-a.com", "a-.com", "a_b.com", "*.", "a.*.com", "10.0.0.1", "a.com:80",
            "*a.com",
        ] {
            assert!(HostPattern::parse(written).is_err(), "{written}");
        }
    }
}
