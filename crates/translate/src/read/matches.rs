//! Matches of a rule (gateway-api `HTTPRouteMatch`). One that cannot be understood takes its rule with it:
//! nobody knows which requests the rule would have taken.

use daemun_model::matching::{HeaderMatch, PathMatch, QueryMatch, RequestMatch, ValueMatch};
use daemun_model::verdict::{FieldPath, Finding};
use daemun_objects::Open;
use daemun_objects::gateway_api::httproute::{
    HttpHeaderMatch, HttpMethod, HttpPathMatch, HttpQueryParamMatch, HttpRouteMatch, PathMatchType,
    ValueMatchType,
};
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::value::{character_outside_paths, header_name, unknown};
use crate::verdict::{Refusal, warning};

/// How large a regular expression may be, in states once compiled: one route must not take a proxy's memory.
const REGEX_STATES: usize = 20_000;
/// How deep a regular expression may nest: parsers recurse.
const REGEX_NEST: u32 = 100;

/// Reads a match.
pub(crate) fn read(
    written: &HttpRouteMatch,
    path: &FieldPath,
    findings: &mut Vec<Finding>,
) -> Result<RequestMatch, Refusal> {
    let HttpRouteMatch {
        path: path_match,
        headers,
        query_params,
        method,
    } = written;
    Ok(RequestMatch {
        path: path_match.as_ref().map_or_else(
            || Ok(PathMatch::Prefix("/".to_owned())),
            |written| read_path(written, &path.field("path")),
        )?,
        method: method
            .as_ref()
            .map(|method| read_method(method, &path.field("method")))
            .transpose()?,
        headers: read_headers(headers, &path.field("headers"), findings)?,
        query: read_query(query_params, &path.field("queryParams"), findings)?,
    })
}

fn read_path(written: &HttpPathMatch, path: &FieldPath) -> Result<PathMatch, Refusal> {
    let value = written.value();
    let value_path = path.field("value");
    let kind = match &written.r#type {
        None => PathMatchType::PathPrefix,
        Some(kind) => kind.known().ok_or_else(|| {
            unknown(
                &path.field("type"),
                "path match type",
                kind.as_str(),
                &["Exact", "PathPrefix", "RegularExpression"],
            )
        })?,
    };
    if value.len() > 1024 {
        return Err(Refusal::unsupported(
            value_path,
            "A path in a match has at most 1024 characters.",
        ));
    }
    match kind {
        PathMatchType::RegularExpression => {
            regex(value, &value_path)?;
            Ok(PathMatch::Regex(value.to_owned()))
        }
        PathMatchType::Exact => {
            check_path(value, &value_path)?;
            Ok(PathMatch::Exact(value.to_owned()))
        }
        PathMatchType::PathPrefix => {
            check_path(value, &value_path)?;
            let trimmed = value.strip_suffix('/').unwrap_or(value);
            Ok(PathMatch::Prefix(
                if trimmed.is_empty() { "/" } else { trimmed }.to_owned(),
            ))
        }
    }
}

/// What the API server's rules forbid in Exact and PathPrefix (gateway-api `HTTPPathMatch`): all that is
/// gone from a path once it is normalized, and what no path has.
fn check_path(value: &str, path: &FieldPath) -> Result<(), Refusal> {
    let refuse = |why: String| Err(Refusal::unsupported(path.clone(), why));
    if !value.starts_with('/') {
        return refuse(format!(
            "The path \"{value}\" does not begin with \"/\"; write \"/{value}\", or use type RegularExpression."
        ));
    }
    for part in ["//", "/./", "/../", "%2f", "%2F", "#"] {
        if value.contains(part) {
            return refuse(format!(
                "The path \"{value}\" contains \"{part}\", which the path of a request that is matched never does."
            ));
        }
    }
    for end in ["/..", "/."] {
        if value.ends_with(end) {
            return refuse(format!(
                "The path \"{value}\" ends with \"{end}\", which the path of a request that is matched never does."
            ));
        }
    }
    match character_outside_paths(value) {
        None => Ok(()),
        Some(character) => refuse(format!(
            "The path \"{value}\" contains {character:?}, which a path carries percent-encoded only (RFC 3986)."
        )),
    }
}

fn read_method(method: &Open<HttpMethod>, path: &FieldPath) -> Result<http::Method, Refusal> {
    use daemun_objects::Known;
    let known: Vec<&str> = HttpMethod::VALUES.iter().map(|(text, _)| *text).collect();
    let known = match method.known() {
        Some(method) => http::Method::from_bytes(method.as_str().as_bytes()).ok(),
        None => return Err(unknown(path, "method", method.as_str(), &known)),
    };
    known.ok_or_else(|| Refusal::unsupported(path.clone(), format!("{method} is not a method.")))
}

/// Reads matches of headers at a path.
pub(crate) fn read_headers(
    written: &[HttpHeaderMatch],
    path: &FieldPath,
    findings: &mut Vec<Finding>,
) -> Result<Vec<HeaderMatch>, Refusal> {
    let mut headers: Vec<HeaderMatch> = Vec::with_capacity(written.len());
    for (index, header) in written.iter().enumerate() {
        let path = path.index(index);
        let name = header_name(&header.name, &path.field("name"))?;
        if headers.iter().any(|earlier| earlier.name == name) {
            findings.push(warning(
                path.field("name"),
                "DuplicateMatch",
                format!("The header {name} is in this match twice; the first one counts (names are compared without regard to case). Take one out; for another value, write another match."),
            ));
            continue;
        }
        headers.push(HeaderMatch {
            name,
            value: value_match(header.r#type.as_ref(), &header.value, &path)?,
        });
    }
    Ok(headers)
}

fn read_query(
    written: &[HttpQueryParamMatch],
    path: &FieldPath,
    findings: &mut Vec<Finding>,
) -> Result<Vec<QueryMatch>, Refusal> {
    let mut query: Vec<QueryMatch> = Vec::with_capacity(written.len());
    for (index, parameter) in written.iter().enumerate() {
        let path = path.index(index);
        let name = &parameter.name;
        if name.is_empty() {
            return Err(Refusal::unsupported(
                path.field("name"),
                "A query parameter has a name, and this one is empty.",
            ));
        }
        if query.iter().any(|earlier| earlier.name == *name) {
            findings.push(warning(
                path.field("name"),
                "DuplicateMatch",
                format!("The query parameter {name} is in this match twice; the first one counts. Take one out; for another value, write another match."),
            ));
            continue;
        }
        query.push(QueryMatch {
            name: name.clone(),
            value: value_match(parameter.r#type.as_ref(), &parameter.value, &path)?,
        });
    }
    Ok(query)
}

fn value_match(
    kind: Option<&Open<ValueMatchType>>,
    value: &str,
    path: &FieldPath,
) -> Result<ValueMatch, Refusal> {
    let kind = match kind {
        None => ValueMatchType::Exact,
        Some(kind) => kind.known().ok_or_else(|| {
            unknown(
                &path.field("type"),
                "match type",
                kind.as_str(),
                &["Exact", "RegularExpression"],
            )
        })?,
    };
    if value.is_empty() {
        return Err(Refusal::unsupported(
            path.field("value"),
            "A match has a value, and this one is empty.",
        ));
    }
    match kind {
        ValueMatchType::Exact => Ok(ValueMatch::Exact(value.to_owned())),
        ValueMatchType::RegularExpression => {
            regex(value, &path.field("value"))?;
            Ok(ValueMatch::Regex(value.to_owned()))
        }
    }
}

/// Judges a regular expression at a path.
pub(crate) fn regex(pattern: &str, path: &FieldPath) -> Result<(), Refusal> {
    if pattern.is_empty() {
        return Err(Refusal::unsupported(
            path.clone(),
            "The regular expression is empty.",
        ));
    }
    let read = regex_syntax::ParserBuilder::new()
        .nest_limit(REGEX_NEST)
        .build()
        .parse(pattern)
        .map_err(|error| {
            let why = match &error {
                regex_syntax::Error::Parse(error) => error.kind().to_string(),
                regex_syntax::Error::Translate(error) => error.kind().to_string(),
                _ => error.to_string(),
            };
            Refusal::unsupported(
                path.clone(),
                format!("\"{pattern}\" is not a regular expression that is understood here: {why}. The syntax is RE2's: without look-around and backreferences."),
            )
        })?;
    if states(&read) > REGEX_STATES {
        return Err(Refusal::unsupported(
            path.clone(),
            format!(
                "\"{pattern}\" is too large once its repetitions are written out, and would take the proxy's memory; use smaller numbers in {{}}, or * and +."
            ),
        ));
    }
    Ok(())
}

/// About how many states an expression has once it is compiled: repetitions are written out.
fn states(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        // A class of characters beyond ASCII has some states for each of its ranges.
        HirKind::Class(class) => match class {
            Class::Bytes(_) => 1,
            Class::Unicode(class) => class.ranges().len(),
        },
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1);
            states(&repetition.sub).saturating_mul(usize::try_from(times).unwrap_or(usize::MAX))
        }
        HirKind::Capture(capture) => states(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts
            .iter()
            .fold(0, |sum: usize, part| sum.saturating_add(states(part))),
    }
}
