//! Looks at files that change between them: what stays the same, what goes on, what is said.

use std::fs;
use std::path::PathBuf;

use daemun_model::names::{ObjectName, ObjectRef};
use daemun_model::verdict::FieldPath;
use daemun_objects::Any;

use super::{Files, Look, Problem, Reading, Reason, read_text};

struct Case {
    directory: tempfile::TempDir,
    files: Files,
    now: i64,
}

impl Case {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::new([directory.path().to_path_buf()]);
        Self {
            directory,
            files,
            now: 50_000,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn look(&mut self) -> Reading {
        self.now += 1;
        self.files.look(&Look {
            now: self.now,
            everything: true,
            ..Look::default()
        })
    }
}

fn namespace(name: &str, label: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels: {{x: {label}}}\n"
    )
}

fn two(one: &str, other: &str) -> String {
    format!("{}---\n{}", namespace("a", one), namespace("b", other))
}

fn names(reading: &Reading) -> Vec<&str> {
    reading.objects.iter().map(Any::name).collect()
}

fn label(reading: &Reading, name: &str) -> String {
    let object = reading.objects.iter().find(|object| object.name() == name);
    object.expect("the object is there").metadata().labels["x"].clone()
}

fn address(any: &Any) -> usize {
    match any {
        Any::Namespace(object) => std::sync::Arc::as_ptr(object) as usize,
        other => panic!("{other:?}"),
    }
}

fn reasons(reading: &Reading) -> Vec<Reason> {
    reading
        .problems
        .iter()
        .map(|problem| problem.reason)
        .collect()
}

#[test]
fn what_says_the_same_is_the_same_object() {
    let mut case = Case::new();
    case.write("f.yaml", &two("one", "one"));
    let first = case.look();
    assert!(first.has_changed());
    // A comment above moves everything; another order of fields changes the text of one.
    let fields = "kind: Namespace\nmetadata:\n  name: b\n  labels: {x: one}";
    let moved = two("one", "one").replace(
        fields,
        "metadata: {labels: {x: 'one'}, name: b}\nkind: Namespace",
    );
    case.write("f.yaml", &format!("# hello\n\n\n{moved}"));
    let third = case.look();
    assert!(third.problems.is_empty(), "{:?}", third.problems);
    assert!(!third.has_changed());
    for (one, other) in first.objects.iter().zip(&third.objects) {
        assert_eq!(address(one), address(other), "{}", one.name());
    }
    let spot = third.positions.locator().spot(
        &ObjectRef::new("Namespace", ObjectName::new("", "a")),
        &FieldPath::of("metadata.labels.x"),
    );
    assert_eq!(spot.unwrap().line, 8);
}

#[test]
fn a_change_counts_up_the_generation_of_what_changed() {
    let mut case = Case::new();
    case.write("f.yaml", &two("'1'", "'1'"));
    let first = case.look();
    case.write("f.yaml", &two("'1'", "'2'"));
    let second = case.look();
    let generations = |reading: &Reading| -> Vec<_> {
        reading
            .objects
            .iter()
            .map(|object| object.metadata().generation)
            .collect()
    };
    assert_eq!(generations(&first), [Some(1), Some(1)]);
    assert_eq!(generations(&second), [Some(1), Some(2)]);
    assert_eq!(address(&first.objects[0]), address(&second.objects[0]));
}

#[test]
fn a_bad_object_stays_as_it_was_and_the_rest_is_live() {
    let mut case = Case::new();
    case.write("f.yaml", &two("one", "one"));
    case.look();
    case.write("f.yaml", &two("two", "two").replacen("labels", "lables", 1));
    let reading = case.look();
    assert_eq!(label(&reading, "a"), "one");
    assert_eq!(label(&reading, "b"), "two");
    let [problem] = reading.problems.as_slice() else {
        panic!("{:#?}", reading.problems)
    };
    assert_eq!(
        problem
            .to_string()
            .replace(&case.path("").display().to_string(), ""),
        "f.yaml:5:3: unknown field \"lables\" in Namespace a, metadata; did you mean \"labels\"?\n    \
         3 | metadata:\n    4 |   name: a\n    5 |   lables: {x: two}\n      |   ^^^^^^"
    );
    assert_eq!(
        problem.consequence(),
        "Nothing has changed: a goes on as it was at 13:53:21 UTC. All else in the file is live."
    );
    case.write("f.yaml", &two("three", "three"));
    let reading = case.look();
    assert!(reading.problems.is_empty());
    assert_eq!(label(&reading, "a"), "three");
}

#[test]
fn a_document_that_is_not_yaml_keeps_what_it_may_have_been() {
    let mut case = Case::new();
    case.write("f.yaml", &two("one", "one"));
    case.look();
    case.write("f.yaml", &two("[", "two"));
    let reading = case.look();
    assert_eq!(
        (label(&reading, "a").as_str(), label(&reading, "b").as_str()),
        ("one", "two")
    );
    assert_eq!(reasons(&reading), [Reason::Malformed]);
    let kept = reading.problems[0].kept.as_ref().expect("a is kept");
    assert_eq!(kept.objects.len(), 1);
    // While it is broken, nothing that is not seen goes.
    case.write("f.yaml", "[");
    assert_eq!(names(&case.look()), ["a", "b"]);
    // A readable file says what is gone.
    case.write("f.yaml", &namespace("b", "two"));
    let reading = case.look();
    assert_eq!(names(&reading), ["b"]);
    assert!(reading.problems.is_empty());
}

#[test]
fn a_bad_object_that_was_not_there_is_not_there() {
    let mut case = Case::new();
    case.write("f.yaml", &two("one", "one").replacen("labels", "lables", 1));
    let reading = case.look();
    assert_eq!(names(&reading), ["b"]);
    let consequence = reading.problems[0].consequence();
    assert!(
        consequence.starts_with("Namespace a is not in force until"),
        "{consequence}"
    );
}

#[test]
fn of_two_objects_of_one_name_the_first_stays() {
    let mut case = Case::new();
    case.write("a.yaml", &namespace("a", "one"));
    case.write("b.yaml", &namespace("a", "two"));
    let reading = case.look();
    assert_eq!(label(&reading, "a"), "one");
    let message = &reading.problems[0].message;
    assert!(
        message.contains("Namespace a stands twice; the first is in ")
            && message.contains("a.yaml:4"),
        "{message}"
    );
    fs::remove_file(case.path("a.yaml")).unwrap();
    let reading = case.look();
    assert_eq!(
        label(&reading, "a"),
        "two",
        "the second takes over, though its text did not change"
    );
    assert!(reading.problems.is_empty());
}

#[test]
fn files_come_and_go() {
    let mut case = Case::new();
    case.write("a.yaml", &namespace("a", "one"));
    assert_eq!(names(&case.look()), ["a"]);
    case.write(
        "b.json",
        "{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"b\"}}",
    );
    assert_eq!(names(&case.look()), ["a", "b"]);
    fs::remove_file(case.path("a.yaml")).unwrap();
    assert_eq!(names(&case.look()), ["b"]);
}

#[test]
fn what_is_being_written_stays_as_it_was() {
    let mut case = Case::new();
    case.write("a.yaml", &namespace("a", "one"));
    case.look();
    let look = |case: &Case| Look {
        unsettled: [case.path("a.yaml")].into(),
        everything: true,
        ..Look::default()
    };
    case.write("a.yaml", "");
    let look_now = look(&case);
    assert_eq!(
        names(&case.files.look(&look_now)),
        ["a"],
        "emptied to be written"
    );
    fs::remove_file(case.path("a.yaml")).unwrap();
    assert_eq!(
        names(&case.files.look(&look_now)),
        ["a"],
        "gone to be replaced"
    );
    assert!(names(&case.look()).is_empty());
}

#[test]
fn a_file_that_cannot_be_read_keeps_its_objects() {
    let mut case = Case::new();
    case.write("a.yaml", &namespace("a", "one"));
    case.look();
    fs::write(case.path("a.yaml"), b"\xff\xfe").unwrap();
    let reading = case.look();
    assert_eq!(names(&reading), ["a"]);
    assert_eq!(reasons(&reading), [Reason::Unreadable]);
    assert!(
        reading.problems[0].message.contains("not UTF-8"),
        "{}",
        reading.problems[0]
    );

    let directory = case.path("");
    let hidden = directory.with_extension("gone");
    fs::rename(&directory, &hidden).unwrap();
    let reading = case.look();
    fs::rename(&hidden, &directory).unwrap();
    assert_eq!(
        names(&reading),
        ["a"],
        "the directory that was given is gone"
    );
    assert_eq!(reasons(&reading), [Reason::Unreadable]);
}

const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: tls\n  annotations:\n    \
                      file.gateway.daemun.dev/tls.crt: keys/cert.pem\n";

fn value(reading: &Reading) -> Option<Vec<u8>> {
    reading.objects.iter().find_map(|object| match object {
        Any::Secret(secret) => secret.value("tls.crt").map(<[u8]>::to_vec),
        _ => None,
    })
}

#[test]
fn a_secret_follows_the_files_that_it_names() {
    let mut case = Case::new();
    case.write("s.yaml", SECRET);
    let reading = case.look();
    assert_eq!(value(&reading), None);
    assert_eq!(reasons(&reading), [Reason::NamedFile]);
    let problem: &Problem = &reading.problems[0];
    assert_eq!(problem.spot.as_ref().map(|spot| spot.line), Some(6));
    assert!(
        problem
            .message
            .contains("keys/cert.pem, which cannot be read: there is no such file"),
        "{problem}"
    );

    fs::create_dir(case.path("keys")).unwrap();
    case.write("keys/cert.pem", "first");
    assert_eq!(value(&case.look()).unwrap(), b"first");
    assert!(!case.look().has_changed());
    case.write("keys/cert.pem", "second");
    let renewed = case.look();
    assert_eq!(value(&renewed).unwrap(), b"second");
    assert_eq!(renewed.objects[0].metadata().generation, Some(2));
    fs::remove_file(case.path("keys/cert.pem")).unwrap();
    let gone = case.look();
    assert_eq!(value(&gone).unwrap(), b"second", "it stays as it was");
    assert_eq!(reasons(&gone), [Reason::NamedFile]);
}

#[test]
fn a_text_cannot_make_files_be_read() {
    let (objects, problems) = read_text("text", &SECRET.replace("keys/cert.pem", "/etc/hostname"));
    assert!(objects.is_empty());
    assert_eq!(problems[0].reason, Reason::NamedFile);
}

#[test]
fn any_text_is_answered() {
    for text in [
        "",
        "---",
        "[[[[",
        "\0",
        "a: &a [*a]",
        "%YAML 9.9\n---\n",
        "- - - -\n",
        "{",
        "\u{feff}a: b",
    ] {
        read_text("text", text);
    }
}
