//! The kinds of `gateway.networking.x-k8s.io`, v1alpha1, as v1.6.1 of the Gateway API has them. They may change or
//! go with any version. `cargo xtask bindings` compares them with the published CRDs.

pub mod xbackend;
pub mod xbackendtrafficpolicy;

/// The API group of these kinds.
pub const GROUP: &str = "gateway.networking.x-k8s.io";

/// Their version.
pub const VERSION: &str = "v1alpha1";
