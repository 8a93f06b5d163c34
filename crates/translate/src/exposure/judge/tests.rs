//! The way in, judged with the data of every provider: what each field becomes, and what cannot be had.

use daemun_model::verdict::FieldPath;
use daemun_objects::Any;
use daemun_objects::own::exposure::ExposureSettings;

use super::*;
use crate::exposure::provider::{
    ClientAddress, FixedAddress, HealthPart, Key, RangesPlace, Switch, Unit, Value,
};
use crate::infrastructure::way_in;

/// A cluster of two nodes with addresses, one of them with an overlay of Calico's.
fn cluster() -> Cluster {
    let mut cluster = Cluster::default();
    for (name, address, annotations) in [
        ("n1", "10.0.1.11", "{}"),
        (
            "n2",
            "10.0.1.12",
            "{projectcalico.org/IPv4VXLANTunnelAddr: 10.100.7.64}",
        ),
    ] {
        let node: serde_json::Value = serde_saphyr::from_str(&format!(
            "{{apiVersion: v1, kind: Node, metadata: {{name: {name}, annotations: {annotations}}}, spec: {{podCIDRs: [10.244.1.0/24]}}, status: {{addresses: [{{type: InternalIP, address: {address}}}, {{type: ExternalIP, address: 203.0.113.1}}, {{type: Hostname, address: {name}}}]}}}}"
        ))
        .unwrap();
        cluster.insert(Any::deserialize("v1", "Node", node).unwrap().unwrap());
    }
    cluster
}

/// What is judged of parameters, addresses of the Gateway's own and its own annotations.
struct Case {
    exposure: String,
    wanted: Vec<Wanted>,
    own: BTreeMap<String, String>,
    cluster: Cluster,
    listeners: Vec<Carried>,
    still_sent: bool,
}

impl Case {
    fn of(exposure: impl Into<String>) -> Self {
        Self {
            exposure: exposure.into(),
            wanted: Vec::new(),
            own: BTreeMap::new(),
            cluster: cluster(),
            listeners: vec![Carried {
                protocol: "TCP",
                port: 443,
                tls: true,
            }],
            still_sent: false,
        }
    }

    fn wanting(self, addresses: &[&str]) -> Self {
        let wanted = addresses.iter().map(|text| match *text {
            "" => Wanted::Any,
            text => Wanted::Ip(text.parse().unwrap()),
        });
        Self {
            wanted: wanted.collect(),
            ..self
        }
    }

    fn judge(&self) -> Result<Judged, String> {
        let written: ExposureSettings = serde_saphyr::from_str(&self.exposure)
            .unwrap_or_else(|error| panic!("{}: {error}", self.exposure));
        let way_in = way_in::read(&written, &FieldPath::of("spec.exposure"))
            .map_err(|refusal| refusal.message)?;
        let makers = Automatic::Rules(rules(Provider::Generic));
        judge(&Question {
            way_in: &way_in,
            namespace: "infra",
            own: &self.own,
            wanted: &self.wanted,
            listeners: &self.listeners,
            makers: &makers,
            still_sent: self.still_sent,
            stays: None,
            cluster: &self.cluster,
        })
        .map_err(|refusal| {
            assert_eq!(refusal.reason, INVALID_PARAMETERS, "{}", refusal.message);
            refusal.message
        })
    }
}

fn judged(exposure: &str) -> Judged {
    Case::of(exposure)
        .judge()
        .unwrap_or_else(|why| panic!("{exposure}: {why}"))
}

fn refused(exposure: &str) -> String {
    Case::of(exposure).judge().map(drop).unwrap_err()
}

fn texts(ranges: &[IpNet]) -> Vec<String> {
    ranges.iter().map(IpNet::to_string).collect()
}

/// What a provider needs beside, so that its switch is whole.
fn beside(rules: &Rules, reach: &Switch) -> &'static str {
    let by_subnet = |key: &Key| key.value == Value::Subnet;
    let has = reach.keys().iter().any(by_subnet);
    assert!(!has || rules.subnet.get().is_some(), "{}", rules.name);
    if has { ", subnet: subnet-1" } else { "" }
}

/// Every provider, with a reach that it can have, as the beginning of what is written.
fn all() -> Vec<(&'static Rules, Asked, String)> {
    let mut all = Vec::new();
    for provider in Provider::ALL {
        let rules = rules(*provider);
        for (asked, word, switch) in [
            (Asked::Private, "Private", &rules.private),
            (Asked::Public, "Public", &rules.public),
        ] {
            if !matches!(switch, Switch::Impossible(_) | Switch::NotKnown) {
                let name = rules.name;
                let beside = beside(rules, switch);
                all.push((
                    rules,
                    asked,
                    format!("provider: {name}, reach: {word}{beside}"),
                ));
            }
        }
    }
    all
}

#[test]
fn every_path_by_which_a_key_of_reach_could_get_in_is_closed() {
    let mut tried = 0;
    for (of, _, start) in all() {
        let keys = of.private.keys().iter().chain(of.public.keys());
        let mut keys: Vec<String> = keys.map(|key| key.key.to_owned()).collect();
        let patterns = of.decides_reach.iter();
        keys.extend(patterns.map(|pattern| pattern.replace('*', "anything")));
        for key in keys {
            for value in ["true", "false", "internal", "anything"] {
                let annotation = format!("{{{key}: \"{value}\"}}");
                let listener = format!("{{TCP-443: {annotation}}}");
                let mut paths = vec![
                    Case::of(format!("{{{start}, annotations: {annotation}}}")),
                    Case::of(format!("{{{start}, listenerAnnotations: {listener}}}")),
                    Case::of(format!(
                        "{{{start}, annotations: {{TCP-443.{key}: \"{value}\"}}}}"
                    )),
                    Case::of(format!("{{{start}}}")),
                    Case::of(format!("{{{start}}}")),
                    // Another provider's keys are no less refused, nor are those without any load balancer.
                    Case::of(format!("{{annotations: {annotation}}}")),
                    Case::of(format!("{{reach: Cluster, annotations: {annotation}}}")),
                    Case::of(format!(
                        "{{provider: Generic, reach: Private, annotations: {annotation}}}"
                    )),
                ];
                paths[3].own.insert(key.clone(), value.to_owned());
                paths[4]
                    .own
                    .insert(format!("TCP-443.{key}"), value.to_owned());
                for case in paths {
                    let why = case.judge().map(drop).unwrap_err();
                    assert!(
                        why.contains(&key) && why.contains("exposure.reach"),
                        "{why}"
                    );
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 1000, "{tried}");
}

#[test]
fn what_decides_reach_is_refused_in_the_words_of_the_provider_at_hand() {
    const INTERNAL: &str = "service.beta.kubernetes.io/openstack-internal-load-balancer";
    const AWS: &str = "service.beta.kubernetes.io/aws-load-balancer-internal";
    for (provider, key, value, pieces) in [
        ("NHN", INTERNAL, "true", &["NHN Cloud NKS"][..]),
        ("NHN", INTERNAL, "True", &["\"True\" would not count"]),
        ("OVH", INTERNAL, "yes", &["\"yes\" would not count"]),
        // A key of a listener, as it counts and as it does not.
        (
            "NHN",
            "TCP-443.service.beta.kubernetes.io/openstack-internal-load-balancer",
            "true",
            &[],
        ),
        (
            "NHN",
            "tcp-443.service.beta.kubernetes.io/openstack-internal-load-balancer",
            "true",
            &[],
        ),
        // Of another cloud, and where it is not said who makes load balancers.
        ("AKS", AWS, "0.0.0.0/0", &["on AWS"]),
        ("Auto", INTERNAL, "false", &[]),
    ] {
        let mut own = Case::of(format!("{{provider: {provider}}}"));
        own.own.insert(key.to_owned(), value.to_owned());
        let parameters = Case::of(format!(
            "{{provider: {provider}, annotations: {{{key}: \"{value}\"}}}}"
        ));
        for case in [own, parameters] {
            let why = case.judge().map(drop).unwrap_err();
            let reach = ["exposure.reach", key];
            for piece in pieces.iter().chain(&reach) {
                assert!(why.contains(piece), "{piece}: {why}");
            }
        }
    }
}

#[test]
fn reach_is_written_in_the_providers_keys_and_nothing_goes_over_it() {
    for (of, asked, start) in all() {
        let Judged { exposure, .. } = judged(&format!("{{{start}}}"));
        assert_eq!(exposure.reach, Some(asked));
        let switch = match asked {
            Asked::Private => of.private.keys(),
            Asked::Public => of.public.keys(),
        };
        for key in switch {
            let expected = match key.value {
                Value::Is(value) => value,
                Value::Subnet => "subnet-1",
            };
            assert_eq!(exposure.switch[key.key], expected, "{start}");
            assert!(!exposure.annotations.contains_key(key.key));
        }
    }
}

#[test]
fn who_asks_for_headers_that_may_not_be_sent_is_told() {
    let told = |written: &str| {
        let findings = judged(written).findings;
        findings
            .iter()
            .any(|it| it.reason == "ProxyProtocolConditional")
    };
    let kind = "service.beta.kubernetes.io/do-loadbalancer-type";
    for (written, is_told) in [
        (
            "{provider: DigitalOcean, proxyProtocol: true}".to_owned(),
            true,
        ),
        (
            format!(
                "{{provider: DigitalOcean, proxyProtocol: true, annotations: {{{kind}: REGIONAL}}}}"
            ),
            false,
        ),
        ("{provider: NHN, proxyProtocol: true}".to_owned(), false),
        ("{provider: Hetzner, proxyProtocol: true}".to_owned(), false),
    ] {
        assert_eq!(told(&written), is_told, "{written}");
    }
    let why = refused("{provider: IBM, proxyProtocol: true, sourceRanges: [10.0.0.0/8]}");
    assert!(why.contains("sourceRanges"), "{why}");
}

#[test]
fn where_only_public_addresses_are_given_somebody_has_to_say_so() {
    let why = refused("{provider: Vultr}");
    assert!(why.contains("exposure.reach: Public"), "{why}");
    let public = judged("{provider: Vultr, reach: Public}").exposure;
    assert_eq!(public.reach, Some(Asked::Public));
}

#[test]
fn a_switch_that_is_a_subnet_needs_one() {
    for name in ["Tencent", "Linode"] {
        for start in [
            format!("provider: {name}, reach: Private"),
            format!("provider: {name}"),
        ] {
            let why = refused(&format!("{{{start}}}"));
            assert!(why.contains("exposure.subnet"), "{why}");
            let exposure = judged(&format!("{{{start}, subnet: s1}}")).exposure;
            assert_eq!(exposure.reach, Some(Asked::Private));
            assert!(exposure.switch.values().any(|value| value == "s1"));
        }
        let why = refused(&format!("{{provider: {name}, reach: Public, subnet: s1}}"));
        assert!(why.contains("private"), "{why}");
        assert!(
            judged(&format!("{{provider: {name}, reach: Public}}"))
                .exposure
                .switch
                .is_empty()
        );
    }
}

#[test]
fn addresses_subnets_and_kept_addresses_are_said_as_each_provider_wants_them() {
    let mut said = 0;
    for (of, asked, start) in all() {
        let address = match asked {
            Asked::Private => "10.0.3.7",
            Asked::Public => "8.8.4.4",
        };
        let Judged {
            exposure,
            wanted,
            unusable,
            ..
        } = judged(&format!("{{{start}, address: {address}}}"));
        assert_eq!(wanted, [Wanted::Ip(address.parse().unwrap())]);
        let FixedAddress { private, public } = of.fixed_address;
        let way = if asked == Asked::Private {
            private
        } else {
            public
        };
        match way {
            Way::No(_) => {
                let why = unusable.unwrap();
                assert_eq!(why.reason, "AddressNotUsable");
                assert!(why.message.contains(of.product), "{}", why.message);
            }
            Way::Is(place) => {
                assert!(unusable.is_none());
                assert_eq!(exposure.address, Some(place));
                said += 1;
            }
            Way::NotKnown => assert_eq!((unusable, exposure.address), (None, None)),
        }
        let kept = Case::of(format!("{{{start}, keepAddress: true}}")).judge();
        match (&of.kept_address, asked) {
            (Way::Is(key), Asked::Public) => {
                let Judged { exposure, .. } = kept.unwrap();
                assert!(exposure.keeps_address && exposure.switch.contains_key(key.key));
            }
            (Way::Is(_), Asked::Private) | (Way::No(_) | Way::NotKnown, _) => {
                assert!(kept.unwrap_err().contains("exposure.keepAddress"));
            }
        }
        if !start.contains("subnet") {
            let subnet = Case::of(format!("{{{start}, subnet: s1}}")).judge();
            match of.subnet {
                Way::Is(key) if of.private.keys().iter().all(|it| it.key != key) => {
                    assert_eq!(subnet.unwrap().exposure.switch[key], "s1");
                }
                _ => assert!(subnet.unwrap_err().contains("exposure.subnet"), "{start}"),
            }
        }
    }
    assert!(said > 10, "{said}");
}

#[test]
fn an_address_that_contradicts_itself_or_reach_is_not_usable_before_anything_is_made() {
    let why = |case: Case| {
        let unusable = case.judge().unwrap().unusable;
        unusable.map(|refusal| {
            assert_eq!(refusal.reason, "AddressNotUsable");
            refusal.message
        })
    };
    let nhn = |rest: &str| Case::of(format!("{{provider: NHN, {rest}}}"));
    assert_eq!(
        why(nhn("reach: Private, address: 10.0.0.9").wanting(&["10.0.0.9"])),
        None
    );
    assert_eq!(
        why(nhn("reach: Private, address: 10.0.0.9").wanting(&[""])),
        None
    );
    let both = why(nhn("reach: Private, address: 10.0.0.9").wanting(&["10.0.0.8"])).unwrap();
    assert!(
        both.contains("10.0.0.8") && both.contains("10.0.0.9"),
        "{both}"
    );
    let more = why(nhn("reach: Private, address: 10.0.0.9").wanting(&["10.0.0.9", ""])).unwrap();
    assert!(more.contains("10.0.0.9"), "{more}");
    for (reach, address, option) in [
        ("reach: Private", "114.110.160.100", "--private-ranges"),
        // Without a word it is private there.
        ("subnet: s", "114.110.160.100", "--private-ranges"),
        ("reach: Public", "10.0.0.9", "--public-ranges"),
        ("reach: Public", "100.64.0.9", "--public-ranges"),
        ("reach: Private", "2606:4700::1111", "--private-ranges"),
    ] {
        for case in [
            nhn(&format!("{reach}, address: \"{address}\"")),
            nhn(reach).wanting(&[address]),
        ] {
            let why = why(case).unwrap_or_else(|| panic!("{reach} {address}"));
            assert!(why.contains(option), "{why}");
        }
    }
    // An operator knows the network better.
    let mut inside = nhn("reach: Private, address: 114.110.160.100");
    inside.cluster.settings.private_ranges = vec!["114.110.0.0/16".parse().unwrap()];
    assert_eq!(why(inside), None);
    // Where a pool decides and nobody said who may reach it, any address may be asked for.
    assert_eq!(why(Case::of("{provider: MetalLB, address: 8.8.8.8}")), None);
    for reach in ["Node", "Unmanaged"] {
        let case = Case::of(format!("{{reach: {reach}, address: 10.0.0.9}}"));
        assert!(why(case).unwrap().contains(reach));
        assert_eq!(
            why(Case::of(format!("{{reach: {reach}}}")).wanting(&[""])),
            None
        );
    }
    assert_eq!(why(Case::of("{reach: Cluster, address: 10.96.0.9}")), None);
}

#[test]
fn proxy_headers_are_one_switch_for_both_sides_with_every_provider() {
    let nodes = [
        "10.0.1.11/32",
        "10.0.1.12/32",
        "10.100.7.64/32",
        "10.244.1.0/32",
        "10.244.1.1/32",
    ];
    let mut switched = 0;
    for (of, _, start) in all() {
        let on = |rest: &str| Case::of(format!("{{{start}, proxyProtocol: true{rest}}}")).judge();
        match of.proxy_protocol {
            Way::Is(way) => {
                let Judged {
                    exposure,
                    arrivals,
                    findings,
                    ..
                } = on("").unwrap();
                assert!(
                    way.keys
                        .iter()
                        .all(|key| exposure.switch.contains_key(key.key))
                );
                assert_eq!(exposure.proxy_protocol, Some(way.version));
                assert_eq!(texts(&arrivals.proxies.unwrap()), nodes, "{start}");
                assert_eq!(findings.last().unwrap().reason, "ProxyProtocolThroughNodes");
                let why = on(", externalTrafficPolicy: Local").map(drop).unwrap_err();
                assert!(why.contains("exposure.trustedRanges"), "{why}");
                let local =
                    on(", externalTrafficPolicy: Local, trustedRanges: [10.0.3.0/24]").unwrap();
                assert_eq!(texts(&local.arrivals.proxies.unwrap()), ["10.0.3.0/24"]);
                let mut others = local.findings.iter();
                let only = others.all(|it| it.reason == "ProxyProtocolConditional");
                assert!(only, "{:?}", local.findings);
                // The same key by annotation would be one side only.
                let key = way.keys[0];
                if key.key.contains("proxy") {
                    let why = refused(&format!("{{{start}, annotations: {{{}: \"x\"}}}}", key.key));
                    assert!(why.contains("exposure.proxyProtocol"), "{why}");
                }
                switched += 1;
            }
            Way::No(why) => assert!(on("").unwrap_err().contains(why)),
            Way::NotKnown if of.provider == Provider::Generic => {
                let Judged {
                    exposure,
                    arrivals,
                    findings,
                    ..
                } = on("").unwrap();
                assert_eq!(exposure.proxy_protocol, None);
                assert!(arrivals.proxies.is_some());
                assert_eq!(findings[0].reason, "ProxyProtocolOneSided");
            }
            Way::NotKnown => assert!(on("").unwrap_err().contains("exposure.provider")),
        }
        assert_eq!(judged(&format!("{{{start}}}")).arrivals.proxies, None);
    }
    assert!(switched > 10, "{switched}");
    // As long as a load balancer is there that sends them, they are believed.
    let mut off = Case::of("{provider: NHN}");
    off.still_sent = true;
    let Judged {
        exposure, arrivals, ..
    } = off.judge().unwrap();
    assert_eq!(texts(&arrivals.proxies.unwrap()), nodes);
    assert_eq!(exposure.proxy_protocol, None);
    // A subnet that is a range tells where the headers come from.
    let hetzner = judged(
        "{provider: Hetzner, reach: Private, proxyProtocol: true, externalTrafficPolicy: Local, subnet: 10.7.0.0/24}",
    );
    assert_eq!(texts(&hetzner.arrivals.proxies.unwrap()), ["10.7.0.0/24"]);
    // Where no node is known, who is believed has to be written.
    let mut none = Case::of("{provider: NHN, proxyProtocol: true}");
    none.cluster = Cluster::default();
    assert!(
        none.judge()
            .map(drop)
            .unwrap_err()
            .contains("exposure.trustedRanges")
    );
    for (reach, policy, fine) in [
        ("Cluster", "Cluster", false),
        ("Unmanaged", "Cluster", false),
        ("Node", "Local", false),
        ("Node", "Cluster", true),
    ] {
        let start = format!("reach: {reach}, externalTrafficPolicy: {policy}, proxyProtocol: true");
        assert_eq!(
            Case::of(format!("{{{start}}}")).judge().is_ok(),
            fine,
            "{start}"
        );
        let trusted = judged(&format!("{{{start}, trustedRanges: [10.0.3.9]}}"));
        assert_eq!(texts(&trusted.arrivals.proxies.unwrap()), ["10.0.3.9/32"]);
    }
}

#[test]
fn ranges_of_callers_are_kept_by_the_load_balancer_or_by_listeners_that_see_them() {
    let ranges = "sourceRanges: [192.0.2.0/24]";
    let expected: Vec<IpNet> = vec!["192.0.2.0/24".parse().unwrap()];
    for (of, _, start) in all() {
        let with = |rest: &str| Case::of(format!("{{{start}, {ranges}{rest}}}")).judge();
        match of.source_ranges {
            Way::Is(way) => {
                let Judged {
                    exposure,
                    arrivals,
                    findings,
                    ..
                } = with("").unwrap();
                match way.place {
                    RangesPlace::Field => assert_eq!(exposure.source_ranges, expected),
                    RangesPlace::Annotation(key) => {
                        assert_eq!(exposure.switch[key], "192.0.2.0/24")
                    }
                }
                assert_eq!(arrivals.sources, None);
                assert_eq!(
                    findings.len(),
                    usize::from(way.condition.is_some()),
                    "{start}"
                );
            }
            Way::No(_) | Way::NotKnown => {
                let why = with("").unwrap_err();
                assert!(why.contains("exposure.proxyProtocol"), "{why}");
                let sent = of.proxy_needs.is_some_and(|it| it.unsaid);
                let way = of.proxy_protocol.get();
                if way.is_some_and(|way| sent || way.condition.is_none()) {
                    let Judged {
                        exposure, arrivals, ..
                    } = with(", proxyProtocol: true").unwrap();
                    assert!(exposure.source_ranges.is_empty());
                    assert_eq!(arrivals.sources.as_ref(), Some(&expected));
                }
                let local = with(", externalTrafficPolicy: Local");
                let kept = of.client == ClientAddress::Kept;
                assert_eq!(local.is_ok(), kept, "{start}");
            }
        }
        assert_eq!(judged(&format!("{{{start}}}")).arrivals.sources, None);
    }
    assert_eq!(
        judged(&format!("{{reach: Cluster, {ranges}}}"))
            .arrivals
            .sources,
        Some(expected)
    );
    assert!(refused(&format!("{{reach: Node, {ranges}}}")).contains("externalTrafficPolicy"));
    judged(&format!(
        "{{reach: Node, externalTrafficPolicy: Local, {ranges}}}"
    ));
    refused(&format!("{{reach: Unmanaged, {ranges}}}"));
}

#[test]
fn the_health_check_is_said_in_the_providers_keys_or_refused() {
    for (of, _, start) in all() {
        for (part, written) in [
            (HealthPart::Delay, "delay: 7s"),
            (HealthPart::Timeout, "timeout: 2s"),
            (HealthPart::Tries, "tries: 4"),
        ] {
            let case = Case::of(format!("{{{start}, healthCheck: {{{written}}}}}")).judge();
            let key = of.health_key(part).filter(|key| key.unit != Unit::NotKnown);
            match key {
                None => assert!(
                    case.unwrap_err().contains("exposure.healthCheck."),
                    "{start}"
                ),
                Some(key) => {
                    let exposure = case.unwrap().exposure;
                    let value = exposure.switch[key.key].clone();
                    assert!(["7", "2", "4"].contains(&value.as_str()), "{value}");
                    let enable = of.health_key(HealthPart::Enable);
                    assert!(enable.is_none_or(|key| exposure.switch[key.key] == "true"));
                }
            }
        }
    }
}

#[test]
fn on_nhn_a_dead_node_is_noticed_soon() {
    const KEY: &str = "loadbalancer.nhncloud/healthmonitor-";
    let key = |exposure: &Exposure, name: &str| {
        let key = format!("{KEY}{name}");
        let said = exposure.switch.get(&key).or(exposure.annotations.get(&key));
        said.cloned().unwrap_or_default()
    };
    let all = |exposure: &Exposure| {
        ["delay", "timeout", "max-retries", "type", "http-url"].map(|name| key(exposure, name))
    };
    let plain = judged("{provider: NHN}").exposure;
    assert_eq!(all(&plain), ["5", "3", "3", "", ""]);
    assert_eq!(
        (plain.local, plain.notices, plain.health_port),
        (Some(false), Some(15), None)
    );
    let local = judged("{provider: NHN, externalTrafficPolicy: Local}").exposure;
    assert_eq!(all(&local), ["5", "3", "3", "HTTP", "/healthz"]);
    assert_eq!(
        local.health_port.unwrap(),
        format!("{KEY}health-check-port")
    );
    let written = judged("{provider: NHN, healthCheck: {delay: 2s, tries: 5}}").exposure;
    assert_eq!(all(&written), ["2", "1", "5", "", ""]);
    assert_eq!(written.notices, Some(10));
    let by_annotation = |annotations: &str| judged(annotations).exposure.notices;
    let delay = format!("{{provider: NHN, annotations: {{{KEY}delay: \"60\"}}}}");
    assert_eq!(by_annotation(&delay), Some(180));
    let tries = format!(
        "{{provider: NHN, listenerAnnotations: {{TCP-443: {{{KEY}max-retries: \"10\"}}}}}}"
    );
    assert_eq!(by_annotation(&tries), Some(50));
    let slow = judged("{provider: NHN, healthCheck: {timeout: 8s}}").exposure;
    assert_eq!(all(&slow), ["9", "8", "3", "", ""]);
    // Who says by annotation what is asked, is asked nothing else.
    let own = judged(&format!(
        "{{provider: NHN, externalTrafficPolicy: Local, annotations: {{{KEY}type: TCP}}}}"
    ));
    assert_eq!(
        (own.exposure.health_port, key(&own.exposure, "http-url")),
        (None, String::new())
    );
    let why = refused("{provider: NHN, healthCheck: {tries: 11}}");
    assert!(why.contains("from 1 to 10"), "{why}");
    let why = refused(&format!(
        "{{provider: NHN, healthCheck: {{tries: 4}}, annotations: {{{KEY}max-retries: \"5\"}}}}"
    ));
    assert!(why.contains("max-retries"), "{why}");
}

#[test]
fn annotations_of_one_listener_are_for_providers_that_have_them_and_for_listeners_that_there_are() {
    let limit = "loadbalancer.nhncloud/connection-limit";
    let nhn = |listener: &str, key: &str, value: &str| {
        format!("{{provider: NHN, listenerAnnotations: {{{listener}: {{{key}: \"{value}\"}}}}}}")
    };
    let fine = judged(&nhn("TCP-443", limit, "1000"));
    assert_eq!(fine.exposure.switch[&format!("TCP-443.{limit}")], "1000");
    assert!(fine.findings.is_empty());
    let nobody = judged(&nhn("TCP-80", limit, "1000"));
    assert_eq!(nobody.findings[0].reason, "NoListenerAtPort");
    for (why, written) in [
        ("takes a whole number", nhn("TCP-443", limit, "many")),
        (
            "whole load balancer",
            nhn(
                "TCP-443",
                "loadbalancer.openstack.org/keep-floatingip",
                "true",
            ),
        ),
        (
            "the load balancer takes connections apart",
            nhn(
                "TCP-443",
                "loadbalancer.nhncloud/listener-protocol",
                "TERMINATED_HTTPS",
            ),
        ),
        (
            "private key",
            nhn(
                "TCP-443",
                "loadbalancer.nhncloud/listener-terminated-https-key",
                "x",
            ),
        ),
        (
            "exposure.proxyProtocol",
            nhn("TCP-443", "loadbalancer.nhncloud/proxy-protocol", "true"),
        ),
    ] {
        let refused = refused(&written);
        assert!(refused.contains(why), "{refused}");
    }
    let mut own = Case::of("{provider: NHN}");
    own.own
        .insert(format!("TCP-443.{limit}"), "1000".to_owned());
    assert!(
        own.judge()
            .map(drop)
            .unwrap_err()
            .contains("exposure.listenerAnnotations")
    );
    let why = refused(
        "{provider: GKE, listenerAnnotations: {TCP-443: {networking.gke.io/load-balancer-subnet: x}}}",
    );
    assert!(why.contains("no keys for single listeners"), "{why}");
}

#[test]
fn switches_that_are_spelled_wrong_are_found_wherever_they_are_written() {
    for (exposure, refused) in [
        (
            "{provider: NHN, annotations: {loadbalancer.openstack.org/keep-floatingip: \"True\"}}",
            true,
        ),
        (
            "{provider: NHN, annotations: {loadbalancer.nhncloud/pool-lb-methd: ROUND_ROBIN}}",
            false,
        ),
        (
            "{provider: NHN, annotations: {service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout: \"5\"}}",
            false,
        ),
        (
            "{provider: NHN, annotations: {x/y: \"-----BEGIN PRIVATE KEY-----\"}}",
            true,
        ),
        (
            "{reach: Cluster, annotations: {x/y: \"-----BEGIN PRIVATE KEY-----\"}}",
            true,
        ),
    ] {
        match Case::of(exposure).judge() {
            Err(why) => assert!(refused, "{why}"),
            Ok(judged) => {
                assert!(!refused, "{exposure}");
                assert_eq!(judged.findings.len(), 1, "{exposure}");
            }
        }
        // The same in the Gateway's own annotations.
        let written: ExposureSettings = serde_saphyr::from_str(exposure).unwrap();
        let mut own = Case::of(if exposure.contains("NHN") {
            "{provider: NHN}"
        } else {
            "{reach: Cluster}"
        });
        own.own = written.annotations.unwrap();
        assert_eq!(own.judge().is_err(), refused, "{exposure}");
    }
}

#[test]
fn a_class_of_load_balancers_that_decides_otherwise_is_refused() {
    let class = |reach: &str, class: &str| {
        Case::of(format!(
            "{{provider: GKE, reach: {reach}, loadBalancerClass: networking.gke.io/l4-regional-{class}}}"
        ))
        .judge()
    };
    assert!(class("Private", "internal").is_ok());
    assert!(class("Public", "external").is_ok());
    for (reach, other) in [("Private", "external"), ("Public", "internal")] {
        let why = class(reach, other).map(drop).unwrap_err();
        assert!(why.contains("loadBalancerClass"), "{why}");
    }
}

#[test]
fn without_a_load_balancer_what_is_about_one_says_nothing_and_is_told() {
    for reach in ["Cluster", "Node", "Unmanaged"] {
        let judged = judged(&format!(
            "{{reach: {reach}, provider: NHN, keepAddress: true, subnet: s, healthCheck: {{tries: 3}}, annotations: {{a/b: c}}}}"
        ));
        let finding = &judged.findings[0];
        assert_eq!(finding.reason, "NoLoadBalancer");
        assert!(
            finding
                .message
                .contains("keepAddress, subnet and healthCheck"),
            "{}",
            finding.message
        );
        let exposure = judged.exposure;
        assert_ne!(exposure.kind, ServiceKind::LoadBalancer);
        assert!(exposure.switch.is_empty() && exposure.annotations.contains_key("a/b"));
    }
}

#[test]
fn where_a_class_limits_reach_nothing_written_means_private() {
    let unsaid = judged("{provider: MetalLB}").exposure;
    assert_eq!(unsaid.reach, None);
    let limited = judged("{provider: MetalLB, allowedReach: [Private, Cluster]}").exposure;
    assert_eq!(limited.reach, Some(Asked::Private));
    let why = refused("{provider: MetalLB, allowedReach: [Public]}");
    assert!(why.contains("exposure.reach"), "{why}");
    let report = judged("{provider: NHN, onViolation: Report}").exposure;
    assert_eq!(report.on_violation, OnViolation::Report);
}

#[test]
fn a_mistake_does_not_open_what_is_closed() {
    const RANGES: &str = "sourceRanges: [10.0.0.0/8]";
    // What is written, who may reach it all the same, and whether it is the listeners that keep others out.
    for (written, reach, by_listeners) in [
        ("provider: NHN", Some(Asked::Private), false),
        (
            "provider: NHN, externalTrafficPolicy: Local, trustedRanges: [10.0.3.9/32], proxyProtocol: true",
            Some(Asked::Private),
            true,
        ),
        (
            "provider: GKE, externalTrafficPolicy: Local",
            Some(Asked::Private),
            true,
        ),
        (
            "provider: NHN, reach: Public, keepAddress: true",
            Some(Asked::Public),
            false,
        ),
        ("reach: Cluster", None, true),
        ("reach: Cluster, proxyProtocol: true", None, true),
        ("reach: Node, externalTrafficPolicy: Local", None, true),
        ("reach: Node", None, false),
        ("reach: Unmanaged", None, false),
        // Whose load balancers they are the nodes say, and they are those of GKE's.
        ("externalTrafficPolicy: Local", Some(Asked::Private), true),
        ("{}", Some(Asked::Private), false),
    ] {
        let written = written.trim_matches(['{', '}']);
        let written: ExposureSettings = serde_saphyr::from_str(&format!(
            "{{{RANGES}, annotations: {{x/y: \"-----BEGIN PRIVATE KEY-----\"}}, {written}}}"
        ))
        .unwrap();
        let way_in = way_in::read(&written, &FieldPath::root()).unwrap();
        let (cluster, makers) = (cluster(), Automatic::Rules(rules(Provider::Gke)));
        let question = Question {
            way_in: &way_in,
            namespace: "infra",
            own: &BTreeMap::new(),
            wanted: &[],
            listeners: &[],
            makers: &makers,
            still_sent: false,
            stays: None,
            cluster: &cluster,
        };
        assert!(judge(&question).is_err(), "{written:?}");
        assert_eq!(in_doubt(&question).unwrap().reach, reach, "{written:?}");
        let arrivals = arrivals_in_doubt(&question);
        assert_eq!(arrivals.proxies.is_some(), way_in.proxy_protocol);
        let sources = way_in.source_ranges.clone();
        assert_eq!(
            arrivals.sources,
            sources.clone().filter(|_| by_listeners),
            "{written:?}"
        );
        // Nor does it shut a load balancer out that still sends PROXY headers.
        let sent = Question {
            still_sent: true,
            stays: None,
            ..question
        };
        let arrivals = arrivals_in_doubt(&sent);
        if way_in.trusted.is_some() || way_in.local != Some(true) {
            assert!(arrivals.proxies.is_some(), "{written:?}");
            assert_eq!(arrivals.sources, sources);
        }
    }
}

#[test]
fn what_cannot_be_told_in_doubt_lets_nobody_in() {
    let written = "{allowedReach: [Cluster, Public], sourceRanges: [10.0.0.0/8]}";
    let unsaid = "{externalTrafficPolicy: Local, sourceRanges: [10.0.0.0/8]}";
    for (written, makers) in [
        (written, Automatic::Rules(rules(Provider::Nhn))),
        (unsaid, Automatic::Unseen),
    ] {
        let written: ExposureSettings = serde_saphyr::from_str(written).unwrap();
        let way_in = way_in::read(&written, &FieldPath::root()).unwrap();
        let question = Question {
            way_in: &way_in,
            namespace: "infra",
            own: &BTreeMap::new(),
            wanted: &[],
            listeners: &[],
            makers: &makers,
            still_sent: false,
            stays: None,
            cluster: &cluster(),
        };
        assert!(judge(&question).is_err(), "{written:?}");
        assert_eq!(arrivals_in_doubt(&question).sources, way_in.source_ranges);
    }
}

#[test]
fn what_a_private_service_shows_is_nobodys_to_choose() {
    for provider in Provider::ALL {
        let rules = rules(*provider);
        for key in rules.chooses_shown.iter().chain(&rules.writes_address) {
            assert!(
                rules.reads(key) || rules.written_back.contains(key),
                "{key}"
            );
            for (place, exposure) in [
                ("own", "provider: NHN, reach: Private".to_owned()),
                (
                    "parameters",
                    format!(
                        "provider: NHN, reach: Private, annotations: {{{key}: in.example.net}}"
                    ),
                ),
            ] {
                let mut case = Case::of(format!("{{{exposure}}}"));
                if place == "own" {
                    case.own
                        .insert((*key).to_owned(), "in.example.net".to_owned());
                }
                let refused = case.judge().map(drop);
                let has_address = rules.writes_address.is_some_and(|it| it != *key);
                assert_eq!(refused.is_ok(), has_address, "{key} ({place}): {refused:?}");
            }
        }
    }
    let public = "{provider: Hetzner, reach: Public, annotations: {load-balancer.hetzner.cloud/hostname: shop.example.com}}";
    assert!(Case::of(public).judge().is_ok());
}

#[test]
fn the_key_of_any_provider_for_proxy_headers_belongs_to_the_switch() {
    let mut tried = 0;
    for provider in Provider::ALL {
        let way = rules(*provider).proxy_protocol.get();
        for key in way.into_iter().flat_map(|way| way.keys) {
            let Value::Is(value) = key.value else {
                continue;
            };
            for exposure in [
                "provider: NHN",
                "provider: MetalLB",
                "reach: Cluster",
                "reach: Node",
            ] {
                let mut own = Case::of(format!("{{{exposure}}}"));
                own.own.insert(key.key.to_owned(), value.to_owned());
                assert!(own.judge().is_err(), "{exposure}: {}", key.key);
                let written = format!("{{{exposure}, annotations: {{{}: '{value}'}}}}", key.key);
                assert!(refused(&written).contains("proxyProtocol"), "{written}");
            }
            let by_hand = format!(
                "{{provider: Generic, proxyProtocol: true, annotations: {{{}: '{value}'}}}}",
                key.key
            );
            assert!(Case::of(by_hand).judge().is_ok(), "{}", key.key);
            tried += 1;
        }
    }
    assert!(tried > 10, "{tried}");
}

#[test]
fn headers_count_as_sent_by_those_only_who_may_read_the_key() {
    let node = |id: &str| crate::exposure::provider::automatic([id]);
    let names = |named, makers: &Automatic| -> Vec<&str> {
        let senders = proxy_protocol::senders(named, makers);
        senders.into_iter().map(|rules| rules.name).collect()
    };
    assert_eq!(names(Some(Provider::Nhn), &node("")), ["NHN"]);
    assert_eq!(
        names(None, &node("openstack://1")),
        ["NHN", "OpenStack", "OVH"]
    );
    assert_eq!(names(None, &node("hcloud://1")), ["Hetzner"]);
    // On bare metal nobody reads any of them.
    assert!(names(None, &node("")).is_empty());
    assert!(names(None, &Automatic::Unseen).is_empty());
}

/// With whatever is asked for now.
#[test]
fn nothing_is_refused_for_what_a_service_says_of_proxy_headers() {
    for (now, waits) in [
        ("provider: NHN, externalTrafficPolicy: Local", true),
        (
            "provider: NHN, externalTrafficPolicy: Local, trustedRanges: [10.0.3.0/24]",
            false,
        ),
        ("reach: Cluster", false),
        ("reach: Node, externalTrafficPolicy: Local", false),
        ("reach: Unmanaged", false),
    ] {
        let mut off = Case::of(format!("{{{now}}}"));
        off.still_sent = true;
        let Judged {
            exposure,
            arrivals,
            findings,
            ..
        } = off.judge().unwrap();
        assert!(arrivals.proxies.is_some(), "{now}");
        assert_eq!(
            findings.iter().any(|it| it.reason == "LocalWaits"),
            waits,
            "{now}"
        );
        assert_eq!(exposure.local == Some(false), waits, "{now}");
    }
}

#[test]
fn ports_of_nodes_need_reach_node_and_a_namespace_that_lets_such_pods_in() {
    let with = |exposure: &str, labels: Option<&str>| {
        let mut case = Case::of(exposure);
        if let Some(labels) = labels {
            let namespace = serde_json::json!({ "metadata": {
                "name": "infra",
                "labels": serde_saphyr::from_str::<serde_json::Value>(labels).unwrap(),
            } });
            let namespace = Any::deserialize("v1", "Namespace", namespace).unwrap();
            case.cluster.insert(namespace.unwrap());
        }
        case.judge()
    };
    let privileged = Some("{pod-security.kubernetes.io/enforce: privileged}");
    let asked = "{reach: Node, hostPorts: [{port: 80}, {port: 53, protocol: UDP}]}";
    let exposure = with(asked, privileged).unwrap().exposure;
    assert_eq!(exposure.kind, ServiceKind::HostPorts);
    assert_eq!(host_ports::in_words(&exposure.host_ports), "TCP 80, UDP 53");
    // None are no host ports, and need no label.
    let none = with("{reach: Node, hostPorts: []}", None).unwrap();
    assert_eq!(none.exposure.kind, ServiceKind::NodePort);
    for (labels, is) in [
        (None, "namespace infra is not among the objects at hand"),
        (
            Some("{a: b}"),
            "infra has no label pod-security.kubernetes.io/enforce",
        ),
        (
            Some("{pod-security.kubernetes.io/enforce: baseline}"),
            "is labelled pod-security.kubernetes.io/enforce: baseline",
        ),
        (
            Some("{pod-security.kubernetes.io/warn: privileged}"),
            "has no label",
        ),
    ] {
        let why = with(asked, labels).map(drop).unwrap_err();
        assert!(
            why.contains(is) && why.contains("Nothing was made."),
            "{why}"
        );
        assert!(
            why.contains(
                "kubectl label namespace infra pod-security.kubernetes.io/enforce=privileged"
            ),
            "{why}"
        );
    }
    for reach in ["Private", "Public", "Cluster", "Unmanaged"] {
        let exposure = format!("{{provider: NHN, reach: {reach}, hostPorts: [{{port: 80}}]}}");
        let why = with(&exposure, privileged).map(drop).unwrap_err();
        assert!(why.contains(&format!("({reach})")), "{why}");
    }
    let why = with("{hostPorts: [{port: 80}]}", privileged).map(drop);
    assert!(why.unwrap_err().contains("none is written"));
}

#[test]
fn ports_of_nodes_are_ports_each_once_that_do_not_meet_in_the_pod() {
    for (ports, why) in [
        ("{port: 0}", "0 is not a port"),
        ("{port: 70000}", "70000 is not a port"),
        (
            "{port: 80}, {port: 80, protocol: TCP}",
            "Port 80 is there twice",
        ),
        (
            "{port: 20080}, {port: 40080}",
            "Port 40080 cannot be had beside port 20080",
        ),
        ("{port: 80, protocol: SCTP}", "SCTP"),
    ] {
        let why_not = refused(&format!("{{reach: Node, hostPorts: [{ports}]}}"));
        assert!(why_not.contains(why), "{why_not}");
    }
    let warned = |port: u16| {
        let ports = [crate::infrastructure::Port {
            port,
            bind: port,
            transport: daemun_model::names::Transport::Tcp,
        }];
        host_ports::of_nodes(&ports).pop().map(|it| it.message)
    };
    assert_eq!(warned(80), None);
    for (port, whose) in [(22, "SSH"), (10_250, "kubelet"), (31_000, "NodePort")] {
        assert!(warned(port).unwrap().contains(whose), "{port}");
    }
}

#[test]
fn by_ports_of_nodes_clients_are_seen_and_headers_are_believed_from_who_is_named() {
    let judged = |rest: &str| {
        let mut case = Case::of(format!("{{reach: Node, hostPorts: [{{port: 80}}]{rest}}}"));
        let namespace = serde_json::json!({ "metadata": {
            "name": "infra",
            "labels": { "pod-security.kubernetes.io/enforce": "privileged" },
        } });
        let namespace = Any::deserialize("v1", "Namespace", namespace).unwrap();
        case.cluster.insert(namespace.unwrap());
        case.judge()
    };
    let kept_out = judged(", sourceRanges: [10.0.0.0/8]").unwrap().arrivals;
    assert_eq!(texts(&kept_out.sources.unwrap()), ["10.0.0.0/8"]);
    let why = judged(", proxyProtocol: true").map(drop).unwrap_err();
    assert!(why.contains("trustedRanges"), "{why}");
    let proxied = judged(", proxyProtocol: true, trustedRanges: [10.0.9.0/24]").unwrap();
    assert_eq!(texts(&proxied.arrivals.proxies.unwrap()), ["10.0.9.0/24"]);
    let silent = judged(", externalTrafficPolicy: Local").unwrap();
    assert!(silent.findings[0].message.contains("externalTrafficPolicy"));
    assert_eq!(silent.exposure.local, None);
}
