//! Heads that pass, with the host they are for, and heads that do not, with the reason.

use http::request::Parts;
use http::{Method, Request, Version};

use super::{Fault, host};

fn parts(version: Version, method: &str, target: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder()
        .version(version)
        .method(method)
        .uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn checked(version: Version, target: &str, headers: &[(&str, &str)]) -> Result<String, Fault> {
    host(&mut parts(version, "GET", target, headers)).map(|host| host.to_string())
}

#[test]
fn hosts_are_lower_case_without_port_and_dot() {
    for (sent, name) in [
        ("a.example", Ok("a.example")),
        ("A.Example", Ok("a.example")),
        ("a.example:8080", Ok("a.example")),
        ("a.example.", Ok("a.example")),
        ("a.example.:80", Ok("a.example")),
        ("a_b.example", Ok("a_b.example")),
        ("10.0.0.1:80", Ok("10.0.0.1")),
        ("[::1]", Ok("[::1]")),
        ("[2001:DB8::1]:8443", Ok("[2001:db8::1]")),
        ("localhost", Ok("localhost")),
        ("", Err(Fault::HostMissing)),
        (":80", Err(Fault::HostMalformed)),
        (".", Err(Fault::HostMalformed)),
        ("a..example", Err(Fault::HostMalformed)),
        ("a.example..", Err(Fault::HostMalformed)),
        (".example", Err(Fault::HostMalformed)),
        ("a.example:", Err(Fault::HostMalformed)),
        ("a.example:+80", Err(Fault::HostMalformed)),
        ("a.example:65536", Err(Fault::HostMalformed)),
        ("a.example:8080:80", Err(Fault::HostMalformed)),
        ("a example", Err(Fault::HostMalformed)),
        ("a.example/x", Err(Fault::HostMalformed)),
        ("u@a.example", Err(Fault::HostMalformed)),
        ("a.example,b.example", Err(Fault::HostMalformed)),
        ("%61.example", Err(Fault::HostMalformed)),
        ("::1", Err(Fault::HostMalformed)),
        ("[::1", Err(Fault::HostMalformed)),
        ("[::1]x", Err(Fault::HostMalformed)),
        ("[a.example]", Err(Fault::HostMalformed)),
        ("é.example", Err(Fault::HostMalformed)),
    ] {
        let got = checked(Version::HTTP_11, "/", &[("host", sent)]);
        assert_eq!(got.as_deref(), name.as_ref().map(|name| &**name), "{sent}");
    }
    let long = "a.".repeat(127) + "aa";
    assert_eq!(
        checked(Version::HTTP_11, "/", &[("host", &long)]),
        Err(Fault::HostMalformed)
    );
}

type Case = (
    Version,
    &'static str,
    &'static [(&'static str, &'static str)],
    Result<&'static str, Fault>,
);

const V1: Version = Version::HTTP_11;
const V2: Version = Version::HTTP_2;
const A: &[(&str, &str)] = &[("host", "a.example")];
const B: &[(&str, &str)] = &[("host", "b.example")];
const A_80: &[(&str, &str)] = &[("host", "a.example:80")];
const A_8080: &[(&str, &str)] = &[("host", "a.example:8080")];

const TARGETS: [Case; 25] = [
    (V1, "a.example", A, Err(Fault::TargetForm)),
    (V1, "/", &[], Err(Fault::HostMissing)),
    (Version::HTTP_10, "/", &[], Err(Fault::HostMissing)),
    (
        V1,
        "/",
        &[("host", "a"), ("host", "a")],
        Err(Fault::HostRepeated),
    ),
    (
        V1,
        "/",
        &[("host", "a"), ("host", "b")],
        Err(Fault::HostRepeated),
    ),
    (V1, "http://a.example/x", A, Ok("a.example")),
    (V1, "http://A.example/x", A, Ok("a.example")),
    (V1, "http://a.example:80/x", A, Ok("a.example")),
    (V1, "http://a.example/x", A_80, Ok("a.example")),
    (V1, "http://a.example/x", B, Err(Fault::HostsDiffer)),
    (V1, "http://a.example/x", A_8080, Err(Fault::HostsDiffer)),
    (V1, "https://a.example/x", A_80, Err(Fault::HostsDiffer)),
    (V1, "http://a.example/x", &[], Err(Fault::HostMissing)),
    (V1, "http://u:p@a.example/x", A, Err(Fault::UserInfo)),
    (V1, "ftp://a.example/x", A, Err(Fault::Scheme)),
    (V2, "https://a.example/x", &[], Ok("a.example")),
    (V2, "https://A.example:8443/x", &[], Ok("a.example")),
    (V2, "https://a.example/x", A, Ok("a.example")),
    (V2, "https://a.example/x", B, Err(Fault::HostsDiffer)),
    (V2, "/x", A, Ok("a.example")),
    (V2, "/x", &[], Err(Fault::HostMissing)),
    (V1, "*", A, Err(Fault::Asterisk)),
    (V1, "/x?a=\\", A, Err(Fault::TargetCharacter)),
    (V1, "/x?a=%5C&b[]={1}|", A, Ok("a.example")),
    (V1, "/x?a=é", A, Err(Fault::TargetCharacter)),
];

#[test]
fn target_and_host_agree() {
    for (version, target, headers, expected) in TARGETS {
        let Ok(uri) = target.parse::<http::Uri>() else {
            // The engine refuses it before.
            assert!(expected.is_err(), "{target}");
            continue;
        };
        let got = checked(version, &uri.to_string(), headers);
        let got = got.as_deref().map_err(|fault| *fault);
        assert_eq!(got, expected, "{version:?} {target} {headers:?}");
    }
}

#[test]
fn host_is_there_once_whatever_the_version() {
    let mut head = parts(Version::HTTP_2, "GET", "https://A.example:8443/x", &[]);
    let host = host(&mut head).unwrap();
    assert_eq!(host.sent, "A.example:8443");
    assert_eq!(
        head.headers.get_all("host").iter().collect::<Vec<_>>(),
        ["A.example:8443"]
    );
}

#[test]
fn the_end_of_a_body_is_said_once() {
    let te = |value| ("transfer-encoding", value);
    let cl = |value| ("content-length", value);
    for (version, headers, expected) in [
        (Version::HTTP_11, vec![te("chunked")], None),
        (Version::HTTP_11, vec![te("Chunked")], None),
        (
            Version::HTTP_11,
            vec![te("gzip, chunked")],
            Some(Fault::TransferEncoding),
        ),
        (
            Version::HTTP_11,
            vec![te("chunked, chunked")],
            Some(Fault::TransferEncoding),
        ),
        (
            Version::HTTP_11,
            vec![te("chunked"), te("chunked")],
            Some(Fault::TransferEncoding),
        ),
        (
            Version::HTTP_11,
            vec![te("identity")],
            Some(Fault::TransferEncoding),
        ),
        (
            Version::HTTP_11,
            vec![te("xchunked")],
            Some(Fault::TransferEncoding),
        ),
        (
            Version::HTTP_11,
            vec![te("")],
            Some(Fault::TransferEncoding),
        ),
        (
            Version::HTTP_10,
            vec![te("chunked")],
            Some(Fault::TransferEncoding),
        ),
        (
            Version::HTTP_2,
            vec![te("chunked")],
            Some(Fault::TransferEncoding),
        ),
        (Version::HTTP_11, vec![cl("0")], None),
        (Version::HTTP_2, vec![cl("17")], None),
        (Version::HTTP_11, vec![cl("+1")], Some(Fault::ContentLength)),
        (Version::HTTP_11, vec![cl("-1")], Some(Fault::ContentLength)),
        (
            Version::HTTP_11,
            vec![cl("1, 1")],
            Some(Fault::ContentLength),
        ),
        (
            Version::HTTP_11,
            vec![cl("0x1")],
            Some(Fault::ContentLength),
        ),
        (Version::HTTP_11, vec![cl("")], Some(Fault::ContentLength)),
        (
            Version::HTTP_11,
            vec![cl("18446744073709551616")],
            Some(Fault::ContentLength),
        ),
        (
            Version::HTTP_11,
            vec![cl("1"), cl("2")],
            Some(Fault::ContentLength),
        ),
        (
            Version::HTTP_11,
            vec![cl("1"), cl("1")],
            Some(Fault::ContentLength),
        ),
        (
            Version::HTTP_11,
            vec![cl("1"), te("chunked")],
            Some(Fault::BothLengths),
        ),
    ] {
        let mut all = vec![("host", "a.example")];
        all.extend(headers);
        assert_eq!(
            checked(version, "/", &all).err(),
            expected,
            "{version:?} {all:?}"
        );
    }
}

#[test]
fn connect_is_for_extended_connect_only() {
    let head = |version, target: &str| {
        let mut head = parts(version, "GET", target, &[("host", "a.example")]);
        head.method = Method::CONNECT;
        head
    };
    assert_eq!(
        host(&mut head(Version::HTTP_11, "/")).err(),
        Some(Fault::Connect)
    );
    let mut plain = head(Version::HTTP_2, "/");
    plain.uri = "a.example:443".parse().unwrap();
    assert_eq!(host(&mut plain).err(), Some(Fault::Connect));
    assert!(host(&mut head(Version::HTTP_2, "https://a.example/chat")).is_ok());
    let mut extended = head(Version::HTTP_2, "https://a.example/chat");
    extended
        .extensions
        .insert(hyper::ext::Protocol::from_static("websocket"));
    assert!(host(&mut extended).is_ok());
}

#[test]
fn an_asterisk_is_for_options() {
    let mut head = parts(Version::HTTP_11, "OPTIONS", "*", &[("host", "a.example")]);
    assert!(host(&mut head).is_ok());
}
