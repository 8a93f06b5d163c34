//! Lines as they are written, and which requests become lines.

use std::path::PathBuf;
use std::time::Duration;

use http::Request;

use super::{AccessLog, Destination, Entry, Format, Settings, Subject, Told};

fn entry(sampled: bool) -> Entry {
    let request = Request::builder()
        .method("GET")
        .uri("/shop/a%20b?token=s3cret")
        .header("host", "shop.example")
        .header("user-agent", "one \"two\"\u{9}é".as_bytes())
        .body(())
        .unwrap();
    Entry::of(&request, "10.0.0.7:4711".parse().unwrap(), true, sampled)
}

fn told(entry: &Entry, status: u16) -> Told<'_> {
    Told {
        subject: Subject::Request(entry),
        status,
        lasted: Duration::from_micros(1_234_567),
        received: 3,
        sent: 512,
        tries: 1,
        by: "backend",
        reason: None,
        listener: Some(&"infra/shop/https"),
        route: Some(&"HTTPRoute shop/orders"),
        rule: Some(&"checkout"),
        backend: Some(&"Service shop/orders:8080"),
    }
}

fn line(format: &str) -> String {
    let mut entry = entry(true);
    entry.client = Some("192.0.2.1".parse().unwrap());
    let mut text = String::new();
    format
        .parse::<Format>()
        .unwrap()
        .line(&told(&entry, 200), &mut text);
    text
}

#[test]
fn json_lines_are_json_and_leave_secrets_out() {
    let text = line("json");
    assert!(text.ends_with("}\n") && !text.contains("s3cret"));
    let mut line: serde_json::Value = serde_json::from_str(&text).unwrap();
    let time = line.as_object_mut().unwrap().remove("time").unwrap();
    assert_eq!(
        time.as_str().unwrap().len(),
        "2026-11-23T17:00:00.000Z".len()
    );
    assert_eq!(
        line,
        serde_json::json!({
            "client": "192.0.2.1", "method": "GET", "scheme": "https", "host": "shop.example",
            "path": "/shop/a%20b", "protocol": "HTTP/1.1", "status": 200, "duration_ms": 1234.567,
            "bytes_in": 3, "bytes_out": 512, "answered_by": "backend", "listener": "infra/shop/https",
            "route": "HTTPRoute shop/orders", "rule": "checkout", "backend": "Service shop/orders:8080",
            "tries": 1, "user_agent": "one \"two\"\té",
        })
    );
}

#[test]
fn json_lines_have_the_fields_that_are_named() {
    for (format, expected) in [
        (
            "json:status,query",
            "{\"status\":200,\"query\":\"token=s3cret\"}\n",
        ),
        ("json:reason", "{}\n"),
    ] {
        assert_eq!(line(format), expected);
    }
}

#[test]
fn text_lines_keep_to_their_line() {
    for (format, expected) in [
        ("{method} {path} -> {status}", "GET /shop/a%20b -> 200\n"),
        ("{{{status}}} {reason}", "{200} -\n"),
        ("\"{user_agent}\"", "\"one \\\"two\\\"\\té\"\n"),
        (
            "{target} {duration_ms} {client} {peer}",
            "/shop/a%20b?token=s3cret 1234.567 192.0.2.1 10.0.0.7:4711\n",
        ),
    ] {
        assert_eq!(line(format), expected);
    }
}

fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("daemun-access-log-{}-{name}", std::process::id()))
}

fn lines(path: &PathBuf) -> Vec<String> {
    std::fs::read_to_string(path)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn failures_are_logged_whatever_chance_says_and_statuses_are_kept_to() {
    let path = file("which");
    let settings = Settings {
        format: "{status}".parse().unwrap(),
        destination: Destination::File(path.clone()),
        statuses: "0,2xx,5xx".parse().unwrap(),
        one_in: 1_000,
    };
    let log = AccessLog::start(settings, 2).unwrap();
    let sink = log.sink(1).unwrap();
    for (status, sampled) in [
        (200, true),
        (200, false),
        (503, false),
        (404, true),
        (0, false),
    ] {
        let entry = entry(sampled);
        sink.write(&told(&entry, status));
    }
    log.flush();
    assert_eq!(lines(&path), ["200", "503", "0"]);
    let sampled = (0..10_000).filter(|random| sink.sample(*random)).count();
    assert_eq!(sampled, 10);
    drop(log);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_file_that_was_moved_away_is_followed_by_a_new_one() {
    let (path, moved) = (file("now"), file("before"));
    let settings = Settings {
        format: "{status}".parse().unwrap(),
        destination: Destination::File(path.clone()),
        ..Settings::default()
    };
    let log = AccessLog::start(settings, 1).unwrap();
    let (sink, entry) = (log.sink(0).unwrap(), entry(true));
    sink.write(&told(&entry, 200));
    log.flush();
    std::fs::rename(&path, &moved).unwrap();
    sink.write(&told(&entry, 201));
    log.flush();
    log.reopen();
    sink.write(&told(&entry, 202));
    // What is there when the log ends is written too.
    drop(log);
    assert_eq!(
        (lines(&moved), lines(&path)),
        (vec!["200".into(), "201".into()], vec!["202".into()])
    );
    std::fs::remove_file(path).unwrap();
    std::fs::remove_file(moved).unwrap();
}

#[test]
fn a_file_that_cannot_be_opened_is_told_at_the_start() {
    let settings = Settings {
        destination: Destination::File("/nowhere/access.log".into()),
        ..Settings::default()
    };
    let error = AccessLog::start(settings, 1).err().unwrap();
    assert!(
        error.contains("/nowhere/access.log cannot be opened"),
        "{error}"
    );
}
