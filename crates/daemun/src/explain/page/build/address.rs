//! The addresses: what was asked for, what is there, and whether it agrees.

use std::collections::BTreeSet;
use std::net::IpAddr;

use daemun_model::verdict::Status;
use daemun_translate::exposure::class::{AddressClass, class_of};
use daemun_translate::exposure::{
    ADDRESS_NOT_USABLE, Asked, OnViolation, REACH_VERIFIED, ServiceKind,
};
use daemun_translate::infrastructure::Wanted;

use super::anew::{anew, lacks};
use super::way::describe;
use super::{Link, Owner, State, Station, Trouble, w};
use crate::explain::page::Reach;
use crate::explain::page::known::{From, Known, Said};
use crate::explain::page::lang::Words;
use crate::explain::page::meaning::{Forecast, forecast, has_floating_ips, is_addon, is_somebody};
use crate::explain::page::said::meaning as meaning_of;
use crate::explain::page::seen::Seen;

/// The fact that tells what sort of address is there.
pub(super) const OBSERVED: &str = "observed";

/// Whether a private address was asked for and a public one is there.
pub(super) fn is_violated(known: &Known<'_>) -> bool {
    let verified = known.said(REACH_VERIFIED);
    asked(known) == Some(Asked::Private) && verified.is_some_and(Said::fails)
}

/// Whether nothing is served because of that. A wrong address alone does not tell: what was made for it, and may not
/// change yet, goes on.
pub(super) fn is_closed(known: &Known<'_>) -> bool {
    let programmed = known.said("Programmed");
    let unusable = programmed.is_some_and(|said| said.fails() && said.reason == ADDRESS_NOT_USABLE);
    is_violated(known) && unusable && !reports(known)
}

/// Whether the class has a violation told and served all the same.
fn reports(known: &Known<'_>) -> bool {
    let exposure = known.infrastructure().map(|it| &it.exposure);
    exposure.is_some_and(|it| it.on_violation == OnViolation::Report)
}

/// Whether a public address is asked for.
pub(super) fn asks_public(known: &Known<'_>, service: Seen<'_>) -> bool {
    match asked(known) {
        Some(Asked::Public) => true,
        Some(Asked::Private) => false,
        None => known.rules().is_some_and(|rules| {
            let class = service.text("/spec/loadBalancerClass");
            let forecast = forecast(rules, &service.annotations(), class);
            matches!(
                forecast,
                Forecast::Public | Forecast::PublicByDefault | Forecast::PublicByClass
            )
        }),
    }
}

/// A word for what was asked for.
pub(super) fn word_of(asked: Option<Asked>) -> Words {
    match asked {
        Some(Asked::Public) => w::WORD_PUBLIC,
        Some(Asked::Private) | None => w::WORD_PRIVATE,
    }
}

/// An address with its class, as the headline has it.
pub(super) fn in_headline(known: &Known<'_>, address: &str) -> String {
    let lang = known.lang;
    match class(known, address) {
        Some(AddressClass::Private | AddressClass::UniqueLocal) => {
            w::PRIVATE_ADDRESS.say(lang, &[&address])
        }
        Some(AddressClass::Public) => w::PUBLIC_ADDRESS.say(lang, &[&address]),
        Some(other) => w::OTHER_ADDRESS.say(lang, &[&address, &class_words(other).plain(lang)]),
        None => address.to_owned(),
    }
}

/// The addresses of a Service; one that says what is missing or would come, if there is none.
pub(super) fn addresses(known: &Known<'_>, service: Seen<'_>, is_there: bool) -> Vec<Station> {
    let exposure = known.infrastructure().map(|it| &it.exposure);
    if exposure.is_some_and(|it| it.kind == ServiceKind::HostPorts) {
        return vec![at_host_ports(known, is_there)];
    }
    if service.text("/spec/type") != "LoadBalancer" {
        return vec![match service.text("/spec/type") {
            "NodePort" => at_nodes(known, service, is_there),
            _ => in_cluster(known, service, is_there),
        }];
    }
    let ingress = service.list("/status/loadBalancer/ingress").iter();
    let shown: Vec<&str> = ingress
        .map(|it| match Seen(it).text("/ip") {
            "" => Seen(it).text("/hostname"),
            address => address,
        })
        .filter(|it| !it.is_empty())
        .collect();
    if shown.is_empty() {
        return vec![none_yet(known, service, is_there)];
    }
    let shown = shown.iter().map(|address| there(known, service, address));
    shown.collect()
}

/// What is asked for.
pub(in crate::explain::page) fn asked(known: &Known<'_>) -> Option<Asked> {
    known.infrastructure()?.exposure.reach
}

fn in_cluster(known: &Known<'_>, service: Seen<'_>, is_there: bool) -> Station {
    let name = match service.text("/spec/clusterIP") {
        "" => w::ADDRESS_NONE.plain(known.lang),
        address => address.to_owned(),
    };
    let mut station = Station::new(known, Link::Address, name);
    station.owner = Owner::Daemun;
    station.reach = Some(Reach::Cluster);
    if !is_there && known.from == From::Files {
        station.foresee();
        station.say(w::WOULD_CLUSTER.plain(known.lang));
    } else {
        station.say(w::ADDRESS_CLUSTER.plain(known.lang));
    }
    station
}

/// Nodes by name, some of them.
fn nodes(known: &Known<'_>, names: impl Iterator<Item = String>) -> Station {
    const SHOWN: usize = 3;
    let names: Vec<String> = names.take(SHOWN).collect();
    let name = match &*names {
        [] => w::THE_NODES.plain(known.lang),
        names => names.join(", "),
    };
    let mut station = Station::new(known, Link::Address, name);
    station.owner = Owner::InfrastructureOperator;
    station
}

/// The nodes that run a proxy, where the proxies take ports of theirs.
fn at_host_ports(known: &Known<'_>, is_there: bool) -> Station {
    let lang = known.lang;
    let pods = super::proxies::of_gateway(known);
    let with_proxy: BTreeSet<String> = pods
        .filter(|pod| pod.condition("Ready").is_some_and(|it| it.status == "True"))
        .map(|pod| pod.text("/spec/nodeName").to_owned())
        .filter(|node| !node.is_empty())
        .collect();
    let mut station = nodes(known, with_proxy.into_iter());
    let ports = super::proxies::host_ports(known).unwrap_or_default();
    if !is_there && known.from == From::Files {
        station.foresee();
        station.say(w::ADDRESS_HOST_FORESEEN.say(lang, &[&ports]));
        return station;
    }
    station.say(w::ADDRESS_HOST.say(lang, &[&ports]));
    by_nodes(known, &mut station);
    station
}

/// What the controller says of a Gateway that is reached by its nodes.
fn by_nodes(known: &Known<'_>, station: &mut Station) {
    if let Some(said) = known.said(REACH_VERIFIED) {
        let label = w::FACT_REACH_VERIFIED.plain(known.lang);
        let value = format!("{} ({})", word_of_status(said.status), said.reason);
        station.fact("reachVerified", label, value);
        station.meaning(said.message.to_owned());
    }
    if let Some(said) = known.recorded("Programmed")
        && said.status == Status::False
        && said.reason == "AddressNotAssigned"
    {
        station.fail(State::Waiting, said.message.to_owned());
    }
}

fn at_nodes(known: &Known<'_>, service: Seen<'_>, is_there: bool) -> Station {
    let lang = known.lang;
    let names = known.cluster.nodes.iter();
    let mut station = nodes(known, names.map(|(name, _)| name.name.clone()));
    if !is_there && known.from == From::Files {
        station.foresee();
        station.say(w::ADDRESS_NODES_FORESEEN.plain(lang));
        return station;
    }
    let ports = service.list("/spec/ports").iter().map(Seen);
    let ports: Vec<String> = ports
        .map(|port| port.number("/nodePort").to_string())
        .collect();
    station.say(w::ADDRESS_NODES.say(lang, &[&ports.join(", ")]));
    by_nodes(known, &mut station);
    station
}

/// What there is where Daemun makes no Service.
pub(super) fn unmanaged(known: &Known<'_>) -> Station {
    let name = w::ADDRESS_OWN.plain(known.lang);
    let mut station = Station::new(known, Link::Address, name);
    station.owner = Owner::InfrastructureOperator;
    let brought = known.infrastructure().map(|it| it.brought.join(", "));
    if let Some(brought) = brought.filter(|it| !it.is_empty()) {
        station.name = brought;
    }
    station.say(w::ADDRESS_UNMANAGED.plain(known.lang));
    if known.from == From::Files {
        station.foresee();
    }
    station
}

fn none_yet(known: &Known<'_>, service: Seen<'_>, is_there: bool) -> Station {
    let lang = known.lang;
    let wanted = service.text("/spec/loadBalancerIP");
    let name = match wanted {
        "" => w::ADDRESS_NONE.plain(lang),
        wanted => wanted.to_owned(),
    };
    let mut station = Station::new(known, Link::Address, name);
    station.reach = asked(known).map(reach_of);
    requested(known, &mut station);
    if !is_there && known.from == From::Files {
        station.foresee();
        let forecast = known.rules().map_or(Forecast::NotKnown, |rules| {
            let class = service.text("/spec/loadBalancerClass");
            forecast(rules, &service.annotations(), class)
        });
        let floating = known.rules().is_some_and(has_floating_ips);
        station.reach = reach_foreseen(forecast);
        station.say(would(forecast, floating).plain(lang));
        let not_known = matches!(forecast, Forecast::NotItsClass | Forecast::NotKnown);
        if not_known && !known.rules().is_some_and(is_somebody) {
            station.say(w::NAME_PROVIDER.plain(lang));
        }
        match (forecast, asked(known)) {
            (Forecast::Elsewhere | Forecast::NotKnown, Some(Asked::Private)) => {
                station.say(w::WOULD_VERIFY.plain(lang));
            }
            (Forecast::Elsewhere, None) => station.say(w::WOULD_NOT_VERIFY.plain(lang)),
            (Forecast::Public | Forecast::PublicByDefault | Forecast::PublicByClass, None) => {
                unasked(known, &mut station);
            }
            (_, Some(_) | None) => {}
        }
        if floating
            && matches!(
                forecast,
                Forecast::Public | Forecast::PublicByDefault | Forecast::PublicByClass
            )
        {
            station.say(w::FLOATING_MAPS.plain(lang));
        }
        after_deletion(known, service, &mut station);
        return station;
    }
    let mut what = w::PENDING.plain(lang);
    if asked(known) == Some(Asked::Private) {
        what = format!("{what} {}", w::PENDING_CLOSED.plain(lang));
    }
    let trouble = Trouble::from(what).with([describe(known, service)]);
    station.fail(State::Waiting, trouble);
    station
}

/// A public address for which nobody asked.
fn unasked(known: &Known<'_>, station: &mut Station) {
    let lang = known.lang;
    let what = w::PUBLIC_UNASKED.say(lang, &[&known.product()]);
    let remedy = w::PUBLIC_UNASKED_REMEDY.remedy(lang, &[]);
    station.fail(State::Doubtful, Trouble::from(what).with([remedy]));
}

/// What would come, in a sentence.
pub(in crate::explain::page) fn would(forecast: Forecast, floating: bool) -> Words {
    match (forecast, floating) {
        (Forecast::Private | Forecast::PrivateByDefault | Forecast::PrivateByClass, true) => {
            w::WOULD_PRIVATE_FLOATING
        }
        (Forecast::Private | Forecast::PrivateByDefault | Forecast::PrivateByClass, false) => {
            w::WOULD_PRIVATE
        }
        (Forecast::Public | Forecast::PublicByDefault | Forecast::PublicByClass, true) => {
            w::WOULD_PUBLIC_FLOATING
        }
        (Forecast::Public | Forecast::PublicByDefault | Forecast::PublicByClass, false) => {
            w::WOULD_PUBLIC
        }
        (Forecast::Elsewhere, _) => w::WOULD_DEPEND,
        (Forecast::NotItsClass | Forecast::NotKnown, _) => w::WOULD_NOT_KNOWN,
    }
}

fn there(known: &Known<'_>, service: Seen<'_>, address: &str) -> Station {
    let lang = known.lang;
    let mut station = Station::new(known, Link::Address, address);
    let class = class(known, address);
    station.reach = match class {
        Some(AddressClass::Public) => Some(Reach::Public),
        Some(_) => Some(Reach::Private),
        None => asked(known).map(reach_of),
    };
    let floating = known.rules().is_some_and(has_floating_ips);
    let mut observed = class.map_or(w::CLASS_NAME, class_words).plain(lang);
    if floating && let Some(kind) = class.and_then(kind) {
        observed = format!("{} · {observed}", kind.plain(lang));
    }
    station.say(format!("{observed}."));
    requested(known, &mut station);
    station.fact(OBSERVED, w::FACT_OBSERVED.plain(lang), observed);
    let verified = known.said(REACH_VERIFIED);
    if let Some(said) = verified {
        verify(known, said, &mut station);
    }
    judge(known, (service, address, class), &mut station);
    if class == Some(AddressClass::Public) && floating {
        station.say(w::FLOATING_MAPS.plain(lang));
    } else if class.is_some_and(|it| !it.is_public()) && !known.rules().is_some_and(is_addon) {
        let unseen = if floating {
            w::CONSOLE_UNSEEN_FLOATING
        } else {
            w::CONSOLE_UNSEEN
        };
        station.say(unseen.plain(lang));
    }
    after_deletion(known, service, &mut station);
    station
}

fn reach_of(asked: Asked) -> Reach {
    match asked {
        Asked::Private => Reach::Private,
        Asked::Public => Reach::Public,
    }
}

fn reach_foreseen(forecast: Forecast) -> Option<Reach> {
    match forecast {
        Forecast::Private | Forecast::PrivateByDefault | Forecast::PrivateByClass => {
            Some(Reach::Private)
        }
        Forecast::Public | Forecast::PublicByDefault | Forecast::PublicByClass => {
            Some(Reach::Public)
        }
        Forecast::Elsewhere | Forecast::NotItsClass | Forecast::NotKnown => None,
    }
}

fn requested(known: &Known<'_>, station: &mut Station) {
    let lang = known.lang;
    if known.is_guesswork() {
        return;
    }
    let value = match asked(known) {
        Some(Asked::Private) => w::REQUESTED_PRIVATE,
        Some(Asked::Public) => w::REQUESTED_PUBLIC,
        None => w::REQUESTED_NOTHING,
    };
    let label = w::FACT_REQUESTED.plain(lang);
    station.fact("requested", label, value.plain(lang));
    let infrastructure = known.infrastructure();
    let written = infrastructure.and_then(|it| it.parameters.way_in.reach);
    if written.is_none() && asked(known) == Some(Asked::Private) {
        station.meaning(w::REQUESTED_BY_DEFAULT.plain(lang));
    }
}

fn word_of_status(status: Status) -> &'static str {
    match status {
        Status::True => "True",
        Status::False => "False",
        Status::Unknown => "Unknown",
    }
}

fn verify(known: &Known<'_>, said: Said<'_>, station: &mut Station) {
    let lang = known.lang;
    let means = match said.status {
        Status::True => w::VERIFIED_TRUE,
        Status::False => w::VERIFIED_FALSE,
        Status::Unknown => w::VERIFIED_UNKNOWN,
    };
    let mut value = format!("{} ({})", word_of_status(said.status), said.reason);
    // Of files it is this page that judges, unless the condition is in them.
    if known.recorded(REACH_VERIFIED).is_none() {
        value = w::WOULD_BE.say(lang, &[&value]);
    }
    station.fact("reachVerified", w::FACT_REACH_VERIFIED.plain(lang), value);
    let observed = meaning_of(lang, REACH_VERIFIED, said.reason).into_iter();
    let means: Vec<String> = observed.chain([means.plain(lang)]).collect();
    station.meaning(means.join(" "));
}

/// Whether the address is what was asked for.
fn judge(
    known: &Known<'_>,
    (service, address, class): (Seen<'_>, &str, Option<AddressClass>),
    station: &mut Station,
) {
    let lang = known.lang;
    let verified = known.said(REACH_VERIFIED).map(|said| said.status);
    let name = service.whole_name();
    let public = class.is_some_and(AddressClass::is_public);
    match (asked(known), class) {
        (Some(_), _) if verified == Some(Status::True) => {}
        (Some(Asked::Private), _) if public => {
            let violated = if reports(known) {
                w::VIOLATED_REPORTED
            } else {
                w::VIOLATED
            };
            let mut what = violated.say(lang, &[&address]);
            if let Some(why) = lacks(known, service) {
                what = format!("{what} {why}");
            }
            let mut remedies = anew(known, service);
            remedies.push(w::VIOLATED_REMEDY_PUBLIC.remedy(lang, &[]));
            remedies.push(w::VIOLATED_REMEDY_RANGE.remedy(lang, &[]));
            station.fail(State::Bad, Trouble::from(what).with(remedies));
        }
        (Some(Asked::Private), None) => {
            station.fail(State::Waiting, w::UNRESOLVED.plain(lang));
        }
        (Some(Asked::Public), Some(_)) if !public => {
            let what = w::NOT_PUBLIC.say(lang, &[&address]);
            let remedy = w::NOT_PUBLIC_REMEDY.remedy(lang, &[&name.namespace, &name.name]);
            station.fail(State::Doubtful, Trouble::from(what).with([remedy]));
        }
        (None, _) if public && !known.is_guesswork() => unasked(known, station),
        (Some(_) | None, _) => {}
    }
}

/// Whether the address outlives the Service.
fn after_deletion(known: &Known<'_>, service: Seen<'_>, station: &mut Station) {
    let lang = known.lang;
    let kept = known.rules().and_then(|rules| rules.kept_address.get());
    let annotations = service.annotations();
    let is_kept = kept.is_some_and(|kept| kept.is_in(annotations.get(kept.key).copied()));
    let public = asks_public(known, service);
    let is_asked = chosen(known) || !service.text("/spec/loadBalancerIP").is_empty();
    let after = match (is_kept, is_asked) {
        (true, _) => w::ADDRESS_KEPT,
        (false, true) => w::ADDRESS_LOST_ASKED,
        (false, false) => w::ADDRESS_LOST,
    };
    let label = w::FACT_AFTER.plain(lang);
    station.fact("afterDeletion", label, after.plain(lang));
    let again = known.rules().map(|rules| rules.fixed_address.private);
    // What outlives a load balancer is a public address that was allocated by itself.
    if !is_kept && kept.is_some() && public {
        station.meaning(w::ADDRESS_KEEP_BY.plain(lang));
    } else if !is_kept && !is_asked && !public && again.is_some_and(|it| it.get().is_some()) {
        station.meaning(w::ADDRESS_AGAIN_BY.plain(lang));
    }
}

/// Whether a certain address is asked for.
fn chosen(known: &Known<'_>) -> bool {
    let wanted = known.infrastructure().map(|it| &it.addresses);
    let mut wanted = wanted.into_iter().flatten();
    wanted.any(|it| matches!(it, Wanted::Ip(_)))
}

fn class(known: &Known<'_>, address: &str) -> Option<AddressClass> {
    let address: IpAddr = address.parse().ok()?;
    // The controller was told which ranges are private and public here; where all addresses are of one class, that is
    // what it says.
    match known.said(REACH_VERIFIED).map(|said| said.reason) {
        Some("Private") => return Some(AddressClass::Private),
        Some("Public") => return Some(AddressClass::Public),
        _ => {}
    }
    let settings = &known.cluster.settings;
    let (private, public) = (&settings.private_ranges, &settings.public_ranges);
    Some(class_of(address, private, public))
}

/// What such an address is called where there are floating IPs.
fn kind(class: AddressClass) -> Option<Words> {
    match class {
        AddressClass::Public => Some(w::KIND_FLOATING),
        AddressClass::Private | AddressClass::UniqueLocal | AddressClass::SharedRange => {
            Some(w::KIND_VIP)
        }
        AddressClass::LinkLocal
        | AddressClass::Loopback
        | AddressClass::Documentation
        | AddressClass::Benchmark
        | AddressClass::Reserved => None,
    }
}

/// A class of addresses, in words.
pub(in crate::explain::page) fn class_words(class: AddressClass) -> Words {
    match class {
        AddressClass::Private => w::CLASS_PRIVATE,
        AddressClass::SharedRange => w::CLASS_SHARED,
        AddressClass::UniqueLocal => w::CLASS_UNIQUE_LOCAL,
        AddressClass::LinkLocal => w::CLASS_LINK_LOCAL,
        AddressClass::Loopback => w::CLASS_LOOPBACK,
        AddressClass::Documentation => w::CLASS_DOCUMENTATION,
        AddressClass::Benchmark => w::CLASS_BENCHMARK,
        AddressClass::Reserved => w::CLASS_RESERVED,
        AddressClass::Public => w::CLASS_PUBLIC,
    }
}
