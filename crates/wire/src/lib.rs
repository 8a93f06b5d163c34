//! How the model travels: from the controller to the proxies, and their answers back.
//!
//! It knows the model and nothing of Kubernetes: who a proxy is, is asked of an [`Identify`](identity::Identify)
//! that the controller brings. A proxy that runs in the controller's own process needs none of this.

pub mod answer;
pub mod client;
pub mod codec;
pub mod commit;
pub mod frame;
pub mod identity;
pub mod resource;
pub mod server;
pub mod tls;
pub mod versions;
