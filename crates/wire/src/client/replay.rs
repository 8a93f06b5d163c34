//! A stream that was recorded, read as a proxy reads it: streams of other versions, and those that nobody would send.

use super::Update;
use super::held::Held;
use crate::commit::{Commit, Pieces};
use crate::frame::{self, ToProxy};

/// What a proxy that has nothing makes of the frames of one stream; none if no commit of a Gateway is whole.
///
/// # Errors
/// A sentence, where a proxy would end the stream.
pub fn replay<'a>(frames: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<Update>, String> {
    let (mut held, mut pieces) = (Held::default(), Pieces::default());
    let mut update = None;
    for bytes in frames {
        match frame::read(bytes)? {
            ToProxy::Commit(piece) => {
                if let Some(commit) = pieces.take::<Commit>(&piece)? {
                    held.apply(commit)?;
                    update = held.update();
                }
            }
            ToProxy::Hello { .. } | ToProxy::Tell | ToProxy::Ping => {}
        }
    }
    Ok(update)
}
