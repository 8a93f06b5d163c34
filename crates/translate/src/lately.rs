//! What followed from the Routes before, so that equal lists are held once. It spares memory; nothing that
//! is translated depends on it.

use std::collections::VecDeque;
use std::sync::Arc;

use daemun_model::names::{BackendKey, ListenerKey, ListenerOwner, ObjectName};
use daemun_model::verdict::Part;

use crate::read::route::RouteOutcome;

/// What followed last from Routes. From nearly all of thousands the same lists follow, and they are held
/// once.
#[derive(Debug, Default)]
pub(crate) struct Lately {
    parts: Lists<Part>,
    backends: Lists<BackendKey>,
    counted: Lists<ListenerKey>,
    parents: Lists<(ListenerOwner, ObjectName)>,
}

impl Lately {
    /// Puts the lists that were there before in place of the same ones.
    pub(crate) fn share(&mut self, outcome: &mut RouteOutcome) {
        if let Some(verdict) = outcome.verdict.as_mut().and_then(Arc::get_mut) {
            self.parts.share(&mut verdict.parts);
        }
        self.backends.share(&mut outcome.backends);
        self.counted.share(&mut outcome.counted);
        self.parents.share(&mut outcome.parents);
    }
}

/// The newest lists of one kind, the newest first.
#[derive(Debug)]
struct Lists<T>(VecDeque<Arc<[T]>>);

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T: PartialEq> Lists<T> {
    const MOST: usize = 16;

    fn share(&mut self, made: &mut Arc<[T]>) {
        match self.0.iter().find(|known| *known == made) {
            Some(known) => *made = Arc::clone(known),
            None => {
                self.0.truncate(Self::MOST - 1);
                self.0.push_front(Arc::clone(made));
            }
        }
    }
}
