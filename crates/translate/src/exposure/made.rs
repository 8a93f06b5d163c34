//! What a Service that is there was made as.

use daemun_objects::core::service::Service;

use super::judge::Asked;
use super::provider::{Key, Provider, Switch, Value, rules};
use crate::infrastructure::OF_REACH;

/// What a Service was asked to be when it was made: as Daemun noted it there, or by any provider's keys.
pub(super) fn made_as(service: &Service) -> Option<Asked> {
    noted(service).or_else(|| {
        let both = [
            (Asked::Private, is_private(service)),
            (Asked::Public, is_public(service)),
        ];
        both.into_iter().find_map(|(asked, is)| is.then_some(asked))
    })
}

/// The same, but private if anything on it says so.
pub(super) fn made_as_at_least(service: &Service) -> Option<Asked> {
    match is_private(service) {
        true => Some(Asked::Private),
        false => made_as(service),
    }
}

fn noted(service: &Service) -> Option<Asked> {
    let noted = service.metadata.annotations.get(OF_REACH)?;
    Asked::ALL.iter().copied().find(|it| it.as_str() == noted)
}

fn is_private(service: &Service) -> bool {
    let mut all = Provider::ALL.iter().map(|provider| rules(*provider));
    all.any(|rules| says(service, &rules.private))
}

fn is_public(service: &Service) -> bool {
    let mut all = Provider::ALL.iter().map(|provider| rules(*provider));
    all.any(|rules| says(service, &rules.public))
}

/// Whether all keys of a switch are on a Service.
fn says(service: &Service, switch: &Switch) -> bool {
    let annotations = &service.metadata.annotations;
    let is = |key: &Key| match key.value {
        Value::Is(value) => annotations.get(key.key).is_some_and(|it| it == value),
        Value::Subnet => annotations.contains_key(key.key),
    };
    let keys = switch.keys();
    !keys.is_empty() && keys.iter().all(is)
}
