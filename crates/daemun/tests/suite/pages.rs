//! Pages as a person asks for them: the program is run on example files, and what it says is compared with a record
//! (`tests/pages`).

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use daemun_testkit::golden;

const LANGUAGES: [&str; 2] = ["en", "ko"];

/// The Gateways of the records, and what they are told by.
const CASES: &[(&str, &[&str])] = &[
    ("private", &["private.yaml", "shop.yaml", "cluster.yaml"]),
    ("public", &["public.yaml", "shop.yaml", "cluster.yaml"]),
    ("violated", &["violated.yaml", "shop.yaml", "cluster.yaml"]),
    ("pending", &["pending.yaml", "shop.yaml", "cluster.yaml"]),
    (
        "foreseen",
        &["foreseen.yaml", "shop.yaml", "--provider", "NHN"],
    ),
    (
        "refused",
        &["refused.yaml", "shop.yaml", "--provider", "NHN"],
    ),
];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages")
}

/// Runs the program where the records are; gives what it printed, what it complained of, and its status.
fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (String, String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_daemun"));
    for variable in ["LC_ALL", "LC_MESSAGES", "LANG", "KUBECONFIG"] {
        command.env_remove(variable);
    }
    let command = command.envs(environment.iter().copied());
    let output = command
        .args(arguments)
        .current_dir(directory())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code(),
    )
}

fn page(case: &[&str], more: &[&str]) -> String {
    let arguments = [&["explain", "gateway", "infra/shop"], case, more].concat();
    let (told, problems, status) = run(&arguments, &[]);
    assert_eq!((problems.as_str(), status), ("", Some(0)), "{arguments:?}");
    told
}

#[test]
fn pages_are_as_recorded_in_every_language_and_form() {
    let mut differ = Vec::new();
    for (case, files) in CASES {
        for language in LANGUAGES {
            for (form, ending) in [("text", "txt"), ("json", "json")] {
                let told = page(files, &["--lang", language, "-o", form]);
                let record = directory().join(format!("{case}.{language}.{ending}"));
                differ.extend(golden::check(&record, &told).err());
            }
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn the_language_is_the_environments_unless_one_is_asked_for() {
    let korean = "게이트웨이 infra/shop";
    let (_, files) = CASES[0];
    let arguments = [&["explain", "gateway", "infra/shop"], files].concat();
    for (environment, begins) in [
        (&[("LANG", "ko_KR.UTF-8")][..], korean),
        (&[("LC_ALL", "ko_KR.UTF-8"), ("LANG", "C")], korean),
        (
            &[("LC_ALL", "C"), ("LANG", "ko_KR.UTF-8")],
            "Gateway infra/shop",
        ),
        (&[], "Gateway infra/shop"),
    ] {
        let (told, ..) = run(&arguments, environment);
        assert!(told.starts_with(begins), "{environment:?}: {told}");
    }
}

#[test]
fn questions_about_pages_that_are_none_are_told_so() {
    for (arguments, sentence) in [
        (
            &["gateway", "nowhere", "private.yaml"][..],
            "There is no Gateway default/nowhere",
        ),
        (
            &["gateway", "shop", "private.yaml", "-H", "a: b"],
            "belong to a request",
        ),
        (
            &["gateway", "shop", "--admin", "unix:/nowhere"],
            "made of files or a cluster",
        ),
        (
            &["gateway", "shop", "nowhere.yaml"],
            "nowhere.yaml: this cannot be read",
        ),
        (
            &["gateway", "shop", "private.yaml", "--provider", "NIX"],
            "NHN",
        ),
        (
            &["gateway", "theirs", "foreign.yaml"],
            "is not Daemun's: its GatewayClass theirs belongs to the controller example.com/theirs",
        ),
    ] {
        let (_, told, status) = run(&[&["explain"], arguments].concat(), &[]);
        assert!(told.contains(sentence), "{arguments:?}: {told}");
        assert_eq!(status, Some(2), "{arguments:?}");
    }
}
