//! Which endpoint gets a request, and how connections to it are kept.

use std::collections::BTreeMap;
use std::time::Duration;

use daemun_testkit::{Act, Backend, Gateway, Http2, Raw, ports, raw, yaml};

struct Pool {
    port: u16,
    backends: Vec<Backend>,
    gateway: Gateway,
}

const NAMES: [&str; 3] = ["one", "two", "three"];

impl Pool {
    async fn start(policy: &str) -> Self {
        let port = ports::free();
        let mut backends = Vec::new();
        for name in NAMES {
            backends.push(Backend::start(name).await);
        }
        let gateway = Gateway::start(&objects(port, &backends, policy)).await;
        Self {
            port,
            backends,
            gateway,
        }
    }

    async fn counts(&self, requests: usize, headers: &[(&str, &str)]) -> BTreeMap<String, usize> {
        let mut client = Raw::connect(self.port).await;
        let mut counts = BTreeMap::new();
        for _ in 0..requests {
            let answer = client.request("GET", "example.org", "/", headers).await;
            *counts
                .entry(answer.backend().expect("a backend's answer").to_owned())
                .or_default() += 1;
        }
        counts
    }
}

fn objects(port: u16, backends: &[Backend], policy: &str) -> String {
    let endpoints: Vec<&dyn yaml::Listens> = backends
        .iter()
        .map(|one| one as &dyn yaml::Listens)
        .collect();
    yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend_with("pool", &endpoints, ""),
        &yaml::backend_policy("pool", policy),
        &yaml::route_all("one", "pool"),
    ])
}

#[tokio::test]
async fn round_robin_is_even() {
    let pool = Pool::start("balance: {type: RoundRobin}").await;
    let counts = pool.counts(30, &[]).await;
    assert_eq!(counts.values().copied().collect::<Vec<_>>(), [10, 10, 10]);
}

#[tokio::test]
async fn random_reaches_everyone() {
    let pool = Pool::start("balance: {type: Random}").await;
    let counts = pool.counts(120, &[]).await;
    assert!(
        counts.len() == 3 && counts.values().all(|count| (15..=70).contains(count)),
        "{counts:?}"
    );
}

#[tokio::test]
async fn least_requests_keeps_away_from_the_slow() {
    let pool = Pool::start("balance: {type: LeastRequests}").await;
    pool.backends[0].always(Act::Hang);
    let client = Http2::connect(pool.port).await;
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..60 {
        let client = client.clone();
        set.spawn(async move {
            tokio::time::timeout(Duration::from_millis(500), client.get("example.org", "/"))
                .await
                .is_ok()
        });
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let answered = set
        .join_all()
        .await
        .into_iter()
        .filter(|answered| *answered)
        .count();
    assert!(
        answered >= 50,
        "{answered} of 60: the one that hangs gets few"
    );
}

#[tokio::test]
async fn a_key_stays_with_its_endpoint_as_long_as_it_is_there() {
    for (policy, header) in [
        (
            "balance: {type: ConsistentHash, consistentHash: {type: Header, name: x-user}}",
            "x-user",
        ),
        (
            "balance: {type: ConsistentHash, consistentHash: {type: Cookie, name: user}}",
            "cookie",
        ),
    ] {
        let mut pool = Pool::start(policy).await;
        let mut owners = BTreeMap::new();
        for user in 0..40 {
            let value = if header == "cookie" {
                format!("a=b; user={user}")
            } else {
                user.to_string()
            };
            let counts = pool.counts(3, &[(header, &value)]).await;
            assert_eq!(counts.len(), 1, "{user}: {counts:?}");
            owners.insert(value, counts.into_keys().next().unwrap());
        }
        let spread: std::collections::BTreeSet<_> = owners.values().collect();
        assert_eq!(spread.len(), 3, "all endpoints have some keys");
        // Without one endpoint, the keys of the others stay where they are.
        let left = &pool.backends[..2];
        pool.gateway.reload(&objects(pool.port, left, policy)).await;
        for (value, owner) in owners {
            let counts = pool.counts(1, &[(header, &value)]).await;
            let now = counts.into_keys().next().unwrap();
            assert!(
                owner == "three" || owner == now,
                "{value}: {owner} before, {now} now"
            );
        }
    }
}

#[tokio::test]
async fn the_source_address_is_a_key() {
    let pool =
        Pool::start("balance: {type: ConsistentHash, consistentHash: {type: SourceAddress}}").await;
    for _ in 0..3 {
        assert_eq!(pool.counts(4, &[]).await.len(), 1);
    }
}

#[tokio::test]
async fn endpoints_have_weights() {
    let port = ports::free();
    let (one, two, none) = (
        Backend::start("one").await,
        Backend::start("two").await,
        Backend::start("none").await,
    );
    let backend = yaml::fill(
        "apiVersion: gateway.daemun.dev/v1alpha1\nkind: Backend\nmetadata: {name: pool}\nspec:\n  endpoints:\n  \
         - {address: 127.0.0.1, port: $one, weight: 3}\n  - {address: 127.0.0.1, port: $two, weight: 1}\n  \
         - {address: 127.0.0.1, port: $none, weight: 0}",
        &[
            ("one", &one.port()),
            ("two", &two.port()),
            ("none", &none.port()),
        ],
    );
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &backend,
        &yaml::backend_policy("pool", "balance: {type: RoundRobin}"),
        &yaml::route_all("one", "pool"),
    ]))
    .await;
    let mut client = Raw::connect(port).await;
    for _ in 0..40 {
        assert_eq!(client.get("example.org", "/").await.status, 200);
    }
    assert_eq!((one.count(), two.count(), none.count()), (30, 10, 0));
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let pool = Pool::start("balance: {type: RoundRobin}").await;
    let mut client = Raw::connect(pool.port).await;
    for _ in 0..60 {
        client.get("example.org", "/").await;
    }
    assert!(
        pool.backends
            .iter()
            .all(|backend| backend.connections() == 1)
    );
}

#[tokio::test]
async fn an_idle_connection_is_not_kept_for_ever() {
    let pool = Pool::start("connections: {idle: 1s}\nbalance: {type: RoundRobin}").await;
    let mut client = Raw::connect(pool.port).await;
    for _ in 0..3 {
        client.get("example.org", "/").await;
    }
    tokio::time::sleep(Duration::from_millis(3500)).await;
    for _ in 0..3 {
        client.get("example.org", "/").await;
    }
    assert!(
        pool.backends
            .iter()
            .all(|backend| backend.connections() == 2)
    );
}

#[tokio::test]
async fn connections_to_an_endpoint_have_a_limit() {
    let port = ports::free();
    let backend = Backend::start("one").await;
    backend.always(Act::Delay(Duration::from_millis(50)));
    let _gateway = Gateway::start_with(
        daemun_proxy::Settings {
            workers: 1,
            ..daemun_testkit::gateway::settings()
        },
        &yaml::documents(&[
            &yaml::gateway(port),
            &yaml::backend("pool", &backend),
            &yaml::backend_policy("pool", "connections: {perEndpoint: 2, connect: 5s}"),
            &yaml::route_all("one", "pool"),
        ]),
    )
    .await;
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..10 {
        set.spawn(async move { raw::get(port, "example.org", "/").await.status });
    }
    let statuses = daemun_testkit::within("ten answers", set.join_all()).await;
    assert!(
        statuses.iter().all(|status| *status == 200),
        "they wait for each other: {statuses:?}"
    );
    assert!(backend.connections() <= 2, "{}", backend.connections());
}

#[tokio::test]
async fn a_name_is_resolved() {
    let port = ports::free();
    let backend = Backend::start("named").await;
    let object = format!(
        "apiVersion: gateway.daemun.dev/v1alpha1\nkind: Backend\nmetadata: {{name: pool}}\nspec:\n  endpoints:\n  \
         - {{hostname: localhost, port: {}}}",
        backend.port()
    );
    let _gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &object,
        &yaml::route(
            "one",
            &format!(
                "rules: [{{backendRefs: [{{{}}}], retry: {{attempts: 2, codes: [503]}}}}]",
                yaml::to("pool")
            ),
        ),
    ]))
    .await;
    for _ in 0..4 {
        assert_eq!(
            raw::get(port, "example.org", "/").await.backend(),
            Some("named")
        );
    }
}

/// A gateway before one backend of a protocol.
async fn before(backend: &Backend, protocol: &str) -> (u16, Gateway) {
    let port = ports::free();
    let gateway = Gateway::start(&yaml::documents(&[
        &yaml::gateway(port),
        &yaml::backend_with("pool", &[backend], &format!("protocol: {protocol}")),
        &yaml::route_all("one", "pool"),
    ]))
    .await;
    (port, gateway)
}

#[tokio::test]
async fn a_backend_that_takes_one_stream_at_a_time_gets_one_at_a_time() {
    let backend = Backend::start("h2c").await;
    backend.takes_streams(1);
    backend.always(Act::Delay(Duration::from_millis(20)));
    let (port, _gateway) = before(&backend, "HTTP2").await;
    let client = Http2::connect(port).await;
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let client = client.clone();
        set.spawn(async move { client.get("example.org", "/").await.status });
    }
    let statuses = daemun_testkit::within("twelve answers", set.join_all()).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
}

#[tokio::test]
async fn a_backend_that_retires_its_connections_costs_nobody_a_request() {
    for protocol in ["HTTP1", "HTTP2"] {
        let backend = Backend::start("mortal").await;
        let (port, _gateway) = before(&backend, protocol).await;
        let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let mut load = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let stop = std::sync::Arc::clone(&stop);
            load.spawn(async move {
                let mut client = Raw::connect(port).await;
                let mut count = 0_usize;
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let answer = client.get("example.org", "/").await;
                    assert_eq!(answer.status, 200, "{answer:?}");
                    count += 1;
                }
                count
            });
        }
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_millis(15)).await;
            backend.retire_connections();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let served: usize = load.join_all().await.into_iter().sum();
        assert!(served > 100, "{served}");
        assert!(
            backend.connections() > 20,
            "{protocol}: {}",
            backend.connections()
        );
    }
}

#[tokio::test]
async fn a_post_is_not_sent_twice_when_a_connection_retires() {
    let backend = Backend::start("mortal").await;
    let (port, _gateway) = before(&backend, "HTTP1").await;
    let mut client = Raw::connect(port).await;
    let mut answered = 0;
    for number in 0..60 {
        client
            .send(format!(
                "POST /{number} HTTP/1.1\r\nHost: example.org\r\nContent-Length: 1\r\n\r\nx"
            ))
            .await;
        if number % 3 == 0 {
            backend.retire_connections();
        }
        let answer = client.answer().await;
        assert!(matches!(answer.status, 200 | 502 | 503), "{answer:?}");
        answered += usize::from(answer.status == 200);
    }
    let seen = backend.seen();
    let targets: std::collections::BTreeSet<_> =
        seen.iter().map(|seen| seen.target.clone()).collect();
    assert_eq!(targets.len(), seen.len(), "no request was seen twice");
    assert!(answered > 30, "{answered}");
}
