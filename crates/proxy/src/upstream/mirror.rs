//! Copies of requests: sent beside the request, over the worker's own pools; their answers are thrown
//! away. Nothing here delays or fails the request itself.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http_body_util::BodyExt as _;
use smallvec::SmallVec;

use crate::http::filters::Way;
use crate::http::replay::Source;
use crate::live::{BackendId, BackendLive};
use crate::observe::trip::Trip;
use crate::upstream::head::Head;
use crate::upstream::send::{self, Errand};
use crate::worker::Worker;

/// How long a copy may take altogether.
const LONGEST: Duration = Duration::from_secs(30);

/// Sends copies of a request, as the backend gets it. One with a body is sent when the body has come
/// to its end and was kept whole; else the copy is dropped and counted.
pub(crate) fn send_copies(
    way: &Way<'_>,
    parts: &Parts,
    body: Option<&Rc<Source>>,
    backends: SmallVec<[BackendId; 2]>,
) {
    for id in backends {
        let worker = Rc::clone(&way.connection.worker);
        let Some(backend) = way
            .live
            .backend(id)
            .filter(|backend| backend.closed().is_none())
        else {
            worker.metrics.mirror_dropped();
            continue;
        };
        let copy = Copy {
            backend: Arc::clone(backend),
            parts: parts.clone(),
            body: body.map(Rc::clone),
        };
        let task = Rc::clone(&worker);
        worker.tasks.spawn(async move {
            if tokio::time::timeout(LONGEST, copy.send(&task)).await != Ok(true) {
                task.metrics.mirror_dropped();
            }
        });
    }
}

struct Copy {
    backend: Arc<BackendLive>,
    parts: Parts,
    body: Option<Rc<Source>>,
}

impl Copy {
    /// Whether the copy was sent and answered.
    async fn send(self, worker: &Rc<Worker>) -> bool {
        let body = match &self.body {
            None => None,
            Some(source) => match source.whole().await {
                None => return false,
                Some(frames) => Some(Source::kept(frames)),
            },
        };
        let errand = Errand {
            worker,
            backend: &self.backend,
            retry: None,
            try_limit: None,
            deadline: None,
            bound_to: None,
            hash_key: None,
            upgrades: false,
        };
        let mut head = Head::new(self.parts, false, body.is_some());
        let mut trip = Trip::aside();
        let sending = send::send(&errand, &mut head, body.as_ref(), &mut trip);
        let Ok(sent) = sending.await else {
            return false;
        };
        // The answer is read to its end so that the connection can be used again.
        let mut incoming = sent.response.into_body();
        while let Some(frame) = incoming.frame().await {
            if frame.is_err() {
                return true;
            }
        }
        true
    }
}
