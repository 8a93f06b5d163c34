//! A panic on a worker's thread costs a connection and no test, by itself. A test that had a gateway
//! while one happened fails all the same.

use std::sync::{Mutex, MutexGuard, Once, PoisonError};

static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Watches workers until it is dropped.
pub(crate) struct Watch {
    before: usize,
}

impl Watch {
    /// Begins to watch.
    pub(crate) fn start() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let usual = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                let thread = std::thread::current();
                let name = thread.name().unwrap_or_default();
                if name.starts_with("worker") {
                    seen().push(format!("{name}: {panic}"));
                }
                usual(panic);
            }));
        });
        Self {
            before: seen().len(),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let since = seen().get(self.before..).unwrap_or_default().join("\n");
        if !since.is_empty() && !std::thread::panicking() {
            crate::fail(&format!("workers panicked: {since}"))
        }
    }
}

fn seen() -> MutexGuard<'static, Vec<String>> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::Watch;

    #[test]
    fn a_workers_panic_is_not_overlooked() {
        drop(Watch::start());
        let watch = Watch::start();
        let worker = std::thread::Builder::new().name("worker-7".to_owned());
        let ended = worker.spawn(|| panic!("on purpose")).unwrap().join();
        assert!(ended.is_err());
        let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(watch)));
        assert!(dropped.is_err());
    }
}
