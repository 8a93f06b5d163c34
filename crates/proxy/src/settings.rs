//! What the process that hosts the proxy decides: threads, how it ends. Nothing that objects can say.

use std::time::Duration;

use crate::observe::access_log;

/// Settings of a proxy process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Worker threads; at least 1.
    pub workers: usize,
    /// How long listeners go on accepting after a stop was asked for, so that load balancers notice.
    pub drain_delay: Duration,
    /// How long requests in flight get to end after that.
    pub drain_grace: Duration,
    /// The smallest TTL with which DNS names of endpoints are resolved again.
    pub dns_min_ttl: Duration,
    /// The access log, if one is written.
    pub access_log: Option<access_log::Settings>,
    /// What the environment says about sockets that were handed over (systemd socket activation).
    pub inherited: Option<Inherited>,
}

/// `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES`, as the environment has them (`sd_listen_fds(3)`).
#[derive(Clone, Debug)]
pub struct Inherited {
    /// For which process.
    pub pid: String,
    /// How many sockets, from file descriptor 3 on.
    pub count: String,
    /// Their names, separated by colons.
    pub names: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: 1,
            drain_delay: Duration::ZERO,
            drain_grace: Duration::from_secs(30),
            dns_min_ttl: Duration::from_secs(1),
            access_log: None,
            inherited: None,
        }
    }
}
