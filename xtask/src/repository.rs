//! Where the repository is.
//!
//! Nothing else: what is in it, each task finds itself.

use std::path::{Path, PathBuf};

/// The root of the repository that this binary was built in.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
