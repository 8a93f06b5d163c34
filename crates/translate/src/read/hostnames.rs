//! The hostnames of a Route.

use daemun_model::hostname::HostPattern;
use daemun_model::verdict::FieldPath;

use crate::value::capitalized;
use crate::verdict::Refusal;

/// The hostnames of a Route.
pub(crate) struct Hostnames {
    /// Never empty, unless all that were written are refused.
    pub(crate) names: Vec<HostPattern>,
    /// Those that cannot be understood.
    pub(crate) refused: Vec<Refusal>,
}

impl Hostnames {
    /// Every name: nothing was written, or nothing can be.
    pub(crate) fn any() -> Self {
        Self {
            names: vec![HostPattern::Any],
            refused: Vec::new(),
        }
    }

    /// Reads `spec.hostnames`; none means all.
    pub(crate) fn read(written: &[String]) -> Self {
        if written.is_empty() {
            return Self::any();
        }
        Self::all(written)
    }

    /// Reads the `spec.hostnames` of a kind that has at least one.
    pub(crate) fn read_some(written: &[String]) -> Self {
        let mut hostnames = Self::all(written);
        if written.is_empty() {
            hostnames.refused.push(Refusal::unsupported(
                FieldPath::of("spec.hostnames"),
                "A TLSRoute is for at least one name that clients ask for, and hostnames has none.",
            ));
        }
        hostnames
    }

    fn all(written: &[String]) -> Self {
        let mut hostnames = Self {
            names: Vec::with_capacity(written.len()),
            refused: Vec::new(),
        };
        for (index, name) in written.iter().enumerate() {
            let path = FieldPath::of("spec.hostnames").index(index);
            match HostPattern::parse(name) {
                Ok(HostPattern::Any) => hostnames.refused.push(Refusal::unsupported(
                    path,
                    format!("\"{name}\" is not a hostname; leave hostnames out for all names."),
                )),
                Ok(pattern) if hostnames.names.contains(&pattern) => {}
                Ok(pattern) => hostnames.names.push(pattern),
                Err(why) => hostnames.refused.push(Refusal::unsupported(
                    path,
                    format!("{}.", capitalized(&why)),
                )),
            }
        }
        hostnames
    }
}
