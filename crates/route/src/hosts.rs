//! A map from hostnames, exact, wildcard or any, that finds the most specific one first.
//!
//! The same structure picks the listener for a host, the certificate for an SNI name, and the rules for a
//! request. Exact names are one look into a hash map; wildcards are one look per label of the name that was
//! asked for, never more than the longest wildcard has; how many hosts there are does not matter.

use daemun_model::hostname::HostPattern;
use foldhash::HashMap;

/// Values by hostname.
#[derive(Clone, Debug)]
pub struct Hosts<V> {
    exact: HashMap<Box<str>, V>,
    /// By suffix, with its leading dot.
    wildcard: HashMap<Box<str>, V>,
    /// The length of the longest suffix: what is longer need not be looked up, however long a name a
    /// client makes up.
    longest: usize,
    any: Option<V>,
}

impl<V> Hosts<V> {
    /// Whether there is no host at all.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.wildcard.is_empty() && self.any.is_none()
    }

    /// How many hosts there are.
    pub fn len(&self) -> usize {
        self.exact.len() + self.wildcard.len() + usize::from(self.any.is_some())
    }

    /// The value of the most specific pattern that holds the name (lower case, no port).
    #[inline]
    pub fn find(&self, host: &str) -> Option<&V> {
        self.matching(host).next()
    }

    /// The values of all patterns that hold the name (lower case, no port), the most specific first:
    /// the exact name, then wildcards from the longest to the shortest, then any.
    #[inline]
    pub fn matching<'a, 'h>(&'a self, host: &'h str) -> Matching<'a, 'h, V> {
        Matching {
            hosts: self,
            host,
            next: Next::Exact,
        }
    }

    /// The value of just this pattern.
    pub fn get(&self, pattern: &HostPattern) -> Option<&V> {
        match pattern {
            HostPattern::Any => self.any.as_ref(),
            HostPattern::Wildcard(suffix) => self.wildcard.get(suffix.as_str()),
            HostPattern::Exact(name) => self.exact.get(name.as_str()),
        }
    }

    /// All values, in no order.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.exact
            .values()
            .chain(self.wildcard.values())
            .chain(&self.any)
    }

    fn insert(&mut self, pattern: HostPattern, value: V) {
        match pattern {
            HostPattern::Any => self.any = Some(value),
            HostPattern::Wildcard(suffix) => {
                self.longest = self.longest.max(suffix.len());
                self.wildcard.insert(suffix.into(), value);
            }
            HostPattern::Exact(name) => {
                self.exact.insert(name.into(), value);
            }
        }
    }
}

impl<V> Default for Hosts<V> {
    fn default() -> Self {
        Self {
            exact: HashMap::default(),
            wildcard: HashMap::default(),
            longest: 0,
            any: None,
        }
    }
}

/// Of equal patterns the last one stays.
impl<V> FromIterator<(HostPattern, V)> for Hosts<V> {
    fn from_iter<I: IntoIterator<Item = (HostPattern, V)>>(entries: I) -> Self {
        let mut hosts = Self::default();
        for (pattern, value) in entries {
            hosts.insert(pattern, value);
        }
        hosts
    }
}

/// The values that hold a name, the most specific first.
#[derive(Debug)]
pub struct Matching<'a, 'h, V> {
    hosts: &'a Hosts<V>,
    host: &'h str,
    next: Next,
}

#[derive(Debug)]
enum Next {
    Exact,
    /// Wildcards whose dot is at this place of the name or after it.
    Wildcard(usize),
    Any,
    Nothing,
}

impl<'a, V> Iterator for Matching<'a, '_, V> {
    type Item = &'a V;

    #[inline]
    fn next(&mut self) -> Option<&'a V> {
        loop {
            match self.next {
                Next::Exact => {
                    // A wildcard stands for at least one character before its dot.
                    let from = self.host.len().saturating_sub(self.hosts.longest).max(1);
                    self.next = Next::Wildcard(from);
                    // A map that is empty is not worth a hash.
                    if !self.hosts.exact.is_empty()
                        && let Some(value) = self.hosts.exact.get(self.host)
                    {
                        return Some(value);
                    }
                }
                Next::Wildcard(_) if self.hosts.wildcard.is_empty() => self.next = Next::Any,
                Next::Wildcard(from) => {
                    let rest = self.host.as_bytes().get(from..).unwrap_or_default();
                    let Some(dot) = memchr::memchr(b'.', rest) else {
                        self.next = Next::Any;
                        continue;
                    };
                    self.next = Next::Wildcard(from + dot + 1);
                    if let Some(value) = self.hosts.wildcard.get(&self.host[from + dot..]) {
                        return Some(value);
                    }
                }
                Next::Any => {
                    self.next = Next::Nothing;
                    return self.hosts.any.as_ref();
                }
                Next::Nothing => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use daemun_model::hostname::HostPattern;
    use proptest::prelude::*;

    use super::Hosts;

    fn hosts(written: &[&str]) -> Hosts<String> {
        let pattern = |name: &&str| (HostPattern::parse(name).unwrap(), (*name).to_owned());
        written.iter().map(pattern).collect()
    }

    #[test]
    fn the_most_specific_pattern_comes_first() {
        let all = hosts(&[
            "",
            "a.com",
            "*.a.com",
            "b.a.com",
            "*.b.a.com",
            "*.com",
            "*.z.org",
        ]);
        for (host, expected) in [
            ("a.com", "a.com *.com *"),
            ("b.a.com", "b.a.com *.a.com *.com *"),
            ("c.b.a.com", "*.b.a.com *.a.com *.com *"),
            ("d.c.b.a.com", "*.b.a.com *.a.com *.com *"),
            ("x.a.com", "*.a.com *.com *"),
            ("com", "*"),
            (".com", "*"),
            ("z.org", "*"),
            ("", "*"),
            ("a.com.", "*"),
            ("..", "*"),
            ("x.y.z.org", "*.z.org *"),
        ] {
            let found: Vec<_> = all
                .matching(host)
                .map(|name| if name.is_empty() { "*" } else { name })
                .collect();
            assert_eq!(found.join(" "), expected, "{host}");
            assert_eq!(all.find(host), all.matching(host).next(), "{host}");
        }
    }

    #[test]
    fn only_the_pattern_itself_is_got() {
        let all = hosts(&["a.com", "*.a.com"]);
        for (written, there) in [
            ("a.com", true),
            ("*.a.com", true),
            ("b.a.com", false),
            ("", false),
        ] {
            assert_eq!(
                all.get(&HostPattern::parse(written).unwrap()).is_some(),
                there,
                "{written}"
            );
        }
        assert_eq!((all.len(), hosts(&[]).len()), (2, 0));
        assert!(hosts(&[]).is_empty() && !all.is_empty());
    }

    proptest! {
        #[test]
        fn as_a_walk_over_all_patterns(
            written in prop::collection::btree_set("(\\*\\.)?([ab]\\.){0,3}[ab]", 0..8),
            host in "([ab]{1,2}\\.){0,4}[ab]",
        ) {
            let mut all: Vec<_> = written.iter().map(|name| HostPattern::parse(name).unwrap()).collect();
            let found: Vec<_> =
                all.iter().cloned().map(|pattern| (pattern.clone(), pattern)).collect::<Hosts<_>>()
                    .matching(&host).cloned().collect();
            all.retain(|pattern| pattern.contains(&host));
            all.sort_by_key(|pattern| std::cmp::Reverse(pattern.specificity()));
            prop_assert_eq!(found, all);
        }
    }
}
