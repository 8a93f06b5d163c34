//! Whom the proxies are, and how they know the controller.

use serde_json::json;

use super::{Kind, Maker, Manifest};

/// The file in which proxies find the controller's authorities.
pub(super) const AUTHORITIES: &str = "ca.crt";

/// The ServiceAccount: its uid tells the controller which Gateway a proxy is of. It has no rights.
pub(super) fn account(maker: &Maker<'_>) -> Manifest {
    maker.manifest(
        Kind::ServiceAccount,
        json!({ "automountServiceAccountToken": false }),
    )
}

/// The ConfigMap with the certificates of the controller's authorities.
pub(super) fn authorities(maker: &Maker<'_>) -> Manifest {
    maker.manifest(
        Kind::ConfigMap,
        json!({ "data": { AUTHORITIES: maker.authorities } }),
    )
}
