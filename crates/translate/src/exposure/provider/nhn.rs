//! NHN Cloud's Kubernetes service (NKS).
//!
//! Its controller descends from OpenStack's and is not published; what is known is its user guide's. Whatever the
//! guide does not say may change later is treated as if it may not.

use super::openstack::{
    DECIDES_REACH, FIXED, INTERNAL, KEEP, NETWORK, PRIVATE, PUBLIC, SUBNET, WRITTEN_BACK,
};
use super::{
    Aspect, Classes, ClientAddress, Evidence, EvidenceKind, Gate, HealthDefaults, HealthKey,
    HealthPart, Key, Known, Provider, ProxyNeeds, ProxyProtocol, ProxyVersion, Rules, Shows, Takes,
    Terminates, Unit, Unsaid, Way,
};

const GUIDE: &str =
    "TOAST-DOCS/Container-Kubernetes 5e2dce8, ko/user-guide.md, LoadBalancer 서비스";
const BALANCER: &str = "TOAST-DOCS/Network-Load-Balancer 32992bf, ko/overview.md and public-api.md";

const LISTENER: &str = "loadbalancer.nhncloud/listener-protocol";
const NAME: &str = "loadbalancer.nhncloud/loadbalancer-name";
const PROXY: &str = "loadbalancer.nhncloud/proxy-protocol";
const TYPE: &str = "loadbalancer.nhncloud/healthmonitor-type";
const URL: &str = "loadbalancer.nhncloud/healthmonitor-http-url";
const DELAY: &str = "loadbalancer.nhncloud/healthmonitor-delay";
const TIMEOUT: &str = "loadbalancer.nhncloud/healthmonitor-timeout";
const TRIES: &str = "loadbalancer.nhncloud/healthmonitor-max-retries";
const PORT: &str = "loadbalancer.nhncloud/healthmonitor-health-check-port";

/// A key that may be said of one listener.
const fn each(key: &'static str, takes: Takes) -> Known {
    Known::new(key, takes).per_listener()
}

const KEYS: &[Known] = &[
    Known::new(INTERNAL, Takes::Boolean).create_only(),
    Known::new(KEEP, Takes::Boolean),
    Known::new(NETWORK, Takes::Text).create_only(),
    Known::new(SUBNET, Takes::Text).create_only(),
    Known::new("loadbalancer.nhncloud/member-subnet-id", Takes::Text),
    Known::new(
        "loadbalancer.nhncloud/apply-subnet-host-routes",
        Takes::Boolean,
    ),
    Known::new(NAME, Takes::Text).create_only(),
    Known::new(
        "loadbalancer.nhncloud/loadbalancer-type",
        Takes::Words(&["shared", "dedicated"]),
    ),
    each(
        LISTENER,
        Takes::Words(&["TCP", "HTTP", "HTTPS", "TERMINATED_HTTPS"]),
    )
    .create_only(),
    each(
        "loadbalancer.nhncloud/listener-terminated-https-tls-version",
        Takes::Words(&[
            "TLSv1.3",
            "TLSv1.2",
            "TLSv1.1",
            "TLSv1.0_2016",
            "TLSv1.0",
            "SSLv3",
        ]),
    ),
    each(
        "loadbalancer.nhncloud/listener-terminated-https-cert",
        Takes::Text,
    ),
    each(
        "loadbalancer.nhncloud/listener-terminated-https-key",
        Takes::PrivateKey,
    ),
    each(
        "loadbalancer.nhncloud/listener-terminated-https-cert-manager-name",
        Takes::Text,
    ),
    each(PROXY, Takes::Boolean),
    each(
        "loadbalancer.nhncloud/connection-limit",
        Takes::Number(1, 60_000),
    ),
    each(
        "loadbalancer.nhncloud/keepalive-timeout",
        Takes::Number(0, 3600),
    ),
    each(
        "loadbalancer.nhncloud/pool-lb-method",
        Takes::Words(&["ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP"]),
    ),
    each(
        "loadbalancer.nhncloud/pool-session-persistence",
        Takes::Words(&["", "SOURCE_IP"]),
    )
    .live(),
    each(TYPE, Takes::Words(&["TCP", "HTTP", "HTTPS"])),
    each(URL, Takes::Path),
    each(
        "loadbalancer.nhncloud/healthmonitor-http-method",
        Takes::Words(&["GET"]),
    ),
    each(
        "loadbalancer.nhncloud/healthmonitor-http-expected-code",
        Takes::Text,
    ),
    each(DELAY, Takes::Number(1, 5000)),
    each(TIMEOUT, Takes::Number(1, 5000)),
    each(TRIES, Takes::Number(1, 10)),
    each(PORT, Takes::Number(0, 65_535)),
    each(
        "loadbalancer.nhncloud/healthmonitor-http-host-header",
        Takes::Text,
    ),
];

pub(super) static RULES: Rules = Rules {
    provider: Provider::Nhn,
    name: "NHN",
    product: "NHN Cloud NKS",
    node_prefixes: &["openstack://"],
    private: PRIVATE,
    public: PUBLIC,
    unsaid: Unsaid::Public,
    decides_reach: DECIDES_REACH,
    reads: &[
        "loadbalancer.nhncloud/*",
        "loadbalancer.openstack.org/keep-floatingip",
        "loadbalancer.openstack.org/network-id",
        "loadbalancer.openstack.org/subnet-id",
        INTERNAL,
    ],
    keys: KEYS,
    terminates: &[Terminates { key: LISTENER, values: &["HTTP", "TERMINATED_HTTPS"] }],
    keys_complete: true,
    create_only: &[
        Aspect::Reach,
        Aspect::Subnet,
    ],
    udp: Way::No(
        "NHN Cloud's load balancers carry TCP, HTTP and HTTPS; the product's documents list no UDP.",
    ),
    fixed_address: FIXED,
    kept_address: Way::Is(Key::is(KEEP, "true")),
    subnet: Way::Is(SUBNET),
    proxy_protocol: Way::Is(ProxyProtocol {
        keys: &[Key::is(PROXY, "true")],
        version: ProxyVersion::V1,
        condition: Some("It counts only where listener-protocol is TCP or HTTPS."),
    }),
    proxy_needs: Some(ProxyNeeds {
        key: LISTENER,
        values: &["TCP", "HTTPS"],
        unsaid: true,
    }),
    source_ranges: Way::No(
        "NKS has no key for ranges of callers; the load balancer's access control groups (IP 접근제어 그룹) are in the console and its API only.",
    ),
    health_check: &[
        HealthKey::of(HealthPart::Delay, DELAY, Unit::Seconds),
        HealthKey::of(HealthPart::Timeout, TIMEOUT, Unit::Seconds),
        HealthKey::of(HealthPart::Tries, TRIES, Unit::Count),
        HealthKey::of(HealthPart::Kind, TYPE, Unit::Text),
        HealthKey::of(HealthPart::Path, URL, Unit::Text),
        HealthKey::of(HealthPart::Port, PORT, Unit::Count),
    ],
    health_defaults: Some(HealthDefaults {
        delay: 5,
        timeout: 3,
        tries: 3,
    }),
    client: ClientAddress::Hidden,
    node_ports: Way::Is(Gate {
        rule: "in the security group of the worker nodes, let TCP 30000-32767, the NodePorts by which the load balancer reaches them, in and out (with enhanced security rules, 강화된 보안 규칙, NKS makes no such rule)",
        rule_ko: "워커 노드의 보안 그룹에 로드 밸런서가 노드에 접속하는 NodePort인 TCP 30000-32767의 수신과 송신을 허용하는 규칙을 추가하세요(강화된 보안 규칙을 사용하는 클러스터에는 이 규칙이 만들어지지 않습니다)",
        checks: true,
        ..Gate::SECURITY_GROUP
    }),
    shows: Shows::Ip,
    classes: Classes::NotKnown,
    written_back: WRITTEN_BACK,
    cannot: &[
        "UDP is not carried, so neither UDPRoute nor HTTP/3 can be reached.",
        "Its own health check needs up to 180 seconds to notice a dead node: a check each 60 seconds, and three of them.",
        "A changed listener-protocol does not come through; the Service must be made anew, and the floating IP is lost unless it is kept.",
        "Renaming a load balancer, or two of one name in a project, breaks it.",
        "A floating IP can be attached only where the subnet's routing table leads to an internet gateway.",
        "With enhanced security rules (강화된 보안 규칙) nothing reaches the nodes' ports 30000–32767 until a rule allows it.",
        "A floating IP that somebody attaches in the console may not show in the Service.",
        "The VIP stays reachable inside the VPC while a floating IP maps to it.",
    ],
    evidence: &[
        Evidence::of(EvidenceKind::Document, "The keys, their values and defaults; public unless the switch says \"true\"; the switch is for creation; every value is a string", GUIDE).dated("2026-03-17"),
        Evidence::of(EvidenceKind::Document, "spec.loadBalancerIP is an allocated, unattached floating IP, or the VIP where the switch is \"true\"", GUIDE).dated("2026-03-17"),
        Evidence::of(EvidenceKind::Document, "Changing listener-protocol is not applied; renaming is a serious malfunction", GUIDE).dated("2026-03-17"),
        Evidence::of(EvidenceKind::Document, "With enhanced security rules NodePorts (TCP 30000-32767) are not opened, neither in nor out; with Calico-eBPF nodes reach pods by the pods' own ports, which are opened by hand; its health check connects to the port of the member", "TOAST-DOCS/Container-Kubernetes 5e2dce8, ko/user-guide.md, 강화된 보안 규칙 and LoadBalancer 서비스").dated("2026-03-17"),
        Evidence::of(EvidenceKind::Document, "Protocols TCP, HTTP, HTTPS and TERMINATED_HTTPS; a proxy whose members see its address; PROXY version 1; the network, the address and a listener's protocol cannot change", BALANCER).dated("2026-04-01"),
        Evidence::of(EvidenceKind::Document, "A floating IP needs an internet gateway, is billed from creation on, and the private address stays", "TOAST-DOCS/Floating-IP 7bde139, ko/overview.md, console-guide.md and public-api.md").dated("2025-11-25"),
        Evidence::of(EvidenceKind::Inferred, "Nodes' providerID begins with openstack://; load-balancer-id and load-balancer-address are written back", "concluded from its descent from OpenStack's controller"),
        Evidence::of(EvidenceKind::Inferred, "What happens to a live Service whose switch changes is documented nowhere, and so is treated as not possible", GUIDE).dated("2026-03-17"),
    ],
    ..Rules::UNKNOWN
};
