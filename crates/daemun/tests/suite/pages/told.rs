//! What pages and answers about Services say of certain objects, and what they must not say.

use super::{CASES, LANGUAGES, SERVICES, directory, run};

/// A class of Daemun's with parameters, a Gateway, and what else is written.
fn objects(exposure: &str, gateway: &str, more: &str) -> String {
    format!(
        "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: daemun}}
spec:
  controllerName: gateway.daemun.dev/controller
  parametersRef: {{group: gateway.daemun.dev, kind: GatewayParameters, name: daemun, namespace: infra}}
---
apiVersion: gateway.daemun.dev/v1alpha1
kind: GatewayParameters
metadata: {{name: daemun, namespace: infra}}
spec: {{exposure: {{{exposure}}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: shop, namespace: infra, uid: 7f3c}}
spec:
  gatewayClassName: daemun
  listeners: [{{name: http, port: 80, protocol: HTTP}}]
{gateway}
---
{more}"
    )
}

/// A Service as Daemun makes it, but for its annotations.
fn service(metadata: &str, address: &str) -> String {
    format!(
        "apiVersion: v1
kind: Service
metadata:
  name: shop-daemun
  namespace: infra
  ownerReferences: [{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, name: shop, uid: 7f3c, controller: true}}]
{metadata}
spec: {{type: LoadBalancer, ports: [{{port: 80}}]}}
status: {{loadBalancer: {{ingress: [{{ip: {address}}}]}}}}
"
    )
}

/// Asks about objects in one file; words stand one space apart in the answer, so that lines do not matter.
fn ask(what: &[&str], text: &str, more: &[&str]) -> (String, Option<i32>) {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let path = file.path().to_str().unwrap();
    let (told, problems, status) = run(&[&["explain"], what, &[path], more].concat(), &[]);
    let told = told.replace(path, "FILE");
    let words: Vec<&str> = told.split_whitespace().collect();
    (words.join(" ") + &problems, status)
}

const GATEWAY: &[&str] = &["gateway", "infra/shop"];
const SERVICE: &[&str] = &["service", "infra/shop-daemun"];

#[test]
fn what_gets_no_address_is_not_said_to_wait_for_one() {
    for (exposure, gateway, begins, listener) in [
        (
            "provider: NHN",
            "  addresses: [{value: 133.186.1.2}]",
            "Gateway infra/shop asks for what it cannot get, and nothing is made for it.",
            "… Listener http",
        ),
        (
            "provider: NHN, reach: private",
            "",
            "The GatewayClass of Gateway infra/shop is refused, so nothing is made for it.",
            "… Listener http",
        ),
        (
            "provider: NHN, keepAddress: true",
            "",
            "Gateway infra/shop is refused, and nothing is made for it.",
            "… Listener http",
        ),
    ] {
        let (told, status) = ask(GATEWAY, &objects(exposure, gateway, ""), &[]);
        assert!(told.starts_with(begins), "{told}");
        assert!(told.contains(listener), "{told}");
        assert!(!told.contains("404"), "{told}");
        assert!(told.contains("FILE:"), "{told}");
        assert_eq!(status, Some(1));
    }
}

#[test]
fn an_address_is_kept_by_what_keeps_it() {
    let keeps = "exposure.keepAddress: true keeps it";
    for (exposure, gateway, says, not) in [
        ("provider: NHN", "", "write exposure.address", keeps),
        (
            "provider: NHN, reach: Public",
            "",
            keeps,
            "write exposure.address",
        ),
        (
            "provider: NHN",
            "  addresses: [{value: 10.0.0.9}]",
            "a later one asks for the same address again",
            "gets another",
        ),
    ] {
        let (told, _) = ask(GATEWAY, &objects(exposure, gateway, ""), &[]);
        assert!(
            told.contains(says) && !told.contains(not),
            "{exposure}: {told}"
        );
    }
}

#[test]
fn a_service_of_daemuns_is_known_without_its_annotation_and_told_by_its_gateway() {
    let of_manager =
        "  managedFields: [{manager: daemun, operation: Apply, time: '2026-11-20T10:38:02Z'}]";
    let bare = service("", "133.186.200.4");
    let managed = service(of_manager, "133.186.200.4");
    for (text, asked) in [
        (objects("provider: NHN", "", &bare), "lacks the annotation"),
        (
            objects("provider: NHN", "", &managed),
            "lacks the annotation",
        ),
        // Without the Gateway in the files the field manager tells.
        (
            managed,
            "If the Gateway's GatewayParameters say exposure.reach: Public",
        ),
    ] {
        let (told, _) = ask(SERVICE, &text, &["--provider", "NHN"]);
        assert!(
            told.contains("Daemun's controller made it for Gateway infra/shop"),
            "{told}"
        );
        assert!(told.contains(asked), "{told}");
        assert!(!told.contains("spec.infrastructure.annotations"), "{told}");
    }
    let (told, _) = ask(
        SERVICE,
        &objects("provider: NHN, reach: Public", "", &bare),
        &[],
    );
    assert!(told.contains("Take exposure.reach: Public out"), "{told}");
    assert!(told.contains("allow-recreation=shop-daemun"), "{told}");
    assert!(told.contains("NHN Cloud NKS"), "by its parameters: {told}");
}

#[test]
fn the_cause_of_a_closed_gateway_is_what_is_told_first() {
    let text = objects(
        "provider: NHN, reach: Private",
        "",
        &service("", "133.186.200.4"),
    );
    let (told, status) = ask(GATEWAY, &text, &[]);
    let (_, told) = told.split_once("What is wrong first:").unwrap();
    let (first, rest) = told.split_once("Rules").unwrap();
    for part in [
        "Address 133.186.200.4",
        "133.186.200.4 is public",
        "lacks the annotation service.beta.kubernetes.io/openstack-internal-load-balancer: \"true\"",
    ] {
        assert!(first.contains(part), "{part}: {first}");
    }
    assert!(rest.contains("… Listener http"), "{rest}");
    assert_eq!(status, Some(1));
}

#[test]
fn where_a_pool_decides_it_is_said_what_comes_of_a_public_address() {
    let (told, _) = ask(
        GATEWAY,
        &objects("provider: MetalLB, reach: Private", "", ""),
        &[],
    );
    assert!(told.contains("serves nothing if it is public"), "{told}");
    assert!(!told.contains("the cloud"), "{told}");
    let (told, _) = ask(GATEWAY, &objects("provider: MetalLB", "", ""), &[]);
    assert!(
        told.contains("Daemun serves at whatever address comes"),
        "{told}"
    );
    let (told, status) = ask(GATEWAY, &objects("provider: Vultr", "", ""), &[]);
    assert!(
        told.contains("so no Service was made that might get a public address"),
        "{told}"
    );
    assert_eq!(status, Some(1));
}

#[test]
fn of_a_part_of_a_cluster_nothing_is_said_to_be_made_that_is_there() {
    let own =
        "  annotations: {service.beta.kubernetes.io/openstack-internal-load-balancer: 'true'}";
    let text = objects("provider: NHN", "", &service(own, "192.168.0.31"));
    let (told, status) = ask(GATEWAY, &text, &["--provider", "AWS"]);
    for part in [
        "has the private address 192.168.0.31; whether its proxies run is not in the files",
        "? Proxies Deployment shop-daemun",
        "ReachVerified: would be True (Private)",
        "--provider AWS does not count here: the GatewayParameters say NHN",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("would be made"), "{told}");
    assert_eq!(status, Some(0));
}

#[test]
fn what_is_to_be_typed_stands_on_a_line_of_its_own() {
    let words = ["kubectl", "daemun"];
    for language in LANGUAGES {
        let pages = CASES
            .iter()
            .map(|(case, _)| format!("{case}.{language}.txt"));
        let services = SERVICES.iter();
        let services = services.map(|(name, _)| format!("service.{name}.{language}.txt"));
        for record in pages.chain(services) {
            let text = std::fs::read_to_string(directory().join(&record)).unwrap();
            let commands = text.lines().filter(|line| {
                let verbs = ["delete", "annotate", "get", "describe", "explain"];
                let of = |word: &str, verb: &str| line.contains(&format!("{word} {verb} "));
                words
                    .iter()
                    .any(|word| verbs.iter().any(|verb| of(word, verb)))
            });
            for line in commands {
                let begins = words.iter().any(|word| line.trim_start().starts_with(word));
                let whole = line.split_whitespace().count() > 3;
                assert!(begins && whole, "{record}: {line}");
            }
        }
    }
}

#[test]
fn a_trouble_of_a_file_has_its_place() {
    let route = "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: infra}
spec:
  parentRefs: [{name: shop}]
  rules:
  - backendRefs: [{name: gone, port: 80}]
";
    let text = objects("provider: NHN", "", route);
    let line = text
        .lines()
        .position(|line| line.contains("name: gone"))
        .unwrap()
        + 1;
    let (told, _) = ask(GATEWAY, &text, &["-o", "json"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let spot = &told["firstWrong"]["spot"];
    assert_eq!(
        (spot["file"].as_str(), spot["line"].as_u64()),
        (Some("FILE"), Some(line as u64))
    );
    assert!(spot.get("snippet").is_none());
    assert_eq!(told["routes"][0]["trouble"]["spot"], *spot);
    // The reason is said once.
    let endpoints = &told["routes"][0]["legs"][0]["to"][0]["endpoints"];
    assert_eq!(endpoints, "requests get 500");
    let (korean, _) = ask(GATEWAY, &text, &["-o", "json", "--lang", "ko"]);
    let korean: serde_json::Value = serde_json::from_str(&korean).unwrap();
    let trouble = &korean["routes"][0]["trouble"];
    assert_eq!(trouble["message"], told["routes"][0]["trouble"]["what"]);
    let what = trouble["what"].as_str().unwrap();
    assert!(what.contains("백엔드"), "{what}");
}
