//! Where objects come from: files, or Kubernetes. Each source gives all objects that are in force, with what is wrong.

pub mod files;
pub(crate) mod kubernetes;
