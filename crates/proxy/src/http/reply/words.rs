//! What each of the gateway's own answers says.
//!
//! The words are for clients: what is wrong, and who can do something about it. Error types are those of
//! RFC 9209, section 2.3; statuses of gRPC are those that its clients know how to take: `UNIMPLEMENTED`
//! where nothing serves the request, `INTERNAL` where the request itself is at fault,
//! `RESOURCE_EXHAUSTED` where it is too much, `DEADLINE_EXCEEDED` where the time that a route gives was over, else
//! `UNAVAILABLE`.

use http::StatusCode;

use crate::observe::answers::ANSWERS;

/// An answer.
pub(super) struct Words {
    pub(super) status: StatusCode,
    /// One of [`ANSWERS`].
    pub(super) label: &'static str,
    /// The error type of RFC 9209.
    pub(super) error: &'static str,
    pub(super) grpc: u16,
    /// Seconds.
    pub(super) retry_after: Option<u16>,
    /// What is wrong.
    pub(super) what: &'static str,
    /// Who can do something about it.
    pub(super) who: &'static str,
}

const UNKNOWN: u16 = 2;
const DEADLINE_EXCEEDED: u16 = 4;
const PERMISSION_DENIED: u16 = 7;
const RESOURCE_EXHAUSTED: u16 = 8;
const UNIMPLEMENTED: u16 = 12;
const INTERNAL: u16 = 13;
const UNAVAILABLE: u16 = 14;
const UNAUTHENTICATED: u16 = 16;

const CLIENT: &str = "The sender of the request can put it right";
const ROUTE_OWNER: &str = "The owner of the route can put it right; the gateway's log and the route's status say what is missing";
const SERVICE_OWNER: &str = "The owner of the service can see why; the gateway's log says more";
const OPERATOR: &str = "The operator of the gateway can see why";

/// The status of gRPC that stands for a status of HTTP.
pub(super) fn grpc_of(status: StatusCode) -> u16 {
    match status.as_u16() {
        400 => INTERNAL,
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        404 => UNIMPLEMENTED,
        429 | 502..=504 => UNAVAILABLE,
        _ => UNKNOWN,
    }
}

/// All answers, each at the place of its label in [`ANSWERS`].
pub(super) const ALL: [&Words; ANSWERS.len()] = [
    &MALFORMED,
    &BAD_TARGET,
    &TARGET_TOO_LONG,
    &HEAD_TOO_LARGE,
    &BODY_TOO_LARGE,
    &CLIENT_BODY,
    &NO_MATCH,
    &MISDIRECTED,
    &LISTENER_GONE,
    &INVALID_LISTENER,
    &INVALID_FILTER,
    &NO_DECISION,
    &INVALID_BACKEND,
    &NO_BACKEND,
    &OVERLOADED,
    &NO_ENDPOINTS,
    &CONNECT_FAILED,
    &CONNECT_TIMED_OUT,
    &CERTIFICATE,
    &HANDSHAKE,
    &HTTP_HANDSHAKE,
    &TRY_TIMED_OUT,
    &TIMED_OUT,
    &BROKEN_RESPONSE,
    &BROKEN_CONNECTION,
    &TRIES_EXHAUSTED,
    &OVER_BUDGET,
    &UNASKED_UPGRADE,
    &NOT_UPGRADED,
];

const fn of_client(
    status: StatusCode,
    label: &'static str,
    grpc: u16,
    what: &'static str,
) -> Words {
    Words {
        status,
        label,
        error: "http_request_error",
        grpc,
        retry_after: None,
        what,
        who: CLIENT,
    }
}

const fn of_configuration(label: &'static str, what: &'static str) -> Words {
    Words {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        label,
        error: "proxy_configuration_error",
        grpc: UNAVAILABLE,
        retry_after: None,
        what,
        who: ROUTE_OWNER,
    }
}

const fn of_backend(
    status: StatusCode,
    label: &'static str,
    error: &'static str,
    what: &'static str,
) -> Words {
    Words {
        status,
        label,
        error,
        grpc: UNAVAILABLE,
        retry_after: None,
        what,
        who: SERVICE_OWNER,
    }
}

pub(super) static MALFORMED: Words = of_client(
    StatusCode::BAD_REQUEST,
    "malformed",
    INTERNAL,
    "The request is malformed: its head can be read in more than one way, or lacks what HTTP asks for",
);
pub(super) static BAD_TARGET: Words = of_client(
    StatusCode::BAD_REQUEST,
    "bad_target",
    INTERNAL,
    "The request's path is malformed: two servers could read it in two ways",
);
pub(super) static TARGET_TOO_LONG: Words = of_client(
    StatusCode::URI_TOO_LONG,
    "target_too_long",
    RESOURCE_EXHAUSTED,
    "The request's target is longer than this gateway takes",
);
pub(super) static HEAD_TOO_LARGE: Words = of_client(
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    "head_too_large",
    RESOURCE_EXHAUSTED,
    "The request's head is larger than this gateway takes, or has more headers",
);
pub(super) static BODY_TOO_LARGE: Words = of_client(
    StatusCode::PAYLOAD_TOO_LARGE,
    "body_too_large",
    RESOURCE_EXHAUSTED,
    "The request's body is larger than this gateway takes",
);
pub(super) static CLIENT_BODY: Words = of_client(
    StatusCode::BAD_REQUEST,
    "client_body",
    INTERNAL,
    "The request's body broke off or is malformed",
);
pub(super) static NO_MATCH: Words = Words {
    status: StatusCode::NOT_FOUND,
    label: "no_match",
    error: "destination_not_found",
    grpc: UNIMPLEMENTED,
    retry_after: None,
    what: "No route takes this request: its host, path, method and headers match none",
    who: "If there should be one, the owner of the route can put it right",
};
pub(super) static MISDIRECTED: Words = Words {
    retry_after: None,
    who: "A client can ask again on a new connection",
    ..of_client(
        StatusCode::MISDIRECTED_REQUEST,
        "misdirected",
        UNAVAILABLE,
        "This connection was made for another host name (SNI) than the request is for",
    )
};
pub(super) static LISTENER_GONE: Words = Words {
    who: "A client can ask again on a new connection",
    ..of_client(
        StatusCode::MISDIRECTED_REQUEST,
        "listener_gone",
        UNAVAILABLE,
        "The gateway's settings have changed since this connection was made",
    )
};
pub(super) static INVALID_LISTENER: Words = Words {
    who: OPERATOR,
    ..of_configuration(
        "invalid_listener",
        "A policy of this listener cannot be used, and nothing passes without it",
    )
};
pub(super) static INVALID_FILTER: Words = of_configuration(
    "invalid_filter",
    "A filter of this route cannot be used, and nothing passes without it",
);
pub(super) static NO_DECISION: Words = of_backend(
    StatusCode::SERVICE_UNAVAILABLE,
    "no_decision",
    "destination_unavailable",
    "The service that decides about requests has not decided about this one, and nothing passes without it",
);
pub(super) static INVALID_BACKEND: Words = of_configuration(
    "invalid_backend",
    "This route refers to a backend that cannot be used",
);
pub(super) static NO_BACKEND: Words = of_configuration(
    "no_backend",
    "This route has no backend that may get requests",
);
pub(super) static OVERLOADED: Words = Words {
    status: StatusCode::SERVICE_UNAVAILABLE,
    label: "overloaded",
    error: "http_request_denied",
    grpc: UNAVAILABLE,
    retry_after: Some(1),
    what: "As many requests are under way as this gateway takes at a time",
    who: "A client can ask again in a moment; the operator of the gateway can raise the limit",
};
pub(super) static NO_ENDPOINTS: Words = of_backend(
    StatusCode::SERVICE_UNAVAILABLE,
    "no_endpoints",
    "destination_unavailable",
    "The service has no endpoint that is ready",
);
pub(super) static CONNECT_FAILED: Words = of_backend(
    StatusCode::SERVICE_UNAVAILABLE,
    "connect_failed",
    "connection_refused",
    "No connection to the service came about",
);
pub(super) static CONNECT_TIMED_OUT: Words = of_backend(
    StatusCode::SERVICE_UNAVAILABLE,
    "connect_timed_out",
    "connection_timeout",
    "No connection to the service came about in time",
);
pub(super) static CERTIFICATE: Words = of_backend(
    StatusCode::SERVICE_UNAVAILABLE,
    "certificate",
    "tls_certificate_error",
    "The service's certificate is not the one that is asked of it",
);
pub(super) static HANDSHAKE: Words = of_backend(
    StatusCode::SERVICE_UNAVAILABLE,
    "handshake",
    "tls_protocol_error",
    "TLS with the service did not come about",
);
pub(super) static HTTP_HANDSHAKE: Words = of_backend(
    StatusCode::SERVICE_UNAVAILABLE,
    "http_handshake",
    "http_protocol_error",
    "The service does not speak the version of HTTP that is asked of it",
);
pub(super) static TRY_TIMED_OUT: Words = Words {
    grpc: DEADLINE_EXCEEDED,
    ..of_backend(
        StatusCode::GATEWAY_TIMEOUT,
        "backend_timed_out",
        "http_response_timeout",
        "The service did not answer within the time that the route gives one try",
    )
};
pub(super) static TIMED_OUT: Words = Words {
    grpc: DEADLINE_EXCEEDED,
    ..of_backend(
        StatusCode::GATEWAY_TIMEOUT,
        "timed_out",
        "http_response_timeout",
        "The service did not answer within the time that the route gives a request",
    )
};
pub(super) static BROKEN_RESPONSE: Words = of_backend(
    StatusCode::BAD_GATEWAY,
    "broken_response",
    "http_protocol_error",
    "The service answered with something that is not HTTP",
);
pub(super) static BROKEN_CONNECTION: Words = of_backend(
    StatusCode::BAD_GATEWAY,
    "broken_connection",
    "connection_terminated",
    "The service closed its connection before it had answered",
);
pub(super) static TRIES_EXHAUSTED: Words = of_backend(
    StatusCode::SERVICE_UNAVAILABLE,
    "tries_exhausted",
    "connection_terminated",
    "The service closed its connection before it had answered, as often as the route tries",
);
pub(super) static OVER_BUDGET: Words = of_backend(
    StatusCode::SERVICE_UNAVAILABLE,
    "retry_budget",
    "destination_unavailable",
    "The service failed, and as many requests as its policy allows are being sent to it again",
);
pub(super) static UNASKED_UPGRADE: Words = of_backend(
    StatusCode::BAD_GATEWAY,
    "unasked_upgrade",
    "http_upgrade_failed",
    "The service changed the protocol unasked",
);
pub(super) static NOT_UPGRADED: Words = of_backend(
    StatusCode::BAD_GATEWAY,
    "not_upgraded",
    "http_upgrade_failed",
    "The service did not change the protocol and did not say no",
);
