//! What the two ends say to each other: one frame a message of the stream, MessagePack with the names of fields.
//!
//! A frame that is not known ends the stream: the end that speaks a newer protocol knows from the other's
//! hello what it may say.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::answer::{Phase, Refused};
use crate::commit::Piece;
use crate::resource::Version;

/// The protocol that this version speaks. It counts up when a frame or a field of one is added.
pub const PROTOCOL: u32 = 2;
/// The oldest protocol that this version still understands.
pub const OLDEST_PROTOCOL: u32 = 1;
/// The first protocol in which an answer says whether a connection has come.
pub(crate) const SAYS_REACHED: u32 = 2;

/// What the controller says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ToProxy {
    /// It has something to give. Before that it only listens.
    Hello {
        /// The version of its program.
        version: String,
        /// The protocol that it speaks.
        protocol: u32,
    },
    /// The proxy is asked to say what it has, since it is not what is published.
    Tell,
    /// A piece of a [`Commit`](crate::commit::Commit).
    Commit(Piece),
    /// Is somebody there?
    Ping,
}

/// What a proxy says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum FromProxy {
    /// The first of all.
    Hello {
        /// The version of its program.
        version: String,
        /// The protocol that it speaks.
        protocol: u32,
    },
    /// It wants resources from this controller.
    Subscribe {
        /// The version of what it has, if it has anything.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        root: Option<Version>,
    },
    /// A piece of what it has: the [`Versions`](crate::versions::Versions) of its resources.
    Have(Piece),
    /// How it fares. The last one is what counts.
    Answer(Answer),
    /// Somebody is there.
    Pong,
}

/// How a proxy fares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// What it is doing.
    pub phase: Phase,
    /// The Gateway's generation that it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// The version of the resources that it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<Version>,
    /// What it refused of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
    /// Whether a connection has come to one of its listeners since it began; none if the proxy does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<bool>,
}

/// Refused parts of one answer, at most.
const REFUSED: usize = 64;
/// Bytes of what is said of each.
const SAID: usize = 1024;

impl Answer {
    /// What is to be said before there is anything to say.
    pub(crate) fn starting(reached: Option<bool>) -> Self {
        Self {
            phase: Phase::Starting,
            generation: None,
            root: None,
            refused: Vec::new(),
            reached,
        }
    }

    /// As who speaks this protocol can read it.
    pub(crate) fn in_protocol(mut self, protocol: u32) -> Self {
        self.reached = self.reached.filter(|_| protocol >= SAYS_REACHED);
        self
    }

    /// As much of it as an answer may say: listeners first, since they have conditions of their own.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        if self.refused.len() > REFUSED {
            let is_other = |refused: &Refused| !refused.what.starts_with("listener ");
            self.refused.sort_by_key(is_other);
            self.refused.truncate(REFUSED);
        }
        for Refused { what, why } in &mut self.refused {
            shorten(what, SAID);
            shorten(why, SAID);
        }
        self
    }
}

/// Cuts a text that is longer than it may be.
pub(crate) fn shorten(text: &mut String, most: usize) {
    if text.len() > most {
        let end = text.floor_char_boundary(most);
        text.truncate(end);
        text.push('…');
    }
}

/// Writes a frame.
///
/// # Errors
/// A sentence; no frame is known that cannot be written.
pub fn write<T: Serialize>(frame: &T) -> Result<Bytes, String> {
    rmp_serde::to_vec_named(frame)
        .map(Bytes::from)
        .map_err(|error| format!("a frame cannot be written: {error}"))
}

/// Reads a frame.
///
/// # Errors
/// A sentence, about a frame that is not known above all.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    rmp_serde::from_slice(bytes).map_err(|error| format!("a frame cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::{Answer, OLDEST_PROTOCOL, PROTOCOL, read, write};
    use crate::answer::Phase;

    /// An answer as protocol 1 had it.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct First {
        phase: Phase,
    }

    #[test]
    fn who_speaks_an_older_protocol_is_told_what_it_can_read() {
        let answer = Answer::starting(Some(true));
        let in_first = write(&answer.clone().in_protocol(OLDEST_PROTOCOL)).unwrap();
        assert_eq!(read::<First>(&in_first).unwrap().phase, Phase::Starting);
        assert_eq!(read::<Answer>(&in_first).unwrap().reached, None);
        let in_newest = write(&answer.in_protocol(PROTOCOL)).unwrap();
        assert!(read::<First>(&in_newest).is_err(), "it could not be read");
        assert_eq!(read::<Answer>(&in_newest).unwrap().reached, Some(true));
    }
}
