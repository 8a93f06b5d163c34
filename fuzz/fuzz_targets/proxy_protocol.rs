//! A PROXY protocol header, version 1 or 2: any bytes are read without a panic, what is taken fits into
//! the bytes, and how the bytes arrive makes no difference.

#![no_main]

use daemun_proxy::proxy_protocol::{Parsed, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let whole = parse(bytes);
    match whole {
        Parsed::Header { length, .. } => {
            assert!((1..=bytes.len()).contains(&length), "{whole:?}");
            // What comes after the header says nothing about it.
            assert_eq!(parse(&bytes[..length]), whole);
        }
        Parsed::Need(least) => assert!(least > bytes.len(), "{whole:?}"),
        Parsed::None | Parsed::Malformed(_) => {}
    }
    // Whoever sees less of it never decides otherwise, except to wait.
    for end in 0..bytes.len() {
        let part = parse(&bytes[..end]);
        let waits = matches!(part, Parsed::Need(_));
        assert!(waits || part == whole, "{part:?} at {end}, then {whole:?}");
    }
});
