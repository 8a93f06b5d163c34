//! `timeouts` of a rule (gateway-api `HTTPRouteTimeouts`, GEP-1742).

use std::time::Duration;

use daemun_model::policy::timeouts::Timeouts;
use daemun_model::verdict::FieldPath;
use daemun_objects::Duration as Written;
use daemun_objects::gateway_api::httproute::HttpRouteTimeouts;

use crate::verdict::Refusal;

/// Reads the limits; `0s` means none.
pub(crate) fn read(written: &HttpRouteTimeouts, path: &FieldPath) -> Result<Timeouts, Refusal> {
    let HttpRouteTimeouts {
        request,
        backend_request,
    } = written;
    let limit = |written: &Option<Written>, field: &str| {
        written
            .as_ref()
            .map(|text| duration(text, &path.field(field)))
            .transpose()
            .map(|limit| limit.filter(|limit| !limit.is_zero()))
    };
    let timeouts = Timeouts {
        request: limit(request, "request")?,
        backend_request: limit(backend_request, "backendRequest")?,
    };
    match timeouts {
        Timeouts {
            request: Some(whole),
            backend_request: Some(one),
        } if one > whole => Err(Refusal::unsupported(
            path.field("backendRequest"),
            "timeouts.backendRequest limits one try and is longer than timeouts.request, which limits all of them; make it at most as long.",
        )),
        timeouts => Ok(timeouts),
    }
}

/// Reads a duration (GEP-2257).
pub(crate) fn duration(written: &Written, path: &FieldPath) -> Result<Duration, Refusal> {
    written
        .parse()
        .map_err(|why| Refusal::unsupported(path.clone(), format!("{why}.")))
}
