//! Why connections below HTTP and flows of datagrams end, in a word each: for metrics and logs.

/// Why connections end, each at its number: for metrics and logs.
pub(crate) const ENDS: [&str; 20] = [
    "closed",
    "client_reset",
    "backend_reset",
    "idle",
    "drained",
    "client_handshake",
    "invalid_listener",
    "no_route",
    "no_backend",
    "invalid_backend",
    "no_endpoints",
    "connect_failed",
    "connect_timed_out",
    "certificate",
    "handshake",
    "refused",
    "evicted",
    "reconfigured",
    "gateway_closed",
    "source_not_allowed",
];

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Both sides have said that they are done.
    Closed,
    /// The client broke off.
    ClientReset,
    /// The backend broke off.
    BackendReset,
    /// Nothing moved for too long.
    Idle,
    /// The process ended, and the grace was over.
    Drained,
    /// TLS with the client did not come about.
    ClientHandshake,
    /// A policy of the listener cannot be used.
    InvalidListener,
    /// No Route takes it.
    NoRoute,
    /// The Route has no backend with a weight.
    NoBackend,
    /// The Route's choice fell on a backend that cannot be used.
    InvalidBackend,
    /// No endpoint is ready.
    NoEndpoints,
    /// No connection to the backend came about.
    ConnectFailed,
    /// Not in time.
    ConnectTimedOut,
    /// The backend's certificate is not the one that is asked of it.
    Certificate,
    /// TLS with the backend did not come about.
    Handshake,
    /// Every endpoint has told that nobody takes datagrams there.
    Refused,
    /// There were as many flows as there may be, and this one rested longest.
    Evicted,
    /// A changed configuration sends the flow elsewhere.
    Reconfigured,
    /// Its Gateway serves nothing any more.
    GatewayClosed,
    /// The client may not come from there any more.
    SourceNotAllowed,
}

impl End {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        ENDS[self as usize]
    }

    /// Whether the gateway let nothing pass, for a reason that operators want to know.
    pub(crate) fn is_refusal(self) -> bool {
        match self {
            Self::Closed
            | Self::ClientReset
            | Self::BackendReset
            | Self::Idle
            | Self::Drained
            | Self::ClientHandshake
            | Self::Evicted
            | Self::Reconfigured
            | Self::GatewayClosed
            | Self::SourceNotAllowed => false,
            Self::InvalidListener
            | Self::NoRoute
            | Self::NoBackend
            | Self::InvalidBackend
            | Self::NoEndpoints
            | Self::ConnectFailed
            | Self::ConnectTimedOut
            | Self::Certificate
            | Self::Handshake
            | Self::Refused => true,
        }
    }
}
