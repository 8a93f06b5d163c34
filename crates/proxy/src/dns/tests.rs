//! Names that are resolved again at their TTL, against a name server of the test's own.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use daemun_base::tasks::Tasks;
use daemun_model::backend::{Backend, Endpoint, EndpointHost, EndpointState};
use daemun_model::gateway::Gateway;
use daemun_model::names::{BackendKey, BackendKind, ObjectName};
use daemun_model::{Configuration, Snapshot};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::Name;
use tokio::net::UdpSocket;

use super::Names;

const PATIENCE: Duration = Duration::from_secs(10);

/// A name server that knows one set of addresses for all names.
struct Server {
    port: u16,
    /// None: it fails.
    addresses: Arc<Mutex<Option<Vec<Ipv4Addr>>>>,
    asked: Arc<AtomicU32>,
    /// The one name that it knows, if it does not know all.
    only: Arc<Mutex<Option<&'static str>>>,
    tasks: Tasks,
}

impl Server {
    async fn start(ttl: u32, addresses: &[Ipv4Addr]) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: socket.local_addr().unwrap().port(),
            addresses: Arc::new(Mutex::new(Some(addresses.to_vec()))),
            asked: Arc::default(),
            only: Arc::default(),
            tasks: Tasks::default(),
        };
        let (known, asked) = (Arc::clone(&server.addresses), Arc::clone(&server.asked));
        let only = Arc::clone(&server.only);
        server.tasks.spawn(async move {
            let mut query = [0; 512];
            while let Ok((length, peer)) = socket.recv_from(&mut query).await {
                let mut known = known.lock().unwrap().clone();
                if only
                    .lock()
                    .unwrap()
                    .is_some_and(|only| only != asked_for(&query))
                {
                    known = known.map(|_| Vec::new());
                }
                let (answer, is_a) = answer(&query[..length], ttl, known.as_deref());
                asked.fetch_add(u32::from(is_a), Ordering::Relaxed);
                let _ = socket.send_to(&answer, peer).await;
            }
        });
        server
    }

    fn now_knows(&self, addresses: Option<&[Ipv4Addr]>) {
        *self.addresses.lock().unwrap() = addresses.map(<[_]>::to_vec);
    }

    fn resolver(&self) -> TokioResolver {
        let mut udp = ConnectionConfig::udp();
        udp.port = self.port;
        let server = NameServerConfig::new(Ipv4Addr::LOCALHOST.into(), true, vec![udp]);
        let search = vec![Name::from_ascii("cluster.test.").unwrap()];
        let config = ResolverConfig::from_parts(None, search, vec![server]);
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            .build()
            .unwrap()
    }
}

/// The name that a query asks for.
fn asked_for(query: &[u8]) -> String {
    let (mut labels, mut at) = (Vec::new(), 12);
    while query[at] != 0 {
        let end = at + 1 + usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..end]).into_owned());
        at = end;
    }
    labels.join(".")
}

/// The answer to a query (RFC 1035, section 4), and whether it asked for A.
fn answer(query: &[u8], ttl: u32, addresses: Option<&[Ipv4Addr]>) -> (Vec<u8>, bool) {
    let mut end = 12;
    while query[end] != 0 {
        end += 1 + usize::from(query[end]);
    }
    let is_a = query[end + 1..end + 3] == [0, 1];
    let code = if addresses.is_some() { 0 } else { 2 };
    let addresses = addresses.filter(|_| is_a).unwrap_or_default();
    let mut answer = query[..2].to_vec();
    answer.extend([0x85, 0x80 | code, 0, 1]);
    answer.extend(u16::try_from(addresses.len()).unwrap().to_be_bytes());
    answer.extend([0; 4]);
    answer.extend(&query[12..end + 5]);
    for address in addresses {
        answer.extend([0xc0, 12, 0, 1, 0, 1]);
        answer.extend(ttl.to_be_bytes());
        answer.extend([0, 4]);
        answer.extend(address.octets());
    }
    (answer, is_a)
}

/// One backend with one name.
fn configuration(name: &str, outside: bool) -> Configuration {
    let gateway = ObjectName::new("default", "gw");
    let key = BackendKey {
        kind: BackendKind::Backend,
        name: ObjectName::new("default", "named"),
        port: 0,
        transport: Default::default(),
    };
    let backend = Backend {
        key: key.clone(),
        protocol: Default::default(),
        tls: None,
        refused: None,
        tls_refused: None,
        outside,
        endpoints: vec![Endpoint {
            host: EndpointHost::Name(name.to_owned()),
            port: 80,
            weight: 1,
            state: EndpointState::Ready,
        }],
        balance: Default::default(),
        connections: Default::default(),
        retry_budget: None,
        session: None,
    };
    let snapshot = Snapshot {
        gateway: Arc::new(Gateway {
            name: gateway.clone(),
            generation: 0,
            addresses: Vec::new(),
            closed: None,
        }),
        listeners: Default::default(),
        routes: Default::default(),
        streams: Default::default(),
        backends: [(key, Arc::new(backend))].into(),
        certificates: Default::default(),
    };
    Configuration {
        gateways: [(gateway, Arc::new(snapshot))].into(),
    }
}

fn known(names: &Names) -> Vec<IpAddr> {
    known_as(names, "shop.test")
}

fn known_as(names: &Names, asked: &str) -> Vec<IpAddr> {
    let known = names.resolved().get(asked);
    known.map(|known| known.to_vec()).unwrap_or_default()
}

#[tokio::test]
async fn names_are_resolved_again_at_their_ttl_and_keep_what_they_had() {
    let (one, two, three) = ([127, 0, 0, 1], [127, 0, 0, 2], [127, 0, 0, 3]);
    let server = Server::start(1, &[two.into(), one.into()]).await;
    let mut names = Names::new(Duration::from_millis(100));
    names.resolver = Some(Ok(server.resolver()));
    let wanted = names.want(&configuration("shop.test", false));
    names.settle(wanted, PATIENCE).await;
    assert_eq!(known(&names), [IpAddr::from(one), IpAddr::from(two)]);

    // What does not change is no news, and is asked for once a TTL.
    let before = server.asked.load(Ordering::Relaxed);
    let news = tokio::time::timeout(Duration::from_millis(2500), names.changed()).await;
    assert!(news.is_err(), "nothing has changed");
    let asked = server.asked.load(Ordering::Relaxed) - before;
    assert!((1..=4).contains(&asked), "{asked}");

    server.now_knows(Some(&[three.into()]));
    let news = tokio::time::timeout(PATIENCE, names.changed()).await;
    assert!(news.is_ok(), "the new address is news");
    assert_eq!(known(&names), [IpAddr::from(three)]);

    server.now_knows(None);
    let news = tokio::time::timeout(Duration::from_millis(2500), names.changed()).await;
    assert!(news.is_err());
    assert_eq!(known(&names), [IpAddr::from(three)], "its last address");

    // A name that nobody wants any more is forgotten.
    assert!(names.want(&Configuration::default()).is_empty());
    assert!(names.resolved().is_empty());
}

#[tokio::test]
async fn names_of_the_outside_are_whole_and_lead_out() {
    let (loopback, link) = ([127, 0, 0, 1], [169, 254, 169, 254]);
    let server = Server::start(60, &[loopback.into(), link.into(), [192, 0, 2, 7].into()]).await;
    // Only what the search list makes of a name is known here.
    *server.only.lock().unwrap() = Some("web.cluster.test");
    for (outside, asked, addresses) in [(false, "web", 3), (true, "web.", 0)] {
        let mut names = Names::new(Duration::from_millis(100));
        names.resolver = Some(Ok(server.resolver()));
        let wanted = names.want(&configuration("web", outside));
        assert_eq!(wanted, [asked]);
        names.settle(wanted, PATIENCE).await;
        assert_eq!(known_as(&names, asked).len(), addresses, "{asked}");
    }
    *server.only.lock().unwrap() = Some("api.test");
    let mut names = Names::new(Duration::from_millis(100));
    names.resolver = Some(Ok(server.resolver()));
    let wanted = names.want(&configuration("api.test", true));
    names.settle(wanted, PATIENCE).await;
    let out = IpAddr::from([192, 0, 2, 7]);
    assert_eq!(known_as(&names, "api.test."), [out]);
}
