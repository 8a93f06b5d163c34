//! `RequestHeaderModifier` and `ResponseHeaderModifier` (gateway-api `HTTPHeaderFilter`).

use daemun_model::filter::headers::HeaderModifier;
use daemun_model::verdict::FieldPath;
use daemun_objects::gateway_api::shared::{HeaderModifier as Written, HttpHeader};
use http::{HeaderName, HeaderValue};

use crate::value::header_name;
use crate::verdict::Refusal;

/// Headers that frame a message or belong to one connection: changing them would let two parsers read one
/// message in two ways.
const FRAMING: [&str; 8] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Reads the changes.
pub(super) fn read(written: &Written, path: &FieldPath) -> Result<HeaderModifier, Refusal> {
    let Written { set, add, remove } = written;
    let mut removed: Vec<HeaderName> = Vec::with_capacity(remove.len());
    for (index, name) in remove.iter().enumerate() {
        let path = path.field("remove").index(index);
        let name = changeable(name, &path)?;
        if !removed.contains(&name) {
            removed.push(name);
        }
    }
    let modifier = HeaderModifier {
        set: values(set, &path.field("set"))?,
        add: values(add, &path.field("add"))?,
        remove: removed,
    };
    let twice = |name: &HeaderName| {
        let lists = [
            modifier.set.iter().any(|(other, _)| other == name),
            modifier.add.iter().any(|(other, _)| other == name),
            modifier.remove.contains(name),
        ];
        lists.iter().filter(|there| **there).count() > 1
    };
    let names = modifier
        .set
        .iter()
        .chain(&modifier.add)
        .map(|(name, _)| name);
    match names.into_iter().find(|name| twice(name)) {
        None => Ok(modifier),
        Some(name) => Err(Refusal::unsupported(
            path.clone(),
            format!(
                "The header {name} is in more than one of set, add and remove; it can be in one of them."
            ),
        )),
    }
}

fn values(
    written: &[HttpHeader],
    path: &FieldPath,
) -> Result<Vec<(HeaderName, HeaderValue)>, Refusal> {
    let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::with_capacity(written.len());
    for (index, HttpHeader { name, value }) in written.iter().enumerate() {
        let path = path.index(index);
        let name = changeable(name, &path.field("name"))?;
        if headers.iter().any(|(earlier, _)| *earlier == name) {
            return Err(Refusal::unsupported(
                path.field("name"),
                format!(
                    "The header {name} is in this list twice (names are compared without regard to case); write its values into one, separated by commas."
                ),
            ));
        }
        headers.push((name, header_value(value, &path.field("value"))?));
    }
    Ok(headers)
}

fn changeable(written: &str, path: &FieldPath) -> Result<HeaderName, Refusal> {
    let name = header_name(written, path)?;
    if FRAMING.contains(&name.as_str()) {
        return Err(Refusal::unsupported(
            path.clone(),
            format!(
                "The header {name} belongs to the connection or frames the message; the gateway writes it by itself, and a filter cannot change it."
            ),
        ));
    }
    if name == http::header::HOST {
        return Err(Refusal::unsupported(
            path.clone(),
            "The Host header is changed by a URLRewrite filter (hostname), not by a header filter.",
        ));
    }
    Ok(name)
}

fn header_value(written: &str, path: &FieldPath) -> Result<HeaderValue, Refusal> {
    let refuse = |why: &str| Err(Refusal::unsupported(path.clone(), why));
    if written.is_empty() || written.len() > 4096 {
        return refuse(
            "A header's value has 1 to 4096 characters; to take a header away, use remove.",
        );
    }
    if written.trim_matches([' ', '\t']) != written {
        return refuse(
            "A header's value neither begins nor ends with a space or a tab (RFC 9110).",
        );
    }
    match HeaderValue::from_str(written) {
        Ok(value) if written.is_ascii() => Ok(value),
        _ => refuse(
            "A header's value has printable ASCII characters, spaces and tabs only (RFC 9110).",
        ),
    }
}
