//! Every reason that can be written has a sentence: the code that writes conditions and findings is read for them, and
//! so are the records of translations.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{KOREAN, korean};
use crate::explain::page::lang::Lang;

/// Where conditions and findings are made.
const WRITERS: &[&str] = &[
    "translate/src",
    "controller/src/status",
    "controller/src/provision/apply.rs",
    "controller/src/provision/place.rs",
];
/// What is there beside: the providers' data, and the names of features.
const OTHERS: &[&str] = &["provider", "features.rs", "tests", "tests.rs"];

/// Words in the same style that are no reasons: kinds of objects and of conditions, and values of fields.
const NO_REASONS: &[&str] = &[
    "BackendPolicy",
    "BackendTLSPolicy",
    "ConfigMap",
    "DefaultGateway",
    "GRPCRoute",
    "GatewayClass",
    "HTTPRoute",
    "IPAddress",
    "InsecureFrontendValidationMode",
    "ListenerPolicy",
    "ListenerSet",
    "OverlappingTLSConfig",
    "PartiallyInvalid",
    "PathPrefix",
    "ReachVerified",
    "ReferenceGrant",
    "RegularExpression",
    "ReplaceFullPath",
    "ReplacePrefixMatch",
    "ResolvedRefs",
    "SupportedVersion",
    "TCPRoute",
    "TLSRoute",
    "UDPRoute",
    "XBackend",
    "XBackendTrafficPolicy",
];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    let name = path.file_name().and_then(|name| name.to_str());
    if name.is_some_and(|name| OTHERS.contains(&name)) {
        return;
    }
    match std::fs::read_dir(path) {
        Ok(entries) => {
            for entry in entries {
                files(&entry.expect("a directory can be read").path(), found);
            }
        }
        Err(_) => found.push(path.to_owned()),
    }
}

/// The literals of a file that are words of several, in the style of reasons. Tests stand at the end of files.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split('"').skip(1).step_by(2))
        .filter(|word| {
            let begins = word.starts_with(|it: char| it.is_ascii_uppercase());
            let capitals = word.chars().filter(char::is_ascii_uppercase).count();
            let letters = word.chars().all(|it| it.is_ascii_alphabetic());
            begins && letters && (2..word.len()).contains(&capitals)
        })
}

#[test]
fn every_reason_of_the_code_has_a_sentence() {
    let mut sources = Vec::new();
    for writer in WRITERS {
        files(&crates().join(writer), &mut sources);
    }
    let texts = sources
        .iter()
        .map(|it| std::fs::read_to_string(it).expect("a file is read"));
    let texts: Vec<String> = texts.collect();
    let words: BTreeSet<&str> = texts.iter().flat_map(|text| words(text)).collect();
    assert!(words.contains("BackendNotFound") && words.contains("NodesReachable"));
    let untold = words.iter().filter(|word| {
        let mut kinds = KOREAN.iter().filter(|(_, reason, _)| reason == *word);
        kinds.next().is_none() && !NO_REASONS.contains(word)
    });
    let untold: Vec<_> = untold.collect();
    assert!(untold.is_empty(), "without a sentence: {untold:?}");
    // What nobody writes any more is not kept.
    let all = texts.concat();
    let gone = KOREAN.iter().filter(|(_, reason, _)| {
        let of_classes = std::fs::read_to_string(crates().join("model/src/address.rs"));
        let literal = format!("\"{reason}\"");
        !all.contains(&literal) && !of_classes.unwrap_or_default().contains(&literal)
    });
    let gone: Vec<_> = gone.map(|(kind, reason, _)| (kind, reason)).collect();
    assert!(gone.is_empty(), "nobody writes: {gone:?}");
}

#[test]
fn every_refusal_of_the_records_has_a_sentence() {
    let records = crates().join("../tests/golden");
    let mut sources = Vec::new();
    files(&records, &mut sources);
    let mut seen = 0;
    for source in sources
        .iter()
        .filter(|it| it.to_string_lossy().ends_with(".out.yaml"))
    {
        let text = std::fs::read_to_string(source).expect("a record is read");
        let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
        for three in lines.windows(3) {
            let [kind, status, reason] = three else {
                continue;
            };
            let kind = kind.trim_start_matches("- ").strip_prefix("type: ");
            let status = status
                .strip_prefix("status: ")
                .map(|it| it.trim_matches('"'));
            let reason = reason.strip_prefix("reason: ");
            let (Some(kind), Some("False" | "Unknown"), Some(reason)) = (kind, status, reason)
            else {
                continue;
            };
            seen += 1;
            assert!(korean(kind, reason).is_some(), "{kind} {reason}");
        }
    }
    assert!(seen > 200, "{seen}");
}

#[test]
fn sentences_are_korean_and_there_is_one_of_each() {
    let mut keys = BTreeSet::new();
    for (kind, reason, says) in KOREAN {
        assert!(keys.insert((kind, reason)), "{kind} {reason}: twice");
        assert!(says.ends_with(['.', ')']), "{says}");
        assert!(says.chars().any(|it| ('가'..='힣').contains(&it)), "{says}");
    }
    assert_eq!(super::meaning(Lang::En, "Accepted", "Pending"), None);
}
