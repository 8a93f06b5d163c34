//! Faults of deserialization: what they say and where they point.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::parse::parse;
use super::{NodeDeserializer, Shared, Trail};

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Route {
    hostnames: Vec<String>,
    labels: BTreeMap<String, String>,
    port: Option<u16>,
    weight: i32,
    ratio: f64,
    enabled: bool,
    mode: Option<Mode>,
    target: Option<IntOrString>,
    parent: Option<Parent>,
}

#[derive(Debug, PartialEq, Deserialize)]
enum Mode {
    Fast,
    Slow,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum IntOrString {
    Int(u16),
    Text(String),
}

#[derive(Debug, PartialEq, Deserialize)]
struct Parent {
    name: String,
}

fn read(text: &str) -> Result<Route, Vec<String>> {
    let document = parse(text).0.remove(0);
    let shared = Shared::default();
    let result = Route::deserialize(NodeDeserializer {
        node: &document.root,
        trail: &Trail::Root,
        shared: &shared,
    });
    let mut faults = shared.faults.into_inner();
    let value = result.map_err(|fault| faults.push(fault));
    match value {
        Ok(value) if faults.is_empty() => Ok(value),
        _ => Err(faults
            .iter()
            .map(|fault| {
                let (place, path) = fault.place.as_ref().expect("every fault has a place");
                format!("{}:{} [{path}] {fault}", place.line, place.column)
            })
            .collect()),
    }
}

#[test]
fn values_arrive() {
    let text = "hostnames: [a, 'b']\nlabels: {x: y}\nport: 80\nweight: -1\nratio: 2\nenabled: true\n\
                mode: Slow\ntarget: http\nparent: {name: n}\n";
    let route = read(text).unwrap();
    assert_eq!(route.hostnames, ["a", "b"]);
    assert_eq!(route.labels["x"], "y");
    assert_eq!(
        (route.port, route.weight, route.enabled),
        (Some(80), -1, true)
    );
    assert_eq!(route.mode, Some(Mode::Slow));
    assert_eq!(route.target, Some(IntOrString::Text("http".to_owned())));
    assert_eq!(
        read("target: 8080").unwrap().target,
        Some(IntOrString::Int(8080))
    );
}

#[test]
fn a_field_without_a_value_counts_as_not_written() {
    let empty = "hostnames:\nlabels: null\nport:\nmode: ~\nparent:\n";
    assert_eq!(read(empty).unwrap(), Route::default());
}

#[test]
fn faults_say_what_where_and_what_to_do() {
    for (text, fault) in [
        (
            "hostname: a",
            "1:1 [] unknown field \"hostname\"; did you mean \"hostnames\"?",
        ),
        (
            "port: 80\nzzzzzz: 1",
            "2:1 [] unknown field \"zzzzzz\"; known are: hostnames, labels, port, weight, ratio, \
             enabled, mode, target, parent",
        ),
        (
            "parent: {name: a, nmae: b}",
            "1:19 [parent] unknown field \"nmae\"; did you mean \"name\"?",
        ),
        ("parent: {}", "1:9 [parent] the field \"name\" is missing"),
        (
            "port: '80'",
            "1:7 [port] a string is found where a whole number from 0 to 65535 is expected",
        ),
        (
            "port: 70000",
            "1:7 [port] 70000 is found where a whole number from 0 to 65535 is expected",
        ),
        (
            "hostnames:\n- a\n- 1.5",
            "3:3 [hostnames[1]] a number is found where a string is expected; write \"1.5\", with quotes",
        ),
        (
            "hostnames: a",
            "1:12 [hostnames] a string is found where a list is expected",
        ),
        (
            "labels: {a: true}",
            "1:13 [labels.a] true is found where a string is expected; write \"true\", with quotes",
        ),
        (
            "enabled: 'yes'",
            "1:10 [enabled] a string is found where true or false is expected",
        ),
        (
            "mode: fast",
            "1:7 [mode] unknown value \"fast\"; did you mean \"Fast\"?",
        ),
        (
            "parent: [a]",
            "1:9 [parent] a list is found where a mapping is expected",
        ),
        ("[a]", "1:1 [] a list is found where a mapping is expected"),
    ] {
        assert_eq!(read(text).unwrap_err(), [fault], "{text}");
    }
}

#[test]
fn all_unknown_fields_are_reported() {
    let faults = read("prot: 1\nparent: {naem: x, name: y}\nport: x\n").unwrap_err();
    assert_eq!(faults.len(), 3, "{faults:#?}");
}
