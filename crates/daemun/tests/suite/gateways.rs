//! Several Gateways, ListenerSets, and policies, as far as they show on the socket.

use daemun_testkit::{Backend, Gateway, Raw, TlsClient, ports, raw, yaml};

use crate::{World, named_rules};

#[tokio::test]
async fn a_listener_set_adds_listeners() {
    let (port, other) = (ports::free(), ports::free());
    let backend = Backend::start("echo").await;
    let gateway = yaml::gateway_with(
        &format!("- {{name: http, port: {port}, protocol: HTTP}}"),
        "allowedListeners: {namespaces: {from: Same}}",
    );
    let set = format!(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: ListenerSet\nmetadata: {{name: set}}\nspec:\n  \
         parentRef: {{name: gw}}\n  listeners:\n  - {{name: other, port: {other}, protocol: HTTP}}\n  \
         - {{name: shared, port: {port}, protocol: HTTP, hostname: set.example.org}}"
    );
    let parent = "{group: gateway.networking.k8s.io, kind: ListenerSet, name: set}";
    let rules = |name: &str| named_rules(&[(name, "{path: {value: /}}")]);
    let _gateway = Gateway::start(&yaml::documents(&[
        &gateway,
        &set,
        &yaml::backend("echo", &backend),
        &yaml::route("of-gateway", &rules("of-gateway")),
        &yaml::route_to("of-set", parent, &rules("of-set")),
    ]))
    .await;
    for (port, host, rule) in [
        (port, "example.org", "of-gateway"),
        (port, "set.example.org", "of-set"),
        (other, "example.org", "of-set"),
    ] {
        let answer = raw::get(port, host, "/").await;
        assert_eq!(answer.header("x-rule"), Some(rule), "{port} {host}");
    }
}

#[tokio::test]
async fn gateways_on_ports_of_their_own_do_not_mix() {
    let (one, two) = (ports::free(), ports::free());
    let backend = Backend::start("echo").await;
    let second = yaml::gateway(two).replace("name: gw}", "name: second}");
    let rules = |name: &str| named_rules(&[(name, "{path: {value: /}}")]);
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(one),
        &second,
        &yaml::backend("echo", &backend),
        &yaml::route("of-first", &rules("of-first")),
        &yaml::route_to("of-second", "{name: second}", &rules("of-second")),
    ]))
    .await;
    for (port, rule) in [(one, "of-first"), (two, "of-second")] {
        assert_eq!(
            raw::get(port, "example.org", "/").await.header("x-rule"),
            Some(rule)
        );
    }
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_closes_its_listeners() {
    let mut world = World::plain(&[]).await;
    assert_eq!(raw::get(world.port, "example.org", "/").await.status, 200);
    let all = yaml::route_all("all", "echo");
    let broken = yaml::listener_policy("forwarding: {trustedProxies: {ranges: [not-an-address]}}");
    world.reload(&[&all, &broken]).await;
    let answer = raw::get(world.port, "example.org", "/").await;
    assert_eq!(answer.status, 500);
    assert!(
        !answer.text().contains("not-an-address"),
        "what is set is not for clients"
    );
    assert_eq!(world.backend.count(), 1);
    world.reload(&[&all]).await;
    assert_eq!(raw::get(world.port, "example.org", "/").await.status, 200);
}

#[tokio::test]
async fn a_reference_to_another_namespace_needs_a_grant() {
    let port = ports::free();
    let backend = Backend::start("echo").await;
    let there =
        yaml::backend("echo", &backend).replace("{name: echo}", "{name: echo, namespace: there}");
    let route = yaml::route(
        "one",
        "rules: [{backendRefs: [{group: gateway.daemun.dev, kind: Backend, name: echo, namespace: there}]}]",
    );
    let grant = "apiVersion: gateway.networking.k8s.io/v1\nkind: ReferenceGrant\nmetadata: {name: grant, namespace: there}\n\
                 spec:\n  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default}]\n  \
                 to: [{group: gateway.daemun.dev, kind: Backend}]";
    let without = yaml::documents(&[&yaml::gateway(port), &there, &route]);
    let with = yaml::documents(&[&yaml::gateway(port), &there, &route, grant]);
    let mut gateway = Gateway::start(&without).await;
    assert_eq!(raw::get(port, "example.org", "/").await.status, 500);
    for (text, status) in [(&with, 200), (&without, 500), (&with, 200)] {
        gateway.reload(text).await;
        assert_eq!(raw::get(port, "example.org", "/").await.status, status);
    }
}

#[tokio::test]
async fn a_listener_whose_certificate_is_missing_does_not_take_others_with_it() {
    let (plain, secure) = (ports::free(), ports::free());
    let authority = daemun_testkit::Authority::new();
    let backend = Backend::start("echo").await;
    let listeners = format!(
        "- {{name: http, port: {plain}, protocol: HTTP}}\n\
         - {{name: one, port: {secure}, protocol: HTTPS, hostname: one.example.org, tls: {{certificateRefs: [{{name: cert}}]}}}}\n\
         - {{name: two, port: {secure}, protocol: HTTPS, hostname: two.example.org, tls: {{certificateRefs: [{{name: missing}}]}}}}"
    );
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway_of(&listeners),
        &yaml::secret("cert", &authority.issue(&["*.example.org"])),
        &yaml::backend("echo", &backend),
        &yaml::route_all("all", "echo"),
    ]))
    .await;
    assert_eq!(raw::get(plain, "example.org", "/").await.status, 200);
    let client = TlsClient::new(&authority.pem());
    let stream = client.connect(secure, "one.example.org").await.unwrap();
    assert_eq!(
        Raw::over(stream).get("one.example.org", "/").await.status,
        200
    );
    assert!(client.connect(secure, "two.example.org").await.is_err());
}

#[tokio::test]
async fn five_thousand_routes_are_told_apart() {
    let world = World::new(&[]).await;
    let mut objects = Vec::new();
    for number in 0..500 {
        let rules: Vec<(String, String)> = (0..10)
            .map(|rule| {
                (
                    format!("h{number}r{rule}"),
                    format!("{{path: {{value: /p{rule}}}}}"),
                )
            })
            .collect();
        let rules: Vec<(&str, &str)> = rules
            .iter()
            .map(|(name, matches)| (name.as_str(), matches.as_str()))
            .collect();
        let spec = format!(
            "hostnames: [h{number}.example.org]\n{}",
            named_rules(&rules)
        );
        objects.push(yaml::route(&format!("route-{number}"), &spec));
    }
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    let mut world = world;
    world.reload(&objects).await;
    let mut client = Raw::connect(world.port).await;
    for (host, rule) in [(0, 0), (7, 3), (123, 9), (499, 9), (250, 5)] {
        let answer = client
            .get(&format!("h{host}.example.org"), &format!("/p{rule}/x"))
            .await;
        assert_eq!(
            answer.header("x-rule"),
            Some(format!("h{host}r{rule}").as_str())
        );
    }
    assert_eq!(client.get("h500.example.org", "/p1").await.status, 404);
}
