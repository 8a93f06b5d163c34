//! Documents: values, places, aliases, limits, and JSON.

use daemun_model::verdict::FieldPath;

use super::super::document::{Node, Value};
use super::super::scalar::Resolved;
use super::{Document, parse};

fn one(text: &str) -> Document {
    let (mut documents, broken) = parse(text);
    assert_eq!(broken, None, "{text}");
    assert_eq!(documents.len(), 1, "{text}");
    documents.remove(0)
}

fn broken(text: &str) -> (u32, u32, String) {
    let broken = parse(text).1.expect("the text is broken");
    (broken.place.line, broken.place.column, broken.message)
}

/// A tree as JSON would write it.
fn shown(node: &Node) -> String {
    match &node.value {
        Value::Scalar { text, resolved } => match resolved {
            Resolved::String => format!("{text:?}"),
            Resolved::Null => "null".to_owned(),
            _ => text.clone(),
        },
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(shown).collect();
            format!("[{}]", items.join(","))
        }
        Value::Map(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|entry| format!("{}:{}", entry.key, shown(&entry.value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}

#[test]
fn values_are_what_yaml_says() {
    for (text, tree) in [
        (
            "a: 1\nb: '1'\nc:\n- x\n- y: true\n",
            r#"{a:1,b:"1",c:["x",{y:true}]}"#,
        ),
        ("a: |\n  one\n  two\n", r#"{a:"one\ntwo\n"}"#),
        ("a: >-\n  one\n  two\n", r#"{a:"one two"}"#),
        ("a:\nb: ~\n", "{a:null,b:null}"),
        ("a: !!str 80\n", r#"{a:"80"}"#),
        ("a: &x {b: 1}\nc: *x\n", "{a:{b:1},c:{b:1}}"),
        (
            "base: &x {b: 1, c: 2}\nd:\n  <<: *x\n  b: 3\n",
            "{base:{b:1,c:2},d:{b:3,c:2}}",
        ),
        ("80: x\n", r#"{80:"x"}"#),
        (
            "# only a comment at first\na: b # and behind\n",
            r#"{a:"b"}"#,
        ),
    ] {
        assert_eq!(shown(&one(text).root), tree, "{text}");
    }
}

#[test]
fn json_is_read_as_well() {
    for (text, tree) in [
        (
            "{\"a\": [1, 2.5, \"x\\ny\"], \"b\": {\"c\": null}}",
            r#"{a:[1,2.5,"x\ny"],b:{c:null}}"#,
        ),
        ("{\"a\": \"\\ud83d\\ude00\"}", "{a:\"😀\"}"),
        (
            "{\"a\":1,\r\n\"b\":[ ],\r\n\"c\":{ }}\r\n",
            "{a:1,b:[],c:{}}",
        ),
        ("{\n\t\"a\": {\n\t\t\"b\":\ttrue\n\t}\n}\n", "{a:{b:true}}"),
        ("{\"a\":\"\\/\\u00e9\"}", "{a:\"/é\"}"),
    ] {
        assert_eq!(shown(&one(text).root), tree, "{text}");
    }
}

#[test]
fn documents_without_content_are_left_out() {
    let (documents, broken) = parse("---\n# nothing\n---\na: 1\n---\n---\nb: 2\n...\n");
    assert_eq!(broken, None);
    let trees: Vec<_> = documents
        .iter()
        .map(|document| shown(&document.root))
        .collect();
    assert_eq!(trees, ["{a:1}", "{b:2}"]);
}

#[test]
fn a_path_has_a_place_or_its_nearest_parent_has() {
    let document =
        one("spec:\n  rules:\n  - matches:\n    - path: {type: Exact, value: /a}\n  name: 'x'\n");
    let rule = FieldPath::of("spec.rules").index(0);
    for (path, line, column, length) in [
        (FieldPath::root(), 1, 1, 1),
        (FieldPath::of("spec"), 1, 1, 4),
        (FieldPath::of("spec.name"), 5, 9, 3),
        (rule.clone(), 3, 5, 1),
        (rule.field("matches").index(0).field("path"), 4, 7, 4),
        (rule.field("matches").index(0).field("path.value"), 4, 34, 2),
        (rule.field("matches").index(7).field("path.value"), 3, 5, 7),
        (rule.field("backendRefs").index(0), 3, 5, 1),
        (FieldPath::of("status.conditions"), 1, 1, 1),
    ] {
        let place = document.root.locate(&path);
        assert_eq!(
            (place.line, place.column, place.length),
            (line, column, length),
            "{path}"
        );
    }
}

#[test]
fn a_repeated_key_is_noted_and_the_first_stays() {
    let document = one("a: 1\nb: 2\na: 3\n");
    assert_eq!(shown(&document.root), "{a:1,b:2}");
    let repeated = &document.repeated[0];
    assert_eq!((repeated.place.line, repeated.place.column), (3, 1));
    assert!(
        repeated.message.contains("already in line 1"),
        "{}",
        repeated.message
    );
    let many: String = (0..40).map(|key| format!("k{}: 1\n", key % 39)).collect();
    assert_eq!(one(&many).repeated.len(), 1);
}

#[test]
fn what_is_not_yaml_has_a_place() {
    for (text, line) in [
        ("a: [1, 2\nb: 3\n", 2),
        ("a: 'x\n", 1),
        ("a: b: c\n", 1),
        ("a: *nothing\n", 1),
        ("a: !mine 3\n", 1),
        ("? [a]\n: b\n", 1),
    ] {
        assert_eq!(broken(text).0, line, "{text}: {:?}", broken(text));
    }
}

#[test]
fn documents_before_a_broken_one_are_kept() {
    let (documents, broken) = parse("a: 1\n---\nb: [\n");
    assert_eq!(documents.len(), 1);
    assert!(broken.is_some());
}

#[test]
fn hostile_input_ends_early() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(parse(&deep).1.is_some());
    let deep = "a:\n".to_owned()
        + &(1..500)
            .map(|n| format!("{}- \n", " ".repeat(n)))
            .collect::<String>();
    let _ = parse(&deep);

    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        laughs += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    let (_, _, message) = broken(&laughs);
    assert!(message.contains("more than"), "{message}");

    let mut long = format!("a: &a {}\nb:\n", "x".repeat(1_000_000));
    long += &"- *a\n".repeat(1_000);
    assert!(parse(&long).1.is_some(), "a long text behind many aliases");

    let mut nested = "a0: &a0 [x]\n".to_owned();
    for level in 1..100 {
        nested += &format!("a{level}: &a{level} [*a{}]\n", level - 1);
    }
    let (_, _, message) = broken(&nested);
    assert!(message.contains("nested"), "{message}");

    let (_, _, message) = broken("a: &a [*a]\n");
    assert!(message.contains("inside"), "{message}");
}
