//! Reading objects: from what was written to what was meant, one file per kind. What the API server would
//! have refused (a file has none in front of it) is refused here, with the place and the remedy.

pub(crate) mod backend;
pub(crate) mod backendpolicy;
pub(crate) mod backendtlspolicy;
pub(crate) mod gateway;
pub(crate) mod gatewayclass;
pub(crate) mod httproute;
pub(crate) mod listener;
pub(crate) mod listenerpolicy;
pub(crate) mod listenerset;
pub(crate) mod matches;
pub(crate) mod namespaces;
pub(crate) mod rule;

/// Whether a name is one that sections may have: a DNS subdomain (RFC 1123) of lower case letters, digits,
/// hyphens and dots.
pub(crate) fn is_section_name(name: &str) -> bool {
    let label = |label: &str| {
        let bytes = label.as_bytes();
        let ends = |byte: Option<&u8>| {
            byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        ends(bytes.first())
            && ends(bytes.last())
            && bytes
                .iter()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// A port number, if it is one.
pub(crate) fn port(number: i32) -> Option<u16> {
    u16::try_from(number).ok().filter(|port| *port != 0)
}
