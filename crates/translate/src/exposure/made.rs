//! What a Service that is there was made as.
//!
//! It matters while another reach is asked for and waits, and while the Gateway cannot be judged: then a Service that was
//! made public may show a public address. So it is not read from what people who may write Services can write. The
//! controller notes it in the Service's status, and whoever may write that decides what addresses seem to be anyhow.
//! A switch on the Service counts only towards less: what says that it is private is judged as private.

use daemun_objects::core::service::Service;

use super::judge::Asked;
use super::provider::{Provider, rules};
use crate::infrastructure::MADE_FOR;

/// What a Service was asked to be when it was made, as Daemun noted it. Before it is noted, private if anything on it
/// says so.
pub(super) fn made_as(service: &Service) -> Option<Asked> {
    noted(service).or_else(|| is_private(service).then_some(Asked::Private))
}

/// The same, but private if anything on it says so.
pub(super) fn made_as_at_least(service: &Service) -> Option<Asked> {
    match is_private(service) {
        true => Some(Asked::Private),
        false => made_as(service),
    }
}

/// Whether Daemun noted on a Service that it made it.
pub(crate) fn is_noted(service: &Service) -> bool {
    noted(service).is_some()
}

fn noted(service: &Service) -> Option<Asked> {
    let mut conditions = service.status.conditions.iter();
    let noted = conditions.find(|it| it.r#type == MADE_FOR)?;
    let mut all = Asked::ALL.iter().copied();
    all.find(|it| it.as_str() == noted.reason)
}

fn is_private(service: &Service) -> bool {
    let mut all = Provider::ALL.iter().map(|provider| rules(*provider));
    let annotations = &service.metadata.annotations;
    let said = |key: &str| annotations.get(key).map(String::as_str);
    all.any(|rules| rules.private.is_said(said))
}
