//! The product's data about providers against the clouds that are played here: two files for each, written apart.
//!
//! What the product would write on a Service is read by the cloud, which then gives addresses. For every provider:
//! private, public, nothing said, change of mind, a certain address, a kept address, PROXY headers, failure.

use std::net::Ipv4Addr;
use std::time::Duration;

use daemun_translate::exposure::provider as product;
use daemun_translate::exposure::provider::{
    Aspect, Key, Place, Provider, ProxyVersion, Rules, Switch, Value, Way,
};

use super::super::addresses::{Addresses, Given, Ranges};
use super::super::make::{self, Made};
use super::super::trouble::{Expect, Trouble};
use super::*;

const PRIVATE: Ipv4Addr = Ipv4Addr::new(198, 18, 128, 77);
const PUBLIC: Ipv4Addr = Ipv4Addr::new(198, 18, 192, 77);

/// Every provider, with the product's data and the cloud.
fn both() -> impl Iterator<Item = (&'static Rules, &'static Cloud)> {
    Provider::ALL.iter().map(|provider| {
        let rules = product::rules(*provider);
        (
            rules,
            named(rules.name).unwrap_or_else(|| panic!("{} is not played", rules.name)),
        )
    })
}

/// What must be written beside the switches, or a cloud makes nothing at all.
fn needed(rules: &Rules) -> Vec<(String, String)> {
    match rules.provider {
        Provider::Hetzner => vec![("load-balancer.hetzner.cloud/location".into(), "fsn1".into())],
        _ => Vec::new(),
    }
}

/// A Service with these keys of the product's.
fn service(rules: &Rules, keys: &[Key]) -> Seen {
    let value = |key: &Key| match key.value {
        Value::Is(value) => value.to_owned(),
        Value::Subnet => "subnet-1".to_owned(),
    };
    let written = keys.iter().map(|key| (key.key.to_owned(), value(key)));
    Seen {
        annotations: written.chain(needed(rules)).collect(),
        ports: vec![("TCP".to_owned(), 443)],
        ..Seen::default()
    }
}

/// What a private one has, if the product knows how to ask for one.
fn private(rules: &Rules) -> Option<Seen> {
    match rules.private {
        Switch::Keys(keys) => Some(service(rules, keys)),
        Switch::Elsewhere(_) => Some(service(rules, &[])),
        Switch::Default | Switch::Impossible(_) | Switch::NotKnown => None,
    }
}

/// What a public one has, if the product knows how to ask for one.
fn public(rules: &Rules) -> Option<Seen> {
    let seen = match rules.public {
        Switch::Keys(keys) => service(rules, keys),
        Switch::Default | Switch::Elsewhere(_) => service(rules, &[]),
        Switch::Impossible(_) | Switch::NotKnown => return None,
    };
    let public_pool = matches!(rules.public, Switch::Elsewhere(_));
    Some(Seen {
        public_pool,
        ..seen
    })
}

struct Played {
    addresses: Addresses,
    expect: Expect,
}

impl Played {
    fn new(cloud: &'static Cloud, trouble: Option<Trouble>) -> Self {
        let expect = Expect {
            trouble,
            delay: Duration::ZERO,
            cloud,
            shut: false,
            public_pool: false,
        };
        Self {
            addresses: Addresses::new(Ranges::default()),
            expect,
        }
    }

    fn ensure(&mut self, seen: &Seen) -> Result<Given, String> {
        self.make(seen).map(|made| made.given)
    }

    fn make(&mut self, seen: &Seen) -> Result<Made, String> {
        make::ensure(&mut self.addresses, "a", seen, self.expect)
    }
}

/// A load balancer that is made once.
fn made(cloud: &'static Cloud, seen: &Seen) -> Given {
    whole(cloud, seen).given
}

fn whole(cloud: &'static Cloud, seen: &Seen) -> Made {
    let made = Played::new(cloud, None).make(seen);
    made.unwrap_or_else(|why| panic!("{}: {why}", cloud.name))
}

#[test]
fn every_provider_of_the_product_is_played_and_no_other() {
    assert_eq!(both().count(), ALL.len());
    assert_eq!(usual().name, "NHN");
    assert!(named("aws").is_some() && named("nowhere").is_none());
}

#[test]
fn private_is_private_and_public_is_public() {
    for (rules, cloud) in both() {
        if let Some(seen) = private(rules) {
            assert_eq!(made(cloud, &seen).public, None, "{}", rules.name);
        }
        if let Some(seen) = public(rules) {
            assert!(made(cloud, &seen).public.is_some(), "{}", rules.name);
        }
    }
    // Those that have no private ones, and the one whose public ones are not known how to ask for.
    let without = |of: fn(&Rules) -> Option<Seen>| {
        let missing = both().filter(|(rules, _)| of(rules).is_none());
        missing.map(|(rules, _)| rules.name).collect::<Vec<_>>()
    };
    assert_eq!(without(private), ["Vultr"]);
    assert_eq!(without(public), ["Huawei"]);
}

#[test]
fn what_only_one_of_two_controllers_reads_is_written_for_both() {
    for (rules, cloud) in both() {
        let seen = |class: &str, annotation: Option<(&str, &str)>| {
            let mut seen = private(rules)?;
            seen.class = (!class.is_empty()).then(|| class.to_owned());
            let annotation = annotation.map(|(key, value)| (key.to_owned(), value.to_owned()));
            seen.annotations.extend(annotation);
            Some(seen)
        };
        let other = match rules.provider {
            Provider::Aws => seen("service.k8s.aws/nlb", None),
            Provider::Oci => seen("", Some(("oci.oraclecloud.com/load-balancer-type", "nlb"))),
            _ => continue,
        };
        assert_eq!(made(cloud, &other.unwrap()).public, None, "{}", rules.name);
    }
}

#[test]
fn a_switch_that_is_spelled_wrong_does_not_make_it_private() {
    for (rules, cloud) in both() {
        for key in rules.private.keys() {
            let Value::Is(value) = key.value else {
                continue;
            };
            let mut seen = private(rules).unwrap();
            // Both keys of a provider that has two.
            for other in rules.private.keys() {
                seen.annotations.remove(other.key);
            }
            seen.annotations
                .insert(format!("{}x", key.key), value.to_owned());
            let open = Played::new(cloud, None).ensure(&seen);
            assert!(
                open.is_err() || open.unwrap().public.is_some(),
                "{}",
                key.key
            );
            seen.annotations
                .insert(key.key.to_owned(), value.to_uppercase());
            let counts = rules.provider == Provider::Aws
                && key.key.ends_with("aws-load-balancer-internal")
                || value.to_uppercase() == value;
            let open = Played::new(cloud, None).ensure(&seen);
            assert!(
                counts || open.is_err() || open.unwrap().public.is_some(),
                "{}",
                key.key
            );
        }
    }
}

#[test]
fn where_nothing_is_said_it_is_what_the_product_warns_of() {
    use daemun_translate::exposure::provider::Unsaid;
    for (rules, cloud) in both() {
        let made = Played::new(cloud, None).ensure(&service(rules, &[]));
        match rules.unsaid {
            Unsaid::Public => assert!(made.unwrap().public.is_some(), "{}", rules.name),
            Unsaid::Private => assert_eq!(made.unwrap().public, None, "{}", rules.name),
            Unsaid::Depends(_) | Unsaid::NotKnown => {}
        }
    }
}

#[test]
fn a_change_of_mind_comes_through_only_where_the_product_says_so() {
    for (rules, cloud) in both() {
        let (Some(private), Some(public)) = (private(rules), public(rules)) else {
            continue;
        };
        for (from, to) in [(&private, &public), (&public, &private)] {
            let mut played = Played::new(cloud, None);
            let before = played.ensure(from).unwrap();
            let after = played.ensure(to);
            let changed = after.is_ok_and(|it| it.public.is_some() != before.public.is_some());
            let said = rules.change(Aspect::Reach) == product::Change::Live;
            // It may do more than is known of it, but never less than is said.
            assert!(changed || !said, "{}", rules.name);
        }
    }
    assert_eq!(named("NHN").unwrap().change, Change::Ignored);
}

/// Writes an address where the product says.
fn at(seen: &mut Seen, place: &Place, address: Ipv4Addr) {
    match place {
        Place::LoadBalancerIp => seen.address = Some(address.to_string()),
        Place::Annotation(key) | Place::ByFamily { v4: key, .. } => {
            seen.annotations
                .insert((*key).to_owned(), address.to_string());
        }
    }
}

#[test]
fn a_certain_address_is_given_or_it_is_an_error() {
    for (rules, cloud) in both() {
        let ways = [
            (rules.fixed_address.private, private(rules), PRIVATE),
            (rules.fixed_address.public, public(rules), PUBLIC),
        ];
        for (way, seen, address) in ways {
            let (Way::Is(place), Some(mut seen)) = (way, seen) else {
                continue;
            };
            at(&mut seen, &place, address);
            match rules.provider {
                // The kind of load balancer that can have one.
                Provider::Aws => seen.class = Some("service.k8s.aws/nlb".to_owned()),
                Provider::Oci if address == PRIVATE => {
                    let key = "oci.oraclecloud.com/load-balancer-type".to_owned();
                    seen.annotations.insert(key, "nlb".to_owned());
                }
                _ => {}
            }
            let mut played = Played::new(cloud, None);
            assert_eq!(
                played.ensure(&seen).unwrap().shown(),
                address,
                "{}",
                rules.name
            );
            let again = make::ensure(&mut played.addresses, "b", &seen, played.expect);
            assert!(again.is_err(), "{}: it cannot be on two", rules.name);
        }
    }
}

#[test]
fn a_kept_address_is_given_to_nobody_who_does_not_ask_for_it() {
    for (rules, cloud) in both() {
        let (Way::Is(key), Some(seen)) = (rules.kept_address, public(rules)) else {
            continue;
        };
        for keep in [false, true] {
            let mut seen = seen.clone();
            let Value::Is(value) = key.value else {
                panic!("{}", key.key)
            };
            let value = if keep { value } else { "false" };
            seen.annotations
                .insert(key.key.to_owned(), value.to_owned());
            let mut played = Played::new(cloud, None);
            let had = played.ensure(&seen).unwrap().public;
            make::release(&mut played.addresses, "a", &seen, cloud);
            let kept = played.addresses.is_kept(had.unwrap());
            assert_eq!(kept, keep, "{}", rules.name);
        }
    }
}

#[test]
fn proxy_headers_are_of_the_version_that_the_product_expects() {
    for (rules, cloud) in both() {
        let (Way::Is(way), Some(mut seen)) = (rules.proxy_protocol, private(rules)) else {
            continue;
        };
        seen.annotations
            .extend(service(rules, way.keys).annotations);
        let kinds = [
            ("oci.oraclecloud.com/load-balancer-type", "nlb"),
            (
                "service.beta.kubernetes.io/do-loadbalancer-type",
                "REGIONAL",
            ),
        ];
        let kinds = kinds.map(|(key, value)| (key.to_owned(), value.to_owned()));
        seen.annotations.extend(kinds);
        let sent = (cloud.read)(&seen).unwrap().proxy;
        match way.version {
            ProxyVersion::V1 => assert_eq!(sent, Some(1), "{}", rules.name),
            ProxyVersion::V2 => assert_eq!(sent, Some(2), "{}", rules.name),
            ProxyVersion::Either | ProxyVersion::NotKnown => assert!(sent.is_some()),
        }
    }
}

#[test]
fn every_cloud_can_fail_and_then_gives_no_address() {
    for (rules, cloud) in both() {
        let Some(seen) = private(rules) else { continue };
        for trouble in [Trouble::Quota, Trouble::Error] {
            let mut played = Played::new(cloud, Some(trouble));
            assert!(played.ensure(&seen).is_err(), "{}", rules.name);
            assert!(played.addresses.of("a").is_none());
            played.expect.trouble = None;
            let made = played.ensure(&seen);
            assert!(made.is_ok(), "{}", rules.name);
            played.expect.trouble = Some(trouble);
            assert_eq!(
                played.ensure(&seen),
                made,
                "{}: what is there stays",
                rules.name
            );
        }
        // What somebody attaches by hand is seen, whatever the Service says.
        let mut played = Played::new(cloud, None);
        played.ensure(&seen).unwrap();
        played.expect.trouble = Some(Trouble::Exposed);
        assert!(
            played.ensure(&seen).unwrap().public.is_some(),
            "{}",
            rules.name
        );
    }
}

#[test]
fn without_public_addresses_there_is_a_private_one_or_none() {
    for (rules, cloud) in both() {
        let Some(seen) = public(rules) else { continue };
        let mut played = Played::new(cloud, Some(Trouble::NoPublic));
        match (cloud.without_public, played.make(&seen)) {
            (WithoutPublic::Private, made) => {
                let made = made.unwrap();
                assert!(made.forced && made.given.public.is_none(), "{}", rules.name);
                played.expect.trouble = None;
                let made = played.make(&seen).unwrap();
                assert!(
                    !made.forced && made.given.public.is_some(),
                    "{}",
                    rules.name
                );
            }
            (WithoutPublic::Fails(why), made) => {
                assert_eq!(made, Err(why.to_owned()), "{}", rules.name);
            }
        }
        if let Some(seen) = private(rules) {
            played.expect.trouble = Some(Trouble::NoPublic);
            let made = make::ensure(&mut played.addresses, "b", &seen, played.expect);
            assert!(made.is_ok_and(|made| !made.forced), "{}", rules.name);
        }
    }
}

#[test]
fn udp_is_refused_where_the_product_says_that_it_is_not_carried() {
    for (rules, cloud) in both() {
        let Some(mut seen) = private(rules) else {
            continue;
        };
        seen.ports.push(("UDP".to_owned(), 443));
        let carried = Played::new(cloud, None).ensure(&seen).is_ok();
        assert_eq!(carried, !matches!(rules.udp, Way::No(_)), "{}", rules.name);
    }
}

#[test]
fn names_resolve_and_look_alike_and_mixed_ones_show_both() {
    for (rules, cloud) in both() {
        let Some(seen) = public(rules) else { continue };
        let made = whole(cloud, &seen);
        let given = &made.given;
        let shown = make::shown(cloud, &made, false);
        let names: Vec<_> = shown
            .iter()
            .filter_map(|it| it.hostname.as_deref())
            .collect();
        match rules.shows {
            product::Shows::Hostname => {
                assert_eq!(names.len(), 1, "{}", rules.name);
                assert_eq!(make::resolve(names[0]), given.public);
            }
            product::Shows::Ip => assert_eq!((shown.len(), names.len()), (1, 0), "{}", rules.name),
            product::Shows::Mixed => assert_eq!(shown.len(), 2, "{}", rules.name),
        }
        let written = make::written(cloud, "id", given);
        for (key, _) in written {
            assert!(rules.written_back.contains(&key), "{}: {key}", rules.name);
        }
    }
}

#[test]
fn nothing_is_carried_to_nodes_whose_ports_are_shut() {
    let cloud = named("NHN").unwrap();
    let rules = product::rules(Provider::Nhn);
    let made = whole(cloud, &private(rules).unwrap());
    let mode = |shut| make::shown(cloud, &made, shut)[0].ip_mode.clone();
    assert_eq!(mode(false).as_deref(), Some("VIP"));
    assert_eq!(mode(true).as_deref(), Some("Proxy"));
}
