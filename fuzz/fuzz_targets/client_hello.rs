//! The first message of TLS: any bytes are read without a panic, a name is one that can be compared, and whoever
//! sees less of the message sees no other name.

#![no_main]

use daemun_proxy::hello::server_name;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(Some(name)) = server_name(bytes) else {
        return;
    };
    assert!(!name.is_empty() && name.len() <= 253, "{name}");
    assert!(
        name.is_ascii() && name.parse::<std::net::IpAddr>().is_err(),
        "{name}"
    );
    assert_eq!(name, name.to_ascii_lowercase());
    for end in 0..bytes.len() {
        let part = server_name(&bytes[..end]);
        assert!(!matches!(part, Ok(Some(_))), "{part:?} at {end}");
    }
});
