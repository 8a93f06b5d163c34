//! The rules that a scenario gives to every proxy, and one request for each of them.
//!
//! All lead to the same backend: what is measured is finding the rule, not keeping many pools. The
//! order of requests is shuffled (always in the same way), so that no proxy's caches are flattered.

/// How many rules there are, and how they are told apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Routing {
    /// One rule for everything.
    One,
    /// 5,000 routes: ten path prefixes on each of 500 hosts.
    Hosts,
    /// 1,000 rules on one host: prefixes, headers, query parameters, regular expressions.
    Rules,
}

/// One rule, as every proxy's configuration is made from it.
pub(crate) struct Rule {
    /// `None`: any host.
    pub(crate) host: Option<String>,
    pub(crate) path: Path,
    pub(crate) also: Also,
}

pub(crate) enum Path {
    /// Whole segments.
    Prefix(String),
    /// The whole path.
    Regex(String),
}

/// What a rule asks for beyond the path.
pub(crate) enum Also {
    Nothing,
    /// The header `x-tenant` has this value.
    Tenant(String),
    /// The query parameter `kind` has this value.
    Kind(String),
}

/// The host of all requests when the rules do not ask for one.
pub(crate) const HOST: &str = "bench.test";

impl Routing {
    pub(crate) fn rules(self) -> Vec<Rule> {
        match self {
            Routing::One => vec![Rule::prefix(None, "/".to_owned())],
            Routing::Hosts => (0..5_000)
                .map(|route| {
                    let host = format!("host{:03}.{HOST}", route / 10);
                    Rule::prefix(Some(host), format!("/route{}", route % 10))
                })
                .collect(),
            Routing::Rules => (0..1_000).map(mixed_rule).collect(),
        }
    }

    /// One request for each rule: host, target, and the header with its value.
    pub(crate) fn requests(self) -> Vec<Request> {
        let mut requests: Vec<Request> = self.rules().iter().map(Rule::request).collect();
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for last in (1..requests.len()).rev() {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let bound = u64::try_from(last).unwrap_or(u64::MAX - 1) + 1;
            requests.swap(last, usize::try_from(state % bound).unwrap_or(0));
        }
        requests
    }
}

/// A request that one rule takes.
pub(crate) struct Request {
    pub(crate) host: String,
    pub(crate) target: String,
    pub(crate) tenant: Option<String>,
}

impl Rule {
    fn prefix(host: Option<String>, prefix: String) -> Self {
        Rule {
            host,
            path: Path::Prefix(prefix),
            also: Also::Nothing,
        }
    }

    fn request(&self) -> Request {
        let host = self.host.clone().unwrap_or_else(|| HOST.to_owned());
        let mut target = match &self.path {
            Path::Prefix(prefix) if prefix == "/" => prefix.clone(),
            Path::Prefix(prefix) => format!("{prefix}/item"),
            Path::Regex(pattern) => pattern.replace("[a-z]+", "orders").replace("[0-9]+", "42"),
        };
        let mut tenant = None;
        match &self.also {
            Also::Nothing => {}
            Also::Tenant(value) => tenant = Some(value.clone()),
            Also::Kind(value) => target = format!("{target}?kind={value}"),
        }
        Request {
            host,
            target,
            tenant,
        }
    }
}

/// 750 prefixes; 100 rules told apart by a header and 100 by a query parameter, ten on each prefix; 50
/// regular expressions.
fn mixed_rule(number: usize) -> Rule {
    let host = Some(HOST.to_owned());
    let group = number / 100;
    match number % 20 {
        17 | 18 => Rule {
            host,
            path: Path::Prefix(format!("/tenants{group}")),
            also: Also::Tenant(format!("tenant{number:03}")),
        },
        15 | 16 => Rule {
            host,
            path: Path::Prefix(format!("/search{group}")),
            also: Also::Kind(format!("kind{number:03}")),
        },
        19 => Rule {
            host,
            path: Path::Regex(format!("/pattern{number:03}/[a-z]+/[0-9]+")),
            also: Also::Nothing,
        },
        _ => Rule::prefix(host, format!("/path{number:03}")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_rule_has_a_request_of_its_own() {
        for (routing, count) in [
            (Routing::One, 1),
            (Routing::Hosts, 5_000),
            (Routing::Rules, 1_000),
        ] {
            let asked: HashSet<_> = routing
                .requests()
                .into_iter()
                .map(|request| (request.host, request.target, request.tenant))
                .collect();
            assert_eq!(asked.len(), count);
        }
    }

    #[test]
    fn mixed_rules_are_what_the_scenario_says() {
        let rules = Routing::Rules.rules();
        let count = |wanted: fn(&Rule) -> bool| rules.iter().filter(|rule| wanted(rule)).count();
        assert_eq!(count(|rule| matches!(rule.also, Also::Tenant(_))), 100);
        assert_eq!(count(|rule| matches!(rule.also, Also::Kind(_))), 100);
        assert_eq!(count(|rule| matches!(rule.path, Path::Regex(_))), 50);
    }
}
