//! What a Service that is there was made as.

use daemun_objects::core::service::Service;

use super::judge::Asked;
use super::provider::{Key, Provider, Switch, Value, rules};
use crate::infrastructure::OF_REACH;

/// What a Service was asked to be when it was made: as Daemun noted it there, and by any provider's keys.
pub(super) fn made_as(service: &Service) -> Option<Asked> {
    let annotations = &service.metadata.annotations;
    let noted = annotations.get(OF_REACH);
    let noted = noted.and_then(|noted| Asked::ALL.iter().find(|it| it.as_str() == noted));
    let says = |switch: &Switch| {
        let keys = switch.keys();
        let is = |key: &Key| match key.value {
            Value::Is(value) => annotations.get(key.key).is_some_and(|it| it == value),
            Value::Subnet => annotations.contains_key(key.key),
        };
        !keys.is_empty() && keys.iter().all(is)
    };
    let mut all = Provider::ALL.iter().map(|provider| rules(*provider));
    if all.clone().any(|rules| says(&rules.private)) {
        return Some(Asked::Private);
    }
    let public = all.any(|rules| says(&rules.public));
    noted.copied().or(public.then_some(Asked::Public))
}
