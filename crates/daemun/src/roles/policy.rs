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

/// The annotations of Services that makers of load balancers look at, as their beginnings: who may reach one, at which
/// address, from where and by which name. What a key of theirs means is not told apart, since nothing that is left out
/// by mistake is to open anything; of one listener each may be said as well.
pub(crate) fn keys_of_load_balancers() -> Vec<&'static str> {
    let mut starts: BTreeSet<&str> = BTreeSet::from(["TCP-", "UDP-"]);
    for provider in Provider::ALL {
        let rules = rules(*provider);
        let switches = [&rules.private, &rules.public];
        let keys = switches.iter().flat_map(|switch| switch.keys());
        starts.extend(keys.map(|key| key.key));
        starts.extend(rules.keys.iter().map(|known| known.key));
        let patterns = rules.decides_reach.iter().chain(rules.reads);
        starts.extend(patterns.map(|pattern| pattern.trim_end_matches('*')));
        starts.extend(rules.written_back);
    }
    let all: Vec<&str> = starts.into_iter().collect();
    let says_less = |start: &&str| {
        let mut others = all.iter();
        !others.any(|other| other != start && start.starts_with(other))
    };
    all.iter().copied().filter(says_less).collect()
}

/// Those of them that are notes of what was made, which decide nothing: a controller may write them that has no other
/// rights.
pub(crate) fn notes_of_load_balancers() -> Vec<&'static str> {
    let all = || Provider::ALL.iter().map(|provider| rules(*provider));
    let decides = |key: &str| {
        all().any(|rules| rules.decides_reach(key) || rules.writes_address == Some(key))
    };
    let written = all().flat_map(|rules| rules.written_back.iter().copied());
    let notes: BTreeSet<&str> = written.filter(|key| !decides(key)).collect();
    notes.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{Owned, keys_of_load_balancers, notes_of_load_balancers};
    use daemun_translate::exposure::provider::{Provider, rules};

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

    #[test]
    fn every_key_that_a_maker_of_load_balancers_looks_at_is_guarded() {
        let starts = keys_of_load_balancers();
        let is_guarded = |key: &str| {
            starts.iter().any(|start| key.starts_with(start))
                && !notes_of_load_balancers().contains(&key)
        };
        for key in [
            "metallb.io/address-pool",
            "metallb.universe.tf/loadBalancerIPs",
            "lbipam.cilium.io/ips",
            "kube-vip.io/loadbalancerIPs",
            "kubernetes.digitalocean.com/load-balancer-id",
            "service.beta.kubernetes.io/do-loadbalancer-allow-rules",
            "service.beta.kubernetes.io/load-balancer-source-ranges",
            "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-acl-id",
            "service.beta.kubernetes.io/alicloud-loadbalancer-id",
            "loadbalancer.openstack.org/hostname",
            "loadbalancer.openstack.org/load-balancer-address",
            "TCP-443.loadbalancer.nhncloud/listener-protocol",
        ] {
            assert!(is_guarded(key), "{key}");
        }
        for provider in Provider::ALL {
            let rules = rules(*provider);
            for known in rules.keys {
                assert!(is_guarded(known.key), "{}", known.key);
            }
            for pattern in rules.decides_reach.iter().chain(rules.reads) {
                assert!(
                    !pattern.starts_with('*'),
                    "{pattern}: a beginning is asked for"
                );
            }
        }
        for key in ["metallb.io/ip-allocated-from-pool", "example.com/note"] {
            assert!(!is_guarded(key), "{key}");
        }
    }
}
