//! The log of the lab's cloud: what became of each address, shown by a Service or not.

use std::fs;
use std::path::PathBuf;

use crate::lab::place::Place;

/// The log, from where it ended when it was opened.
#[derive(Clone)]
pub(super) struct Ledger {
    path: PathBuf,
    from: usize,
}

impl Ledger {
    pub(super) fn open(place: &Place) -> Result<Self, String> {
        let ledger = Self {
            path: place.run().join("log/cloud"),
            from: 0,
        };
        let from = ledger.read()?.len();
        Ok(Self { from, ..ledger })
    }

    fn read(&self) -> Result<String, String> {
        let log = fs::read(&self.path)
            .map_err(|error| format!("{} cannot be read: {error}.", self.path.display()))?;
        Ok(String::from_utf8_lossy(&log).into_owned())
    }

    /// What it says of the Services whose names begin so, in order.
    pub(super) fn of(&self, namespace: &str, service: &str) -> Result<Vec<String>, String> {
        let log = self.read()?;
        Ok(sentences(
            log.get(self.from..).unwrap_or_default(),
            namespace,
            service,
        ))
    }
}

/// Sentences about the Services of a Gateway: `Service NAMESPACE/NAME: it is so.`, and those of `NAME-2`.
fn sentences(log: &str, namespace: &str, service: &str) -> Vec<String> {
    let start = format!("Service {namespace}/{service}");
    let mine = |line: &str| {
        let rest = line.split_once(&start)?.1;
        let (number, sentence) = rest.split_once(": ")?;
        let is_number = |it: &str| it.bytes().all(|byte| byte.is_ascii_digit());
        let of_it = number.is_empty() || number.strip_prefix('-').is_some_and(is_number);
        of_it.then(|| sentence.trim_end().to_owned())
    };
    log.lines().filter_map(mine).collect()
}

/// Whether a public address was ever attached.
pub(super) fn was_public(sentences: &[String]) -> bool {
    sentences.iter().any(|it| it.contains("is attached"))
}

/// The last public address that was attached.
pub(super) fn public(sentences: &[String]) -> Option<String> {
    let mut backwards = sentences.iter().rev();
    backwards.find_map(|sentence| {
        let before = sentence.strip_suffix(" is attached.")?;
        before.rsplit(' ').next().map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::{public, sentences, was_public};

    const LOG: &str = "\
2026-01-01T00:00:00Z  INFO Service way-in-nhn/quiet-way-in-nhn: a load balancer is made with the private address 198.18.130.1 and no public one.
2026-01-01T00:00:01Z  INFO Service way-in-nhn/kept-way-in-nhn: a load balancer is made with the private address 198.18.130.2, and the public address 198.18.194.1 is attached.
2026-01-01T00:00:02Z  INFO Service way-in-nhn/quiet-way-in-nhn-2: the public address 198.18.194.2 is attached.
2026-01-01T00:00:03Z  INFO Service way-in-nhn/quiet-way-in-nhn-two: the public address 198.18.194.3 is attached.
";

    #[test]
    fn a_gateways_services_are_told_apart_from_others() {
        let quiet = sentences(LOG, "way-in-nhn", "quiet-way-in-nhn");
        assert_eq!(quiet.len(), 2);
        assert!(!was_public(&quiet[..1]) && was_public(&quiet));
        assert_eq!(public(&quiet).as_deref(), Some("198.18.194.2"));
        let kept = sentences(LOG, "way-in-nhn", "kept-way-in-nhn");
        assert_eq!(public(&kept).as_deref(), Some("198.18.194.1"));
        assert!(sentences(LOG, "way-in", "quiet-way-in-nhn").is_empty());
    }
}
