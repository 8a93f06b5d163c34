//! `URLRewrite` (gateway-api `HTTPURLRewriteFilter`).

use daemun_model::filter::rewrite::Rewrite;
use daemun_model::matching::RequestMatch;
use daemun_model::verdict::FieldPath;
use daemun_objects::gateway_api::httproute::filters::HttpUrlRewriteFilter;

use super::{path_modifier, precise_hostname};
use crate::verdict::Refusal;

/// Reads the filter.
pub(super) fn read(
    written: &HttpUrlRewriteFilter,
    matches: &[RequestMatch],
    path: &FieldPath,
) -> Result<Rewrite, Refusal> {
    let HttpUrlRewriteFilter {
        hostname,
        path: new_path,
    } = written;
    Ok(Rewrite {
        hostname: hostname
            .as_deref()
            .map(|hostname| precise_hostname(hostname, &path.field("hostname")))
            .transpose()?,
        path: new_path
            .as_ref()
            .map(|new_path| path_modifier(new_path, matches, &path.field("path")))
            .transpose()?,
    })
}
