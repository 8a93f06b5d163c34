//! `retry` of a rule (gateway-api `HTTPRouteRetry`, GEP-1731).

use daemun_model::policy::retry::Retry;
use daemun_model::verdict::FieldPath;
use daemun_objects::gateway_api::httproute::HttpRouteRetry;

use super::timeouts::duration;
use crate::verdict::Refusal;

/// Reads the policy. Without `attempts`, a request is sent again once.
pub(crate) fn read(written: &HttpRouteRetry, path: &FieldPath) -> Result<Retry, Refusal> {
    let HttpRouteRetry {
        codes: written_codes,
        attempts,
        backoff,
    } = written;
    let mut codes: Vec<u16> = Vec::with_capacity(written_codes.len());
    for (index, code) in written_codes.iter().enumerate() {
        let code = u16::try_from(*code)
            .ok()
            .filter(|code| (400..600).contains(code))
            .ok_or_else(|| {
                Refusal::unsupported(
                    path.field("codes").index(index),
                    format!("{code} is not a status that can be tried again; 400 to 599 are."),
                )
            })?;
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    let attempts = u32::try_from(attempts.unwrap_or(1))
        .ok()
        .filter(|attempts| *attempts > 0)
        .ok_or_else(|| {
            Refusal::unsupported(
                path.field("attempts"),
                "retry.attempts says how many times a request is sent again, at least 1; leave retry out for none.",
            )
        })?;
    let backoff = match backoff {
        None => Retry::DEFAULT_BACKOFF,
        Some(written) => duration(written, &path.field("backoff"))?,
    };
    Ok(Retry {
        codes,
        attempts,
        backoff,
    })
}
