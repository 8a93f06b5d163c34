//! What a proxy says that it has, piece by piece. It is taken only from who was asked, no more of it than it can
//! have, and from few at a time: it is held in memory until it is whole.

use std::sync::Arc;
use std::time::{Duration, Instant};

use daemun_base::clock;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tonic::Status;

use crate::commit::{Piece, Pieces};
use crate::versions::Versions;

/// Proxies at a time that say what they have in more than one piece.
pub(super) const AT_A_TIME: usize = 4;
/// How long it may take, and how long to wait until it may begin.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that a proxy may have beside those for what is published: it comes with what was published before.
const BEFORE: usize = 4 * 1024 * 1024;
/// Bytes for each resource: its name and its version.
const OF_EACH: usize = 512;

/// What has come so far.
#[derive(Default)]
pub(super) struct Having(Option<Begun>);

struct Begun {
    pieces: Pieces,
    until: Instant,
    _place: OwnedSemaphorePermit,
}

impl Having {
    /// Takes the next piece; with the last one, gives all of it. So many resources are published.
    pub(super) async fn take(
        &mut self,
        piece: &Piece,
        published: usize,
        places: &Arc<Semaphore>,
    ) -> Result<Option<Versions>, Status> {
        if self.0.is_none() && piece.last {
            // It is small.
            return Pieces::default()
                .take(piece)
                .map_err(Status::invalid_argument);
        }
        let begun = match &mut self.0 {
            Some(begun) => begun,
            None => {
                let place = timeout(PATIENCE, Arc::clone(places).acquire_owned()).await;
                let Ok(Ok(place)) = place else {
                    return Err(Status::unavailable(
                        "too many proxies say at once what they have",
                    ));
                };
                self.0.insert(Begun {
                    pieces: Pieces::at_most(BEFORE + published * OF_EACH),
                    until: clock::now() + PATIENCE,
                    _place: place,
                })
            }
        };
        let taken = begun.pieces.take(piece).map_err(Status::invalid_argument)?;
        if piece.last {
            self.0 = None;
        }
        Ok(taken)
    }

    /// Until when the rest must have come.
    pub(super) fn until(&self) -> Option<Instant> {
        Some(self.0.as_ref()?.until)
    }
}
