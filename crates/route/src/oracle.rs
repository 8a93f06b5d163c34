//! The same answer as a table gives, in the plainest code: every match is tried, those that take the
//! request are sorted, the first one wins. For tests and for fuzzing; nothing here is shared with the code that it
//! is compared with, except for the normalization of paths, which has tests of its own.

pub mod case;

use std::cell::RefCell;
use std::cmp::Reverse;

use daemun_model::matching::{CallMatch, PathMatch, RequestMatch, ValueMatch};
use daemun_model::names::RouteKind;
use foldhash::HashMap;
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::util::syntax;

use crate::{Asked, Input, paths};

/// The rule that takes the request, as its place among the inputs and the place of the match in it.
pub fn find<T>(inputs: &[Input<'_, T>], asked: &Asked<'_>) -> Option<(usize, usize)> {
    let mut taking = Vec::new();
    for (at, input) in inputs.iter().enumerate() {
        for (index, wanted) in input.rule.matches.iter().enumerate() {
            if input.hostname.contains(asked.host) && takes(wanted, asked) {
                taking.push((at, index));
            }
        }
    }
    taking.into_iter().min_by_key(|(at, index)| {
        let (input, wanted) = (&inputs[*at], &inputs[*at].rule.matches[*index]);
        let path = match &wanted.path {
            PathMatch::Exact(_) => (0, Reverse(0), Reverse((false, 0))),
            PathMatch::Regex(expression) => {
                let length = Reverse(expression.chars().count());
                (1, length, Reverse((false, 0)))
            }
            PathMatch::Prefix(prefix) => {
                let length =
                    elements_of_prefix(prefix).map_or(0, |all| all.concat().len() + all.len());
                (2, Reverse(length), Reverse((false, 0)))
            }
            PathMatch::Call(call) => rank_of_call(call),
        };
        let conditions = (
            wanted.method.is_none(),
            Reverse(wanted.headers.len()),
            Reverse(wanted.query.len()),
        );
        let age = (input.route.created, input.route.key.name.to_string());
        let is_call = asked
            .headers
            .get(http::header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
        (
            Reverse(input.hostname.specificity()),
            (input.route.key.kind == RouteKind::Grpc) != is_call,
            path,
            conditions,
            age,
            input.rule.index,
            *index,
        )
    })
}

type Rank = (u8, Reverse<usize>, Reverse<(bool, usize)>);

/// More of the service, then more of the method; what is exact comes before expressions.
fn rank_of_call(call: &CallMatch) -> Rank {
    let length = |value: &Option<ValueMatch>| match value {
        None => (false, 0),
        Some(ValueMatch::Exact(text)) => (true, text.chars().count()),
        Some(ValueMatch::Regex(text)) => (false, text.chars().count()),
    };
    let method = Reverse(length(&call.method));
    match (&call.service, &call.method) {
        (Some(ValueMatch::Exact(_)), Some(ValueMatch::Exact(_))) => (0, Reverse(0), method),
        // After the slash before it.
        (Some(ValueMatch::Exact(service)), None) => (2, Reverse(service.len() + 1), method),
        (None, _) => (2, Reverse(1), method),
        (service, _) => (1, Reverse(length(service).1), method),
    }
}

/// Whether a path is that of one of the methods.
fn takes_call(call: &CallMatch, path: &str) -> bool {
    let part = |value: &Option<ValueMatch>| match value {
        None => "[^/]+".to_owned(),
        Some(ValueMatch::Exact(text)) => regex_syntax::escape(text),
        Some(ValueMatch::Regex(text)) => format!("(?:{text})"),
    };
    match call {
        CallMatch {
            service: Some(ValueMatch::Exact(service)),
            method: None,
        } => path == format!("/{service}") || path.starts_with(&format!("/{service}/")),
        CallMatch { service, method } => whole(
            &format!("/{}/{}", part(service), part(method)),
            path.as_bytes(),
        ),
    }
}

/// Whether the request meets the match.
fn takes(wanted: &RequestMatch, asked: &Asked<'_>) -> bool {
    let path = match &wanted.path {
        PathMatch::Call(call) => takes_call(call, asked.path),
        PathMatch::Exact(path) => paths::normalize(path).is_ok_and(|path| path == asked.path),
        PathMatch::Regex(expression) => whole(expression, asked.path.as_bytes()),
        PathMatch::Prefix(prefix) => elements_of_prefix(prefix).is_some_and(|prefix| {
            asked
                .path
                .split('/')
                .skip(1)
                .map(str::to_owned)
                .collect::<Vec<_>>()
                .starts_with(&prefix)
        }),
    };
    path && wanted
        .method
        .as_ref()
        .is_none_or(|method| method == asked.method)
        && wanted.headers.iter().all(|header| {
            let lines: Vec<&[u8]> = asked
                .headers
                .get_all(&header.name)
                .iter()
                .map(|line| line.as_bytes())
                .collect();
            let separator: &[u8] = if header.name == "cookie" { b"; " } else { b"," };
            !lines.is_empty() && holds(&header.value, &lines.join(separator))
        })
        && wanted.query.iter().all(|parameter| {
            let pairs = asked
                .query
                .unwrap_or_default()
                .split('&')
                .filter(|pair| !pair.is_empty());
            let mut pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
            let first = pairs.find(|(name, _)| decoded(name) == parameter.name.as_bytes());
            first.is_some_and(|(_, value)| holds(&parameter.value, &decoded(value)))
        })
}

fn holds(wanted: &ValueMatch, value: &[u8]) -> bool {
    match wanted {
        ValueMatch::Exact(text) => text.as_bytes() == value,
        ValueMatch::Regex(expression) => whole(expression, value),
    }
}

/// Whether the whole text satisfies the expression. By another engine than the table's.
fn whole(expression: &str, text: &[u8]) -> bool {
    thread_local! {
        static COMPILED: RefCell<HashMap<String, Option<PikeVM>>> = RefCell::default();
    }
    let compile = || {
        PikeVM::builder()
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .build(&format!("^(?:{expression})$"))
            .ok()
    };
    COMPILED.with_borrow_mut(|compiled| {
        let regex = compiled
            .entry(expression.to_owned())
            .or_insert_with(compile);
        regex
            .as_ref()
            .is_some_and(|regex| regex.is_match(&mut regex.create_cache(), text))
    })
}

/// The elements that a path must begin with: those of the prefix, of which one trailing slash is ignored unless
/// nothing would be left.
fn elements_of_prefix(prefix: &str) -> Option<Vec<String>> {
    let normal = paths::normalize(prefix).ok()?;
    let elements = match &*normal {
        "/" => Vec::new(),
        "//" => vec!["", ""],
        path => path
            .strip_suffix('/')
            .unwrap_or(path)
            .split('/')
            .skip(1)
            .collect(),
    };
    Some(elements.into_iter().map(str::to_owned).collect())
}

fn decoded(text: &str) -> Vec<u8> {
    let text = text.replace('+', " ");
    let mut pieces = text.split('%');
    let mut out = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        match piece
            .get(..2)
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
        {
            Some(digits) => {
                out.extend(u8::from_str_radix(digits, 16));
                out.extend(&piece.as_bytes()[2..]);
            }
            None => {
                out.push(b'%');
                out.extend(piece.as_bytes());
            }
        }
    }
    out
}
