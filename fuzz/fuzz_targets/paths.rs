//! A path that is taken is in its normal spelling: reading it again changes nothing, it never names a
//! parent, and it means what the path means to someone who decodes it in the plainest way.

#![no_main]

use std::borrow::Cow;

use daemun_route::paths::normalize;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|path: &str| {
    let Ok(normal) = normalize(path) else { return };
    assert!(
        matches!(normalize(&normal), Ok(Cow::Borrowed(_))),
        "{path:?} gave {normal:?}, which changes again"
    );
    assert!(
        normal.starts_with('/') && normal.len() <= path.len(),
        "{path:?} gave {normal:?}"
    );
    assert!(
        !normal
            .split('/')
            .any(|element| element == "." || element == ".."),
        "{path:?} gave {normal:?}"
    );
    assert!(
        !normal
            .bytes()
            .any(|byte| byte <= b' ' || byte >= 0x7f || b"\\#?".contains(&byte)),
        "{path:?}"
    );
    let elements = plainly(path);
    assert_eq!(normal, format!("/{}", elements.join("/")), "{path:?}");
});

/// Decodes elements one by one, then drops those that are dots.
fn plainly(path: &str) -> Vec<String> {
    let mut elements: Vec<String> = Vec::new();
    let written: Vec<String> = path.split('/').skip(1).map(decoded).collect();
    for (at, element) in written.iter().enumerate() {
        let last = at + 1 == written.len();
        match element.as_str() {
            ".." | "." => {
                if element == ".." {
                    elements.pop().expect("a path above the root is refused");
                }
                if last {
                    elements.push(String::new());
                }
            }
            _ => elements.push(element.clone()),
        }
    }
    elements
}

fn decoded(element: &str) -> String {
    let mut pieces = element.split('%');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at(2);
        let byte = u8::from_str_radix(digits, 16).expect("a bad encoding is refused");
        match char::from(byte) {
            plain if plain.is_ascii_alphanumeric() || "-._~".contains(plain) => out.push(plain),
            _ => out.push_str(&format!("%{}", digits.to_ascii_uppercase())),
        }
        out.push_str(rest);
    }
    out
}
