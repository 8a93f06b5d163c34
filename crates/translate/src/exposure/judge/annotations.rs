//! `annotations` and `listenerAnnotations`, and the Gateway's own: what of them goes round another field, or is spelled
//! wrong. By whichever path a key would get to the Service, it is looked at here.

use daemun_model::verdict::{FieldPath, Finding};

use super::{Annotations, Asked, Question, place, refusal};
use crate::exposure::lint::{Annotation, Place, lint as slips};
use crate::exposure::provider::{Provider, Rules, Value, listener_key, rules};
use crate::verdict::Refusal;

/// Annotations that decide who may reach the address are `reach`'s alone, whoever makes load balancers here.
pub(super) fn keys_of_reach(asked: &Question<'_>) -> Result<(), Refusal> {
    for (annotations, written) in everywhere(asked) {
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

/// What a Service shows is what a private address is verified by, so no annotation may choose it, unless the load
/// balancer's maker says the address elsewhere as well; and that is nobody else's to write.
pub(super) fn keys_of_proof(asked: &Question<'_>, reach: Option<Asked>) -> Result<(), Refusal> {
    let all = || Provider::ALL.iter().map(|provider| rules(*provider));
    let blinds = |key: &str| {
        let mut all = all().filter(|rules| rules.writes_address.is_none());
        reach == Some(Asked::Private) && all.any(|rules| rules.chooses_shown.contains(&key))
    };
    let forges = |key: &str| all().any(|rules| rules.writes_address == Some(key));
    for (annotations, written) in everywhere(asked) {
        if let Some(key) = annotations.keys().find(|key| blinds(key)) {
            return Err(refusal(format!(
                "With the annotation {key} ({written}) the Service shows a name of your choice in the place of its address, and then nobody can see that the address is private, as is asked for. Take it out, or write exposure.reach: Public in GatewayParameters."
            )));
        }
        if let Some(key) = annotations.keys().find(|key| forges(key)) {
            return Err(refusal(format!(
                "The annotation {key} ({written}) is where the maker of the load balancer writes the address that it gave; take it out."
            )));
        }
    }
    Ok(())
}

/// All that gets to the Service, and where it is written.
fn everywhere<'a>(asked: &Question<'a>) -> [(&'a Annotations, &'static str); 3] {
    [
        (
            &asked.way_in.annotations,
            "exposure.annotations of its GatewayParameters",
        ),
        (
            &asked.way_in.listener_annotations,
            "exposure.listenerAnnotations of its GatewayParameters",
        ),
        (asked.own, "spec.infrastructure.annotations"),
    ]
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
    keys_of_proxy(asked)?;
    Ok(findings)
}

/// PROXY headers are switched on in one place, for both sides, whoever makes load balancers here. With a maker of whom
/// nothing is known, whoever switches the listeners on writes the key.
fn keys_of_proxy(asked: &Question<'_>) -> Result<(), Refusal> {
    let by_hand = asked.way_in.provider == Some(Provider::Generic) && asked.way_in.proxy_protocol;
    if by_hand {
        return Ok(());
    }
    for (annotations, written) in everywhere(asked) {
        if let Some((key, _)) = annotations
            .iter()
            .find(|(key, value)| switches_on(key, value))
        {
            return Err(refusal(format!(
                "The annotation {key} ({written}) has a load balancer send PROXY headers, and that is said in one place only, which has listeners believe them as well; take it out, and write exposure.proxyProtocol in GatewayParameters."
            )));
        }
    }
    Ok(())
}

/// Whether an annotation has anybody's load balancer send PROXY headers.
fn switches_on(key: &str, value: &str) -> bool {
    let bare = listener_key(key).map_or(key, |(_, _, bare)| bare);
    let is_off = matches!(value, "" | "false" | "none" | "off");
    Provider::ALL.iter().any(|provider| {
        let way = rules(*provider).proxy_protocol.get();
        let mut keys = way.into_iter().flat_map(|way| way.keys);
        keys.any(|it| {
            let on = matches!(it.value, Value::Is(on) if on == value);
            // Where the key is a list of features, only the one of PROXY headers is meant.
            it.key == bare && (on || (it.key.contains("proxy") && !is_off))
        })
    })
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
