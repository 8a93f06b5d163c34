//! What a running gateway prints when it has begun: what it serves, where, and how to go on.

use std::fmt::Write as _;
use std::net::SocketAddr;

use daemun_base::clock;
use daemun_controller::publish::State;
use daemun_model::Snapshot;
use daemun_model::backend::{Backend, BackendTarget, EndpointHost};
use daemun_model::filter::Filter;
use daemun_model::listener::Listener;
use daemun_model::matching::{CallMatch, PathMatch, RequestMatch, ValueMatch};
use daemun_model::names::BackendKind;
use daemun_model::route::{Attachment, HttpRoute, Rule};
use daemun_model::shown::date;
use daemun_model::stream::StreamRoute;
use daemun_proxy::admin::Address;
use daemun_proxy::{Applied, Listening};

use super::counted;
use super::style::{Style, Tone};
use super::table::Table;
use crate::command::run::{Source, spoken};

/// Rules that are listed; further ones are counted.
const MOST_RULES: usize = 24;

/// What is told about a gateway that has begun.
pub(crate) struct Serving<'a> {
    pub(crate) source: Source<'a>,
    pub(crate) state: &'a State,
    pub(crate) applied: &'a Applied,
    pub(crate) health: Option<SocketAddr>,
    pub(crate) admin: Option<Address>,
}

impl Serving<'_> {
    /// The text, each line with its end.
    pub(crate) fn text(&self, style: Style) -> String {
        let mut text = self.headline(style);
        match self.source {
            Source::Welcome => {
                text.push_str(
                    "  every path   → the built-in echo backend, which answers with the request it saw\n",
                );
            }
            Source::To(target) => {
                let _ = writeln!(text, "  every path   → {target}");
            }
            Source::Paths(_) => self.gateways(&mut text, style),
        }
        for refused in &self.applied.report.refused {
            let _ = writeln!(text, "{} {refused}", style.paint(Tone::Bad, "Refused:"));
        }
        self.how_to_go_on(&mut text);
        text
    }

    fn headline(&self, style: Style) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let what = match self.source {
            Source::Welcome => "a welcome gateway".to_owned(),
            Source::To(target) => format!("a gateway in front of {target}"),
            Source::Paths(_) => {
                let gateways = self.state.configuration.gateways.len();
                format!(
                    "{} from {}",
                    counted(gateways, "Gateway"),
                    counted(self.state.files, "file")
                )
            }
        };
        let name = style.paint(Tone::Strong, format!("Daemun {version}"));
        match (self.source, self.applied.listening.first()) {
            (Source::Paths(_), Some(_)) => format!("{name} serves {what}.\n"),
            (_, Some(listening)) => {
                format!(
                    "{name} serves {what} on http://{}{}.\n",
                    listening.address,
                    reach(listening)
                )
            }
            (_, None) => {
                let why = match self.state.files {
                    0 => "there are no files with objects".to_owned(),
                    files => format!(
                        "there is no Gateway that could be served in {}",
                        counted(files, "file")
                    ),
                };
                format!("{name} serves nothing yet: {why}. What is put there is served at once.\n")
            }
        }
    }

    fn gateways(&self, text: &mut String, style: Style) {
        for snapshot in self.state.configuration.gateways.values() {
            let name = style.paint(Tone::Strong, &snapshot.gateway.name);
            let listeners: Vec<String> = snapshot
                .listeners
                .values()
                .map(|listener| self.listener(listener, snapshot))
                .collect();
            let _ = writeln!(text, "  Gateway {name}    {}", listeners.join("    "));
            rules(snapshot, text);
            streams(snapshot, text);
        }
    }

    fn listener(&self, listener: &Listener, snapshot: &Snapshot) -> String {
        let mut text = format!("{} :{}", listener.protocol.word(), listener.port);
        if listener.hostname != daemun_model::hostname::HostPattern::Any {
            let _ = write!(text, " {}", listener.hostname);
        }
        let bound: Vec<String> = self
            .applied
            .listening
            .iter()
            .filter(|listening| listening.listeners.contains(&listener.key))
            .map(|listening| {
                let ip = listening.address.ip();
                let address = if ip.is_unspecified() {
                    "all addresses".to_owned()
                } else {
                    ip.to_string()
                };
                format!("{address}{}", reach(listening))
            })
            .collect();
        let mut notes = vec![if bound.is_empty() {
            "not bound".to_owned()
        } else {
            bound.join(", ")
        }];
        if let Some(tls) = listener.protocol.termination() {
            for name in &tls.certificates {
                if let Some(certificate) = snapshot.certificates.get(name) {
                    let expired = certificate.not_after <= clock::unix_seconds();
                    let until = if expired { "expired on" } else { "valid until" };
                    let date = date(certificate.not_after);
                    notes.push(format!("certificate {name}, {until} {date}"));
                }
            }
        }
        let _ = write!(text, " ({})", notes.join("; "));
        text
    }

    fn how_to_go_on(&self, text: &mut String) {
        let port = self
            .applied
            .listening
            .first()
            .map(|listening| listening.address);
        match (self.source, port) {
            (Source::Welcome, Some(address)) => {
                let here = spoken(address);
                let _ = writeln!(text, "Try:        curl -i {here}/hello");
                text.push_str(
                    "In front of a service of yours:      daemun run --to localhost:9000\n",
                );
                text.push_str(
                    "From Gateway API objects in files:   daemun run examples/shop.yaml\n",
                );
            }
            (Source::To(_), Some(address)) => {
                let _ = writeln!(text, "Try:        curl -i {}/", spoken(address));
            }
            _ => {}
        }
        if let Some(health) = self.health {
            let _ = write!(text, "Metrics: http://{health}/metrics    ");
        }
        if let Some(admin) = &self.admin {
            let _ = write!(text, "Admin: {admin}    ");
        }
        text.push_str("Stop: Ctrl-C\n");
    }
}

/// Who can come by an address, as far as the address tells.
fn reach(listening: &Listening) -> String {
    match listening.public.as_slice() {
        [] if listening.address.ip().is_loopback() => " (loopback only)".to_owned(),
        [] => String::new(),
        [one] if *one == listening.address.ip() => " (PUBLIC)".to_owned(),
        several => {
            let list: Vec<String> = several.iter().map(ToString::to_string).collect();
            format!(", PUBLIC: {}", list.join(", "))
        }
    }
}

fn rules(snapshot: &Snapshot, text: &mut String) {
    let mut table = Table::default();
    let mut all: Vec<(String, &HttpRoute, &Rule)> = snapshot
        .routes
        .values()
        .map(|route| (hosts_of(route), route))
        .flat_map(|(hosts, route)| {
            let rules = route.rules.iter();
            rules.map(move |rule| (hosts.clone(), &**route, rule))
        })
        .collect();
    // In the order in which a request meets them.
    all.sort_by_cached_key(|(hosts, _, rule)| {
        let longest = rule.matches.iter().map(|matched| specific(&matched.path));
        (hosts.clone(), std::cmp::Reverse(longest.max()))
    });
    for (hosts, route, rule) in all.iter().take(MOST_RULES) {
        let place = format!("{}, rule {}", route.key, rule.index + 1);
        table.row([
            hosts.clone(),
            matches_of(rule),
            format!("→ {}", target(rule, snapshot)),
            place,
        ]);
    }
    for line in table.text().lines() {
        let _ = writeln!(text, "    {line}");
    }
    if all.len() > MOST_RULES {
        let _ = writeln!(text, "    … and {} more rules", all.len() - MOST_RULES);
    }
}

/// The Routes below HTTP.
fn streams(snapshot: &Snapshot, text: &mut String) {
    let mut table = Table::default();
    for route in snapshot.streams.values().take(MOST_RULES) {
        table.row([
            hosts_at(&route.attachments),
            format!("→ {}", stream_target(route, snapshot)),
            route.key.to_string(),
        ]);
    }
    for line in table.text().lines() {
        let _ = writeln!(text, "    {line}");
    }
    if snapshot.streams.len() > MOST_RULES {
        let more = snapshot.streams.len() - MOST_RULES;
        let _ = writeln!(text, "    … and {more} more Routes below HTTP");
    }
}

/// Where a Route below HTTP leads.
pub(crate) fn stream_target(route: &StreamRoute, snapshot: &Snapshot) -> String {
    let shares = &route.backends;
    let sum: u64 = shares.iter().map(|share| u64::from(share.weight)).sum();
    let several = shares.len() > 1;
    let words = Words {
        invalid: "refused",
        empty: "refused",
    };
    let shown: Vec<String> = shares
        .iter()
        .map(|share| {
            let text = backend(&share.target, &words, snapshot);
            with_share(text, share.weight, several.then_some(sum))
        })
        .collect();
    if shown.is_empty() {
        "refused: no backend".to_owned()
    } else {
        shown.join(", ")
    }
}

/// The hostnames under which a Route is served.
pub(crate) fn hosts_of(route: &HttpRoute) -> String {
    hosts_at(&route.attachments)
}

/// The hostnames of attachments.
pub(crate) fn hosts_at(attachments: &[Attachment]) -> String {
    let mut hosts: Vec<String> = attachments
        .iter()
        .flat_map(|one| &one.hostnames)
        .map(ToString::to_string)
        .collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts.join(" ")
}

/// How early a path is looked at: exact ones, then expressions, then prefixes, the longer first.
fn specific(path: &PathMatch) -> (u8, usize) {
    match path {
        PathMatch::Exact(path) => (2, path.len()),
        PathMatch::Regex(pattern) => (1, pattern.len()),
        PathMatch::Prefix(path) => (0, path.len()),
        PathMatch::Call(call) => {
            let length =
                |value: &Option<ValueMatch>| value.as_ref().map_or(0, |it| it.text().len());
            // More of the service counts before all of the method.
            (2, 1024 * length(&call.service) + length(&call.method))
        }
    }
}

/// What a rule takes, in short.
pub(crate) fn matches_of(rule: &Rule) -> String {
    let matches: Vec<String> = rule.matches.iter().map(path_of).collect();
    matches.join(" ")
}

fn path_of(matched: &RequestMatch) -> String {
    let RequestMatch {
        path,
        method,
        headers,
        query,
    } = matched;
    let mut text = match path {
        PathMatch::Prefix(path) => path.clone(),
        PathMatch::Exact(path) => format!("={path}"),
        PathMatch::Regex(pattern) => format!("~{pattern}"),
        PathMatch::Call(CallMatch { service, method }) => {
            let part = |value: &Option<ValueMatch>| match value {
                None => "*".to_owned(),
                Some(ValueMatch::Exact(text)) => text.clone(),
                Some(ValueMatch::Regex(pattern)) => format!("~{pattern}"),
            };
            format!("{}/{}", part(service), part(method))
        }
    };
    if let Some(method) = method {
        text.insert_str(0, &format!("{method} "));
    }
    let more = headers.len() + query.len();
    if more > 0 {
        let _ = write!(text, " +{more}");
    }
    text
}

/// Where a rule leads.
pub(crate) fn target(rule: &Rule, snapshot: &Snapshot) -> String {
    if let Some(redirect) = rule.filters.iter().find_map(|filter| match filter {
        Filter::Redirect(redirect) => Some(redirect),
        Filter::RequestHeaders(_)
        | Filter::ResponseHeaders(_)
        | Filter::Rewrite(_)
        | Filter::Mirror(_)
        | Filter::Cors(_)
        | Filter::ExternalAuth(_)
        | Filter::Invalid(_) => None,
    }) {
        return format!("redirect, {}", redirect.status.code().as_u16());
    }
    let sum: u64 = rule
        .backends
        .iter()
        .map(|share| u64::from(share.weight))
        .sum();
    let several = rule.backends.len() > 1;
    let words = Words {
        invalid: "500",
        empty: "503",
    };
    let shares: Vec<String> = rule
        .backends
        .iter()
        .map(|share| {
            let text = backend(&share.target, &words, snapshot);
            with_share(text, share.weight, several.then_some(sum))
        })
        .collect();
    if shares.is_empty() {
        "500: no backend".to_owned()
    } else {
        shares.join(", ")
    }
}

/// What clients meet where there is no backend.
struct Words {
    invalid: &'static str,
    empty: &'static str,
}

fn backend(target: &BackendTarget, words: &Words, snapshot: &Snapshot) -> String {
    match target {
        BackendTarget::Invalid { written, .. } => format!("{} ({written})", words.invalid),
        BackendTarget::Backend(key) => {
            let name = match key.kind {
                BackendKind::Service => format!("{}:{}", key.name.name, key.port),
                BackendKind::Backend | BackendKind::XBackend => key.name.name.clone(),
            };
            let endpoints = snapshot
                .backends
                .get(key)
                .map_or_else(String::new, |backend| endpoints(backend, words));
            format!("{name}{endpoints}")
        }
    }
}

fn with_share(text: String, weight: u32, sum: Option<u64>) -> String {
    match sum {
        Some(sum) if sum > 0 => format!("{text} {} %", u64::from(weight) * 100 / sum),
        _ => text,
    }
}

fn endpoints(backend: &Backend, words: &Words) -> String {
    let names: Vec<&str> = backend
        .endpoints
        .iter()
        .filter_map(|endpoint| match &endpoint.host {
            EndpointHost::Name(name) => Some(name.as_str()),
            EndpointHost::Address(_) => None,
        })
        .collect();
    match (backend.endpoints.len(), names.as_slice()) {
        (0, _) => format!(" (no endpoint: {})", words.empty),
        (_, []) => format!(" ({})", counted(backend.endpoints.len(), "endpoint")),
        (_, names) => format!(" (by the name {})", names.join(", ")),
    }
}
