//! Asking another service whether a request may pass (gateway-api `HTTPExternalAuthFilter`, GEP-1494).
//! Without a clear yes nothing passes.

use http::HeaderName;
use serde::{Deserialize, Serialize};

use crate::names::BackendKey;

/// Who is asked, and what they are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalAuth {
    /// The service that decides.
    pub backend: BackendKey,
    /// What is spoken to it.
    pub protocol: AuthProtocol,
    /// Bytes of a request's body that are sent along at most; 0 sends none. A longer body is refused (413):
    /// a decision about half of it would be none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub body_bytes: u32,
}

/// What is spoken to a service that decides about requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum AuthProtocol {
    /// `envoy.service.auth.v3.Authorization/Check` over gRPC.
    Grpc(GrpcAuth),
    /// A request with the client's method and path; 200 lets it pass.
    Http(HttpAuth),
}

/// What a service is told over gRPC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrpcAuth {
    /// The request's headers that it is told of; empty means all.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "crate::carried::texts"
    )]
    pub headers: Vec<HeaderName>,
}

/// What a service is told over HTTP, and what is taken of its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpAuth {
    /// Put before the request's path. Empty, or begins with `/` and does not end with it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The request's headers that are sent along, beside `Host` and `Authorization`.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "crate::carried::texts"
    )]
    pub headers: Vec<HeaderName>,
    /// The headers of its answer that the backend gets in place of what the client sent under those names.
    /// Empty means all but those that are about the connection or about the answer's own body.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "crate::carried::texts"
    )]
    pub answer_headers: Vec<HeaderName>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde gives a field to such a function by reference"
)]
fn is_zero(bytes: &u32) -> bool {
    *bytes == 0
}
