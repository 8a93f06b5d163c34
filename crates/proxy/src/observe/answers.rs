//! The reasons for answers of the gateway's own, in a word each: for metrics, logs and bodies.
//!
//! They are here and not with their words (`http::reply`), because what counts knows nothing of what it
//! counts.

/// All reasons, each at its number.
pub(crate) const ANSWERS: [&str; 29] = [
    "malformed",
    "bad_target",
    "target_too_long",
    "head_too_large",
    "body_too_large",
    "client_body",
    "no_match",
    "misdirected",
    "listener_gone",
    "invalid_listener",
    "invalid_filter",
    "no_decision",
    "invalid_backend",
    "no_backend",
    "overloaded",
    "no_endpoints",
    "connect_failed",
    "connect_timed_out",
    "certificate",
    "handshake",
    "http_handshake",
    "backend_timed_out",
    "timed_out",
    "broken_response",
    "broken_connection",
    "tries_exhausted",
    "retry_budget",
    "unasked_upgrade",
    "not_upgraded",
];
