//! A load balancer that is there while `reach` asks for none. It goes with its address, so it stays what it was made as
//! until the Gateway allows it to go.

use daemun_objects::own::exposure::Reach;

use super::{Asked, Judged, Question, Refusal, load_balancer};
use crate::exposure::provider::{Provider, rules};
use crate::infrastructure::Wanted;

/// A load balancer that is there while what is written has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stays {
    /// What it was made as.
    pub(crate) reach: Option<Asked>,
    /// How many there are.
    pub(crate) count: usize,
    /// Their addresses, with commas between: what the Gateway has to be annotated with so that they go.
    pub(crate) addresses: String,
    /// The annotation.
    pub(crate) annotation: &'static str,
}

/// What is asked for instead of a load balancer that stays, if one does.
pub(super) fn instead<'a>(
    asked: &Question<'a>,
    reach: Option<Reach>,
) -> Option<(Reach, &'a Stays)> {
    let without = |reach: &Reach| match reach {
        Reach::Cluster | Reach::Node | Reach::Unmanaged => true,
        Reach::Private | Reach::Public => false,
    };
    Some((reach.filter(without)?, asked.stays?))
}

/// Judges what is written as if it were for the load balancer that stays.
pub(super) fn judge(
    asked: &Question<'_>,
    instead: Reach,
    stays: &Stays,
) -> Result<Judged, Refusal> {
    let made = |asked: Asked| match asked {
        Asked::Private => Reach::Private,
        Asked::Public => Reach::Public,
    };
    let rules = match stays.reach {
        Some(_) => asked.rules(),
        // Nothing on it says who may reach it, and nothing is to be said to it now.
        None => Ok(rules(Provider::Generic)),
    };
    let judged = rules.and_then(|rules| load_balancer(asked, stays.reach.map(made), rules));
    let mut judged = judged.map_err(|refusal| told(refusal, stays))?;
    judged.exposure.until_seen = false;
    judged.exposure.instead = Some((instead, stays.addresses.clone()));
    // Each keeps the address that it has.
    judged.wanted = vec![Wanted::Any; stays.count];
    judged.unusable = None;
    Ok(judged)
}

/// What stands against the load balancer that is there does not have to be put right where it may go.
fn told(refusal: Refusal, stays: &Stays) -> Refusal {
    let Stays {
        addresses,
        annotation,
        ..
    } = stays;
    Refusal {
        message: format!(
            "The Gateway has a load balancer at {addresses}, which goes with its address when the Gateway is annotated with {annotation}: \"{addresses}\". As long as it is there: {}",
            refusal.message
        ),
        ..refusal
    }
}
