//! Statuses, error types, and what clients hear in each language.

use daemun_model::listener::ProxyStatus;
use http::{HeaderValue, Method, Request};

use super::{Asker, Own, response};
use crate::http::check::Fault;
use crate::http::reply::words;
use crate::observe::answers::ANSWERS;
use crate::upstream::failure::{Broken, ConnectError};
use crate::upstream::tls;

fn asker(lines: &[(&str, &str)], method: Method) -> Asker {
    let mut request = Request::builder().method(method);
    for (name, value) in lines {
        request = request.header(*name, *value);
    }
    Asker::of(&request.body(()).unwrap())
}

fn all() -> Vec<(Own, u16, &'static str, &'static str)> {
    let secret = || "10.0.0.7:8080 in team-b/secret".to_owned();
    let io = |kind: std::io::ErrorKind| std::io::Error::from(kind);
    let refused = io(std::io::ErrorKind::ConnectionRefused);
    let reset = io(std::io::ErrorKind::ConnectionReset);
    vec![
        (
            Own::Malformed(Fault::HostMissing),
            400,
            "http_request_error",
            "13",
        ),
        (
            Own::BadPath(daemun_route::paths::PathError::AboveRoot),
            400,
            "http_request_error",
            "13",
        ),
        (Own::BadTarget, 400, "http_request_error", "13"),
        (Own::TargetTooLong, 414, "http_request_error", "8"),
        (Own::HeadTooLarge, 431, "http_request_error", "8"),
        (Own::BodyTooLarge, 413, "http_request_error", "8"),
        (Own::ClientBody, 400, "http_request_error", "13"),
        (Own::NoMatch, 404, "destination_not_found", "12"),
        (Own::Misdirected, 421, "http_request_error", "14"),
        (Own::ListenerGone, 421, "http_request_error", "14"),
        (
            Own::InvalidListener(secret()),
            500,
            "proxy_configuration_error",
            "14",
        ),
        (
            Own::InvalidFilter(secret()),
            500,
            "proxy_configuration_error",
            "14",
        ),
        (
            Own::NoDecision {
                written: secret(),
                reason: secret(),
            },
            503,
            "destination_unavailable",
            "14",
        ),
        (
            Own::InvalidBackend {
                written: secret(),
                reason: secret(),
            },
            500,
            "proxy_configuration_error",
            "14",
        ),
        (Own::NoBackend, 500, "proxy_configuration_error", "14"),
        (Own::Overloaded, 503, "http_request_denied", "14"),
        (Own::NoEndpoints, 503, "destination_unavailable", "14"),
        (
            Own::Connect(ConnectError::TimedOut),
            503,
            "connection_timeout",
            "14",
        ),
        (
            Own::Connect(ConnectError::Tcp(refused)),
            503,
            "connection_refused",
            "14",
        ),
        (
            Own::Connect(ConnectError::Tls(tls::ConnectError::Certificate(secret()))),
            503,
            "tls_certificate_error",
            "14",
        ),
        (
            Own::Connect(ConnectError::Tls(tls::ConnectError::Handshake(secret()))),
            503,
            "tls_protocol_error",
            "14",
        ),
        (
            Own::Connect(ConnectError::Tls(tls::ConnectError::Io(reset))),
            503,
            "connection_refused",
            "14",
        ),
        (Own::TryTimedOut, 504, "http_response_timeout", "4"),
        (Own::TimedOut, 504, "http_response_timeout", "4"),
        (
            Own::TriesExhausted(Broken::Closed),
            503,
            "connection_terminated",
            "14",
        ),
        (Own::OverBudget, 503, "destination_unavailable", "14"),
        (Own::UnaskedUpgrade, 502, "http_upgrade_failed", "14"),
        (Own::NotUpgraded, 502, "http_upgrade_failed", "14"),
    ]
}

#[test]
fn every_answer_has_its_status_and_type_and_tells_no_secret() {
    let id = HeaderValue::from_static("0123456789abcdef");
    let text = asker(&[], Method::GET);
    let grpc = asker(&[("content-type", "application/grpc+proto")], Method::POST);
    for (own, status, error, grpc_status) in all() {
        let answer = response(&own, &text, (ProxyStatus::Error, None), Some(&id));
        assert_eq!(answer.status().as_u16(), status, "{own:?}");
        assert_eq!(
            answer.headers()["proxy-status"],
            format!("daemun; error={error}; request-id=\"0123456789abcdef\""),
        );
        let body = std::str::from_utf8(answer.body()).unwrap();
        assert!(
            body.starts_with(&status.to_string())
                && body.ends_with("Request id: 0123456789abcdef\n")
        );
        assert!(
            !body.contains("10.0.0.7") && !body.contains("team-b"),
            "{body}"
        );

        let answer = response(&own, &grpc, (ProxyStatus::Off, None), Some(&id));
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/grpc");
        assert_eq!(answer.headers()["grpc-status"], grpc_status, "{own:?}");
        assert!(answer.headers().contains_key("grpc-message") && answer.body().is_empty());
        assert!(!answer.headers().contains_key("proxy-status"));
    }
}

#[test]
fn labels_tell_answers_apart() {
    assert_eq!(words::ALL.map(|words| words.label), ANSWERS);
    let mut labels: Vec<_> = all()
        .iter()
        .map(|(own, ..)| ANSWERS[own.number()])
        .collect();
    // The path and the target share one, as do two ways for a connection to fail.
    labels.sort_unstable();
    labels.dedup();
    assert_eq!(labels.len(), all().len() - 2);
    assert!(labels.iter().all(|label| {
        label
            .bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_lowercase())
    }));
}

#[test]
fn details_are_for_colleagues() {
    let own = Own::InvalidBackend {
        written: "Service shop/\"catalog\":80".to_owned(),
        reason: "it does not exist – \\".to_owned(),
    };
    let answer = response(
        &own,
        &asker(&[], Method::GET),
        (ProxyStatus::Full, None),
        None,
    );
    assert_eq!(
        answer.headers()["proxy-status"],
        r#"daemun; error=proxy_configuration_error; details="Service shop/\"catalog\":80: it does not exist ? \\""#
    );
    let place = "HTTPRoute shop/all, rule 1, for Service shop/catalog:80";
    for (own, rest) in [
        (Own::NoEndpoints, ""),
        (
            Own::Connect(ConnectError::TimedOut),
            ": no connection came about in time",
        ),
    ] {
        let answer = response(
            &own,
            &asker(&[], Method::GET),
            (ProxyStatus::Full, Some(place)),
            None,
        );
        let status = answer.headers()["proxy-status"].to_str().unwrap();
        let details = status.split_once("; details=").unwrap().1;
        assert_eq!(details, format!("\"{place}{rest}\""));
    }
}

#[test]
fn json_is_for_those_who_ask_for_it() {
    for (accept, json) in [
        ("application/json", true),
        ("application/problem+json", true),
        ("application/json, text/plain, */*", true),
        (
            "text/html,application/xhtml+xml,application/json;q=0.9",
            false,
        ),
        ("text/plain;q=0.5, application/json", true),
        ("application/json;q=0", false),
        ("*/*", false),
        ("text/plain", false),
    ] {
        let answer = response(
            &Own::NoMatch,
            &asker(&[("accept", accept)], Method::GET),
            (ProxyStatus::Off, None),
            None,
        );
        let kind = answer.headers()["content-type"].to_str().unwrap();
        assert_eq!(kind == "application/problem+json", json, "{accept}");
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(answer.body()).is_ok(),
            json
        );
    }
}

#[test]
fn head_is_answered_without_a_body_and_overload_with_a_time() {
    let answer = response(
        &Own::Overloaded,
        &asker(&[], Method::HEAD),
        (ProxyStatus::Off, None),
        None,
    );
    assert!(answer.body().is_empty());
    assert_ne!(answer.headers()["content-length"], "0");
    assert_eq!(answer.headers()["retry-after"], "1");
}

#[test]
fn the_content_type_says_which_grpc_is_spoken_if_any() {
    for (sent, answered) in [
        ("application/grpc", "application/grpc"),
        ("application/grpc+proto", "application/grpc"),
        ("application/grpc; charset=utf-8", "application/grpc"),
        ("application/grpc-web+proto", "application/grpc-web"),
        ("application/grpc-web-text", "application/grpc-web-text"),
        ("application/grpcish", "text/plain; charset=utf-8"),
        ("application/json", "text/plain; charset=utf-8"),
    ] {
        let asker = asker(&[("content-type", sent)], Method::POST);
        let answer = response(&Own::NoMatch, &asker, (ProxyStatus::Off, None), None);
        assert_eq!(answer.headers()["content-type"], answered, "{sent}");
        let grpc = answer.headers().get("grpc-status");
        assert_eq!(grpc.is_some(), answered.starts_with("application/grpc"));
    }
}
