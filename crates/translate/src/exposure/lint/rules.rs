//! The single checks: an annotation in, a slip out or nothing.
//!
//! Their order is in `lint`; each may count on those before it having found nothing.

use super::{Annotation, Carried, Place, Slip, bare};
use crate::exposure::provider::{Provider, Rules, Takes, Value, listener_key, rules};
use crate::nearest::{did_you_mean, list_all, nearest};

fn slip(written: &Annotation<'_>, refused: bool, reason: &'static str, message: String) -> Slip {
    Slip {
        place: written.place,
        key: written.key.to_owned(),
        refused,
        reason,
        message,
    }
}

/// A private key does not belong where everybody who may look at a Service can read it.
pub(super) fn private_key(provider: &Rules, written: &Annotation<'_>) -> Option<Slip> {
    let is_text = written.value.contains("PRIVATE KEY-----");
    let known = provider.known(bare(written.key)).map(|known| known.takes);
    if !is_text && known != Some(Takes::PrivateKey) {
        return None;
    }
    let message = format!(
        "The annotation {} holds a private key in clear text, which everybody who may read the object sees, and whoever keeps the file keeps it too. Take it out and replace the key; Daemun ends TLS itself, with the Secret that the listener's certificateRefs name.",
        written.key
    );
    Some(slip(written, true, "PrivateKeyInAnnotation", message))
}

/// What is said on the Gateway itself reaches no Service.
pub(super) fn wrong_object(written: &Annotation<'_>) -> Option<Slip> {
    if written.place != Place::Gateway {
        return None;
    }
    let of = readers(bare(written.key)).into_iter().next()?;
    let remedy = if of.decides_reach(bare(written.key)) {
        "who can reach the Gateway is said with spec.exposure.reach of GatewayParameters"
    } else {
        "write it under spec.infrastructure.annotations, or under spec.exposure.annotations of GatewayParameters"
    };
    let message = format!(
        "The annotation {} is for a load balancer of {}, but metadata.annotations of a Gateway do not reach its Service; {remedy}.",
        written.key, of.product
    );
    Some(slip(written, false, "AnnotationOnGateway", message))
}

/// What decides reach is said with `reach`, so that nobody can say two things.
pub(super) fn belongs_to_reach(provider: &Rules, written: &Annotation<'_>) -> Option<Slip> {
    if !provider.decides_reach(bare(written.key)) {
        return None;
    }
    let spelled = match provider.known(bare(written.key)).map(|known| known.takes) {
        Some(Takes::Boolean) if !matches!(written.value, "true" | "false") => format!(
            " (And \"{}\" would not count: only \"true\" and \"false\" do, exactly so.)",
            written.value
        ),
        _ => String::new(),
    };
    let message = format!(
        "The annotation {} ({}) decides who may reach the Gateway on {}, and that is said in one place only: take it out, and write exposure.reach in GatewayParameters (Private, Public or Cluster).{spelled}",
        written.key,
        written.place.words(),
        provider.product
    );
    Some(slip(written, true, "ReachInAnnotation", message))
}

/// A key that nobody reads, and that is nearly the one by which this provider is told who may reach the Gateway: whoever
/// wrote it believes that the Gateway is private.
pub(super) fn nearly_reach(provider: &Rules, written: &Annotation<'_>) -> Option<Slip> {
    let key = bare(written.key);
    let mut all = Provider::ALL.iter().map(|provider| rules(*provider));
    if all.any(|rules| rules.known(key).is_some()) {
        return None;
    }
    let switches = [&provider.private, &provider.public];
    let switches = switches.into_iter().flat_map(|switch| switch.keys());
    let near = nearest(key, switches.map(|switch| switch.key));
    let near = near.filter(|near| differs_little(near, key))?;
    let message = format!(
        "The annotation {} is read by nobody. It is nearly {near}, which decides who can reach the Gateway on {}, and that is said in one place only: take it out, and write spec.exposure.reach of GatewayParameters (Private or Public).",
        written.key, provider.product
    );
    Some(slip(written, true, "ReachMisspelt", message))
}

/// Keys of a single listener are not the Gateway's to carry: the API server refuses them in capitals, and no cloud
/// reads them in small letters.
pub(super) fn listener_key_on_gateway(written: &Annotation<'_>) -> Option<Slip> {
    let has_listener = bare(written.key) != written.key;
    match written.place {
        Place::Infrastructure if has_listener => {
            let message = format!(
                "The annotation {} is for one listener, and a Gateway's infrastructure annotations cannot carry such keys; write {} under spec.exposure.listenerAnnotations of GatewayParameters.",
                written.key,
                bare(written.key)
            );
            Some(slip(written, true, "ListenerKeyOnGateway", message))
        }
        Place::Parameters | Place::Listener if has_listener => {
            let capitals = listener_key(written.key).is_some();
            let message = format!(
                "The annotation {} does not count: the listener before the key is in capitals, such as TCP-443.",
                written.key
            );
            (!capitals).then(|| slip(written, true, "ListenerKeyInSmallLetters", message))
        }
        _ => None,
    }
}

/// A key that another cloud reads and this one does not. None of those that decide reach is left here.
pub(super) fn another_clouds(provider: &Rules, written: &Annotation<'_>) -> Option<Slip> {
    let key = bare(written.key);
    if provider.reads(key) || reads_what_it_likes(provider) {
        return None;
    }
    let readers = readers(key);
    let names: Vec<String> = readers.iter().map(|rules| rules.name.to_owned()).collect();
    if names.is_empty() {
        return None;
    }
    let message = format!(
        "The annotation {} is one of {}; {} does not read it, so it does nothing here: take it out, or name the provider that it is for.",
        written.key,
        list_all(&names),
        provider.product
    );
    Some(slip(written, false, "KeyOfAnotherProvider", message))
}

/// PROXY headers on one side only are an outage; one switch is for both.
pub(super) fn proxy_protocol(provider: &Rules, written: &Annotation<'_>) -> Option<Slip> {
    let way = provider.proxy_protocol.get()?;
    let key = way.keys.iter().find(|key| key.key == bare(written.key))?;
    // Where the key is a list of features, only the one of PROXY headers belongs to the switch.
    let says_it = matches!(key.value, Value::Is(value) if value == written.value);
    if !key.key.contains("proxy") && !says_it {
        return None;
    }
    let message = format!(
        "The annotation {} switches PROXY headers at the load balancer only, and with one side switched every connection fails; write spec.exposure.proxyProtocol of GatewayParameters, which switches both.",
        written.key
    );
    Some(slip(written, true, "ProxyProtocolInAnnotation", message))
}

/// TLS that ends at the load balancer never reaches a listener that waits for TLS.
pub(super) fn terminated(
    provider: &Rules,
    written: &Annotation<'_>,
    listeners: &[Carried],
) -> Option<Slip> {
    let key = bare(written.key);
    let terminates = provider.terminates.iter().find(|it| it.key == key)?;
    let counts = terminates.values.is_empty() || terminates.values.contains(&written.value);
    let port = listener_key(written.key).map(|(_, port, _)| port);
    let meant = |listener: &&Carried| listener.tls && port.is_none_or(|port| port == listener.port);
    let ports: Vec<String> = listeners
        .iter()
        .filter(meant)
        .map(|listener| listener.port.to_string())
        .collect();
    if !counts || ports.is_empty() {
        return None;
    }
    let message = format!(
        "With the annotation {} the load balancer takes connections apart itself, but what comes at port {} is TLS that the Gateway's listener waits for: certificates, hostnames and HTTP/2 would break. Take it out; the load balancer has to pass TCP on.",
        written.key,
        list_all(&ports)
    );
    Some(slip(written, true, "TlsEndsAtLoadBalancer", message))
}

/// Some keys are about the whole load balancer.
pub(super) fn not_per_listener(provider: &Rules, written: &Annotation<'_>) -> Option<Slip> {
    let (_, _, key) = listener_key(written.key)?;
    let known = provider.known(key);
    if known.map_or(provider.has_listener_keys(), |known| known.per_listener) {
        return None;
    }
    let message = if provider.has_listener_keys() {
        format!(
            "The annotation {} does not count: {key} is about the whole load balancer; write it under spec.exposure.annotations.",
            written.key
        )
    } else {
        format!(
            "The annotation {} does not count: {} has no keys for single listeners.",
            written.key, provider.product
        )
    };
    Some(slip(written, true, "NotPerListener", message))
}

/// A value that the provider would take for its default, or not at all.
pub(super) fn value(provider: &Rules, written: &Annotation<'_>) -> Option<Slip> {
    let known = provider.known(bare(written.key))?;
    if known.takes.accepts(written.value) {
        return None;
    }
    let wrong = match known.takes {
        Takes::Text | Takes::PrivateKey => return None,
        Takes::Boolean => "only \"true\" and \"false\" count, exactly so".to_owned(),
        Takes::Words(words) => format!(
            "it takes {}.{}",
            alternatives(words),
            did_you_mean(written.value, words.iter().copied())
        ),
        Takes::Number(from, to) => format!("it takes a whole number from {from} to {to}"),
        Takes::Path => "it takes a path that begins with /".to_owned(),
    };
    let end = if wrong.ends_with(['.', '?']) { "" } else { "." };
    let message = format!(
        "The annotation {} is \"{}\", which {} does not take: {wrong}{end}",
        written.key, written.value, provider.product
    );
    Some(slip(written, true, "AnnotationValue", message))
}

/// A key for a port that no listener has.
pub(super) fn without_listener(written: &Annotation<'_>, listeners: &[Carried]) -> Option<Slip> {
    let (protocol, port, _) = listener_key(written.key)?;
    if written.place == Place::Gateway
        || listeners
            .iter()
            .any(|listener| listener.port == port && listener.protocol == protocol)
    {
        return None;
    }
    let ports: Vec<String> = listeners
        .iter()
        .map(|listener| format!("{}-{}", listener.protocol, listener.port))
        .collect();
    let there = if ports.is_empty() {
        "The Gateway has no listener that is served.".to_owned()
    } else {
        format!("There are listeners at {}.", list_all(&ports))
    };
    let message = format!(
        "The annotation {} does nothing: the Gateway has no listener at {protocol} port {port}. {there}",
        written.key
    );
    Some(slip(written, false, "NoListenerAtPort", message))
}

/// A key that the provider would read, if it were one.
pub(super) fn unknown(provider: &Rules, written: &Annotation<'_>) -> Option<Slip> {
    let key = bare(written.key);
    if provider.known(key).is_some() || provider.written_back.contains(&key) || has_layers(key) {
        return None;
    }
    let (stem, rest) = match provider.stem(key) {
        Some(stem) => (stem, key.get(stem.len()..).unwrap_or_default()),
        // A slip in what is before the name is seen only if the rest is the same but for little.
        None => ("", key),
    };
    let known = provider.keys.iter().map(|known| known.key);
    let candidates = known.filter_map(|known| known.strip_prefix(stem));
    let near =
        nearest(rest, candidates).filter(|near| !stem.is_empty() || differs_little(near, rest));
    if stem.is_empty() && near.is_none() || near.is_none() && !provider.keys_complete {
        return None;
    }
    let meant = near.map_or_else(String::new, |near| format!(" Did you mean {stem}{near}?"));
    let message = format!(
        "The annotation {} is no key that {} is known to read, so it probably does nothing.{meant}",
        written.key, provider.product
    );
    Some(slip(written, false, "UnknownKey", message))
}

/// Whether the rules of a listener's routing are in the key (`l7policy-0.rule-1.`), which are not told apart here.
fn has_layers(key: &str) -> bool {
    key.starts_with("l7policy-")
}

/// Whether two keys have the same length but for three letters, and the same end.
fn differs_little(one: &str, two: &str) -> bool {
    let name = |key: &str| key.rsplit('/').next().unwrap_or(key).to_owned();
    let prefix = |key: &str| key.split('/').next().unwrap_or(key).to_owned();
    one.len().abs_diff(two.len()) <= 3 && (name(one) == name(two) || prefix(one) == prefix(two))
}

/// Whether nothing is known about what a provider reads.
fn reads_what_it_likes(provider: &Rules) -> bool {
    provider.provider == Provider::Generic && provider.reads.is_empty()
}

/// The providers that read a key.
fn readers(key: &str) -> Vec<&'static Rules> {
    let all = Provider::ALL.iter().map(|provider| rules(*provider));
    all.filter(|rules| rules.reads(key)).collect()
}

/// `"a", "b" or "c"`.
fn alternatives(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("{} or {last}", most.join(", ")),
        _ => quoted.concat(),
    }
}
