//! The rules of the module's documentation, a line a case.

use std::borrow::Cow;

use proptest::prelude::*;

use super::PathError::{
    AboveRoot, Backslash, Control, Delimiter, NonAscii, Nul, Percent, Relative,
};
use super::normalize;

#[test]
fn what_is_in_order_is_borrowed() {
    for path in [
        "/",
        "/a",
        "/a/",
        "//",
        "//a//b//",
        "/a.b",
        "/.well-known/x",
        "/...",
        "/a../b",
        "/..a",
        "/a%20b",
        "/a%2Fb",
        "/%C3%A9",
        "/a;b=c,d",
        "/~user/-_.",
        "/a:b@c!$&'()*+,=",
        "/\"<>^`{|}",
        "/%25",
        "/%0A",
        "/%5C",
        "/%252e%252e",
        "/..;/a",
    ] {
        assert!(
            matches!(normalize(path), Ok(Cow::Borrowed(same)) if same == path),
            "{path}"
        );
    }
}

#[test]
fn what_is_not_in_order_is_written_anew() {
    for (path, normal) in [
        ("/.", "/"),
        ("/./", "/"),
        ("/a/.", "/a/"),
        ("/a/./b", "/a/b"),
        ("/a/..", "/"),
        ("/a/../", "/"),
        ("/a/../b", "/b"),
        ("/a/b/..", "/a/"),
        ("/a/b/../..", "/"),
        ("/a/b/../../c", "/c"),
        ("/a//../b", "/a/b"),
        ("//..", "/"),
        ("//../a", "/a"),
        ("//./a", "//a"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/.%2e/b", "/b"),
        ("/a/%2e", "/a/"),
        ("/%2e%2e%2e", "/..."),
        ("/%61%5f%7e", "/a_~"),
        ("/%c3%a9", "/%C3%A9"),
        ("/a%2fb", "/a%2Fb"),
        ("/a%2f../b", "/a%2F../b"),
        ("/a/../b%2f", "/b%2F"),
        ("/%41/./%2f", "/A/%2F"),
        ("/.well-known/%41", "/.well-known/A"),
    ] {
        assert_eq!(normalize(path).as_deref(), Ok(normal), "{path}");
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    for (path, error) in [
        ("", Relative),
        ("*", Relative),
        ("a/b", Relative),
        ("%2Fa", Relative),
        ("/..", AboveRoot),
        ("/../a", AboveRoot),
        ("/a/../..", AboveRoot),
        ("/a/../../b", AboveRoot),
        ("/%2e%2e/a", AboveRoot),
        ("/./..", AboveRoot),
        ("/%", Percent),
        ("/%2", Percent),
        ("/%2g", Percent),
        ("/%%41", Percent),
        ("/a/../%zz", Percent),
        ("/%00", Nul),
        ("/a/../%00", Nul),
        ("/a b", Control),
        ("/a\t", Control),
        ("/a\0", Control),
        ("/a\x7f", Control),
        ("/a/../\n", Control),
        ("/a\\b", Backslash),
        ("/a/..\\b", Backslash),
        ("/é", NonAscii),
        ("/a#b", Delimiter),
        ("/a?b", Delimiter),
    ] {
        assert_eq!(normalize(path), Err(error), "{path:?}");
    }
}

proptest! {
    #[test]
    fn a_normal_path_is_normal(path in "/([a.%/2eEfF]|%2e|%41|\\.\\.|//){0,12}") {
        if let Ok(once) = normalize(&path) {
            prop_assert!(matches!(normalize(&once), Ok(Cow::Borrowed(_))), "{path} gave {once}");
        }
    }
}
