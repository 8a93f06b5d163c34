//! `sourceRanges`: from where a Gateway may be called. The load balancer keeps others out where it can; else the
//! listeners do, if they see clients' addresses.

use daemun_model::verdict::Finding;
use ipnet::IpNet;

use super::{Question, at, refusal};
use crate::exposure::provider::{RangesPlace, Rules, SourceRanges, Way};
use crate::verdict::{Refusal, warning};

/// Where ranges are kept.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    /// `spec.loadBalancerSourceRanges`.
    pub(super) field: Vec<IpNet>,
    /// The annotation, and its value.
    pub(super) key: Option<(String, String)>,
    /// What listeners let in.
    pub(super) sources: Option<Vec<IpNet>>,
    /// What may surprise.
    pub(super) finding: Option<Finding>,
}

/// Decides who keeps others out.
pub(super) fn decide(
    asked: &Question<'_>,
    sees_client: bool,
    rules: &Rules,
) -> Result<Ranges, Refusal> {
    let Some(written) = &asked.way_in.source_ranges else {
        return Ok(Ranges::default());
    };
    let Way::Is(SourceRanges { place, condition }) = rules.source_ranges else {
        let sources = by_listener(asked, sees_client, rules.product)?;
        return Ok(Ranges {
            sources,
            ..Ranges::default()
        });
    };
    let mut ranges = Ranges::default();
    match place {
        RangesPlace::Field => ranges.field.clone_from(written),
        RangesPlace::Annotation(key) => {
            let texts: Vec<String> = written.iter().map(IpNet::to_string).collect();
            ranges.key = Some((key.to_owned(), texts.join(",")));
        }
    }
    // Where it is not sure that the load balancer does it, the listeners do it too.
    if let Some(condition) = condition {
        if sees_client {
            ranges.sources = Some(written.clone());
        } else {
            ranges.finding = Some(warning(
                at("sourceRanges"),
                "SourceRangesUncertain",
                format!(
                    "Whether exposure.sourceRanges count is up to {}: {condition}",
                    rules.product
                ),
            ));
        }
    }
    Ok(ranges)
}

/// What listeners let in, where nobody in front sees to it.
pub(super) fn by_listener(
    asked: &Question<'_>,
    sees_client: bool,
    who: &str,
) -> Result<Option<Vec<IpNet>>, Refusal> {
    match &asked.way_in.source_ranges {
        None => Ok(None),
        Some(written) if sees_client => Ok(Some(written.clone())),
        Some(_) => Err(refusal(
            "sourceRanges",
            format!(
                "Nobody could keep callers outside of exposure.sourceRanges out: no way is known to tell {who} load balancer, and the proxies do not see clients' addresses. Write exposure.proxyProtocol: true where the load balancer sends PROXY headers, or externalTrafficPolicy: Local where packets pass through it; else take sourceRanges out."
            ),
        )),
    }
}
