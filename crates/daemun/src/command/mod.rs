//! The commands, one file each.

pub(crate) mod access;
pub(crate) mod access_log;
pub(crate) mod check;
pub(crate) mod cluster;
pub(crate) mod completions;
pub(crate) mod controller;
pub(crate) mod echo;
pub(crate) mod explain;
pub(crate) mod install;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod run;
pub(crate) mod verify;

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// All is well: 0.
    Fine,
    /// It did its work, and what it looked at is not well: 1.
    Refused,
    /// It could not do its work: 2.
    Unusable,
}

impl Status {
    /// Could not do its work; says why on standard error.
    pub(crate) fn unusable(why: &str) -> Self {
        eprintln!("{why}");
        Self::Unusable
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        match status {
            Status::Fine => ExitCode::SUCCESS,
            Status::Refused => ExitCode::from(1),
            Status::Unusable => ExitCode::from(2),
        }
    }
}
