//! Circles of modules in made-up crates.

use super::{Cycle, cycles};
use crate::source::Source;

fn largest(files: &[(&str, &str)]) -> Option<Cycle> {
    let read = |(file, text): &(&str, &str)| Source::new(format!("crates/a/src/{file}"), text);
    let sources: Vec<Source> = files.iter().map(read).collect();
    cycles(&sources)
        .into_iter()
        .map(|(_, cycle)| cycle)
        .max_by_key(|cycle| cycle.modules.len())
}

fn list(files: &[(&str, &str)]) -> String {
    largest(files).map(|cycle| cycle.list()).unwrap_or_default()
}

const LIB: (&str, &str) = ("lib.rs", "pub mod a;\npub mod b;\npub mod c;\npub mod d;\n");

#[test]
fn one_direction_is_no_circle() {
    let files = [
        LIB,
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "use super::c;"),
        ("c.rs", "struct C;"),
    ];
    assert_eq!(list(&files), "");
}

#[test]
fn each_kind_of_path_is_seen() {
    let ways = [
        "use crate::a::A;",
        "use crate::{a::A, c};",
        "use crate::{c, a::{self, A}};",
        "use super::a;",
        "fn b(a: &crate::a::A) {}",
        "fn b() { super::a::c() }",
        "use crate::a::A as B;",
        "use crate::a::*;",
        "use crate::\n    a::A;",
    ];
    for way in ways {
        let files = [
            LIB,
            ("a.rs", "use crate::b;"),
            ("b.rs", way),
            ("c.rs", "struct C;"),
        ];
        assert_eq!(list(&files), "a, b", "{way}");
    }
}

#[test]
fn comments_strings_and_tests_are_not_seen() {
    let ways = [
        "// crate::a::A",
        "const B: &str = \"crate::a::A\";",
        "#[cfg(test)]\nmod tests { use crate::a::A; }",
        "use other::a::A;",
        "pub(super) struct B;",
    ];
    for way in ways {
        let files = [LIB, ("a.rs", "use crate::b;"), ("b.rs", way)];
        assert_eq!(list(&files), "", "{way}");
    }
}

#[test]
fn a_parent_and_its_children_are_one_thing_seen_from_outside() {
    let parent = ("a.rs", "mod child;\nstruct A;\nfn a() { child::b() }");
    let files = [LIB, parent, ("a/child.rs", "use super::A;")];
    assert_eq!(list(&files), "");
    let files = [
        LIB,
        parent,
        ("a/child.rs", "use crate::b;"),
        ("b.rs", "use super::a::A;"),
    ];
    assert_eq!(list(&files), "a, b");
}

#[test]
fn neighbours_are_compared_at_each_level() {
    let files = [
        LIB,
        ("a/mod.rs", "mod b;\nmod c;"),
        ("a/b.rs", "use super::c::C;"),
        ("a/c.rs", "fn d() { super::b::e() }"),
    ];
    assert_eq!(list(&files), "a::b, a::c");
}

#[test]
fn a_reexport_is_a_signpost() {
    let lib = ("lib.rs", "mod a;\nmod b;\npub use b::{B, C as D};\n");
    let files = [lib, ("a.rs", "use crate::{B, D};"), ("b.rs", "struct B;")];
    assert_eq!(list(&files), "");
    let files = [lib, ("a.rs", "use crate::D;"), ("b.rs", "use crate::a;")];
    assert_eq!(list(&files), "a, b");
}

#[test]
fn four_modules_in_a_circle_fail_and_three_do_not() {
    let three = [
        LIB,
        ("a.rs", "use crate::b;"),
        ("b.rs", "use crate::c;"),
        ("c.rs", "\nuse crate::a;"),
        ("d.rs", "use crate::a;"),
    ];
    let cycle = largest(&three).unwrap();
    assert_eq!(cycle.list(), "a, b, c");
    assert_eq!(cycle.finding("crates/a"), None);
    let mut four = three;
    four[3].1 = "\nuse crate::d;";
    let finding = largest(&four).unwrap().finding("crates/a").unwrap();
    assert!(
        finding.starts_with("crate crates/a: 4 modules use each other in a circle"),
        "{finding}"
    );
    assert!(
        finding.contains("crates/a/src/c.rs:2: c uses d"),
        "{finding}"
    );
}
