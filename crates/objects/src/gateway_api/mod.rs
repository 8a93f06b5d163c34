//! The kinds of `gateway.networking.k8s.io`, v1.6.1, with the fields of the standard and the
//! experimental channel. `cargo xtask bindings` compares them with the published CRDs.

pub mod backendtlspolicy;
pub mod gateway;
pub mod gatewayclass;
pub mod grpcroute;
pub mod httproute;
pub mod listenerset;
pub mod referencegrant;
pub mod route;
pub mod shared;
pub mod tcproute;
pub mod tlsroute;
pub mod udproute;

/// The API group of these kinds.
pub const GROUP: &str = "gateway.networking.k8s.io";
