//! From what is known to the page, link by link in the order of the chain.

mod address;
mod anew;
mod listeners;
mod proxies;
mod routes;
mod rules;
mod way;

use std::collections::BTreeSet;

use super::known::{From, Known};
use super::lang::Words;
use super::meaning::is_addon;
use super::words as w;
use super::{
    Link, Listener, Owner, Page, Remedy, Route, Standing, State, Station, Trouble, Way, Wrong,
};

pub(super) use address::{asked, class_words, would};
pub(super) use anew::{anew, lacks};

/// Makes the page.
pub(crate) fn build(known: &Known<'_>) -> Page {
    let class = rules::class(known);
    let controller = rules::controller(known);
    let standing = rules::standing(known);
    let listeners = listeners::listeners(known, standing);
    let routes = routes::routes(known);
    let rule = rules::gateway(known, listeners.len(), routes.len());
    let proxies = proxies::proxies(known, standing);
    let ways = way::ways(known);
    let mut page = Page {
        gateway: known.gateway.to_string(),
        lang: known.lang,
        headline: String::new(),
        state: State::Good,
        standing,
        first_wrong: None,
        wrong: 0,
        class,
        controller,
        rule,
        listeners,
        proxies,
        ways,
        routes,
        unseen: known.unseen.to_vec(),
    };
    page.state = page
        .stations()
        .map(|it| it.state)
        .max()
        .unwrap_or(State::Good);
    page.wrong = page
        .stations()
        .filter(|it| it.state >= State::Doubtful)
        .count();
    page.first_wrong = first_wrong(&page);
    page.headline = headline(known, &page);
    page
}

/// The first of the worst: what is wrong goes before what may surprise, and that before what is on its way. An address
/// that is not what was asked for goes before the Service that it comes from: it says of that all there is to say.
fn first_wrong(page: &Page) -> Option<Wrong> {
    let closed = |it: &&Station| page.standing == Standing::Closed && it.link == Link::Address;
    let of = |state: State| {
        let mut wrong = page.stations().filter(|it| it.state == state);
        let address = page.stations().filter(|it| it.state == state).find(closed);
        address.or_else(|| wrong.next())
    };
    let first = [State::Bad, State::Doubtful, State::Waiting]
        .into_iter()
        .find_map(of)?;
    let trouble = first.trouble.clone().unwrap_or_else(|| Trouble {
        what: first.says.clone(),
        ..Trouble::default()
    });
    Some(Wrong {
        object: first.title(),
        link: first.link,
        state: first.state,
        owner: first.owner,
        trouble,
    })
}

fn headline(known: &Known<'_>, page: &Page) -> String {
    let lang = known.lang;
    let situation = situation(known, page);
    let rest = match (&page.first_wrong, page.wrong) {
        (None, _) if page.state > State::Good => String::new(),
        (None, _) => w::NOTHING_WRONG.plain(lang),
        (Some(first), 0) => w::WAITS_FOR.say(lang, &[&first.object]),
        (Some(first), 1) => w::ONE_WRONG.say(lang, &[&first.object]),
        (Some(first), several) => w::SEVERAL_WRONG.say(lang, &[&several, &first.object]),
    };
    format!("{situation} {rest}").trim_end().to_owned()
}

fn situation(known: &Known<'_>, page: &Page) -> String {
    let (lang, gateway) = (known.lang, known.gateway);
    let standing = match page.standing {
        Standing::Refused => Some(w::REFUSED),
        Standing::ClassRefused => Some(w::CLASS_REFUSED),
        Standing::NothingMade => Some(w::NOTHING_MADE),
        Standing::Closed => Some(w::CLOSED),
        Standing::Serving => None,
    };
    if let Some(words) = standing {
        return words.say(lang, &[gateway]);
    }
    let balanced = way::has_load_balancer(known);
    let addresses = page.ways.iter().flat_map(|way| &way.addresses);
    let is_there = |it: &&Station| {
        let observed = it.facts.iter().any(|fact| fact.id == address::OBSERVED);
        let coming = matches!(it.state, State::Foreseen | State::Waiting | State::Unknown);
        !coming && (observed || !balanced)
    };
    let known_ones: Vec<&Station> = addresses.filter(is_there).collect();
    if known_ones.is_empty() {
        let foreseen = page.ways.iter().flat_map(|way| &way.addresses);
        let doubted = |it: &Station| it.state == State::Doubtful && known.from == From::Files;
        let mut foreseen = foreseen.filter(|it| it.state == State::Foreseen || doubted(it));
        return match foreseen.next() {
            Some(address) => w::WOULD_GET.say(lang, &[gateway, &address.says]),
            None => w::NO_ADDRESS_YET.say(lang, &[gateway]),
        };
    }
    // Of several proxies some serve, if it only is to be looked at.
    let none_serves = matches!(page.proxies.state, State::Waiting | State::Bad);
    if none_serves || page.rule.state == State::Bad {
        return w::NOT_SERVING.say(lang, &[gateway]);
    }
    if !balanced {
        let says: Vec<&str> = known_ones.iter().map(|it| it.says.as_str()).collect();
        return w::SERVES_SO.say(lang, &[gateway, &says.join(" ")]);
    }
    let shown: BTreeSet<String> = known_ones
        .iter()
        .map(|it| address::in_headline(known, &it.name))
        .collect();
    let shown: Vec<String> = shown.into_iter().collect();
    if page.proxies.state == State::Unknown && known.from == From::Files {
        return w::HAS_ADDRESS.say(lang, &[gateway, &shown.join(", ")]);
    }
    w::SERVES.say(lang, &[gateway, &shown.join(", ")])
}

/// Whose load balancers and their addresses are.
fn maker(known: &Known<'_>) -> Owner {
    if known.rules().is_some_and(is_addon) {
        Owner::Addon
    } else {
        Owner::Cloud
    }
}

impl Station {
    /// A link of which all is well as far as nobody says otherwise.
    pub(super) fn new(known: &Known<'_>, link: Link, name: impl Into<String>) -> Self {
        let (heading, purpose, owner): (Option<Words>, Words, Owner) = match link {
            Link::Class => (None, w::CLASS_PURPOSE, Owner::InfrastructureOperator),
            Link::Controller => (
                Some(w::CONTROLLER),
                w::CONTROLLER_PURPOSE,
                Owner::InfrastructureOperator,
            ),
            Link::Gateway => (None, w::GATEWAY_PURPOSE, Owner::ClusterOperator),
            Link::Proxies => (Some(w::PROXIES), w::PROXIES_PURPOSE, Owner::Daemun),
            Link::Service => (None, w::SERVICE_PURPOSE, Owner::Daemun),
            Link::LoadBalancer => (Some(w::LOAD_BALANCER), w::BALANCER_PURPOSE, maker(known)),
            Link::Address => (Some(w::ADDRESS), w::ADDRESS_PURPOSE, maker(known)),
            Link::Listener => (
                Some(w::LISTENER),
                w::LISTENER_PURPOSE,
                Owner::ClusterOperator,
            ),
            Link::Route => (None, w::ROUTE_PURPOSE, Owner::ApplicationDeveloper),
        };
        let kind = match link {
            Link::Class => "GatewayClass",
            Link::Gateway => "Gateway",
            Link::Service => "Service",
            Link::Controller
            | Link::Proxies
            | Link::LoadBalancer
            | Link::Address
            | Link::Listener
            | Link::Route => "",
        };
        Self {
            link,
            heading: heading.map_or_else(|| kind.to_owned(), |it| it.plain(known.lang)),
            name: name.into(),
            state: State::Good,
            purpose: match link {
                Link::Service => purpose.say(known.lang, &[&known.product()]),
                Link::Class
                | Link::Controller
                | Link::Gateway
                | Link::Proxies
                | Link::LoadBalancer
                | Link::Address
                | Link::Listener
                | Link::Route => purpose.plain(known.lang),
            },
            says: String::new(),
            facts: Vec::new(),
            owner,
            reach: None,
            trouble: None,
        }
    }

    /// Adds a sentence.
    pub(super) fn say(&mut self, sentence: impl AsRef<str>) {
        if !self.says.is_empty() {
            self.says.push(' ');
        }
        self.says.push_str(sentence.as_ref());
    }

    /// It would be made.
    pub(super) fn foresee(&mut self) {
        self.state = self.state.max(State::Foreseen);
    }
}
