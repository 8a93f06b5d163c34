//! Explanations of configurations that are written down here, piece by piece.

use std::sync::Arc;

use daemun_model::backend::{
    Backend, BackendProtocol, BackendTarget, Connections, Endpoint, EndpointHost, EndpointState,
};
use daemun_model::filter::Filter;
use daemun_model::filter::redirect::{Redirect, RedirectStatus, Scheme};
use daemun_model::gateway::Gateway;
use daemun_model::hostname::HostPattern;
use daemun_model::listener::{Listener, ListenerProtocol, ProxyStatus, TlsListener};
use daemun_model::matching::{HeaderMatch, PathMatch, RequestMatch, ValueMatch};
use daemun_model::names::{
    BackendKey, BackendKind, Created, ListenerKey, ListenerOwner, ObjectName, ObjectRef, RouteKey,
    RouteKind,
};
use daemun_model::policy::retry::Retry;
use daemun_model::route::{Attachment, HttpRoute, Rule, WeightedBackend};
use daemun_model::stream::{StreamBackend, StreamRoute};
use daemun_model::tls::{ClientValidation, ClientValidationMode, Termination, TlsVersion};
use daemun_model::verdict::{Condition, Part, Place, Status, Verdict};
use daemun_model::{Configuration, Snapshot};
use daemun_proxy::admin::{Form, Question};

fn name(name: &str) -> ObjectName {
    ObjectName::new("default", name)
}

fn listener_key(name_: &str) -> ListenerKey {
    ListenerKey {
        owner: ListenerOwner::Gateway,
        object: name("shop"),
        name: name_.to_owned(),
    }
}

fn backend_key(name_: &str) -> BackendKey {
    BackendKey {
        kind: BackendKind::Service,
        name: name(name_),
        port: 8080,
        transport: Default::default(),
    }
}

fn prefix(path: &str) -> RequestMatch {
    RequestMatch {
        path: PathMatch::Prefix(path.to_owned()),
        ..RequestMatch::everything()
    }
}

fn to(name: &str, weight: u32) -> WeightedBackend {
    WeightedBackend {
        target: BackendTarget::Backend(backend_key(name)),
        weight,
        filters: Vec::new(),
    }
}

fn rule(matched: RequestMatch, backends: Vec<WeightedBackend>) -> Rule {
    Rule {
        index: 0,
        name: None,
        matches: vec![matched],
        filters: Vec::new(),
        backends,
        timeouts: Default::default(),
        retry: None,
        session: None,
    }
}

/// A Gateway with a plain listener for all names on 80, two TLS listeners on 443, and the routes that are given.
struct Shop(Snapshot);

impl Shop {
    fn new() -> Self {
        let gateway = Gateway {
            name: name("shop"),
            generation: 0,
            addresses: Vec::new(),
            closed: None,
        };
        let mut shop = Self(Snapshot {
            gateway: Arc::new(gateway),
            listeners: Default::default(),
            routes: Default::default(),
            streams: Default::default(),
            backends: Default::default(),
            certificates: Default::default(),
        });
        shop.listener("http", 80, "", false);
        shop.listener("shop", 443, "shop.example.com", true);
        shop.listener("rest", 443, "*.example.com", true);
        shop.backend("orders", &[("10.0.3.7", 1), ("10.0.4.2", 1)]);
        shop.backend("empty", &[]);
        shop
    }

    fn listener(&mut self, name: &str, port: u16, hostname: &str, tls: bool) {
        let termination = Termination {
            certificates: Vec::new(),
            min_version: TlsVersion::Tls12,
            max_version: TlsVersion::Tls13,
            client: None,
        };
        let listener = Listener {
            key: listener_key(name),
            port,
            bind: port,
            hostname: HostPattern::parse(hostname).unwrap(),
            protocol: if tls {
                ListenerProtocol::Https(termination)
            } else {
                ListenerProtocol::Http
            },
            forwarding: Default::default(),
            sources: None,
            limits: Default::default(),
            proxy_status: ProxyStatus::Error,
            refused: None,
        };
        self.0
            .listeners
            .insert(listener.key.clone(), Arc::new(listener));
    }

    /// A listener that is not one of HTTP.
    fn other_listener(
        &mut self,
        name: &str,
        port: u16,
        hostname: &str,
        protocol: ListenerProtocol,
    ) {
        self.listener(name, port, hostname, false);
        let key = listener_key(name);
        let mut listener = Listener::clone(self.0.listeners.get(&key).unwrap());
        listener.protocol = protocol;
        self.0.listeners.insert(key, Arc::new(listener));
    }

    /// A Route below HTTP, to `orders`.
    fn stream(&mut self, kind: RouteKind, route: &str, listener: &str, host: &str, created: i64) {
        let route = StreamRoute {
            key: RouteKey {
                kind,
                name: name(route),
            },
            created: Created(created),
            attachments: vec![Attachment {
                listener: listener_key(listener),
                hostnames: vec![HostPattern::parse(host).unwrap()],
            }],
            rule: None,
            backends: vec![StreamBackend {
                target: BackendTarget::Backend(backend_key("orders")),
                weight: 1,
            }],
        };
        self.0.streams.insert(route.key.clone(), Arc::new(route));
    }

    fn backend(&mut self, name: &str, endpoints: &[(&str, u32)]) {
        let endpoint = |(address, weight): &(&str, u32)| Endpoint {
            host: EndpointHost::Address(address.parse().unwrap()),
            port: 8080,
            weight: *weight,
            state: EndpointState::Ready,
        };
        let backend = Backend {
            key: backend_key(name),
            protocol: BackendProtocol::Http,
            tls: None,
            refused: None,
            tls_refused: None,
            outside: false,
            endpoints: endpoints.iter().map(endpoint).collect(),
            balance: Default::default(),
            connections: Connections::default(),
            retry_budget: None,
            session: None,
        };
        self.0
            .backends
            .insert(backend.key.clone(), Arc::new(backend));
    }

    fn route(mut self, route: &str, listeners: &[&str], mut rules: Vec<Rule>) -> Self {
        rules
            .iter_mut()
            .enumerate()
            .for_each(|(index, rule)| rule.index = index);
        let attachment = |listener: &&str| Attachment {
            listener: listener_key(listener),
            hostnames: vec![HostPattern::parse("shop.example.com").unwrap()],
        };
        let route = HttpRoute {
            key: RouteKey {
                kind: RouteKind::Http,
                name: name(route),
            },
            created: Created(0),
            attachments: listeners.iter().map(attachment).collect(),
            rules,
        };
        self.0.routes.insert(route.key.clone(), Arc::new(route));
        self
    }

    fn explain(&self, method: &str, url: &str, headers: &[(&str, &str)]) -> String {
        self.ask(method, url, headers, Form::Text).unwrap()
    }

    fn ask(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        form: Form,
    ) -> Result<String, String> {
        let gateways = [(name("shop"), Arc::new(self.0.clone()))].into();
        let not_attached = Verdict {
            object: ObjectRef::new("HTTPRoute", name("lost")),
            generation: 0,
            parts: Arc::new([Part {
                place: Place::Object,
                conditions: vec![Condition {
                    kind: "Accepted",
                    status: Status::False,
                    reason: "NotAllowedByListeners",
                    message: "It is lost.".to_owned(),
                }],
                attached: None,
                supported_kinds: None,
            }]),
            findings: Vec::new(),
        };
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let question = Question {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: headers.collect(),
        };
        super::answer(
            &Configuration { gateways },
            &daemun_model::Verdicts::new(vec![Arc::new(not_attached)], Default::default()),
            &question,
            form,
        )
    }
}

fn usual() -> Shop {
    let beta = HeaderMatch {
        name: http::HeaderName::from_static("x-beta"),
        value: ValueMatch::Exact("2".to_owned()),
    };
    let beta = RequestMatch {
        headers: vec![beta],
        ..prefix("/api/orders")
    };
    let mut orders = rule(prefix("/api/orders"), vec![to("orders", 1)]);
    orders.timeouts.request = Some(std::time::Duration::from_secs(15));
    orders.retry = Some(Box::new(Retry {
        codes: vec![503],
        attempts: 1,
        backoff: Retry::DEFAULT_BACKOFF,
    }));
    Shop::new()
        .route("orders", &["http", "shop"], vec![orders])
        .route(
            "catalogue",
            &["http", "shop"],
            vec![rule(prefix("/api"), vec![to("orders", 1)])],
        )
        .route(
            "beta",
            &["http", "shop"],
            vec![rule(beta, vec![to("orders", 1)])],
        )
}

#[test]
fn the_way_of_a_request_is_told_in_lines() {
    let told = usual().explain(
        "GET",
        "https://shop.example.com/api/orders/7",
        &[("x-beta", "1")],
    );
    assert_eq!(
        told,
        "https :443 shop.example.com         Gateway default/shop, listener shop (the most specific of 2 that take this name)\n\
         \x20 HTTPRoute default/orders, rule 1  PathPrefix /api/orders\n\
         \x20   to       Service default/orders:8080, 2 of 2 endpoints ready     10.0.3.7:8080 (50 %)  10.0.4.2:8080 (50 %)\n\
         \x20            HTTP/1.1, least requests\n\
         \x20   limits   15s for the whole request, 1 retry on 503 and on connection failure, at least 25ms apart\n\
         Others that came close:\n\
         \x20 HTTPRoute default/catalogue, rule 1  PathPrefix /api: shorter than /api/orders\n\
         \x20 HTTPRoute default/beta, rule 1       PathPrefix /api/orders, header x-beta = 2: header x-beta = 2 is wanted, and the request has 1\n"
    );
}

#[test]
fn programs_get_the_same_as_json() {
    let json = usual()
        .ask("GET", "http://shop.example.com/api", &[], Form::Json)
        .unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["listener"]["name"], "http");
    assert_eq!(json["rule"]["route"], "HTTPRoute default/catalogue");
    assert_eq!(json["rule"]["rule"], 1);
    assert_eq!(
        json["rule"]["backends"][0]["endpoints"][1],
        "10.0.4.2:8080 (50 %)"
    );
    assert_eq!(json["outcome"]["status"], serde_json::Value::Null);
}

#[test]
fn who_answers_what_is_told() {
    let shop = usual();
    for (url, headers, answer) in [
        (
            "http://shop.example.com/",
            &[][..],
            "404: no rule on this listener takes the request",
        ),
        (
            "http://shop.example.com/../x",
            &[],
            "400: the path is refused: the path leads above the root",
        ),
        (
            "http://shop.example.com:81/",
            &[],
            "nothing listens on port 81",
        ),
        ("http://shop.example.com:443/", &[], "speaks TLS only"),
        ("https://shop.example.com:80/", &[], "speaks plain HTTP"),
        (
            "https://other.example.org/",
            &[],
            "the TLS handshake fails: no listener has the name \"other.example.org\"",
        ),
        ("https://10.0.0.1/", &[], "the client asks for no name"),
        (
            "https://shop.example.com/",
            &[("host", "www.example.com")],
            "421: the connection was made for \"shop.example.com\"",
        ),
        (
            "https://shop.example.com/",
            &[("host", "www.example.org")],
            "404: no listener on port 443 takes the host www.example.org",
        ),
    ] {
        let told = shop.explain("GET", url, headers);
        assert!(told.contains(answer), "{url}: {told}");
    }
    let told = shop.explain("GET", "http://shop.example.com/", &[]);
    assert!(
        told.contains(
            "HTTPRoute default/lost: Accepted=False (NotAllowedByListeners). It is lost."
        ),
        "{told}"
    );
    let told = shop.explain("GET", "http://shop.example.com:8080/x", &[]);
    assert!(
        told.contains("did you mean http://shop.example.com:80/x?"),
        "{told}"
    );
}

#[test]
fn failing_backends_are_told_with_their_status() {
    let invalid = WeightedBackend {
        target: BackendTarget::Invalid {
            written: "Service default/orderz:8080".to_owned(),
            reason: "it does not exist".to_owned(),
        },
        weight: 1,
        filters: Vec::new(),
    };
    let shop = Shop::new().route(
        "a",
        &["http"],
        vec![
            rule(prefix("/invalid"), vec![invalid.clone()]),
            rule(prefix("/empty"), vec![to("empty", 1)]),
            rule(prefix("/none"), vec![]),
            rule(prefix("/zero"), vec![to("orders", 0)]),
            rule(prefix("/some"), vec![to("orders", 3), invalid]),
        ],
    );
    for (path, answer) in [
        (
            "/invalid",
            "answer   500: Service default/orderz:8080: it does not exist",
        ),
        (
            "/empty",
            "answer   503: Service default/empty:8080 has no endpoint that takes requests",
        ),
        ("/none", "answer   500: the rule has no backends"),
        (
            "/zero",
            "answer   500: all backends of the rule have the weight 0",
        ),
        (
            "/some",
            "to       25 %: Service default/orderz:8080\n             answer: 500",
        ),
    ] {
        let told = shop.explain("GET", &format!("http://shop.example.com{path}"), &[]);
        assert!(told.contains(answer), "{path}: {told}");
    }
}

#[test]
fn a_redirect_answers() {
    let mut redirect = rule(prefix("/"), vec![]);
    redirect.filters.push(Filter::Redirect(Redirect {
        scheme: Some(Scheme::Https),
        hostname: None,
        path: None,
        port: None,
        status: RedirectStatus::PermanentRedirect,
    }));
    let told = Shop::new().route("a", &["http"], vec![redirect]).explain(
        "GET",
        "http://shop.example.com",
        &[],
    );
    assert!(
        told.contains(
            "before   redirect (308): scheme https\n    answer   308: the redirect answers"
        ),
        "{told}"
    );
}

#[test]
fn what_is_wanted_of_clients_certificates_is_told() {
    let mut shop = usual();
    let key = listener_key("shop");
    let mut listener = Listener::clone(shop.0.listeners.get(&key).unwrap());
    let ListenerProtocol::Https(termination) = &mut listener.protocol else {
        unreachable!("the listener shop is one with TLS")
    };
    termination.client = Some(ClientValidation {
        authorities: Vec::new(),
        mode: ClientValidationMode::AllowValidOnly,
    });
    shop.0.listeners.insert(key, Arc::new(listener));
    let told = shop.explain("GET", "https://shop.example.com/api", &[]);
    assert!(
        told.contains("    TLS      clients without a certificate that is believed"),
        "{told}"
    );
}

#[test]
fn connections_that_are_passed_on_are_told_and_no_rule_counts_for_them() {
    let mut shop = usual();
    let passthrough = || ListenerProtocol::Tls(TlsListener::Passthrough);
    shop.other_listener("db", 443, "db.example.com", passthrough());
    shop.other_listener("only-tls", 5432, "", passthrough());
    shop.other_listener("tcp", 6379, "", ListenerProtocol::Tcp);
    // By its name the last one on this port.
    shop.other_listener("zudp", 443, "", ListenerProtocol::Udp);
    shop.stream(RouteKind::Tls, "younger", "db", "db.example.com", 2);
    shop.stream(RouteKind::Tls, "db", "db", "db.example.com", 1);
    shop.stream(RouteKind::Tcp, "cache", "tcp", "", 1);
    for (url, answer) in [
        (
            "https://db.example.com/x",
            "Gateway default/shop, listener db (the most specific of 2 that take this name)\n    answer   the connection is passed on as it is, by TLSRoute default/db to orders:8080 (2 endpoints); what is in it is not looked at, so no HTTPRoute counts\n",
        ),
        (
            "https://shop.example.com/api/orders",
            "HTTPRoute default/orders, rule 1",
        ),
        (
            "https://other.example.org/",
            "the TLS handshake fails: no listener has the name \"other.example.org\"",
        ),
        (
            "https://x.example.com:5432/",
            "the connection is closed: the listener has no TLSRoute that takes \"x.example.com\"",
        ),
        ("http://x.example.com:5432/", "speaks TLS only"),
        (
            "https://x.example.com:6379/",
            "the connection is passed on as it is, by TCPRoute default/cache to orders:8080",
        ),
        ("http://10.0.0.1:6379/", "by TCPRoute default/cache"),
    ] {
        let told = shop.explain("GET", url, &[]);
        assert!(told.contains(answer), "{url}: {told}");
    }
}

#[test]
fn a_question_that_is_none_is_told_so() {
    let shop = Shop::new();
    for (method, url, headers, sentence) in [
        ("GE T", "http://a/", &[][..], "no HTTP method"),
        ("GET", "/x", &[], "not a whole URL"),
        ("GET", "ftp://a/x", &[], "not a whole URL"),
        ("GET", "http://a/x y", &[], "is no URL"),
        ("GET", "http://a/", &[("a b", "c")], "no name of a header"),
    ] {
        let error = shop.ask(method, url, headers, Form::Text).unwrap_err();
        assert!(error.contains(sentence), "{error}");
    }
}
