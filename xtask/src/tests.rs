//! What the documents say is what the code does: fields, defaults and samples in `docs/settings.md`.

use std::collections::BTreeSet;
use std::fs;

use daemun_model::backend::Connections;
use daemun_model::policy::limits::ClientLimits;
use daemun_objects::Any;
use daemun_objects::own::backend::BackendSpec;
use daemun_objects::own::backend_policy::BackendPolicySpec;
use daemun_objects::own::listener_policy::ListenerPolicySpec;
use serde_json::Value;

use crate::repository;

fn settings() -> String {
    fs::read_to_string(repository::root().join("docs/settings.md")).unwrap()
}

/// The part of a document below a heading, up to the next one of the same level.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let start = format!("\n## {heading}\n");
    let (_, rest) = text
        .split_once(&start)
        .unwrap_or_else(|| panic!("no section {heading}"));
    rest.split("\n## ").next().unwrap()
}

/// The rows of all tables: what the first column's heading begins with, and the cells.
fn rows(text: &str) -> Vec<(String, Vec<String>)> {
    let mut prefix = String::new();
    let mut rows = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.starts_with('|'))
    {
        let cells: Vec<String> = line
            .trim_matches('|')
            .split(" |")
            .map(|cell| cell.trim().to_owned())
            .collect();
        if lines
            .get(at + 1)
            .is_some_and(|next| next.starts_with("|--"))
        {
            let heading = cells[0].trim_matches('`');
            prefix = if heading.ends_with('.') {
                heading.to_owned()
            } else {
                String::new()
            };
        } else if !line.starts_with("|--") {
            rows.push((prefix.clone(), cells));
        }
    }
    rows
}

/// All fields that the tables of a section name.
fn documented(section: &str) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for (prefix, cells) in rows(section) {
        fields.extend(
            cells[0]
                .split(", ")
                .map(|name| format!("{prefix}{}", name.trim_matches('`'))),
        );
    }
    fields
}

/// All fields of a schema that have no fields of their own. Lists of references count as one.
fn fields(root: &Value, schema: &Value, path: &str, into: &mut BTreeSet<String>) {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    if let Some(options) = schema["anyOf"].as_array() {
        let there = options
            .iter()
            .find(|option| option["type"] != "null")
            .unwrap();
        return fields(root, there, path, into);
    }
    if path == "endpoints" {
        return fields(root, &schema["items"], "endpoints[]", into);
    }
    let Some(properties) = schema["properties"].as_object() else {
        into.insert(path.to_owned());
        return;
    };
    for (name, property) in properties.iter().filter(|(name, _)| *name != "targetRefs") {
        let separator = if path.is_empty() { "" } else { "." };
        fields(root, property, &format!("{path}{separator}{name}"), into);
    }
}

#[test]
fn every_field_of_our_own_kinds_is_documented_and_no_other() {
    let text = settings();
    for (kind, schema) in [
        ("Backend", schemars::schema_for!(BackendSpec)),
        ("ListenerPolicy", schemars::schema_for!(ListenerPolicySpec)),
        ("BackendPolicy", schemars::schema_for!(BackendPolicySpec)),
    ] {
        let mut there = BTreeSet::new();
        fields(schema.as_value(), schema.as_value(), "", &mut there);
        let documented = documented(section(&text, kind));
        let missing: Vec<_> = there.difference(&documented).collect();
        assert!(
            missing.is_empty(),
            "docs/settings.md, {kind}, lacks {missing:?}"
        );
        let is_group = |name: &str| {
            there
                .iter()
                .any(|field| field.starts_with(&format!("{name}.")))
        };
        let unknown: Vec<_> = documented
            .difference(&there)
            .filter(|name| !is_group(name))
            .collect();
        assert!(
            unknown.is_empty(),
            "docs/settings.md, {kind}, has {unknown:?}"
        );
    }
}

/// What a default is in the document: `60s` where the model writes `1m`.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "no limit".to_owned(),
        Value::String(text) if text == "1m" => "60s".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[test]
fn defaults_are_the_code_s() {
    let text = settings();
    // What is not written in the model is this.
    let limits = ClientLimits {
        tunnel_idle: Some(ClientLimits::TUNNEL_IDLE),
        ..ClientLimits::default()
    };
    for (kind, prefix, defaults) in [
        (
            "ListenerPolicy",
            "limits.",
            serde_json::to_value(limits).unwrap(),
        ),
        (
            "BackendPolicy",
            "connections.",
            serde_json::to_value(Connections::default()).unwrap(),
        ),
    ] {
        let tables = rows(section(&text, kind));
        let mut compared = 0;
        for (_, cells) in tables.iter().filter(|(heading, _)| heading == prefix) {
            let name = snake_case(cells[0].trim_matches('`'));
            assert_eq!(
                *cells.last().unwrap(),
                shown(&defaults[&name]),
                "{kind}, {name}"
            );
            compared += 1;
        }
        assert!(compared >= 5, "{kind} has a table of defaults");
    }
}

fn snake_case(name: &str) -> String {
    let lower = |c: char| {
        if c.is_uppercase() {
            format!("_{}", c.to_lowercase())
        } else {
            c.into()
        }
    };
    name.chars().map(lower).collect()
}

#[test]
fn samples_can_be_read() {
    let text = settings();
    let samples: Vec<&str> = text
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert_eq!(samples.len(), 4);
    for sample in samples {
        let value: Value = serde_saphyr::from_str(sample).unwrap();
        let text = |name: &str| value[name].as_str().unwrap().to_owned();
        let read = Any::deserialize(&text("apiVersion"), &text("kind"), &value);
        assert!(matches!(read, Some(Ok(_))), "{read:?}\n{sample}");
    }
}

/// The names that a text has in the environment: `DAEMUN_` and what follows.
fn environment(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
    text.match_indices("DAEMUN_")
        .map(|(at, _)| text[at..].chars().take_while(|c| is_name(*c)).collect())
        .collect()
}

#[test]
fn every_flag_is_documented_and_no_other() {
    let sources = repository::root().join("crates/daemun/src");
    let of = |directory: &str, more: &[&str]| -> BTreeSet<String> {
        fs::read_dir(sources.join(directory))
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| path.is_file())
            .chain(more.iter().map(|file| sources.join(file)))
            .flat_map(|path| environment(&fs::read_to_string(path).unwrap()))
            .collect()
    };
    // What several commands share is said of the first.
    let shared = [
        "output/style.rs",
        "command/process.rs",
        "command/access_log.rs",
    ];
    for (heading, there) in [
        ("Flags", of("command/run", &shared)),
        ("Flags of daemun proxy", of("command/proxy", &[])),
    ] {
        assert!(there.len() >= 5, "{there:?}");
        assert_eq!(environment(section(&settings(), heading)), there);
    }
}

fn document(name: &str) -> String {
    fs::read_to_string(repository::root().join(name)).unwrap()
}

/// Where the links of a document lead.
fn links(text: &str) -> BTreeSet<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .collect()
}

#[test]
fn links_lead_somewhere() {
    for name in [
        "README.md",
        "README.ko.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/explain.md",
        "docs/explain.ko.md",
        "docs/observing.md",
        "docs/systemd.md",
        "docs/path-handling.md",
        "docs/settings.md",
    ] {
        let text = document(name);
        let directory = repository::root()
            .join(name)
            .parent()
            .unwrap()
            .to_path_buf();
        for link in links(&text)
            .into_iter()
            .filter(|link| !link.starts_with("http"))
        {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let file = if file.is_empty() {
                repository::root().join(name)
            } else {
                directory.join(file)
            };
            assert!(file.exists(), "{name}: {link}");
            if !heading.is_empty() {
                let there = fs::read_to_string(&file).unwrap().lines().any(|line| {
                    let title = line.trim_start_matches('#');
                    title.len() < line.len()
                        && title.trim().to_lowercase().replace(' ', "-") == heading
                });
                assert!(there, "{name}: {link}");
            }
        }
    }
}

/// What is the same in each language: what is run and shown (without comments), and where links lead.
fn skeleton(text: &str) -> (Vec<String>, BTreeSet<String>, usize) {
    let blocks = text.split("```").skip(1).step_by(2).map(|block| {
        let lines = block
            .lines()
            .map(|line| line.split(" # ").next().unwrap().trim_end());
        lines.collect::<Vec<_>>().join("\n")
    });
    let links = links(text)
        .into_iter()
        .filter(|link| !link.starts_with("README"))
        // A page that there is in both languages is one page.
        .map(|link| link.replace(".ko.md", ".md"))
        .collect();
    (
        blocks.collect(),
        links,
        text.lines().filter(|line| line.starts_with('#')).count(),
    )
}

#[test]
fn both_readmes_have_the_same_content() {
    let (english, korean) = (document("README.md"), document("README.ko.md"));
    assert_eq!(skeleton(&english), skeleton(&korean));
}

#[test]
fn the_files_to_read_are_there() {
    let text = document("ARCHITECTURE.md");
    let files: Vec<&str> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.ends_with(".rs"))
        .collect();
    assert!(files.len() >= 10, "{files:?}");
    for file in files {
        assert!(
            repository::root().join(file).is_file(),
            "ARCHITECTURE.md: {file}"
        );
    }
}
