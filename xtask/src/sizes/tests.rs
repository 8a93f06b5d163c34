//! Each limit on made-up sources: kept, and broken by one.

use super::{Report, functions, measure};
use crate::source::Source;

fn report(path: &str, text: &str) -> Report {
    measure(&[Source::new(path, text)])
}

/// The findings as they are printed, one to a line.
fn findings(path: &str, text: &str) -> String {
    let found = report(path, text).findings;
    found
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

fn file_of(lines: usize) -> String {
    format!("//! What.\n{}", "const A: u8 = 0;\n".repeat(lines))
}

fn function_of(lines: usize) -> String {
    format!("//! What.\nfn a() {{\n{}}}\n", "    b();\n".repeat(lines))
}

#[test]
fn a_file_of_600_lines_fails_and_one_of_500_does_not() {
    let found = findings("crates/route/src/a.rs", &file_of(600));
    assert!(
        found.starts_with("crates/route/src/a.rs:1: 600 production lines, 500 at most"),
        "{found}"
    );
    assert_eq!(findings("crates/route/src/a.rs", &file_of(500)), "");
}

#[test]
fn comments_blank_lines_and_tests_do_not_count() {
    let tests = format!(
        "#[cfg(test)]\nmod tests {{\n{}}}\n",
        "fn b() {}\n".repeat(600)
    );
    let text = format!(
        "{}{}{tests}",
        file_of(10),
        "\n// words\n/* words\n words */\n".repeat(300)
    );
    assert_eq!(findings("crates/route/src/a.rs", &text), "");
    assert_eq!(report("crates/route/src/a.rs", &text).files[0].size, 10);
}

#[test]
fn a_function_of_101_lines_fails_and_one_of_100_does_not() {
    let found = findings("xtask/src/a.rs", &function_of(101));
    assert!(
        found.starts_with("xtask/src/a.rs:2: fn a has 101 lines, 100 at most"),
        "{found}"
    );
    assert_eq!(findings("xtask/src/a.rs", &function_of(100)), "");
}

#[test]
fn seven_parameters_fail_and_six_do_not() {
    let seven = "//! What.\nfn a(&self, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8) {}\n";
    assert!(findings("xtask/src/a.rs", seven).contains("fn a takes 7 parameters, 6 at most"));
    let six = "//! What.\nfn a(b: (u8, u8), c: Map<u8, u8>, d: [u8; 2], e: u8, f: fn(u8, u8) -> u8, g: u8,) {}\n";
    assert_eq!(findings("xtask/src/a.rs", six), "");
}

#[test]
fn functions_are_found_with_their_parameters() {
    let cases = [
        ("fn a() {}", 0),
        ("fn a(&self) {}", 1),
        ("fn a<F: Fn(u8, u8) -> u8>(f: F, b: u8) {}", 2),
        ("fn a(\n    b: u8,\n    c: u8,\n);", 2),
        (
            "fn a(b: impl Fn() -> Vec<u8>, c: u8) -> impl Fn(u8, u8) {}",
            2,
        ),
    ];
    for (text, parameters) in cases {
        let found = functions::of(&Source::new("src/a.rs", text));
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(found[0].parameters, parameters, "{text}");
        assert_eq!(found[0].name, "a");
    }
    assert!(functions::of(&Source::new("src/a.rs", "type A = fn (u8);")).is_empty());
}

#[test]
fn a_file_without_its_first_words_fails() {
    assert!(
        findings("crates/a/tests/b.rs", "use c;\n").contains("b.rs:1: the first line is not //!")
    );
}

#[test]
fn unwrap_fails_in_production_code_only() {
    let text = "//! What.\nfn a() { b().unwrap(); }\n#[cfg(test)]\nfn t() { b().unwrap(); }\n";
    assert!(findings("crates/route/src/a.rs", text).starts_with("crates/route/src/a.rs:2: unwrap"));
    assert_eq!(findings("crates/testkit/src/a.rs", text), "");
    assert_eq!(
        findings(
            "crates/route/src/a.rs",
            "//! What.\n// .unwrap()\nfn a() {}\n"
        ),
        ""
    );
}

#[test]
fn each_thousand_lines_may_expect_once() {
    let once = "fn a() { b().expect(\"c\"); }\n";
    let small = format!("//! What.\n{once}");
    assert_eq!(findings("crates/route/src/a.rs", &small), "");
    let twice = format!("{small}{once}");
    assert!(findings("crates/route/src/a.rs", &twice).contains("2 expects in a crate of 2"));
    let parser = "//! What.\nfn a() { b.expect(b'c'); b.expect(b'd'); }\n";
    assert_eq!(
        findings("crates/route/src/a.rs", parser),
        "",
        "a method of our own"
    );
    let lines = "//! What.\n".to_owned() + &"const A: u8 = 0;\n".repeat(499) + once;
    let many =
        ["crates/route/src/a.rs", "crates/route/src/b.rs"].map(|path| Source::new(path, &lines));
    assert_eq!(measure(&many).findings.len(), 1, "1,000 lines, 2 expects");
    let other =
        ["crates/route/src/a.rs", "crates/model/src/b.rs"].map(|path| Source::new(path, &lines));
    assert_eq!(measure(&other).findings.len(), 0, "each crate has its own");
}

#[test]
fn an_allow_needs_a_reason() {
    let bare = "//! What.\n#[allow(dead_code)]\nfn a() {}\n";
    assert!(findings("crates/route/src/a.rs", bare).contains("a.rs:2: an allow without a reason"));
    let within = "//! What.\n#![cfg_attr(test, allow(dead_code))]\n";
    assert!(findings("crates/route/src/a.rs", within).contains("a.rs:2: an allow"));
    for text in [
        "//! What.\n#[allow(dead_code, reason = \"b\")]\nfn a() {}\n",
        "//! What.\nfn a() { [b, allow(c)] }\n",
    ] {
        assert_eq!(findings("crates/route/src/a.rs", text), "", "{text}");
    }
}

#[test]
fn what_is_left_to_do_needs_an_issue() {
    let text = "//! What.\n// TODO: b\n// TODO(#12): c\n/* FIXME d */\nconst A: &str = \"TODO\";\n";
    let found = findings("crates/route/src/a.rs", text);
    let lines: Vec<&str> = found
        .lines()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(
        lines,
        ["crates/route/src/a.rs:2", "crates/route/src/a.rs:4"]
    );
}
