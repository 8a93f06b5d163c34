//! Goldens: objects in, configuration and verdicts out, whole. `tests/golden/<case>.in.yaml` gives
//! `<case>.out.yaml`; `UPDATE_GOLDENS=1` writes the outputs anew, and a person reads the difference.
//!
//! A case begins with comments that say what it shows, and may set `# now: <RFC 3339>` and
//! `# home: Kubernetes` among them, the addresses of a name (`# resolved: <name> <address> …`), and ranges of
//! addresses that count as private or public (`# private: <range>`, `# public: <range>`). A Secret or ConfigMap may name files in annotations, as with `daemun run`.
//! Limits, trust and connections that are all default are left out of the output.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test that fails is a test that fails"
)]

mod cases;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daemun_model::backend::Connections;
use daemun_model::policy::forwarding::Forwarding;
use daemun_model::policy::limits::ClientLimits;
use daemun_model::snapshot::Snapshot;
use daemun_model::verdict::Verdict;
use daemun_translate::infrastructure::Infrastructure;
use daemun_translate::translate;
use serde::Serialize;

/// What a golden's output holds.
#[derive(Serialize)]
struct Out<'a> {
    gateways: Vec<&'a Snapshot>,
    verdicts: Vec<&'a Verdict>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    infrastructure: Vec<&'a Infrastructure>,
}

#[test]
fn every_case_gives_what_is_recorded() {
    let update = std::env::vars().any(|(name, value)| name == "UPDATE_GOLDENS" && value == "1");
    let cases = cases::all();
    assert!(
        cases.len() >= 60 || update,
        "only {} cases were found",
        cases.len()
    );
    let mut wrong = String::new();
    for case in &cases {
        let actual = outcome(case);
        let recorded = PathBuf::from(case.to_string_lossy().replace(".in.yaml", ".out.yaml"));
        if update {
            std::fs::write(&recorded, &actual).unwrap();
            continue;
        }
        match std::fs::read_to_string(&recorded) {
            Err(error) => writeln!(wrong, "{}: {error}", recorded.display()).unwrap(),
            Ok(expected) if expected != actual => {
                let line = expected
                    .lines()
                    .zip(actual.lines())
                    .position(|(one, two)| one != two);
                writeln!(
                    wrong,
                    "{} differs from line {} on:\n  recorded: {:?}\n  actual:   {:?}",
                    recorded.display(),
                    line.map_or(0, |line| line + 1),
                    line.and_then(|line| expected.lines().nth(line)),
                    line.and_then(|line| actual.lines().nth(line)),
                )
                .unwrap();
            }
            Ok(_) => {}
        }
    }
    assert!(
        wrong.is_empty(),
        "{wrong}UPDATE_GOLDENS=1 cargo test -p daemun-translate --test golden writes them anew."
    );
}

/// No output without an input: a renamed case must not leave a record behind that nothing checks.
#[test]
fn every_record_has_its_case() {
    for entry in std::fs::read_dir(cases::directory()).unwrap() {
        let path = entry.unwrap().path();
        let text = path.to_string_lossy();
        if let Some(case) = text.strip_suffix(".out.yaml") {
            let input = PathBuf::from(format!("{case}.in.yaml"));
            assert!(input.exists(), "{} has no input", path.display());
        }
    }
}

fn outcome(case: &Path) -> String {
    let text = std::fs::read_to_string(case).unwrap();
    let cluster = cases::read(case, &text);
    let outcome = translate(&cluster);
    let out = Out {
        gateways: outcome
            .configuration
            .gateways
            .values()
            .map(Arc::as_ref)
            .collect(),
        verdicts: outcome.verdicts.iter().map(Arc::as_ref).collect(),
        infrastructure: outcome.infrastructure.values().map(Arc::as_ref).collect(),
    };
    let mut text = serde_saphyr::to_string(&out).unwrap();
    text = without(&text, "limits", &ClientLimits::default());
    text = without(&text, "forwarding", &Forwarding::default());
    without(&text, "connections", &Connections::default())
}

/// The text without the fields of this name whose value is the default.
fn without<T: Serialize>(text: &str, field: &str, default: &T) -> String {
    let default = serde_saphyr::to_string(default).unwrap();
    let default: Vec<&str> = default.lines().map(str::trim).collect();
    let lines: Vec<&str> = text.lines().collect();
    let mut kept = String::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        if line.trim_start().strip_suffix(':') == Some(field) {
            let block = lines.get(at..at + default.len()).unwrap_or_default();
            if block
                .iter()
                .map(|line| line.trim())
                .eq(default.iter().copied())
            {
                at += default.len();
                continue;
            }
        }
        kept.push_str(line);
        kept.push('\n');
    }
    kept
}
