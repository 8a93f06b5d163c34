//! Saying in the objects' status what became of them: composed from verdicts, proxies' answers and addresses, put beside
//! what others say, and written only when something is different. Only the leader writes.

mod compose;
mod desk;
mod merge;
mod notices;
mod programmed;
mod release;
mod said;
mod silence;
mod teller;

pub(crate) use release::Release;
pub(crate) use teller::{News, Tell, Teller};
