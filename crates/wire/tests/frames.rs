//! What the two ends say to each other, as each version says it: `tests/wire/<version>.frames.txt` has a line for
//! each frame, with who says it, its bytes and what they mean. It is recorded once for each version that is released,
//! and never again; `UPDATE_WIRE=1` records those of the version in work.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::fmt::{Debug, Write as _};
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use daemun_wire::answer::{Phase, Refused};
use daemun_wire::commit::{Piece, cut};
use daemun_wire::frame::{self, Answer, FromProxy, ToProxy};
use daemun_wire::resource::{Name, Version};
use daemun_wire::versions::Versions;
use serde::Serialize;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/wire")
}

fn to_proxy() -> Vec<ToProxy> {
    vec![
        ToProxy::Hello {
            version: "1.2.3".to_owned(),
            protocol: 1,
        },
        ToProxy::Tell,
        ToProxy::Commit(Piece {
            bytes: Bytes::from_static(b"commit"),
            last: false,
        }),
        ToProxy::Ping,
    ]
}

fn from_proxy() -> Vec<FromProxy> {
    let root = Version::of(b"all");
    let mut versions = Versions::default();
    versions.insert(&Name::from("gateway".to_owned()), Version::of(b"gateway"));
    let mut frames = vec![
        FromProxy::Hello {
            version: "1.2.3".to_owned(),
            protocol: 1,
        },
        FromProxy::Subscribe { root: None },
        FromProxy::Subscribe { root: Some(root) },
        FromProxy::Have(cut(&versions).unwrap().remove(0)),
        FromProxy::Pong,
    ];
    for phase in [
        Phase::Starting,
        Phase::Ready,
        Phase::Draining,
        Phase::Silent,
    ] {
        frames.push(FromProxy::Answer(Answer {
            phase,
            generation: None,
            root: None,
            refused: Vec::new(),
            reached: None,
        }));
    }
    for reached in [false, true] {
        frames.push(FromProxy::Answer(Answer {
            phase: Phase::Ready,
            generation: Some(3),
            root: None,
            refused: Vec::new(),
            reached: Some(reached),
        }));
    }
    frames.push(FromProxy::Answer(Answer {
        phase: Phase::Ready,
        generation: Some(3),
        root: Some(root),
        refused: vec![Refused {
            what: "listener infra/shop/https".to_owned(),
            why: "its port is taken".to_owned(),
        }],
        reached: None,
    }));
    frames
}

fn line<T: Serialize + Debug>(who: &str, frame: &T) -> String {
    let mut line = who.to_owned() + " ";
    for byte in frame::write(frame).unwrap() {
        write!(line, "{byte:02x}").unwrap();
    }
    format!("{line} {frame:?}")
}

/// What the bytes of a line mean now.
fn meaning(line: &str) -> String {
    let mut parts = line.splitn(3, ' ');
    let (who, hex) = (parts.next().unwrap(), parts.next().unwrap());
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    let meant = match who {
        "controller" => frame::read::<ToProxy>(&bytes).map(|frame| format!("{frame:?}")),
        _ => frame::read::<FromProxy>(&bytes).map(|frame| format!("{frame:?}")),
    };
    format!("{who} {hex} {}", meant.unwrap_or_else(|why| why))
}

#[test]
fn what_other_versions_say_is_understood() {
    let own = directory().join(format!("{}.frames.txt", env!("CARGO_PKG_VERSION")));
    if std::env::vars().any(|(name, value)| name == "UPDATE_WIRE" && value == "1") {
        let to = to_proxy();
        let to = to.iter().map(|frame| line("controller", frame));
        let from = from_proxy();
        let from = from.iter().map(|frame| line("proxy", frame));
        let lines: Vec<String> = to.chain(from).collect();
        fs::write(&own, lines.join("\n") + "\n").unwrap();
    }
    let mut frames = 0;
    for entry in fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().ends_with(".frames.txt") {
            for line in fs::read_to_string(&path).unwrap().lines() {
                frames += 1;
                assert_eq!(meaning(line), line, "{}", path.display());
            }
        }
    }
    assert!(frames >= to_proxy().len() + from_proxy().len());
}
