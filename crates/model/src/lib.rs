//! What a gateway should do, as plain data.
//!
//! This is the middle of the three lives of a setting: what was written (`daemun-objects`), what is
//! meant (here), what is running (`daemun-proxy`'s `live`). Values are comparable, sendable and correct
//! by construction; they know neither Kubernetes nor sockets. `translate` makes them, the proxy
//! compiles them, `explain` reads them.
//!
//! Serialization has two forms, and the serializer chooses (`is_human_readable`):
//!
//! - For people (goldens, `/config`): secrets are shown as digests, never as content; names, keys and durations
//!   as a person would write them. Nobody reads this form back.
//! - For proxies (a binary format with field names): the whole content, and `Deserialize` reads this form only.
//!
//! What travels to proxies, [`snapshot::Snapshot`] downwards, keeps to a pattern, so that a proxy of another
//! version never leaves out what it cannot read:
//!
//! - It derives both traits, with `#[serde(deny_unknown_fields)]`; enums are externally tagged, and an unknown
//!   variant is an error.
//! - A field that is added says `default` and `skip_serializing_if`: an older proxy must be able to read what does
//!   not use it.
//! - Values of other crates go through `#[serde(with = "crate::carried::…")]`, and what is read is parsed.

pub mod address;
pub mod backend;
mod carried;
pub mod filter;
pub mod gateway;
pub mod hostname;
pub mod listener;
pub mod matching;
pub mod names;
pub mod persistent;
pub mod policy;
pub mod route;
pub mod shown;
pub mod snapshot;
pub mod stream;
pub mod tls;
pub mod verdict;
pub mod verdicts;

pub use snapshot::{Configuration, Snapshot};
pub use verdicts::Verdicts;
