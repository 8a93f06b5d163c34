//! What the two optional admission policies go by: who may make things reachable, and which hostnames a namespace has.
//!
//! The policies themselves are in CEL, and printed by `daemun install --policy`; here is what they and `daemun check
//! --as` share.

use std::collections::BTreeSet;

use daemun_translate::exposure::provider::{Provider, rules};

use super::rule::{OURS, Rule, rule};

/// The group, the resource and the verb of the right to make something reachable from outside of the cluster. No resource of
/// this name is served: it is there to be asked for.
pub(crate) const EXPOSE: (&str, &str, &str) = (OURS, "exposures", "use");

/// The same as a rule of a role.
pub(crate) const MAY_EXPOSE: Rule = rule(EXPOSE.0, &[EXPOSE.1], &[EXPOSE.2]);

/// The annotation of a Namespace that says which hostnames its Routes and ListenerSets may have.
pub(crate) const HOSTNAMES: &str = "gateway.daemun.dev/hostnames";

/// What the annotation says: hostnames between commas, of which `*.example.com` means all below `example.com`, and `*`
/// all that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owned(Vec<String>);

impl Owned {
    /// Reads the annotation's text.
    pub(crate) fn read(text: &str) -> Self {
        let names = text.split(',').map(|name| name.trim().to_ascii_lowercase());
        Self(names.filter(|name| !name.is_empty()).collect())
    }

    /// Whether everything is allowed, no hostname included.
    pub(crate) fn is_everything(&self) -> bool {
        self.0.iter().any(|name| name == "*")
    }

    /// Whether a hostname, which may begin with `*.`, is among them.
    pub(crate) fn has(&self, hostname: &str) -> bool {
        let is = |name: &String| {
            let below = name.strip_prefix('*').filter(|rest| rest.starts_with('.'));
            name == hostname || below.is_some_and(|suffix| hostname.ends_with(suffix))
        };
        self.is_everything() || self.0.iter().any(is)
    }

    /// For sentences.
    pub(crate) fn shown(&self) -> String {
        self.0.join(", ")
    }
}

/// The annotations of Services that decide who may reach a load balancer, of all who make them, as a regular expression; such
/// a key may begin with the name of a listener.
pub(crate) fn keys_of_reach() -> String {
    let mut patterns: BTreeSet<&str> = BTreeSet::new();
    for provider in Provider::ALL {
        let rules = rules(*provider);
        patterns.extend(rules.decides_reach);
        let switches = [&rules.private, &rules.public];
        let keys = switches.iter().flat_map(|switch| switch.keys());
        patterns.extend(keys.map(|key| key.key));
    }
    let patterns: Vec<String> = patterns
        .into_iter()
        .map(|pattern| pattern.replace('.', "[.]").replace('*', ".*"))
        .collect();
    format!("^((TCP|UDP)-[0-9]+[.])?({})$", patterns.join("|"))
}

#[cfg(test)]
mod tests {
    use super::Owned;

    #[test]
    fn a_suffix_owns_what_is_below_it_and_not_itself() {
        let owned = Owned::read("shop.example.com, *.shop.example.com,\n*.Shop.test");
        for (hostname, has) in [
            ("shop.example.com", true),
            ("a.shop.example.com", true),
            ("a.b.shop.example.com", true),
            ("*.shop.example.com", true),
            ("*.a.shop.example.com", true),
            ("*.shop.test", true),
            ("shop.test", false),
            ("*.example.com", false),
            ("myshop.example.com", false),
            ("*.com", false),
            ("stock.example.com", false),
        ] {
            assert_eq!(owned.has(hostname), has, "{hostname}");
        }
        assert!(Owned::read("*").has("anything.test"));
        assert!(!Owned::read("").has("anything.test"));
        assert!(!Owned::read("*.").has("anything.test"));
    }
}
