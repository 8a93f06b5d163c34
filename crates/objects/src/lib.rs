//! The objects as users write them: Gateway API v1.6.1 (standard and experimental fields), the core
//! kinds that are read, and our own kinds.
//!
//! These types say what may be written, not what it means: values stay as they are in the object, a
//! value that the API gains later is data and not an error, and a default that the API server would
//! fill in is an `Option` here, because a file has no API server (accessors give the default). What
//! the objects mean is the business of `translate`; `status` is written elsewhere and skipped here.
//!
//! Field lists are static: no struct is flattened or catches unknown fields, so that a reader that
//! looks at the list given to `deserialize_struct` can report a misspelt field.

mod any;
mod binary;
pub mod core;
mod duration;
pub mod experimental;
pub mod gateway_api;
mod managed;
mod meta;
mod open;
pub mod own;
mod read;
mod timestamp;

pub use any::{Any, KindInfo};
pub use binary::Binary;
pub use duration::Duration;
pub use managed::{FIELD_MANAGER, ManagedFields};
pub use meta::{Kind, Metadata, Object, OwnerReference, Resource};
pub use open::{Known, Open};
pub use read::Ignored;
pub use timestamp::seconds_since_epoch;
