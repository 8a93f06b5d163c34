//! Tasks with an owner and an end.
//!
//! [`LocalTasks`] are those of one worker: they stay on its thread and may hold `Rc`s. [`Tasks`] are
//! those of the runtime beside the workers. Both count what runs, so that a process can wait for it;
//! what is still running when its owner is dropped is aborted.

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

/// The tasks of one worker thread.
#[derive(Clone, Default)]
pub struct LocalTasks(Rc<Running>);

#[derive(Default)]
struct Running {
    count: Cell<usize>,
    ended: Notify,
}

impl LocalTasks {
    /// Runs a future on this thread, until it ends.
    ///
    /// # Panics
    /// Outside a `LocalRuntime` or `LocalSet`.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where local tasks are spawned"
    )]
    pub fn spawn<F: Future<Output = ()> + 'static>(&self, future: F) -> AbortHandle {
        let counted = Counted::new(Rc::clone(&self.0));
        // A future that is wrapped is there twice, and is moved with the task; on the heap it stays put.
        let future = Box::pin(future);
        tokio::task::spawn_local(async move {
            let _counted = counted;
            future.await;
        })
        .abort_handle()
    }

    /// How many tasks run.
    pub fn count(&self) -> usize {
        self.0.count.get()
    }

    /// Waits until no task runs.
    pub async fn drained(&self) {
        while self.0.count.get() > 0 {
            self.0.ended.notified().await;
        }
    }
}

struct Counted(Rc<Running>);

impl Counted {
    fn new(running: Rc<Running>) -> Self {
        running.count.set(running.count.get() + 1);
        Self(running)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.count.set(self.0.count.get() - 1);
        if self.0.count.get() == 0 {
            self.0.ended.notify_waiters();
        }
    }
}

/// The tasks of the runtime beside the workers. Dropping the last handle aborts them.
#[derive(Clone, Default)]
pub struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl Tasks {
    /// Runs a future, until it ends or its owner is dropped.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn spawn<F: Future<Output = ()> + Send + 'static>(&self, future: F) -> AbortHandle {
        let mut set = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while set.try_join_next().is_some() {}
        set.spawn(future)
    }

    /// Ends all tasks.
    pub fn abort(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .abort_all();
    }
}

/// Runs a blocking function on a thread of its own.
///
/// # Panics
/// Outside a runtime.
pub fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> JoinHandle<R> {
    tokio::task::spawn_blocking(work)
}
