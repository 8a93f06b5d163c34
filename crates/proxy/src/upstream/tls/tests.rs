//! Handshakes with a backend in memory.

use std::sync::Arc;
use std::time::Duration;

use daemun_model::backend::BackendProtocol;
use daemun_model::names::ObjectName;
use daemun_model::tls::{Authorities, BackendTls, Certificate, Pem, SubjectAltName};
use rustls::server::WebPkiClientVerifier;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use super::{ConnectError, client_config, connect, is_http2, server_name};
use crate::pki::testing::{Authority, self_signed, store};
use crate::pki::{self};

fn policy(hostname: &str, authorities: Vec<Pem>) -> BackendTls {
    BackendTls {
        hostname: hostname.to_owned(),
        subject_alt_names: Vec::new(),
        authorities: Authorities::These(authorities),
        client_certificate: None,
    }
}

struct Backend {
    certificate: Certificate,
    alpn: Vec<&'static str>,
    clients: Option<Authority>,
}

impl Backend {
    fn new(certificate: Certificate) -> Self {
        Self {
            certificate,
            alpn: vec!["h2", "http/1.1"],
            clients: None,
        }
    }

    fn config(&self) -> Arc<rustls::ServerConfig> {
        let builder = rustls::ServerConfig::builder_with_provider(pki::provider())
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match &self.clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let trusted = pki::Authorities::from_pem(&[authority.pem()]).unwrap();
                let roots = Arc::clone(trusted.roots());
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, pki::provider());
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = pki::certified_key(&self.certificate).unwrap();
        let resolver = rustls::sign::SingleCertAndKey::from(key);
        let mut config = builder.with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = self
            .alpn
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        Arc::new(config)
    }
}

/// Whether HTTP/2 was agreed on, and the client certificates that the backend saw.
async fn shake(
    backend: &Backend,
    tls: &BackendTls,
    protocol: BackendProtocol,
    own: &[Certificate],
) -> Result<(bool, usize), ConnectError> {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let config = client_config(tls, protocol, &store(own).0).unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    let client = connect(ours, config, server_name(tls).unwrap(), deadline);
    let server = TlsAcceptor::from(backend.config()).accept(theirs);
    let (client, server) = tokio::join!(client, server);
    let client = client?;
    let server = server.map_err(|error| ConnectError::Handshake(error.to_string()))?;
    let shown = server.get_ref().1.peer_certificates().map_or(0, <[_]>::len);
    Ok((is_http2(&client), shown))
}

#[tokio::test]
async fn the_hostname_is_the_identity() {
    let authority = Authority::new();
    let backend = Backend::new(authority.issue("backend", &["abc.example.com", "*.w.example.com"]));
    for (hostname, believed) in [
        ("abc.example.com", true),
        ("a.w.example.com", true),
        ("a.b.w.example.com", false),
        ("other.example.com", false),
    ] {
        let tls = policy(hostname, vec![authority.pem()]);
        let done = shake(&backend, &tls, BackendProtocol::Http, &[]).await;
        match done {
            Ok(_) => assert!(believed, "{hostname}"),
            Err(ConnectError::Certificate(why)) => {
                assert!(!believed, "{hostname}: {why}");
                assert!(why.contains(hostname), "{why}");
            }
            Err(other) => panic!("{hostname}: {other}"),
        }
    }
}

#[tokio::test]
async fn authorities_of_the_same_subject_are_all_tried() {
    let (one, two, stranger) = (Authority::new(), Authority::new(), Authority::new());
    let believed = vec![one.pem(), two.pem()];
    for authority in [&one, &two] {
        let backend = Backend::new(authority.issue("backend", &["abc.example.com"]));
        let tls = policy("abc.example.com", believed.clone());
        shake(&backend, &tls, BackendProtocol::Http, &[])
            .await
            .unwrap();
    }
    let bundle = vec![Pem::new(format!(
        "{}{}",
        one.pem().as_str(),
        two.pem().as_str()
    ))];
    let backend = Backend::new(two.issue("backend", &["abc.example.com"]));
    shake(
        &backend,
        &policy("abc.example.com", bundle),
        BackendProtocol::Http,
        &[],
    )
    .await
    .unwrap();
    let backend = Backend::new(stranger.issue("backend", &["abc.example.com"]));
    let refused = shake(
        &backend,
        &policy("abc.example.com", believed),
        BackendProtocol::Http,
        &[],
    )
    .await;
    assert!(
        matches!(refused, Err(ConnectError::Certificate(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_list_of_names_takes_the_place_of_the_hostname() {
    let authority = Authority::new();
    let names = [
        "abc.example.com",
        "spiffe://abc.example.com/test-identity",
        "*",
    ];
    let backend = Backend::new(authority.issue("backend", &names));
    let dns = |name: &str| SubjectAltName::Hostname(name.to_owned());
    let uri = |name: &str| SubjectAltName::Uri(name.to_owned());
    for (wanted, believed) in [
        (vec![dns("abc.example.com")], true),
        (vec![dns("other.example.com"), dns("ABC.example.com")], true),
        (vec![uri("spiffe://abc.example.com/test-identity")], true),
        (
            vec![uri("spiffe://abc.example.com/other"), dns("*.example.com")],
            true,
        ),
        (vec![dns("*.w.example.com")], false),
        (vec![dns("other.example.com")], false),
        (vec![uri("spiffe://abc.example.com")], false),
    ] {
        // The hostname alone would be believed in none of the cases.
        let mut tls = policy("unrelated.example.com", vec![authority.pem()]);
        tls.subject_alt_names.clone_from(&wanted);
        let done = shake(&backend, &tls, BackendProtocol::Http, &[]).await;
        assert_eq!(done.is_ok(), believed, "{wanted:?}: {done:?}");
    }
    let mut tls = policy("abc.example.com", vec![authority.pem()]);
    tls.subject_alt_names = vec![dns("other.example.com")];
    let error = shake(&backend, &tls, BackendProtocol::Http, &[])
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("is among those listed"),
        "{error}"
    );
}

#[tokio::test]
async fn a_star_is_no_name_and_no_obstacle() {
    let authority = Authority::new();
    let backend = Backend::new(authority.issue("backend", &["*", "*.org", "abc.example.com"]));
    let tls = policy("abc.example.com", vec![authority.pem()]);
    shake(&backend, &tls, BackendProtocol::Http, &[])
        .await
        .unwrap();
    let tls = policy("other.example.com", vec![authority.pem()]);
    assert!(
        shake(&backend, &tls, BackendProtocol::Http, &[])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_self_signed_certificate_is_believed_if_it_is_listed_itself() {
    let own = self_signed("backend", &["abc.example.com"]);
    let listed = own.chain.clone();
    let backend = Backend::new(own);
    shake(
        &backend,
        &policy("abc.example.com", vec![listed.clone()]),
        BackendProtocol::Http,
        &[],
    )
    .await
    .unwrap();
    let other_name = policy("other.example.com", vec![listed]);
    assert!(
        shake(&backend, &other_name, BackendProtocol::Http, &[])
            .await
            .is_err()
    );
    let unlisted = policy("abc.example.com", vec![Authority::new().pem()]);
    assert!(
        shake(&backend, &unlisted, BackendProtocol::Http, &[])
            .await
            .is_err()
    );
    let system = BackendTls {
        authorities: Authorities::System,
        ..unlisted
    };
    assert!(
        shake(&backend, &system, BackendProtocol::Http, &[])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn an_expired_certificate_is_not_believed() {
    let authority = Authority::new();
    let backend = Backend::new(authority.issue_expired("backend", &["abc.example.com"]));
    let tls = policy("abc.example.com", vec![authority.pem()]);
    let error = shake(&backend, &tls, BackendProtocol::Http, &[])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("expired"), "{error}");
}

#[tokio::test]
async fn the_protocol_decides_what_is_offered() {
    let authority = Authority::new();
    let mut backend = Backend::new(authority.issue("backend", &["abc.example.com"]));
    let tls = policy("abc.example.com", vec![authority.pem()]);
    let mut tried = Vec::new();
    for alpn in [vec!["h2", "http/1.1"], vec!["http/1.1"], vec![]] {
        backend.alpn = alpn;
        for protocol in [
            BackendProtocol::Http,
            BackendProtocol::Http1,
            BackendProtocol::Http2,
        ] {
            let http2 = shake(&backend, &tls, protocol, &[])
                .await
                .map(|(http2, _)| http2);
            tried.push(http2.ok());
        }
    }
    let expected = [
        [Some(true), Some(false), Some(true)],
        // A backend that speaks HTTP/1.1 only refuses who wants HTTP/2 only.
        [Some(false), Some(false), None],
        [Some(false), Some(false), Some(false)],
    ];
    assert_eq!(tried, expected.concat());
}

#[tokio::test]
async fn the_gateways_own_certificate_is_shown_to_who_asks() {
    let authority = Authority::new();
    let mut backend = Backend::new(authority.issue("backend", &["abc.example.com"]));
    let own = authority.issue("gateway", &[]);
    let mut tls = policy("abc.example.com", vec![authority.pem()]);
    tls.client_certificate = Some(own.name.clone());
    let own = [own];
    assert_eq!(
        shake(&backend, &tls, BackendProtocol::Http, &own)
            .await
            .unwrap()
            .1,
        0
    );
    backend.clients = Some(Authority::new());
    assert!(
        shake(&backend, &tls, BackendProtocol::Http, &own)
            .await
            .is_err(),
        "signed by another"
    );
    backend.clients = Some(authority);
    assert_eq!(
        shake(&backend, &tls, BackendProtocol::Http, &own)
            .await
            .unwrap()
            .1,
        1
    );
}

#[tokio::test]
async fn a_backend_that_says_nothing_is_waited_for_until_the_deadline() {
    let (ours, _theirs) = tokio::io::duplex(1024);
    let tls = policy("abc.example.com", vec![Authority::new().pem()]);
    let config = client_config(&tls, BackendProtocol::Http, &store(&[]).0).unwrap();
    let deadline = Instant::now() + Duration::from_millis(20);
    let error = connect(ours, config, server_name(&tls).unwrap(), deadline)
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::TimedOut), "{error}");
}

#[test]
fn what_cannot_be_used_is_said_in_a_sentence() {
    let usable = policy("abc.example.com", vec![Authority::new().pem()]);
    let config =
        |tls: &BackendTls| client_config(tls, BackendProtocol::Http, &store(&[]).0).unwrap_err();
    let no_authority = policy("abc.example.com", vec![Pem::new("nothing")]);
    assert_eq!(
        config(&no_authority),
        "there is no usable certificate among the authorities"
    );
    let mut no_certificate = usable.clone();
    no_certificate.client_certificate = Some(ObjectName::new("default", "own"));
    assert_eq!(
        config(&no_certificate),
        "the client certificate of Secret default/own is not there"
    );
    let mut no_name = usable;
    no_name.hostname = "not a name".to_owned();
    assert_eq!(
        config(&no_name),
        "\"not a name\" is not a hostname that TLS could ask for"
    );
}
