//! What the two ends of the wire read of each other: any bytes are read without a panic, what is read is written so
//! that it reads the same, and a configuration that came of frames travels on as the one that it is.
//!
//! An input is a list of frames: two bytes of length before each.

#![no_main]

use std::fmt::Debug;

use daemun_wire::client::replay;
use daemun_wire::commit::{Commit, Piece, Pieces};
use daemun_wire::frame::{self, FromProxy, ToProxy};
use daemun_wire::server::whole;
use daemun_wire::versions::Versions;
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes that what comes in pieces may have here.
const MOST: usize = 1 << 16;

fuzz_target!(|bytes: &[u8]| {
    let frames = frames(bytes);
    for bytes in &frames {
        reads_the_same::<FromProxy>(bytes);
        reads_the_same::<ToProxy>(bytes);
    }
    pieces(&frames);
    let Ok(Some(update)) = replay(frames.iter().copied()) else {
        return;
    };
    if !update.refused.is_empty() {
        return;
    }
    for snapshot in update.configuration.gateways.values() {
        let frames = whole(snapshot).expect("what was read can be written");
        let again = replay(frames.iter().map(|frame| &frame[..]));
        let again = again
            .expect("what is written is read")
            .expect("it is whole");
        assert_eq!(again.configuration, update.configuration);
    }
});

fn frames(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (frame, rest) = rest.split_at(length);
        frames.push(frame);
        bytes = rest;
    }
    frames
}

fn reads_the_same<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(read) = frame::read::<T>(bytes) {
        let written = frame::write(&read).expect("what was read can be written");
        assert_eq!(frame::read::<T>(&written).as_ref(), Ok(&read));
    }
}

/// What comes in pieces is never more than it may be, whatever is said of its end.
fn pieces(frames: &[&[u8]]) {
    let (mut commit, mut have) = (Pieces::at_most(MOST), Pieces::at_most(MOST));
    for (number, bytes) in frames.iter().enumerate() {
        let piece = Piece {
            bytes: bytes.to_vec().into(),
            last: number % 3 == 2,
        };
        let _ = commit.take::<Commit>(&piece);
        let _ = have.take::<Versions>(&piece);
    }
}
