//! Session persistence (GEP-1619): a client stays with its endpoint.

use std::collections::BTreeSet;

use daemun_testkit::{Answer, Backend, Gateway, Raw, ports, raw, yaml};

struct Shop {
    port: u16,
    backends: Vec<Backend>,
    gateway: Gateway,
    persistence: &'static str,
}

impl Shop {
    async fn start(persistence: &'static str) -> Self {
        let port = ports::free();
        let mut backends = Vec::new();
        for name in ["one", "two", "three", "four"] {
            backends.push(Backend::start(name).await);
        }
        let gateway = Gateway::start(&objects(port, &backends, 0, persistence, "1")).await;
        Self {
            port,
            backends,
            gateway,
            persistence,
        }
    }

    async fn reload(&mut self, left_out: usize, weight: &str) {
        let text = objects(
            self.port,
            &self.backends,
            left_out,
            self.persistence,
            weight,
        );
        self.gateway.reload(&text).await;
    }

    async fn get(&self, headers: &[(&str, &str)]) -> Answer {
        raw::get_with(self.port, "example.org", "/", headers).await
    }
}

/// Two Backends of two endpoints each. `left_out` endpoints are missing from the first, which has `weight`.
fn objects(
    port: u16,
    backends: &[Backend],
    left_out: usize,
    persistence: &str,
    weight: &str,
) -> String {
    let listen = |range: &[Backend]| {
        let endpoints: Vec<String> = range
            .iter()
            .map(|one| format!("{{address: 127.0.0.1, port: {}}}", one.port()))
            .collect();
        endpoints.join(", ")
    };
    let backend = |name: &str, endpoints: String| {
        format!(
            "apiVersion: gateway.daemun.dev/v1alpha1\nkind: Backend\nmetadata: {{name: {name}}}\nspec: {{endpoints: [{endpoints}]}}"
        )
    };
    let (a, b) = (yaml::to("a"), yaml::to("b"));
    yaml::documents(&[
        &yaml::gateway(port),
        &backend("a", listen(&backends[left_out..2])),
        &backend("b", listen(&backends[2..])),
        &yaml::route(
            "one",
            &format!(
                "rules: [{{backendRefs: [{{{a}, weight: {weight}}}, {{{b}}}], sessionPersistence: {persistence}}}]"
            ),
        ),
    ])
}

fn cookie(answer: &Answer) -> Option<String> {
    let set = answer
        .headers("set-cookie")
        .find(|value| value.starts_with("shop="))?;
    Some(set.split(';').next()?.to_owned())
}

#[tokio::test]
async fn a_cookie_keeps_a_client_with_its_endpoint() {
    let mut shop = Shop::start("{sessionName: shop, type: Cookie}").await;
    let mut owners = BTreeSet::new();
    let mut of_a = None;
    for _ in 0..24 {
        let first = shop.get(&[]).await;
        let owner = first.backend().unwrap().to_owned();
        let session = cookie(&first).expect("a cookie");
        for _ in 0..4 {
            let again = shop
                .get(&[("cookie", &format!("other=1; {session}"))])
                .await;
            assert_eq!(again.backend(), Some(owner.as_str()));
        }
        if owner == "one" {
            of_a = Some(session);
        }
        owners.insert(owner);
    }
    assert_eq!(owners.len(), 4, "new clients are spread: {owners:?}");
    // A session beats weights, even none.
    let session = of_a.unwrap();
    shop.reload(0, "0").await;
    assert_eq!(
        shop.get(&[("cookie", &session)]).await.backend(),
        Some("one")
    );
    assert!(["three", "four"].contains(&shop.get(&[]).await.backend().unwrap()));
    // Without its endpoint the client goes elsewhere, and gets a new session there.
    shop.reload(1, "1").await;
    let moved = shop.get(&[("cookie", &session)]).await;
    assert_ne!(moved.backend(), Some("one"));
    assert!(cookie(&moved).is_some_and(|new| new != session));
}

#[tokio::test]
async fn cookies_have_the_attributes_that_were_asked_for() {
    let shop = Shop::start("{sessionName: shop}").await;
    let answer = shop.get(&[]).await;
    let set = answer.header("set-cookie").unwrap().to_owned();
    assert!(set.starts_with("shop="), "{set}");
    let lower = set.to_ascii_lowercase();
    assert!(
        lower.contains("path=/") && lower.contains("httponly"),
        "{set}"
    );
    assert!(
        !lower.contains("max-age") && !lower.contains("expires"),
        "a session cookie: {set}"
    );
    for backend in &shop.backends {
        let port = backend.port().to_string();
        assert!(
            !set.contains(&port) && !set.contains("127.0.0.1"),
            "an endpoint's address is nobody's business: {set}"
        );
    }
    let shop = Shop::start(
        "{sessionName: shop, absoluteTimeout: 1h, cookieConfig: {lifetimeType: Permanent}}",
    )
    .await;
    let set = shop
        .get(&[])
        .await
        .header("set-cookie")
        .unwrap()
        .to_ascii_lowercase();
    assert!(
        set.contains("max-age=3600") || set.contains("expires="),
        "{set}"
    );
}

#[tokio::test]
async fn a_header_keeps_a_client_too() {
    let shop = Shop::start("{sessionName: x-shop, type: Header}").await;
    for _ in 0..8 {
        let first = shop.get(&[]).await;
        let session = first.header("x-shop").expect("the header").to_owned();
        let owner = first.backend().unwrap().to_owned();
        for _ in 0..4 {
            assert_eq!(
                shop.get(&[("x-shop", &session)]).await.backend(),
                Some(owner.as_str())
            );
        }
    }
}

#[tokio::test]
async fn a_session_that_was_made_up_is_no_session() {
    let shop = Shop::start("{sessionName: shop}").await;
    for made_up in ["shop=", "shop=AAAA", "shop=%00", "shop=////", "shop=\u{7f}"] {
        let answer = shop.get(&[("cookie", made_up)]).await;
        assert!(matches!(answer.status, 200 | 400), "{made_up}: {answer:?}");
        if answer.status == 200 {
            assert!(cookie(&answer).is_some(), "{made_up}: a new one is given");
        }
    }
    let mut client = Raw::connect(shop.port).await;
    assert_eq!(client.get("example.org", "/").await.status, 200);
}

#[tokio::test]
async fn sessions_without_a_name_belong_to_their_rules() {
    let port = ports::free();
    let backend = Backend::start("one").await;
    let to = yaml::to("pool");
    let rule = |path: &str| {
        format!(
            "- {{matches: [{{path: {{value: {path}}}}}], backendRefs: [{{{to}}}], sessionPersistence: {{type: Cookie}}}}"
        )
    };
    let rules = format!("rules:\n{}\n{}", rule("/a"), rule("/b"));
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend("pool", &backend),
        &yaml::route("one", &rules),
    ]))
    .await;
    let name = async |path: &str| {
        let answer = raw::get(port, "example.org", path).await;
        let set = answer.header("set-cookie").expect("a cookie").to_owned();
        set.split('=').next().unwrap_or_default().to_owned()
    };
    let (a, again, b) = (name("/a").await, name("/a").await, name("/b").await);
    assert_eq!(a, again);
    assert_ne!(a, b);
}
