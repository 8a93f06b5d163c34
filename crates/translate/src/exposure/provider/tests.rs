//! What every file of data has to hold, and how providers are recognised.

use std::collections::BTreeSet;

use super::*;

/// Every rule that anything is decided by.
fn all() -> impl Iterator<Item = &'static Rules> {
    Provider::ALL.iter().map(|provider| rules(*provider))
}

#[test]
fn every_file_is_about_its_own_provider_and_every_name_is_one() {
    let mut names = BTreeSet::new();
    for provider in Provider::ALL {
        let rules = rules(*provider);
        assert_eq!(rules.provider, *provider);
        assert!(names.insert(rules.name), "{} is there twice", rules.name);
        assert_eq!(Provider::named(rules.name), Some(*provider));
    }
    assert_eq!(Provider::named("nhn"), None);
}

#[test]
fn every_key_that_is_written_is_one_that_the_provider_reads_and_takes() {
    for rules in all() {
        let mut written: Vec<Key> = Vec::new();
        written.extend(rules.private.keys());
        written.extend(rules.public.keys());
        written.extend(rules.kept_address.get());
        written.extend(
            rules
                .proxy_protocol
                .get()
                .into_iter()
                .flat_map(|way| way.keys),
        );
        for Key { key, value } in written {
            let known = rules.known(key);
            let known = known.unwrap_or_else(|| panic!("{}: {key} is not known", rules.name));
            assert!(rules.reads(key), "{}: {key} is not read", rules.name);
            match (value, known.takes) {
                (Value::Is(word), Takes::Boolean) => assert!(matches!(word, "true" | "false")),
                (Value::Is(word), Takes::Words(words)) => assert!(words.contains(&word), "{key}"),
                (_, Takes::Number(..) | Takes::PrivateKey) => panic!("{}: {key}", rules.name),
                _ => {}
            }
        }
        let keys = rules.health_check.iter().map(|key| key.key);
        let places = [&rules.fixed_address.private, &rules.fixed_address.public];
        let places = places.into_iter().filter_map(Way::get);
        let places = places.flat_map(|place| match place {
            Place::LoadBalancerIp => vec![],
            Place::Annotation(key) => vec![*key],
            Place::ByFamily { v4, v6 } => vec![*v4, *v6],
        });
        let subnet = rules.subnet.get().copied();
        for key in keys.chain(subnet).chain(places) {
            assert!(rules.known(key).is_some(), "{}: {key}", rules.name);
        }
    }
}

#[test]
fn every_switch_belongs_to_reach_alone() {
    for rules in all() {
        for key in rules.private.keys().iter().chain(rules.public.keys()) {
            assert!(rules.decides_reach(key.key), "{}: {}", rules.name, key.key);
            let of_a_listener = format!("TCP-443.{}", key.key);
            assert!(rules.decides_reach(&of_a_listener), "{of_a_listener}");
        }
        assert!(!rules.decides_reach("example.com/unrelated"));
    }
}

#[test]
fn every_key_that_names_a_load_balancer_that_is_there_belongs_to_reach() {
    let names = |key: &str| {
        let ends = [
            "load-balancer-id",
            "loadbalancer-id",
            "loadbalance-id",
            "nodebalancer-id",
        ];
        let ends = ends.into_iter().chain(["lbid", "/id", "elb.id", "port-id"]);
        ends.into_iter().any(|end| key.ends_with(end))
    };
    let mut found = 0;
    for rules in all() {
        let known = rules.keys.iter().map(|known| known.key);
        let written = rules.written_back.iter().copied();
        for key in known.chain(written).filter(|key| names(key)) {
            assert!(rules.decides_reach(key), "{}: {key}", rules.name);
            found += 1;
        }
    }
    assert!(found >= 10, "{found}");
    let alibaba = rules(Provider::Alibaba);
    for old in ["id", "address-type"] {
        let old = format!("service.beta.kubernetes.io/alicloud-loadbalancer-{old}");
        assert!(alibaba.decides_reach(&old) && alibaba.reads(&old), "{old}");
    }
}

#[test]
fn every_file_says_why_it_is_believed_and_nothing_is_both_live_and_not() {
    for rules in all() {
        assert!(!rules.evidence.is_empty(), "{}", rules.name);
        for aspect in rules.live {
            assert!(
                !rules.create_only.contains(aspect),
                "{}: {aspect:?}",
                rules.name
            );
        }
        let keys: BTreeSet<_> = rules.keys.iter().map(|known| known.key).collect();
        assert_eq!(
            keys.len(),
            rules.keys.len(),
            "{}: a key is there twice",
            rules.name
        );
    }
}

#[test]
fn a_provider_is_recognised_by_its_nodes_and_never_guessed_towards_public() {
    assert!(of_node("openstack:///uuid").contains(&Provider::Nhn));
    assert!(of_node("openstack:///uuid").contains(&Provider::OpenStack));
    assert_eq!(of_node("nowhere://x"), []);
    let family = automatic(["", "openstack:///1", "openstack:///2"]);
    let Automatic::Rules(family) = family else {
        panic!("{family:?}")
    };
    // Nothing that only one of them knows.
    for key in family.private.keys() {
        for provider in of_node("openstack:///1") {
            assert!(rules(provider).known(key.key).is_some(), "{provider:?}");
            assert_eq!(rules(provider).private, family.private);
        }
    }
    let Automatic::Rules(none) = automatic([""]) else {
        panic!("no providerID")
    };
    assert_eq!(none.private.keys().len(), 2);
    assert_eq!(none.public, Switch::NotKnown);
    assert!(matches!(automatic(["mars://1"]), Automatic::Unknown(start) if start == "mars://"));
    let ids = [
        "cn-hangzhou.i-bp2",
        "cn-hangzhou.i-bp1",
        "cn-hangzhou.i-bp3",
    ];
    let unknown = automatic(ids);
    assert!(
        matches!(&unknown, Automatic::Unknown(one) if one == "cn-hangzhou.i-bp1"),
        "each node has another one: {unknown:?}"
    );
    let several = automatic(ids.into_iter().chain(["mars://1"]));
    assert!(matches!(several, Automatic::Several(starts) if starts.len() == 2));
    let several = automatic(["openstack:///1", "mars://1"]);
    assert!(matches!(several, Automatic::Several(starts) if starts.len() == 2));
}

#[test]
fn what_several_providers_share_is_openstack() {
    for rules in all() {
        for prefix in rules.node_prefixes {
            let sharing = of_node(prefix);
            assert!(
                sharing.len() == 1 || *prefix == "openstack://",
                "{sharing:?}"
            );
        }
    }
}

#[test]
fn keys_of_a_listener_are_taken_apart() {
    let key = "TCP-443.loadbalancer.nhncloud/proxy-protocol";
    let expected = ("TCP", 443, "loadbalancer.nhncloud/proxy-protocol");
    assert_eq!(listener_key(key), Some(expected));
    for key in [
        "TCP-x.a/b",
        "tcp-443.a/b",
        "a.b/c",
        "TCP-70000.a/b",
        "plain",
    ] {
        assert_eq!(listener_key(key), None, "{key}");
    }
}
