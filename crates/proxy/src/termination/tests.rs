//! Handshakes in memory, through `listen::sni`, as clients make them.

use std::sync::Arc;
use std::time::Duration;

use daemun_model::hostname::HostPattern;
use daemun_model::tls::{
    Certificate, ClientValidation, ClientValidationMode, Pem, Termination, TlsVersion,
};
use daemun_route::hosts::Hosts;
use rustls::client::Resumption;
use rustls::{AlertDescription, HandshakeKind, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio_rustls::TlsConnector;

use super::{ClientCertificate, ServerTls, server_config};
use crate::listen::handshake::HandshakeError;
use crate::listen::sni::{self, Secured};
use crate::pki;
use crate::pki::testing::{Authority, rsa, self_signed, store};

const LIMIT: Duration = Duration::from_secs(5);

fn after(time: Duration) -> tokio::time::Instant {
    tokio::time::Instant::from_std(daemun_base::clock::now()) + time
}

/// What listeners of HTTP offer.
const HTTP: &[&[u8]] = &[b"h2", b"http/1.1"];

fn termination(names: Vec<daemun_model::names::ObjectName>) -> Termination {
    Termination {
        certificates: names,
        min_version: TlsVersion::Tls12,
        max_version: TlsVersion::Tls13,
        client: None,
    }
}

fn listener(certificates: &[Certificate], client: Option<ClientValidation>) -> Arc<ServerTls> {
    let (map, names) = store(certificates);
    server_config(
        &Termination {
            client,
            ..termination(names)
        },
        HTTP,
        &map,
    )
    .unwrap()
}

fn validation(mode: ClientValidationMode, authorities: &[&Authority]) -> Option<ClientValidation> {
    let authorities = authorities
        .iter()
        .map(|authority| authority.pem())
        .collect();
    Some(ClientValidation { authorities, mode })
}

/// A port with listeners.
struct Port {
    hosts: Hosts<usize>,
    listeners: Vec<Arc<ServerTls>>,
}

impl Port {
    fn new(listeners: Vec<(&str, Arc<ServerTls>)>) -> Self {
        let patterns = listeners
            .iter()
            .map(|(host, _)| HostPattern::parse(host).unwrap());
        Self {
            hosts: patterns
                .enumerate()
                .map(|(place, pattern)| (pattern, place))
                .collect(),
            listeners: listeners.into_iter().map(|(_, tls)| tls).collect(),
        }
    }

    async fn accept(&self, stream: DuplexStream) -> Result<Secured<DuplexStream>, HandshakeError> {
        let tls = |place: usize| Some(Arc::clone(&self.listeners[place]));
        sni::accept(stream, &self.hosts, tls, after(LIMIT)).await
    }
}

/// A client that believes one authority, shows what it is given, and keeps its sessions.
fn client(believes: &Pem, shows: Option<&Certificate>) -> rustls::ClientConfig {
    client_of(believes, shows, rustls::DEFAULT_VERSIONS)
}

fn client_of(
    believes: &Pem,
    shows: Option<&Certificate>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> rustls::ClientConfig {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(believes.as_str().as_bytes()).unwrap())
        .unwrap();
    let builder = rustls::ClientConfig::builder_with_provider(pki::provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match shows {
        None => builder.with_no_client_auth(),
        Some(certificate) => {
            let key = pki::certified_key(certificate).unwrap();
            builder.with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(key)))
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.resumption = Resumption::in_memory_sessions(8);
    config
}

/// What both sides had of a handshake and one byte each way.
struct Met {
    server: Result<Secured<DuplexStream>, HandshakeError>,
    client: std::io::Result<Option<HandshakeKind>>,
    shown: Option<CertificateDer<'static>>,
}

async fn meet(port: &Port, config: &Arc<rustls::ClientConfig>, name: &str) -> Met {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let client = async {
        let mut stream = TlsConnector::from(Arc::clone(config))
            .connect(name, ours)
            .await?;
        stream.write_all(b"?").await?;
        // Tickets come after the handshake.
        stream.read_exact(&mut [0]).await?;
        let connection = stream.get_ref().1;
        let shown = connection
            .peer_certificates()
            .and_then(<[_]>::first)
            .cloned();
        Ok((connection.handshake_kind(), shown))
    };
    let server = async {
        let mut secured = port.accept(theirs).await?;
        let mut byte = [0];
        secured
            .stream
            .read_exact(&mut byte)
            .await
            .map_err(|_| HandshakeError::Closed)?;
        secured
            .stream
            .write_all(b"!")
            .await
            .map_err(|_| HandshakeError::Closed)?;
        Ok(secured)
    };
    let (client, server): (std::io::Result<_>, _) = tokio::join!(client, server);
    let shown = client.as_ref().ok().and_then(|(_, shown)| shown.clone());
    Met {
        server,
        client: client.map(|(kind, _)| kind),
        shown: shown.map(CertificateDer::into_owned),
    }
}

fn leaf(certificate: &Certificate) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(certificate.chain.as_str().as_bytes()).unwrap()
}

#[tokio::test]
async fn the_most_specific_listener_for_the_name_is_chosen() {
    let authority = Authority::new();
    let names = ["example.org", "*.example.org", "*.a.example.org"];
    let tls = |secret| listener(&[authority.issue(secret, &names)], None);
    let port = Port::new(vec![
        ("", tls("any")),
        ("*.example.org", tls("wildcard")),
        ("www.example.org", tls("exact")),
    ]);
    let config = Arc::new(client(&authority.pem(), None));
    for (name, expected) in [
        ("www.example.org", 2),
        ("WWW.Example.org", 2),
        ("shop.example.org", 1),
        ("x.a.example.org", 1),
        ("example.org", 0),
    ] {
        let met = meet(&port, &config, name).await;
        let secured = met.server.unwrap();
        assert_eq!(secured.listener, expected, "{name}");
        assert_eq!(
            secured.server_name.as_deref(),
            Some(name.to_ascii_lowercase().as_str())
        );
        assert!(secured.http2);
        assert_eq!(secured.client, ClientCertificate::NotAsked);
    }
}

#[tokio::test]
async fn a_name_that_nobody_has_is_told_so() {
    let authority = Authority::new();
    let tls = listener(
        &[authority.issue("one", &["one.example.org", "two.example.org"])],
        None,
    );
    let port = Port::new(vec![("one.example.org", tls)]);
    let mut config = client(&authority.pem(), None);
    let met = meet(&port, &Arc::new(config.clone()), "two.example.org").await;
    let Err(HandshakeError::UnrecognizedName(Some(name))) = &met.server else {
        panic!("{:?}", met.server)
    };
    assert_eq!(name, "two.example.org");
    let heard = met.client.unwrap_err().to_string();
    assert!(
        heard.contains("UnrecognizedName") || heard.contains("UnrecognisedName"),
        "{heard}"
    );
    config.enable_sni = false;
    let met = meet(&port, &Arc::new(config), "one.example.org").await;
    assert!(matches!(
        met.server,
        Err(HandshakeError::UnrecognizedName(None))
    ));
}

#[tokio::test]
async fn without_a_name_the_listener_for_all_names_is_chosen() {
    let authority = Authority::new();
    let tls = || listener(&[authority.issue("one", &["one.example.org"])], None);
    let port = Port::new(vec![("one.example.org", tls()), ("", tls())]);
    let mut config = client(&authority.pem(), None);
    config.enable_sni = false;
    config.alpn_protocols.clear();
    let secured = meet(&port, &Arc::new(config), "one.example.org")
        .await
        .server
        .unwrap();
    assert_eq!(
        (secured.listener, secured.server_name, secured.http2),
        (1, None, false)
    );
}

#[tokio::test]
async fn the_certificate_is_chosen_by_name_and_by_what_the_client_can_check() {
    let authority = Authority::new();
    let (rsa_key, rsa_pem) = rsa();
    let mut rsa = authority.issue_with("rsa", &["a.example.org"], &rsa_key);
    rsa.key = daemun_model::tls::Secret::new(rsa_pem.into_bytes());
    let ecdsa = authority.issue("ecdsa", &["a.example.org"]);
    let wildcard = authority.issue("wildcard", &["*.example.org"]);
    let all = [wildcard.clone(), rsa.clone(), ecdsa.clone()];
    let port = Port::new(vec![("", listener(&all, None))]);
    let modern = Arc::new(client(&authority.pem(), None));
    let only_rsa = {
        let suites =
            [rustls::crypto::aws_lc_rs::cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256];
        let provider = rustls::crypto::CryptoProvider {
            cipher_suites: suites.to_vec(),
            ..(*pki::provider()).clone()
        };
        let mut roots = RootCertStore::empty();
        roots.add(leaf_of(&authority.pem())).unwrap();
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS12])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    };
    for (config, name, expected) in [
        (&modern, "a.example.org", &rsa),
        (&modern, "b.example.org", &wildcard),
        (&only_rsa, "a.example.org", &rsa),
    ] {
        assert_eq!(
            meet(&port, config, name).await.shown,
            Some(leaf(expected)),
            "{name}"
        );
    }
    // Written the other way round, the other of the two is shown, except to who cannot check it.
    let port = Port::new(vec![("", listener(&[ecdsa.clone(), rsa.clone()], None))]);
    assert_eq!(
        meet(&port, &modern, "a.example.org").await.shown,
        Some(leaf(&ecdsa))
    );
    assert_eq!(
        meet(&port, &only_rsa, "a.example.org").await.shown,
        Some(leaf(&rsa))
    );
}

fn leaf_of(pem: &Pem) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_str().as_bytes()).unwrap()
}

#[tokio::test]
async fn versions_are_kept_within_the_bounds() {
    use TlsVersion::{Tls12, Tls13};
    use rustls::version::{TLS12, TLS13};
    let authority = Authority::new();
    let (map, names) = store(&[authority.issue("one", &["one.example.org"])]);
    for (min_version, max_version, with_12, with_13) in [
        (Tls12, Tls13, true, true),
        (Tls13, Tls13, false, true),
        (Tls12, Tls12, true, false),
    ] {
        let bounds = Termination {
            min_version,
            max_version,
            ..termination(names.clone())
        };
        let port = Port::new(vec![("", server_config(&bounds, HTTP, &map).unwrap())]);
        for (version, works) in [(&TLS12, with_12), (&TLS13, with_13)] {
            let config = Arc::new(client_of(&authority.pem(), None, &[version]));
            let met = meet(&port, &config, "one.example.org").await;
            assert_eq!(met.client.is_ok(), works, "{bounds:?} {version:?}");
        }
    }
    let nothing = Termination {
        min_version: Tls13,
        max_version: Tls12,
        ..termination(names)
    };
    assert!(
        server_config(&nothing, HTTP, &map)
            .unwrap_err()
            .contains("no TLS version")
    );
}

#[tokio::test]
async fn only_valid_client_certificates_are_let_in() {
    let (server, one, two, stranger) = (
        Authority::new(),
        Authority::new(),
        Authority::new(),
        Authority::new(),
    );
    let own = listener(
        &[server.issue("one", &["one.example.org"])],
        validation(ClientValidationMode::AllowValidOnly, &[&one, &two]),
    );
    let port = Port::new(vec![("", own)]);
    let (by_one, by_two) = (one.issue("client", &[]), two.issue("client", &[]));
    for shown in [&by_one, &by_two] {
        let config = Arc::new(client(&server.pem(), Some(shown)));
        let secured = meet(&port, &config, "one.example.org")
            .await
            .server
            .unwrap();
        assert_eq!(secured.client, ClientCertificate::Valid(leaf(shown)));
    }
    let refused = [
        stranger.issue("client", &[]),
        one.issue_expired("client", &[]),
    ];
    for shown in [None, Some(&refused[0]), Some(&refused[1])] {
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let config = Arc::new(client_of(&server.pem(), shown, &[version]));
            let met = meet(&port, &config, "one.example.org").await;
            assert!(met.client.is_err());
            let error = met.server.unwrap_err();
            assert!(
                matches!(error, HandshakeError::ClientCertificate(_)),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn insecure_fallback_lets_all_in_and_tells_which_they_are() {
    let (server, one, stranger) = (Authority::new(), Authority::new(), Authority::new());
    let own = listener(
        &[server.issue("one", &["one.example.org"])],
        validation(ClientValidationMode::AllowInsecureFallback, &[&one]),
    );
    let port = Port::new(vec![("", own)]);
    let valid = one.issue("client", &[]);
    let invalid = [
        stranger.issue("client", &[]),
        one.issue_expired("client", &[]),
        self_signed("client", &[]),
    ];
    let met = meet(
        &port,
        &Arc::new(client(&server.pem(), None)),
        "one.example.org",
    )
    .await;
    assert_eq!(met.server.unwrap().client, ClientCertificate::None);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = Arc::new(client_of(&server.pem(), Some(&valid), &[version]));
        let met = meet(&port, &config, "one.example.org").await;
        assert_eq!(
            met.server.unwrap().client,
            ClientCertificate::Valid(leaf(&valid))
        );
        for shown in &invalid {
            let config = Arc::new(client_of(&server.pem(), Some(shown), &[version]));
            // The second time is a resumption, and is judged no better.
            for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
                let met = meet(&port, &config, "one.example.org").await;
                assert_eq!(met.client.unwrap(), Some(kind));
                let secured = met.server.unwrap();
                let ClientCertificate::Invalid(certificate, _why) = secured.client else {
                    panic!("{:?}", secured.client)
                };
                assert_eq!(certificate, leaf(shown));
            }
        }
    }
}

#[tokio::test]
async fn a_client_certificate_that_is_listed_itself_is_valid() {
    let server = Authority::new();
    let own = self_signed("client", &["client.example.org"]);
    let validation = ClientValidation {
        authorities: vec![own.chain.clone()],
        mode: ClientValidationMode::AllowValidOnly,
    };
    let port = Port::new(vec![(
        "",
        listener(
            &[server.issue("one", &["one.example.org"])],
            Some(validation),
        ),
    )]);
    let met = meet(
        &port,
        &Arc::new(client(&server.pem(), Some(&own))),
        "one.example.org",
    )
    .await;
    assert_eq!(
        met.server.unwrap().client,
        ClientCertificate::Valid(leaf(&own))
    );
    let other = self_signed("client", &["client.example.org"]);
    let met = meet(
        &port,
        &Arc::new(client(&server.pem(), Some(&other))),
        "one.example.org",
    )
    .await;
    assert!(met.server.is_err());
}

#[tokio::test]
async fn sessions_resume_on_their_listener_and_on_no_other() {
    let server = Authority::new();
    let certificates = [server.issue("one", &["one.example.org"])];
    let strict = |authority: &Authority| {
        listener(
            &certificates,
            validation(ClientValidationMode::AllowValidOnly, &[authority]),
        )
    };
    let (one, two) = (Authority::new(), Authority::new());
    let own = one.issue("client", &[]);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let open = Port::new(vec![("", listener(&certificates, None))]);
        let other = Port::new(vec![("", listener(&certificates, None))]);
        let config = Arc::new(client_of(&server.pem(), Some(&own), &[version]));
        let name = "one.example.org";
        assert_eq!(
            meet(&open, &config, name).await.client.unwrap(),
            Some(HandshakeKind::Full)
        );
        assert_eq!(
            meet(&open, &config, name).await.client.unwrap(),
            Some(HandshakeKind::Resumed)
        );
        assert_eq!(
            meet(&other, &config, name).await.client.unwrap(),
            Some(HandshakeKind::Full)
        );
        // A session from a listener that asked for nothing does not open one that asks.
        let met = meet(&Port::new(vec![("", strict(&two))]), &config, name).await;
        assert!(met.client.is_err(), "{version:?}");
        // Nor does one from before the authorities were changed.
        let port = Port::new(vec![("", strict(&one))]);
        let config = Arc::new(client_of(&server.pem(), Some(&own), &[version]));
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let met = meet(&port, &config, name).await;
            assert_eq!(met.client.unwrap(), Some(kind));
            assert_eq!(
                met.server.unwrap().client,
                ClientCertificate::Valid(leaf(&own))
            );
        }
        let changed = Port::new(vec![("", strict(&two))]);
        assert!(
            meet(&changed, &config, name).await.client.is_err(),
            "{version:?}"
        );
    }
}

#[tokio::test]
async fn who_is_at_fault_is_told() {
    let authority = Authority::new();
    let port = Port::new(vec![(
        "",
        listener(&[authority.issue("one", &["one.example.org"])], None),
    )]);
    let (mut ours, theirs) = tokio::io::duplex(1024);
    ours.write_all(b"GET / HTTP/1.1\r\nHost: one.example.org\r\n\r\n")
        .await
        .unwrap();
    let error = port.accept(theirs).await.unwrap_err();
    assert!(matches!(error, HandshakeError::NotTls), "{error:?}");
    let (ours, theirs) = tokio::io::duplex(1024);
    drop(ours);
    let error = port.accept(theirs).await.unwrap_err();
    assert!(matches!(error, HandshakeError::Closed), "{error:?}");
    let (_ours, theirs) = tokio::io::duplex(1024);
    let tls = |_| Some(Arc::clone(&port.listeners[0]));
    let slow = sni::accept(theirs, &port.hosts, tls, after(Duration::from_millis(20))).await;
    assert!(matches!(slow, Err(HandshakeError::TimedOut)));
    let met = meet(
        &port,
        &Arc::new(client(&Authority::new().pem(), None)),
        "one.example.org",
    )
    .await;
    let error = met.server.unwrap_err();
    assert!(
        matches!(
            error,
            HandshakeError::RefusedByClient(
                AlertDescription::UnknownCA | AlertDescription::DecryptError
            )
        ),
        "{error:?}"
    );
    let mut config = client(&authority.pem(), None);
    config.alpn_protocols = vec![b"smtp".to_vec()];
    let error = meet(&port, &Arc::new(config), "one.example.org")
        .await
        .server
        .unwrap_err();
    assert!(matches!(error, HandshakeError::Client(_)), "{error:?}");
}

#[test]
fn what_cannot_be_used_is_said_in_a_sentence() {
    let authority = Authority::new();
    let (one, two) = (
        authority.issue("one", &["a"]),
        authority.issue("two", &["a"]),
    );
    let mut mixed = one.clone();
    mixed.key = two.key;
    let mut garbage = one.clone();
    garbage.key = daemun_model::tls::Secret::new(*b"no key");
    for (certificate, starts) in [
        (
            mixed,
            "certificate and private key in Secret default/one cannot be used",
        ),
        (
            garbage,
            "the private key in Secret default/one cannot be read",
        ),
    ] {
        let (map, names) = store(&[certificate]);
        let error = server_config(&termination(names), HTTP, &map).unwrap_err();
        assert!(error.starts_with(starts), "{error}");
    }
    let (_, names) = store(&[one]);
    let error = server_config(&termination(names), HTTP, &store(&[]).0).unwrap_err();
    assert_eq!(error, "the certificate of Secret default/one is not there");
    let error = server_config(&termination(Vec::new()), HTTP, &store(&[]).0).unwrap_err();
    assert_eq!(error, "the listener has no certificate");
}
