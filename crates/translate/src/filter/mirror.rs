//! `RequestMirror` (gateway-api `HTTPRequestMirrorFilter`).

use daemun_model::backend::BackendTarget;
use daemun_model::filter::mirror::{Mirror, Share};
use daemun_model::verdict::FieldPath;
use daemun_objects::gateway_api::httproute::filters::HttpRequestMirrorFilter;

use crate::backends::Resolver;
use crate::verdict::Refusal;

/// Reads the filter. A backend that cannot be resolved means that there are no copies; the requests
/// themselves are not concerned.
pub(super) fn read(
    resolver: &mut Resolver<'_>,
    written: &HttpRequestMirrorFilter,
    path: &FieldPath,
    unresolved: &mut Vec<Refusal>,
) -> Result<Mirror, Refusal> {
    let HttpRequestMirrorFilter {
        backend_ref,
        percent,
        fraction,
    } = written;
    let share = match (percent, fraction) {
        (None, None) => Share::ALL,
        (Some(_), Some(_)) => {
            return Err(Refusal::unsupported(
                path.clone(),
                "A mirror has percent or fraction, not both; take one of them out.",
            ));
        }
        (Some(percent), None) => share(*percent, 100).ok_or_else(|| {
            Refusal::unsupported(
                path.field("percent"),
                format!("{percent} is not a percentage; 0 to 100 are."),
            )
        })?,
        (None, Some(fraction)) => share(fraction.numerator, fraction.denominator()).ok_or_else(
            || {
                Refusal::unsupported(
                    path.field("fraction"),
                    format!(
                        "{} of {} is not a share; the numerator is 0 or more, the denominator 1 or more and not smaller than the numerator.",
                        fraction.numerator,
                        fraction.denominator()
                    ),
                )
            },
        )?,
    };
    let backend = match resolver.resolve(backend_ref, &path.field("backendRef")) {
        Ok(key) => BackendTarget::Backend(key),
        Err(invalid) => {
            let (target, refusal) = *invalid;
            unresolved.push(refusal);
            target
        }
    };
    Ok(Mirror { backend, share })
}

fn share(numerator: i32, denominator: i32) -> Option<Share> {
    let share = Share {
        numerator: u32::try_from(numerator).ok()?,
        denominator: u32::try_from(denominator).ok().filter(|it| *it > 0)?,
    };
    (share.numerator <= share.denominator).then_some(share)
}
