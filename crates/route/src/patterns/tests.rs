//! Expressions, texts, and what satisfies what; with both engines, and with expressions that fail.

use super::{Engine, Patterns};

fn matches(patterns: &Patterns, text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    patterns.each_match(text.as_bytes(), |number| found.push(number));
    found.sort_unstable();
    found
}

#[test]
fn an_expression_is_about_the_whole_text() {
    for (written, text, whole) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a", "ba", false),
        ("a|ab", "ab", true),
        ("a|b", "ab", false),
        ("", "", true),
        ("", "a", false),
        ("a*?", "aaa", true),
        ("^a$", "a", true),
        ("/v[0-9]+/.*", "/v12/", true),
        ("/v[0-9]+/.*", "/v/", false),
        ("(?i)/ab", "/AB", true),
        ("(?x) a # comment", "a", true),
        (r"\w+", "a_1", true),
        (r"\w+", "é", false),
        ("é", "é", true),
        ("[é]", "é", true),
        (r"\bab\b", "ab", true),
        (r"a\b.", "a/", true),
    ] {
        assert_eq!(
            Patterns::compile(&[written]).is_match(text.as_bytes()),
            whole,
            "{written} {text}"
        );
    }
}

#[test]
fn all_that_match_are_found() {
    let patterns = Patterns::compile(&["/a.*", "/.*b", "/ab", "/c", "/a.*"]);
    for (text, found) in [
        ("/ab", &[0, 1, 2, 4][..]),
        ("/a", &[0, 4]),
        ("/b", &[1]),
        ("/c", &[3]),
        ("/d", &[]),
        ("", &[]),
    ] {
        assert_eq!(matches(&patterns, text), found, "{text}");
    }
}

#[test]
fn one_that_fails_harms_no_other() {
    let patterns = Patterns::compile(&["(", "/a", "((a{500}){500}){500}", "/b", "a{2,1}"]);
    assert_eq!(
        (matches(&patterns, "/a"), matches(&patterns, "/b")),
        (vec![1], vec![3])
    );
    let compiled: Vec<_> = (0..5).filter(|number| patterns.has(*number)).collect();
    assert_eq!(compiled, [1, 3]);
    let nothing = Patterns::compile(&["("]);
    assert!(!nothing.has(0) && !nothing.is_match(b"("));
}

#[test]
fn expressions_that_multiply_are_computed_as_they_are_used() {
    let written: Vec<String> = (0..40).map(|at| format!("/.*x{at}y.*z{at}.*")).collect();
    let patterns = Patterns::compile(&written.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(matches!(patterns.engine, Engine::Used { .. }));
    for _ in 0..2 {
        assert_eq!(matches(&patterns, "/x7y-x31y-z31-z8-z7"), [7, 31]);
        assert!(matches(&patterns, "/x7y").is_empty());
    }
}

#[test]
fn ordinary_expressions_are_computed_ahead() {
    let written: Vec<String> = (0..100)
        .map(|at| format!("/svc-{at}/v[0-9]+/[^/]+/items(/.*)?"))
        .collect();
    let patterns = Patterns::compile(&written.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(matches!(patterns.engine, Engine::Ahead { .. }));
    assert_eq!(matches(&patterns, "/svc-42/v7/a/items/b"), [42]);
}
