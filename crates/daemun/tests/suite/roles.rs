//! `daemun check --as`: what somebody of a role could apply, and who could where that is not so.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::process::Command;

const ALL: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop, annotations: {gateway.daemun.dev/hostnames: 'shop.example.com, *.shop.example.com'}}
---
apiVersion: v1
kind: Namespace
metadata: {name: infra}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: infra}
spec:
  gatewayClassName: daemun
  listeners:
  - {name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: own, namespace: shop}
spec:
  parentRefs: [{name: web, namespace: infra}]
  hostnames: [a.shop.example.com]
  rules: [{backendRefs: [{name: inside, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: others, namespace: shop}
spec:
  parentRefs: [{name: web, namespace: infra}]
  hostnames:
  - shop.example.com
  - stock.example.com
  rules: [{backendRefs: [{name: inside, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: whatever, namespace: shop}
spec:
  parentRefs: [{name: web, namespace: infra}]
  rules: [{backendRefs: [{name: inside, port: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: inside, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: outside, namespace: shop}
spec:
  type: LoadBalancer
  ports: [{port: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: by-nodes, namespace: shop}
spec: {externalIPs: [192.0.2.1], ports: [{port: 80}]}
---
apiVersion: gateway.daemun.dev/v1alpha1
kind: GatewayParameters
metadata: {name: open, namespace: infra}
spec: {exposure: {reach: Public}}
";

fn checked(role: &str) -> (String, i32) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("all.yaml"), ALL).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_daemun"))
        .args(["check", "all.yaml", "--as", role])
        .current_dir(directory.path())
        .env_remove("DAEMUN_OUTPUT")
        .env_remove("DAEMUN_COLOR")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let text = String::from_utf8(output.stdout).unwrap() + &said;
    (text, output.status.code().unwrap())
}

/// The lines about one object.
fn about<'t>(text: &'t str, object: &str) -> Vec<&'t str> {
    let mut lines = text.lines().skip_while(|line| !line.contains(object));
    let first = lines.next().unwrap_or_default();
    let below = lines.take_while(|line| line.starts_with(' '));
    std::iter::once(first).chain(below).collect()
}

#[test]
fn a_developer_could_apply_routes_and_services_that_stay_inside() {
    let (text, status) = checked("developer");
    assert_eq!(status, 1, "{text}");
    for (object, words) in [
        (
            "infra/web",
            "accepted; an application developer could not apply it",
        ),
        (
            "shop/own",
            "accepted by infra/web; an application developer could apply it",
        ),
        ("shop/inside", "an application developer could apply it"),
        (
            "shop/outside",
            "an application developer could not apply it",
        ),
    ] {
        assert!(about(&text, object)[0].ends_with(words), "{object}: {text}");
    }
    for (object, place, words) in [
        (
            "infra/web",
            "all.yaml:10:7",
            "Who may: a cluster operator (ClusterRole daemun-cluster-operator).",
        ),
        (
            "infra/open",
            "all.yaml:",
            "Who may: an infrastructure operator (ClusterRole daemun-infrastructure-operator).",
        ),
        (
            "shop/others",
            "all.yaml:32:5",
            "nobody may ask for stock.example.com here: namespace shop is given shop.example.com, *.shop.example.com (annotation",
        ),
        (
            "shop/whatever",
            "all.yaml:",
            "Without a hostname all hostnames are meant",
        ),
        (
            "shop/outside",
            "all.yaml:51:9",
            "A Service of type LoadBalancer is reachable from outside of the cluster.",
        ),
        ("shop/by-nodes", "all.yaml:", "A Service with externalIPs"),
    ] {
        let below = about(&text, object)[1..].join("\n");
        assert!(below.contains(place), "{object} {place}: {text}");
        assert!(below.contains(words), "{object}: {text}");
    }
}

#[test]
fn operators_could_apply_what_is_theirs() {
    let (text, status) = checked("infrastructure-operator");
    assert_eq!(status, 1);
    for object in ["shop/outside", "shop/inside", "infra/open"] {
        assert!(
            about(&text, object)[0].contains("an infrastructure operator could apply it"),
            "{object}: {text}"
        );
    }
    let below = about(&text, "shop/own")[1..].join("\n");
    assert!(
        below.contains(
            "Who may: an application developer, who has the role edit in namespace shop."
        ),
        "{text}"
    );
    let (text, _) = checked("cluster-operator");
    assert!(about(&text, "infra/web")[0].ends_with("accepted; a cluster operator could apply it"));
    assert!(
        about(&text, "Namespace")[1].ends_with("it takes an administrator of the cluster."),
        "{text}"
    );
}
