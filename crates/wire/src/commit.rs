//! What one translation changed: it is applied whole or not at all.
//!
//! However large it is, it travels in pieces below 1 MiB, and is nothing before its last piece is there.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::resource::{Name, Version};

/// Bytes of a piece. With what is around it, it stays below 1 MiB.
const PIECE: usize = 1024 * 1024 - 1024;

/// Bytes that whatever comes in pieces may have in all. Beyond it something is wrong with whoever sends it.
const WHOLE: usize = 512 * 1024 * 1024;

/// A change of a Gateway's resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// Resources that are new or different, as they are written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub put: Vec<Put>,
    /// Resources that are gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<Name>,
    /// The version of all resources together once this is applied. Who comes to another one has not begun with
    /// what it was thought to have.
    pub root: Version,
}

/// A resource in a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Put {
    /// Which one.
    pub name: Name,
    /// What it says.
    #[serde(with = "raw")]
    pub bytes: Bytes,
}

/// A piece of something that may be large.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// Its bytes.
    #[serde(with = "raw")]
    pub bytes: Bytes,
    /// Whether nothing comes after it.
    pub last: bool,
}

/// Cuts a value into pieces; at least one.
///
/// # Errors
/// A sentence, if it cannot be written.
pub fn cut<T: Serialize>(whole: &T) -> Result<Vec<Piece>, String> {
    let mut rest = rmp_serde::to_vec_named(whole)
        .map(Bytes::from)
        .map_err(|error| error.to_string())?;
    let mut pieces = Vec::with_capacity(rest.len() / PIECE + 1);
    while rest.len() > PIECE {
        let bytes = rest.split_to(PIECE);
        pieces.push(Piece { bytes, last: false });
    }
    pieces.push(Piece {
        bytes: rest,
        last: true,
    });
    Ok(pieces)
}

/// Puts pieces together again.
#[derive(Debug)]
pub struct Pieces {
    bytes: Vec<u8>,
    most: usize,
}

impl Default for Pieces {
    fn default() -> Self {
        Self::at_most(WHOLE)
    }
}

impl Pieces {
    /// Of something that has no more bytes than this.
    pub fn at_most(bytes: usize) -> Self {
        Self {
            bytes: Vec::new(),
            most: bytes,
        }
    }

    /// Takes the next piece; with the last one, gives the whole.
    ///
    /// # Errors
    /// A sentence: there is too much of it, or it cannot be read.
    pub fn take<T: DeserializeOwned>(&mut self, piece: &Piece) -> Result<Option<T>, String> {
        if self.bytes.len() + piece.bytes.len() > self.most {
            return Err(format!("more than {} bytes were sent as one", self.most));
        }
        if !piece.last {
            self.bytes.extend_from_slice(&piece.bytes);
            return Ok(None);
        }
        let before = std::mem::take(&mut self.bytes);
        let whole = if before.is_empty() {
            rmp_serde::from_slice(&piece.bytes)
        } else {
            rmp_serde::from_slice(&[&before, &piece.bytes[..]].concat())
        };
        whole.map(Some).map_err(|error| error.to_string())
    }
}

/// Bytes that travel as bytes, not as a list of numbers.
pub(crate) mod raw {
    use std::fmt;

    use bytes::Bytes;
    use serde::de::{self, Deserializer, Visitor};
    use serde::ser::Serializer;

    pub(crate) fn serialize<S: Serializer>(
        bytes: &Bytes,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Bytes, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes::copy_from_slice(bytes))
            }

            fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(bytes.into())
            }
        }
        deserializer.deserialize_byte_buf(Reader)
    }
}
