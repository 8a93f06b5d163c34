//! What is found, in tables: provider, place, key, value, and what is said.

use super::*;
use crate::exposure::provider::{self, Provider, Rules};

const LISTENERS: &[Carried] = &[
    Carried {
        protocol: "TCP",
        port: 80,
        tls: false,
    },
    Carried {
        protocol: "TCP",
        port: 443,
        tls: true,
    },
];

const INTERNAL: &str = "service.beta.kubernetes.io/openstack-internal-load-balancer";
const AWS_INTERNAL: &str = "service.beta.kubernetes.io/aws-load-balancer-internal";
const LISTENER: &str = "loadbalancer.nhncloud/listener-protocol";

fn found(rules: &Rules, place: Place, key: &str, value: &str) -> Option<Slip> {
    let mut slips = lint(rules, &[Annotation { place, key, value }], LISTENERS);
    assert!(slips.len() <= 1);
    slips.pop()
}

/// Looks at rows of key, value, whether it is refused, the reason, and a piece of the sentence.
fn table(of: Provider, place: Place, rows: &[(&str, &str, bool, &str, &str)]) {
    for (key, value, refused, reason, piece) in rows {
        let slip = found(provider::rules(of), place, key, value);
        let slip = slip.unwrap_or_else(|| panic!("{key}={value}: nothing is found"));
        assert_eq!(
            (slip.refused, slip.reason),
            (*refused, *reason),
            "{key}={value}"
        );
        assert!(
            slip.message.contains(piece),
            "{key}={value}: {}",
            slip.message
        );
        assert!(slip.message.ends_with(['.', '?', ')']), "{}", slip.message);
        assert_eq!((slip.place, slip.key.as_str()), (place, *key));
    }
}

#[test]
fn values_are_those_that_the_provider_takes() {
    table(
        Provider::Nhn,
        Place::Parameters,
        &[
            (
                "loadbalancer.openstack.org/keep-floatingip",
                "True",
                true,
                "AnnotationValue",
                "only \"true\" and \"false\" count",
            ),
            (
                "loadbalancer.openstack.org/keep-floatingip",
                "yes",
                true,
                "AnnotationValue",
                "\"yes\"",
            ),
            (
                "loadbalancer.nhncloud/loadbalancer-type",
                "physical_basic",
                true,
                "AnnotationValue",
                "\"shared\" or \"dedicated\"",
            ),
            (
                "loadbalancer.nhncloud/pool-lb-method",
                "ROUND_ROBBIN",
                true,
                "AnnotationValue",
                "Did you mean \"ROUND_ROBIN\"?",
            ),
            (
                "loadbalancer.nhncloud/connection-limit",
                "60001",
                true,
                "AnnotationValue",
                "from 1 to 60000",
            ),
            (
                "loadbalancer.nhncloud/healthmonitor-http-url",
                "healthz",
                true,
                "AnnotationValue",
                "begins with /",
            ),
        ],
    );
}

#[test]
fn a_key_that_is_nearly_the_switch_is_no_other_clouds_key() {
    table(
        Provider::Nhn,
        Place::Parameters,
        &[
            (
                "service.beta.kubernetes.io/openstack-internal-loadbalancer",
                "true",
                true,
                "ReachMisspelt",
                "nearly service.beta.kubernetes.io/openstack-internal-load-balancer, which decides",
            ),
            (
                "loadbalancer.openstack.org/lb-method",
                "SOURCE_IP",
                false,
                "KeyOfAnotherProvider",
                "OpenStack and OVH",
            ),
        ],
    );
}

#[test]
fn keys_of_other_clouds_do_nothing_here() {
    table(
        Provider::Nhn,
        Place::Parameters,
        &[
            (
                "service.beta.kubernetes.io/ncloud-load-balancer-size",
                "SMALL",
                false,
                "KeyOfAnotherProvider",
                "NAVER",
            ),
            (
                "metallb.io/address-pool",
                "outside",
                false,
                "KeyOfAnotherProvider",
                "MetalLB",
            ),
            (
                "loadbalancer.openstack.org/lb-method",
                "SOURCE_IP",
                false,
                "KeyOfAnotherProvider",
                "OpenStack and OVH",
            ),
        ],
    );
}

#[test]
fn annotations_of_the_gateway_itself_reach_nothing() {
    table(
        Provider::Nhn,
        Place::Gateway,
        &[
            (
                INTERNAL,
                "true",
                false,
                "AnnotationOnGateway",
                "spec.exposure.reach",
            ),
            (
                AWS_INTERNAL,
                "true",
                false,
                "AnnotationOnGateway",
                "spec.exposure.reach",
            ),
            (
                LISTENER,
                "TCP",
                false,
                "AnnotationOnGateway",
                "spec.infrastructure.annotations",
            ),
            (
                "TCP-443.loadbalancer.nhncloud/listener-protocol",
                "TCP",
                false,
                "AnnotationOnGateway",
                "",
            ),
        ],
    );
}

#[test]
fn private_keys_and_tls_that_ends_too_early_are_refused() {
    let pem = "-----BEGIN RSA PRIVATE KEY-----\nxx";
    for place in [
        Place::Parameters,
        Place::Listener,
        Place::Infrastructure,
        Place::Gateway,
    ] {
        table(
            Provider::Nhn,
            place,
            &[
                (
                    "TCP-443.loadbalancer.nhncloud/listener-terminated-https-key",
                    "x",
                    true,
                    "PrivateKeyInAnnotation",
                    "in clear text",
                ),
                (
                    "example.com/anything",
                    pem,
                    true,
                    "PrivateKeyInAnnotation",
                    "certificateRefs",
                ),
            ],
        );
    }
    table(
        Provider::Nhn,
        Place::Listener,
        &[
            (
                "TCP-443.loadbalancer.nhncloud/listener-protocol",
                "TERMINATED_HTTPS",
                true,
                "TlsEndsAtLoadBalancer",
                "port 443",
            ),
            (
                "TCP-443.loadbalancer.nhncloud/listener-protocol",
                "HTTP",
                true,
                "TlsEndsAtLoadBalancer",
                "port 443",
            ),
        ],
    );
    table(
        Provider::Nhn,
        Place::Parameters,
        &[(
            LISTENER,
            "TERMINATED_HTTPS",
            true,
            "TlsEndsAtLoadBalancer",
            "port 443",
        )],
    );
    table(
        Provider::OpenStack,
        Place::Parameters,
        &[
            (
                "loadbalancer.openstack.org/x-forwarded-for",
                "true",
                true,
                "TlsEndsAtLoadBalancer",
                "port 443",
            ),
            (
                "loadbalancer.openstack.org/default-tls-container-ref",
                "x",
                true,
                "TlsEndsAtLoadBalancer",
                "",
            ),
        ],
    );
}

#[test]
fn keys_of_listeners_are_for_listeners_that_are_there() {
    table(
        Provider::Nhn,
        Place::Listener,
        &[
            (
                "TCP-8443.loadbalancer.nhncloud/connection-limit",
                "100",
                false,
                "NoListenerAtPort",
                "TCP-80 and TCP-443",
            ),
            (
                "UDP-443.loadbalancer.nhncloud/connection-limit",
                "100",
                false,
                "NoListenerAtPort",
                "UDP port 443",
            ),
            (
                "tcp-443.loadbalancer.nhncloud/connection-limit",
                "100",
                true,
                "ListenerKeyInSmallLetters",
                "TCP-443",
            ),
            (
                "TCP-443.loadbalancer.nhncloud/loadbalancer-name",
                "a",
                true,
                "NotPerListener",
                "the whole load balancer",
            ),
        ],
    );
    table(
        Provider::Nhn,
        Place::Infrastructure,
        &[
            (
                "TCP-443.loadbalancer.nhncloud/connection-limit",
                "100",
                true,
                "ListenerKeyOnGateway",
                "listenerAnnotations",
            ),
            (
                "tcp-443.loadbalancer.nhncloud/connection-limit",
                "100",
                true,
                "ListenerKeyOnGateway",
                "listenerAnnotations",
            ),
        ],
    );
    table(
        Provider::OpenStack,
        Place::Listener,
        &[(
            "TCP-443.loadbalancer.openstack.org/connection-limit",
            "100",
            true,
            "NotPerListener",
            "has no keys for single listeners",
        )],
    );
}

#[test]
fn proxy_protocol_is_one_switch() {
    table(
        Provider::Nhn,
        Place::Parameters,
        &[
            (
                "loadbalancer.nhncloud/proxy-protocol",
                "true",
                true,
                "ProxyProtocolInAnnotation",
                "spec.exposure.proxyProtocol",
            ),
            (
                "TCP-443.loadbalancer.nhncloud/proxy-protocol",
                "true",
                true,
                "ProxyProtocolInAnnotation",
                "",
            ),
        ],
    );
    let features = "service.kubernetes.io/ibm-load-balancer-cloud-provider-enable-features";
    let ibm = provider::rules(Provider::Ibm);
    assert_eq!(found(ibm, Place::Parameters, features, "nlb"), None);
    table(
        Provider::Ibm,
        Place::Parameters,
        &[(
            features,
            "proxy-protocol",
            true,
            "ProxyProtocolInAnnotation",
            "",
        )],
    );
}

#[test]
fn unknown_keys_are_told_with_the_nearest() {
    table(
        Provider::Nhn,
        Place::Parameters,
        &[
            (
                "loadbalancer.nhncloud/healthmonitor-dealy",
                "5",
                false,
                "UnknownKey",
                "Did you mean loadbalancer.nhncloud/healthmonitor-delay?",
            ),
            (
                "loadbalancer.nhncloud/quite-another-thing-altogether",
                "5",
                false,
                "UnknownKey",
                "probably does nothing",
            ),
            (
                "loadbalancer.nhnclod/healthmonitor-delay",
                "5",
                false,
                "UnknownKey",
                "Did you mean loadbalancer.nhncloud/healthmonitor-delay?",
            ),
        ],
    );
    table(
        Provider::OpenStack,
        Place::Parameters,
        &[(
            "service.beta.kubernetes.io/openstack-internal-loadbalancer",
            "true",
            true,
            "ReachMisspelt",
            "nearly service.beta.kubernetes.io/openstack-internal-load-balancer,",
        )],
    );
}

#[test]
fn what_is_right_or_nobodys_is_let_through() {
    let rows = [
        (
            Provider::Nhn,
            Place::Parameters,
            "loadbalancer.nhncloud/connection-limit",
            "2000",
        ),
        (
            Provider::Nhn,
            Place::Listener,
            "TCP-443.loadbalancer.nhncloud/keepalive-timeout",
            "60",
        ),
        (
            Provider::Nhn,
            Place::Listener,
            "TCP-80.loadbalancer.nhncloud/listener-protocol",
            "HTTP",
        ),
        (
            Provider::Nhn,
            Place::Listener,
            "TCP-80.l7policy-0.loadbalancer.nhncloud/action",
            "REJECT",
        ),
        (
            Provider::Nhn,
            Place::Parameters,
            "loadbalancer.nhncloud/listener-protocol",
            "TCP",
        ),
        (
            Provider::Nhn,
            Place::Parameters,
            "external-dns.alpha.kubernetes.io/hostname",
            "a.example",
        ),
        (Provider::Nhn, Place::Gateway, "example.com/owner", "team"),
        (Provider::Generic, Place::Parameters, AWS_INTERNAL, "true"),
        (
            Provider::MetalLb,
            Place::Parameters,
            "metallb.io/address-pool",
            "inside",
        ),
        (
            Provider::DigitalOcean,
            Place::Parameters,
            "service.beta.kubernetes.io/do-loadbalancer-healthcheck-path",
            "/x",
        ),
    ];
    for (of, place, key, value) in rows {
        assert_eq!(found(provider::rules(of), place, key, value), None, "{key}");
    }
}
