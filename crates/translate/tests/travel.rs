//! What is translated arrives at proxies as it was: every golden case over the wire, and streams that earlier versions
//! sent.
//!
//! `tests/wire/<version>.bin` has what that version sent for some cases, and `<version>.json` what it meant. They are
//! recorded once for each version that is released and never again; `UPDATE_WIRE=1` records those of the version
//! in work. A difference means that a proxy and a controller of these versions would not understand each other:
//! what is added to the model must be left out where it is not used (`daemun_model` says how).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test that fails is a test that fails"
)]

mod cases;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daemun_model::Snapshot;
use daemun_wire::client::replay;
use daemun_wire::server::whole;
use serde_json::{Value, json};

/// The cases of which streams are recorded: one for each thing that travels.
const RECORDED: &[&str] = &[
    "backend-app-protocol",
    "backend-kubernetes",
    "backend-own",
    "backendpolicy",
    "backendtlspolicy",
    "filter-cors",
    "filter-external-auth",
    "filter-headers",
    "filter-mirror",
    "filter-redirect",
    "filter-rewrite",
    "filter-unresolved",
    "gateway-backend-client-certificate",
    "listener-client-certificates",
    "listenerpolicy",
    "listenerset-routes",
    "policy-retry",
    "policy-session",
    "policy-timeouts",
    "route-matches",
    "tcproute",
    "tlsroute",
    "udproute",
];

fn snapshots(case: &Path) -> Vec<Arc<Snapshot>> {
    let text = fs::read_to_string(case).unwrap();
    let outcome = daemun_translate::translate(&cases::read(case, &text));
    outcome.configuration.gateways.values().cloned().collect()
}

#[test]
fn every_case_arrives_as_it_was() {
    for case in cases::all() {
        for snapshot in snapshots(&case) {
            let frames = whole(&snapshot).unwrap();
            let frames = frames.iter().map(|frame| &frame[..]);
            let update = replay(frames)
                .unwrap_or_else(|why| panic!("{}: {why}", case.display()))
                .unwrap();
            assert_eq!(update.refused, [], "{}", case.display());
            let arrived: Vec<_> = update.configuration.gateways.values().collect();
            assert_eq!(arrived, [&snapshot], "{}", case.display());
        }
    }
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/wire")
}

/// Streams one after the other: how many frames one has, and then each frame with its length before it.
fn written(streams: &[Vec<Vec<u8>>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let number = |count: usize| u32::try_from(count).unwrap().to_be_bytes();
    for stream in streams {
        bytes.extend(number(stream.len()));
        for frame in stream {
            bytes.extend(number(frame.len()));
            bytes.extend(frame);
        }
    }
    bytes
}

fn read(mut bytes: &[u8]) -> Vec<Vec<Vec<u8>>> {
    fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
        let (taken, rest) = bytes.split_at(count);
        *bytes = rest;
        taken
    }
    let number = |bytes: &mut &[u8]| {
        let four = take(bytes, 4).try_into().unwrap();
        usize::try_from(u32::from_be_bytes(four)).unwrap()
    };
    let mut streams = Vec::new();
    while !bytes.is_empty() {
        let frames = number(&mut bytes);
        let frame = |bytes: &mut &[u8]| {
            let length = number(bytes);
            take(bytes, length).to_vec()
        };
        streams.push((0..frames).map(|_| frame(&mut bytes)).collect());
    }
    streams
}

fn record() {
    let (mut streams, mut meant) = (Vec::new(), Vec::new());
    for name in RECORDED {
        for snapshot in snapshots(&cases::directory().join(format!("{name}.in.yaml"))) {
            let frames = whole(&snapshot).unwrap();
            streams.push(frames.iter().map(|frame| frame.to_vec()).collect());
            meant.push(json!(&*snapshot));
        }
    }
    let path = |end: &str| directory().join(format!("{}.{end}", env!("CARGO_PKG_VERSION")));
    fs::write(path("bin"), written(&streams)).unwrap();
    fs::write(
        path("json"),
        serde_json::to_string_pretty(&meant).unwrap() + "\n",
    )
    .unwrap();
}

#[test]
fn what_earlier_versions_sent_is_read_as_they_meant_it() {
    if std::env::vars().any(|(name, value)| name == "UPDATE_WIRE" && value == "1") {
        record();
    }
    let mut versions = 0;
    for entry in fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "bin") {
            continue;
        }
        versions += 1;
        let meant = fs::read(path.with_extension("json")).unwrap();
        let meant: Vec<Value> = serde_json::from_slice(&meant).unwrap();
        let streams = read(&fs::read(&path).unwrap());
        assert_eq!(streams.len(), meant.len(), "{}", path.display());
        for (stream, meant) in streams.iter().zip(&meant) {
            let update = replay(stream.iter().map(|frame| &frame[..]));
            let update = update.unwrap_or_else(|why| panic!("{}: {why}", path.display()));
            let update = update.unwrap();
            assert_eq!(update.refused, [], "{}", path.display());
            let arrived = update.configuration.gateways.values().next().unwrap();
            assert_eq!(json!(&**arrived), *meant, "{}", path.display());
        }
    }
    assert!(versions > 0, "there is no recorded stream");
}
