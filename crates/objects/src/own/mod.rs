//! Our own kinds, one per concern: what the Gateway API has no field for.

pub mod affinity;
pub mod backend;
pub mod backend_policy;
pub mod exposure;
pub mod listener_policy;
pub mod parameters;
pub mod pod;

/// The API group of these kinds.
pub const GROUP: &str = "gateway.daemun.dev";

/// Their version.
pub const VERSION: &str = "v1alpha1";

/// The annotation of their CRDs that says of which version of Daemun they are.
pub const RELEASE: &str = "gateway.daemun.dev/version";

/// This version of Daemun.
pub const THIS_RELEASE: &str = env!("CARGO_PKG_VERSION");

/// An annotation of a Secret or ConfigMap with this start names a file for the key that follows.
pub const FILE_ANNOTATION_PREFIX: &str = "file.gateway.daemun.dev/";
