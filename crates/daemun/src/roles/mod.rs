//! Who may do what: the people around a gateway (the Gateway API's personas), and the rules by which Kubernetes lets them.
//!
//! One list, from which `daemun install` prints roles, the Helm chart and `deploy/roles` have theirs, and `daemun check
//! --as` judges. What the controller itself may do is beside what is installed, and not here.

pub(crate) mod judge;
pub(crate) mod persona;
pub(crate) mod policy;
pub(crate) mod rule;
