//! `annotations` and `listenerAnnotations`, and the Gateway's own: what of them goes round another field, or is spelled
//! wrong. By whichever path a key would get to the Service, it is looked at here.

use daemun_model::verdict::Finding;

use super::{Annotations, Asked, Question};
use crate::exposure::lint::{Annotation, Place, lint as slips, of_reach};
use crate::exposure::provider::{Provider, Rules, Value, listener_key, rules};
use crate::verdict::Refusal;
use crate::verdict::reason::INVALID_PARAMETERS;

/// Annotations that decide who may reach the address are `reach`'s alone, whoever makes load balancers here.
pub(super) fn keys_of_reach(asked: &Question<'_>) -> Result<(), Refusal> {
    let at_hand = asked.rules().ok();
    let slip = all(asked).find_map(|written| of_reach(at_hand, &written));
    slip.map_or(Ok(()), |slip| Err(slip.refusal()))
}

/// What a Service shows is what a private address is verified by, so no annotation may choose it, unless the load
/// balancer's maker says the address elsewhere as well; and that is nobody else's to write.
pub(super) fn keys_of_proof(asked: &Question<'_>, reach: Option<Asked>) -> Result<(), Refusal> {
    let makers = || Provider::ALL.iter().map(|provider| rules(*provider));
    let blinds = |key: &str| {
        let mut makers = makers().filter(|rules| rules.writes_address.is_none());
        reach == Some(Asked::Private) && makers.any(|rules| rules.chooses_shown.contains(&key))
    };
    let forges = |key: &str| makers().any(|rules| rules.writes_address == Some(key));
    for Annotation { place, key, .. } in all(asked) {
        let written = place.words();
        if blinds(key) {
            return Err(refusal(
                place,
                key,
                format!(
                    "With the annotation {key} ({written}) the Service shows a name of your choice in the place of its address, and then nobody can see that the address is private, as is asked for. Take it out, or write exposure.reach: Public in GatewayParameters."
                ),
            ));
        }
        if forges(key) {
            return Err(refusal(
                place,
                key,
                format!(
                    "The annotation {key} ({written}) is where the maker of the load balancer writes the address that it gave; take it out."
                ),
            ));
        }
    }
    Ok(())
}

/// What is spelled wrong: the first that is grave is a refusal, others are told.
pub(super) fn lint(asked: &Question<'_>, rules: &Rules) -> Result<Vec<Finding>, Refusal> {
    let all: Vec<Annotation<'_>> = all(asked).collect();
    let mut findings = Vec::new();
    for slip in slips(rules, &all, asked.listeners) {
        if slip.refused {
            return Err(slip.refusal());
        }
        findings.push(slip.warning());
    }
    keys_of_proxy(asked)?;
    Ok(findings)
}

/// PROXY headers are switched on in one place, for both sides, whoever makes load balancers here. With a maker of whom
/// nothing is known, whoever switches the listeners on writes the key.
fn keys_of_proxy(asked: &Question<'_>) -> Result<(), Refusal> {
    let by_hand = asked.way_in.provider == Some(Provider::Generic) && asked.way_in.proxy_protocol;
    let mut all = all(asked).filter(|_| !by_hand);
    match all.find(|it| switches_on(it.key, it.value)) {
        None => Ok(()),
        Some(Annotation { place, key, .. }) => Err(refusal(
            place,
            key,
            format!(
                "The annotation {key} ({}) has a load balancer send PROXY headers, and that is said in one place only, which has listeners believe them as well; take it out, and write exposure.proxyProtocol in GatewayParameters.",
                place.words()
            ),
        )),
    }
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

fn refusal(place: Place, key: &str, message: String) -> Refusal {
    Refusal::new(place.path(key), INVALID_PARAMETERS, message)
}

/// All annotations that get to the Service.
fn all<'a>(asked: &Question<'a>) -> impl Iterator<Item = Annotation<'a>> + use<'a> {
    let written = |place: Place, annotations: &'a Annotations| {
        let all = annotations.iter();
        all.map(move |(key, value)| Annotation { place, key, value })
    };
    written(Place::Parameters, &asked.way_in.annotations)
        .chain(written(Place::Listener, &asked.way_in.listener_annotations))
        .chain(written(Place::Infrastructure, asked.own))
}

/// What a field says is not said otherwise by an annotation.
pub(super) fn said_once(asked: &Question<'_>, by_fields: &Annotations) -> Result<(), Refusal> {
    let differs = |it: &Annotation<'_>| by_fields.get(it.key).is_some_and(|by| by != it.value);
    let Some(Annotation { place, key, .. }) = all(asked).find(differs) else {
        return Ok(());
    };
    let value = by_fields.get(key).map_or("", String::as_str);
    Err(refusal(
        place,
        key,
        format!(
            "The annotation {key} ({}) says something else than a field of exposure, which writes it as \"{value}\"; take the annotation out, or the field.",
            place.words()
        ),
    ))
}
