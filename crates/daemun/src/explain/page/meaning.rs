//! What a Service's annotations mean to who makes load balancers, and what address follows from them: read off the
//! providers' data, so that nothing is known here that is not known there.

use std::collections::BTreeMap;

use daemun_translate::exposure::provider::{
    Change, Classes, HealthPart, Place, Provider, RangesPlace, Rules, Switch, Takes, Unsaid,
    listener_key, rules,
};

use serde::Serialize;

use super::lang::{Lang, Words};
use super::words as w;

/// What address a Service gets, by its annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Forecast {
    /// A private one: it says so.
    Private,
    /// A public one: it says so.
    Public,
    /// A public one: it says nothing, and that is what comes of it.
    PublicByDefault,
    /// A private one: it says nothing, and that is what comes of it.
    PrivateByDefault,
    /// A private one: its class of load balancers says so.
    PrivateByClass,
    /// A public one: its class of load balancers says so.
    PublicByClass,
    /// A pool of addresses, the nodes or the maker's configuration decide.
    Elsewhere,
    /// This maker does not look at it, because it has a class.
    NotItsClass,
    /// The data do not tell.
    NotKnown,
}

/// Annotations, as an object has them.
pub(super) type Annotations<'a> = BTreeMap<&'a str, &'a str>;

/// What address follows from annotations and the class of load balancer.
pub(super) fn forecast(rules: &Rules, annotations: &Annotations<'_>, class: &str) -> Forecast {
    if !class.is_empty() && rules.classes == Classes::Ignores {
        return Forecast::NotItsClass;
    }
    // Some classes decide before any annotation does.
    match rules.reach_of_class(class) {
        Some(Unsaid::Private) => return Forecast::PrivateByClass,
        Some(Unsaid::Public) => return Forecast::PublicByClass,
        Some(Unsaid::Depends(_) | Unsaid::NotKnown) | None => {}
    }
    if !is_named(rules) {
        return Forecast::NotKnown;
    }
    let said = |key: &str| annotations.get(key).copied();
    if rules.private.is_said(said) {
        return Forecast::Private;
    }
    if rules.public.is_said(said) {
        return Forecast::Public;
    }
    match rules.unsaid {
        Unsaid::Public => Forecast::PublicByDefault,
        Unsaid::Private => Forecast::PrivateByDefault,
        Unsaid::Depends(_) => Forecast::Elsewhere,
        Unsaid::NotKnown => match rules.private {
            Switch::Elsewhere(_) => Forecast::Elsewhere,
            Switch::Keys(_) | Switch::Default | Switch::Impossible(_) | Switch::NotKnown => {
                Forecast::NotKnown
            }
        },
    }
}

/// Whether it is known whose rules these are, or that nobody knows. Where no node says it, keys are written that some
/// read, and what comes of them is not known.
fn is_named(rules: &Rules) -> bool {
    rules.provider != Provider::Generic
        || !rules.node_prefixes.is_empty()
        || rules.private.keys().is_empty()
}

/// Who makes load balancers, in words.
pub(super) fn product(rules: Option<&Rules>, lang: Lang) -> String {
    match rules {
        Some(rules) if is_somebody(rules) => {
            let in_korean = rules.product_ko.filter(|_| lang == Lang::Ko);
            in_korean.unwrap_or(rules.product).to_owned()
        }
        Some(_) | None => w::SOMEBODY.plain(lang),
    }
}

/// Whether it is known who makes load balancers, or at least one of whom it is.
pub(super) fn is_somebody(rules: &Rules) -> bool {
    rules.provider != Provider::Generic || !rules.node_prefixes.is_empty()
}

/// Whether load balancers are made inside of the cluster, and not by a cloud.
pub(super) fn is_addon(rules: &Rules) -> bool {
    matches!(
        rules.provider,
        Provider::MetalLb | Provider::KubeVip | Provider::Cilium | Provider::K3s | Provider::Kind
    )
}

/// Whether a public address is a floating IP, as clouds built on OpenStack have them.
pub(super) fn has_floating_ips(rules: &Rules) -> bool {
    let mut decide = rules.decides_reach.iter();
    is_named(rules) && decide.any(|pattern| pattern.contains("floating"))
}

/// What an annotation means, as sentences; and its value, unless that is a secret.
pub(super) fn meaning(rules: &Rules, key: &str, value: &str, lang: Lang) -> (String, String) {
    let (port, bare) = match listener_key(key) {
        Some((_, port, bare)) => (Some(port), bare),
        None => (None, key),
    };
    let known = rules.known(bare);
    let takes = known.map(|known| known.takes);
    let mut said = vec![sentence(rules, bare, value, lang)];
    if takes.is_some_and(|takes| !takes.accepts(value)) {
        said = vec![w::MEANS_NOT_EXACT.say(lang, &[&product(Some(rules), lang)])];
    }
    if let Some(port) = port {
        said.push(w::MEANS_OF_LISTENER.say(lang, &[&port]));
    }
    if known.is_some_and(|known| known.change == Change::CreateOnly) {
        said.push(w::MEANS_CREATE_ONLY.plain(lang));
    }
    let shown = if takes == Some(Takes::PrivateKey) || value.contains("PRIVATE KEY") {
        said = vec![w::MEANS_SECRET.plain(lang)];
        w::HIDDEN.plain(lang)
    } else {
        value.to_owned()
    };
    (said.join(" "), shown)
}

fn sentence(rules: &Rules, key: &str, value: &str, lang: Lang) -> String {
    // Some of what is written back would decide who may reach the address, had somebody else written it.
    if rules.written_back.contains(&key) {
        return w::MEANS_WRITTEN_BACK.say(lang, &[&product(Some(rules), lang)]);
    }
    if let Some(words) = by_role(rules, key, value) {
        return words.plain(lang);
    }
    if rules.reads(key) {
        return w::MEANS_READ.say(lang, &[&product(Some(rules), lang)]);
    }
    let mut others = Provider::ALL.iter().map(|provider| self::rules(*provider));
    match others.find(|other| other.provider != rules.provider && other.reads(key)) {
        Some(other) => w::MEANS_OF_CLOUD.say(lang, &[&product(Some(other), lang)]),
        None => w::MEANS_NOT_READ.say(lang, &[&product(Some(rules), lang)]),
    }
}

/// What a key does, by the part of the data in which it stands.
fn by_role(rules: &Rules, key: &str, value: &str) -> Option<Words> {
    let floating = has_floating_ips(rules);
    let of = |switch: &Switch| {
        let mut keys = switch.keys().iter();
        keys.any(|it| it.key == key && it.is_in(Some(value)))
    };
    if of(&rules.private) {
        return Some(pick(floating, w::MEANS_PRIVATE_FLOATING, w::MEANS_PRIVATE));
    }
    if of(&rules.public) {
        return Some(pick(floating, w::MEANS_PUBLIC_FLOATING, w::MEANS_PUBLIC));
    }
    if let Some(kept) = rules.kept_address.get()
        && kept.key == key
    {
        return Some(pick(
            kept.is_in(Some(value)),
            w::MEANS_KEPT,
            w::MEANS_NOT_KEPT,
        ));
    }
    if rules.subnet.get() == Some(&key) {
        return Some(w::MEANS_SUBNET);
    }
    if let Some(proxy) = rules.proxy_protocol.get()
        && proxy
            .keys
            .iter()
            .any(|it| it.key == key && it.is_in(Some(value)))
    {
        return Some(w::MEANS_PROXY);
    }
    if let Some(ranges) = rules.source_ranges.get()
        && let RangesPlace::Annotation(named) = ranges.place
        && named == key
    {
        return Some(w::MEANS_RANGES);
    }
    let fixed = [rules.fixed_address.private, rules.fixed_address.public];
    if fixed
        .iter()
        .any(|way| way.get().is_some_and(|it| names(it, key)))
    {
        return Some(w::MEANS_FIXED);
    }
    if let Some(health) = rules.health_check.iter().find(|it| it.key == key) {
        return Some(of_health(health.part));
    }
    let ends = rules
        .terminates
        .iter()
        .any(|it| it.key == key && (it.values.is_empty() || it.values.contains(&value)));
    if ends {
        return Some(w::MEANS_TERMINATES);
    }
    rules.decides_reach(key).then_some(w::MEANS_REACH)
}

fn pick(first: bool, one: Words, other: Words) -> Words {
    if first { one } else { other }
}

fn names(place: &Place, key: &str) -> bool {
    match place {
        Place::LoadBalancerIp => false,
        Place::Annotation(it) => *it == key,
        Place::ByFamily { v4, v6 } => *v4 == key || *v6 == key,
    }
}

fn of_health(part: HealthPart) -> Words {
    match part {
        HealthPart::Enable => w::MEANS_HEALTH_ENABLE,
        HealthPart::Delay => w::MEANS_HEALTH_DELAY,
        HealthPart::Timeout => w::MEANS_HEALTH_TIMEOUT,
        HealthPart::Tries => w::MEANS_HEALTH_TRIES,
        HealthPart::Kind => w::MEANS_HEALTH_KIND,
        HealthPart::Path => w::MEANS_HEALTH_PATH,
        HealthPart::Port => w::MEANS_HEALTH_PORT,
    }
}

#[cfg(test)]
mod tests {
    use daemun_translate::exposure::provider::{
        Provider, Rules, Switch, Value, rules, rules_named,
    };

    use super::{Annotations, Forecast, forecast, meaning, product};
    use crate::explain::page::lang::Lang;
    use crate::explain::page::words as w;

    fn written(switch: &Switch) -> Annotations<'static> {
        let keys = switch.keys().iter();
        keys.map(|key| match key.value {
            Value::Is(value) => (key.key, value),
            Value::Subnet => (key.key, "a-subnet"),
        })
        .collect()
    }

    fn all() -> impl Iterator<Item = &'static Rules> {
        Provider::ALL.iter().map(|provider| rules(*provider))
    }

    #[test]
    fn every_providers_switch_is_understood() {
        for rules in all() {
            for (switch, expected) in [
                (&rules.private, Forecast::Private),
                (&rules.public, Forecast::Public),
            ] {
                let annotations = written(switch);
                if !annotations.is_empty() {
                    let found = forecast(rules, &annotations, "");
                    assert_eq!(found, expected, "{}", rules.name);
                }
            }
        }
    }

    #[test]
    fn a_class_that_decides_goes_before_annotations() {
        let gke = rules(Provider::Gke);
        let (private, public) = (written(&gke.private), Annotations::new());
        for (class, expected) in [
            (
                "networking.gke.io/l4-regional-internal",
                Forecast::PrivateByClass,
            ),
            (
                "networking.gke.io/l4-regional-internal-legacy",
                Forecast::PrivateByClass,
            ),
            (
                "networking.gke.io/l4-regional-external",
                Forecast::PublicByClass,
            ),
            (
                "networking.gke.io/l4-regional-external-legacy",
                Forecast::PublicByClass,
            ),
        ] {
            assert_eq!(forecast(gke, &private, class), expected);
            assert_eq!(forecast(gke, &public, class), expected);
        }
        assert_eq!(forecast(gke, &private, ""), Forecast::Private);
        assert_eq!(forecast(gke, &public, "another"), Forecast::PublicByDefault);
    }

    #[test]
    fn every_key_that_the_data_give_a_part_means_something() {
        for rules in all() {
            let switches = [written(&rules.private), written(&rules.public)];
            let health = rules.health_check.iter().map(|it| (it.key, "5"));
            let kept = rules.kept_address.get().map(|it| (it.key, "true"));
            let subnet = rules.subnet.get().map(|key| (*key, "a-subnet"));
            let keys = switches.into_iter().flatten();
            for (key, value) in keys.chain(health).chain(kept).chain(subnet) {
                for lang in [Lang::En, Lang::Ko] {
                    let (said, _) = meaning(rules, key, value, lang);
                    let read = w::MEANS_READ.say(lang, &[&product(Some(rules), lang)]);
                    let not_read = w::MEANS_NOT_READ.say(lang, &[&product(Some(rules), lang)]);
                    assert!(
                        said != read && said != not_read,
                        "{} {key}: {said}",
                        rules.name
                    );
                }
            }
        }
    }

    #[test]
    fn no_product_is_english_in_a_korean_sentence() {
        let unnamed = ["Auto (openstack://)", "Auto (no providerID)"];
        let unnamed = unnamed.map(|name| rules_named(name).expect("it is there"));
        for rules in all().chain(unnamed) {
            let name = product(Some(rules), Lang::Ko);
            let words = [" a ", " the ", " or ", " with ", " that ", "(in-"];
            let english = words.iter().find(|word| format!(" {name}").contains(*word));
            assert_eq!(english, None, "{name}");
        }
    }

    #[test]
    fn a_private_key_is_not_shown() {
        let nhn = rules(Provider::Nhn);
        let key = "TCP-443.loadbalancer.nhncloud/listener-terminated-https-key";
        let (said, shown) = meaning(nhn, key, "-----BEGIN PRIVATE KEY-----", Lang::En);
        assert_eq!(shown, "(hidden)");
        assert!(said.contains("private key"), "{said}");
    }
}
