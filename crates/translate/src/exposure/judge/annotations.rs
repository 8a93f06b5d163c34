//! `annotations` and `listenerAnnotations`, and the Gateway's own: what of them goes round another field, or is spelled
//! wrong. By whichever path a key would get to the Service, it is looked at here.

use daemun_model::verdict::{FieldPath, Finding};

use super::{Annotations, Question, place, refusal};
use crate::exposure::lint::{Annotation, Place, lint as slips};
use crate::exposure::provider::{Provider, Rules, rules};
use crate::verdict::Refusal;

/// Annotations that decide who may reach the address are `reach`'s alone, whoever makes load balancers here.
pub(super) fn keys_of_reach(asked: &Question<'_>) -> Result<(), Refusal> {
    for (annotations, written) in [
        (
            &asked.way_in.annotations,
            "exposure.annotations of its GatewayParameters",
        ),
        (
            &asked.way_in.listener_annotations,
            "exposure.listenerAnnotations of its GatewayParameters",
        ),
        (asked.own, "spec.infrastructure.annotations"),
    ] {
        let decides = |key: &&String| {
            let mut all = Provider::ALL.iter();
            all.any(|provider| rules(*provider).decides_reach(key))
        };
        if let Some(key) = annotations.keys().find(decides) {
            return Err(refusal(format!(
                "The annotation {key} ({written}) decides who may reach the Gateway, and that is said in one place only; take it out, and write exposure.reach in GatewayParameters: Private, Public or Cluster."
            )));
        }
    }
    Ok(())
}

/// What is spelled wrong: the first that is grave is a refusal, others are told.
pub(super) fn lint(asked: &Question<'_>, rules: &Rules) -> Result<Vec<Finding>, Refusal> {
    let mut all = written(Place::Parameters, &asked.way_in.annotations);
    all.extend(written(Place::Listener, &asked.way_in.listener_annotations));
    all.extend(written(Place::Infrastructure, asked.own));
    let mut findings = Vec::new();
    for slip in slips(rules, &all, asked.listeners) {
        let path = match slip.place {
            Place::Infrastructure => FieldPath::of("spec.infrastructure.annotations"),
            Place::Parameters | Place::Listener | Place::Gateway => place(),
        };
        if slip.refused {
            return Err(slip.refusal(&path));
        }
        findings.push(slip.warning(&path));
    }
    Ok(findings)
}

fn written(place: Place, annotations: &Annotations) -> Vec<Annotation<'_>> {
    let all = annotations.iter();
    all.map(|(key, value)| Annotation { place, key, value })
        .collect()
}

/// What a field says is not said otherwise by an annotation.
pub(super) fn said_once(asked: &Question<'_>, by_fields: &Annotations) -> Result<(), Refusal> {
    for (key, value) in by_fields {
        for (annotations, written) in [
            (
                &asked.way_in.annotations,
                "exposure.annotations of its GatewayParameters",
            ),
            (asked.own, "spec.infrastructure.annotations"),
        ] {
            if annotations.get(key).is_some_and(|other| other != value) {
                return Err(refusal(format!(
                    "The annotation {key} ({written}) says something else than a field of exposure, which writes it as \"{value}\"; take the annotation out, or the field."
                )));
            }
        }
    }
    Ok(())
}
