//! Kubernetes' own kinds, as far as they are read. Their other fields may be written and are skipped.

pub mod configmap;
pub mod endpointslice;
pub mod namespace;
pub mod node;
pub mod secret;
pub mod service;
