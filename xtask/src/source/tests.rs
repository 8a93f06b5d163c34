//! What is code, what is a comment, what is a test.

use super::{Source, item_end, mark_test_modules};

fn code(text: &str) -> String {
    Source::new("src/a.rs", text).code.trim_end().to_owned()
}

#[test]
fn comments_and_literals_are_blank() {
    let cases = [
        ("let a = 1; // unwrap()", "let a = 1;"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"x("a \" // b", 'c')"#, r#"x("         ", ' ')"#),
        (r##"r#"a " b"# + b"x""##, r##"r#"      # + b" ""##),
        ("fn a<'b>(c: &'b str) {}", "fn a<'b>(c: &'b str) {}"),
        (r"['\'', '\\', '{']", r"['  ', '  ', ' ']"),
        (r"b'{' + 'r'", r"b' ' + ' '"),
        ("for r in bar", "for r in bar"),
        ("\"a\n}\" b", "\" \n \" b"),
    ];
    for (text, expected) in cases {
        assert_eq!(code(text), expected, "{text}");
    }
}

#[test]
fn comments_are_kept_apart() {
    let source = Source::new("src/a.rs", "let a = \"// no\"; // yes\n");
    assert_eq!(source.comments.trim(), "// yes");
}

#[test]
fn tests_are_marked_to_the_end_of_their_item() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { '}'; }\n}\nfn c() {}\n";
    let source = Source::new("src/a.rs", text);
    let lines: Vec<usize> = source.production().map(|(number, _)| number).collect();
    assert_eq!(lines, [1, 6]);
    assert!(source.is_test(3) && !source.is_test(6));
}

#[test]
fn a_test_module_in_a_file_of_its_own_ends_at_the_semicolon() {
    let source = Source::new("src/a.rs", "#[cfg(test)]\nmod tests;\nfn c() {}\n");
    let lines: Vec<usize> = source.production().map(|(number, _)| number).collect();
    assert_eq!(lines, [3]);
}

#[test]
fn files_of_tests_have_no_production_lines() {
    for path in [
        "crates/a/src/b/tests.rs",
        "crates/a/tests/suite/main.rs",
        "crates/a/benches/b.rs",
    ] {
        assert_eq!(
            Source::new(path, "fn a() {}\n").production().count(),
            0,
            "{path}"
        );
    }
}

#[test]
fn an_item_ends_behind_its_block() {
    let code = "fn a(b: [u8; 4]) { if b {} } fn c() {}";
    assert_eq!(&code[..item_end(code, 0)], "fn a(b: [u8; 4]) { if b {} }");
}

#[test]
fn a_file_that_is_declared_for_tests_has_no_production_lines() {
    for attribute in ["#[cfg(test)]", "#[cfg(any(test, feature = \"oracle\"))]"] {
        declared_for_tests(&format!("{attribute}\npub(crate) mod b;\nmod c;\n"));
    }
}

fn declared_for_tests(declaration: &str) {
    let paths = [
        "src/a.rs",
        "src/a/b.rs",
        "src/a/b/d.rs",
        "src/a/c.rs",
        "src/b.rs",
    ];
    let mut sources: Vec<Source> = paths
        .iter()
        .map(|path| Source::new(*path, declaration))
        .collect();
    mark_test_modules(&mut sources[..]);
    let lines: Vec<usize> = sources
        .iter()
        .map(|source| source.production().count())
        .collect();
    // `src/b.rs` is not `src/a/b.rs`, and `src/a/c.rs` is not declared for tests.
    assert_eq!(lines, [1, 0, 0, 1, 1]);
}
