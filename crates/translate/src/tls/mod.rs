//! Certificates and authorities: judged here, so that `check` sees what a proxy would refuse.

pub(crate) mod authorities;
pub(crate) mod certificates;
pub(crate) mod date;
pub(crate) mod keys;
