//! Whether the process may get traffic, and why not.
//!
//! Parts report by name; the process is ready when all do. `/readyz?verbose` prints the parts.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// The shared list of parts. Cloning gives another handle to the same list.
#[derive(Clone, Default)]
pub struct Readiness(Arc<Mutex<BTreeMap<&'static str, Part>>>);

#[derive(Clone)]
struct Part {
    ready: bool,
    says: String,
}

impl Readiness {
    /// Reports a part as ready, with a sentence about it.
    pub fn ready(&self, part: &'static str, says: impl Into<String>) {
        self.set(part, true, says.into());
    }

    /// Reports a part as not ready, with the reason.
    pub fn not_ready(&self, part: &'static str, says: impl Into<String>) {
        self.set(part, false, says.into());
    }

    fn set(&self, part: &'static str, ready: bool, says: String) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(part, Part { ready, says });
    }

    /// Whether there is a part and all are ready.
    pub fn is_ready(&self) -> bool {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !parts.is_empty() && parts.values().all(|part| part.ready)
    }

    /// One line a part: `[+] listeners: …` or `[-] configuration: …`.
    pub fn report(&self) -> String {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.iter().fold(String::new(), |mut text, (name, part)| {
            let sign = if part.ready { '+' } else { '-' };
            let _ = writeln!(text, "[{sign}] {name}: {}", part.says);
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Readiness;

    #[test]
    fn ready_means_that_every_part_is() {
        let readiness = Readiness::default();
        assert!(!readiness.is_ready(), "nothing has reported yet");
        readiness.ready("listeners", "2 bound");
        readiness.not_ready("configuration", "not read yet");
        assert!(!readiness.is_ready());
        assert_eq!(
            readiness.report(),
            "[-] configuration: not read yet\n[+] listeners: 2 bound\n"
        );
        readiness.ready("configuration", "live");
        assert!(readiness.is_ready());
    }
}
