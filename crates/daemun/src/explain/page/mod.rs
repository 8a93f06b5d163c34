//! One page about one Gateway: the chain from its class to the endpoints that answer, what state each link is in, whose
//! it is, and what is wrong first.
//!
//! [`build`] makes a [`Page`] of what is known, and is pure; the renderers ([`text`], [`svg`], [`html`], and JSON by serde)
//! only say it. Everything a person reads is a sentence of [`words`], in the language that was asked for; what
//! objects say stays as it is.

pub(crate) mod build;
mod html;
pub(crate) mod known;
pub(crate) mod lang;
mod markup;
mod meaning;
mod measure;
mod origin;
mod said;
pub(crate) mod seen;
pub(crate) mod service;
mod svg;
mod text;
mod trouble;
mod words;

use clap::ValueEnum;
use serde::Serialize;

use crate::output::style::Style;
use lang::{Lang, Words};
pub(crate) use trouble::{Remedy, Trouble, Wrong};

/// A form that a page can be had in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// For a browser or for paper: one file with everything in it
    Html,
    /// The drawing alone
    Svg,
}

/// The page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page {
    /// `namespace/name`.
    pub(crate) gateway: String,
    /// The language of the sentences.
    pub(crate) lang: Lang,
    /// All of it in one sentence.
    pub(crate) headline: String,
    /// The worst state of all links.
    pub(crate) state: State,
    /// What becomes of the Gateway as a whole.
    pub(crate) standing: Standing,
    /// The first link that is wrong, in the order of the chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_wrong: Option<Wrong>,
    /// How many links need attention.
    pub(crate) wrong: usize,
    pub(crate) class: Station,
    pub(crate) controller: Station,
    pub(crate) rule: Station,
    /// The Gateway's open ports.
    pub(crate) listeners: Vec<Listener>,
    pub(crate) proxies: Station,
    /// The ways in, one for each address that is asked for; none on a host.
    pub(crate) ways: Vec<Way>,
    pub(crate) routes: Vec<Route>,
    /// What could not be seen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unseen: Vec<String>,
}

/// What becomes of a Gateway as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Standing {
    /// It is served, or would be.
    Serving,
    /// No request is served, because an address is not what was asked for.
    Closed,
    /// It is not accepted.
    Refused,
    /// It is accepted and asks for what it cannot get, so that nothing is made for it.
    NothingMade,
    /// Its class is not accepted, so that nothing is made for it.
    ClassRefused,
}

/// A link of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Station {
    pub(crate) link: Link,
    /// The kind of thing, in the reader's language where the Gateway API has no name for it.
    pub(crate) heading: String,
    pub(crate) name: String,
    pub(crate) state: State,
    /// What such a thing is for.
    pub(crate) purpose: String,
    /// What is to be said of this one.
    pub(crate) says: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) facts: Vec<Fact>,
    pub(crate) owner: Owner,
    /// Of an address: who reaches it, as far as that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reach: Option<Reach>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trouble: Option<Trouble>,
}

/// Who reaches an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum Reach {
    /// Who is inside of the cluster.
    Cluster,
    /// Who is inside of the network.
    Private,
    /// Anybody.
    Public,
}

/// Which link of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Link {
    Class,
    Controller,
    Gateway,
    Proxies,
    Service,
    LoadBalancer,
    Address,
    Listener,
    Route,
}

/// How a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum State {
    /// As it should be.
    Good,
    /// Not there yet: it would be made.
    Foreseen,
    /// Not seen.
    Unknown,
    /// On its way.
    Waiting,
    /// Works, and may surprise.
    Doubtful,
    /// Does not work.
    Bad,
}

/// Whose a thing is, by the roles of the Gateway API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Owner {
    InfrastructureOperator,
    ClusterOperator,
    ApplicationDeveloper,
    /// Made by the controller, for a Gateway.
    Daemun,
    /// Made outside of the cluster.
    Cloud,
    /// Made inside of the cluster, by what gives addresses there.
    Addon,
}

/// A fact about a link: a label, a value, and what it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Fact {
    /// What kind of fact it is, the same in every language.
    pub(crate) id: &'static str,
    pub(crate) label: String,
    pub(crate) value: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) meaning: String,
}

/// The kind of fact whose label is a key in somebody's file, rather than words.
pub(crate) const ANNOTATION: &str = "annotation";

/// An open port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listener {
    /// `https :443 shop.example.com`.
    pub(crate) port: String,
    #[serde(flatten)]
    pub(crate) station: Station,
}

/// A way in: a Service, what the cloud made of it, and its addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Way {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service: Option<Station>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) load_balancer: Option<Station>,
    pub(crate) addresses: Vec<Station>,
}

/// A Route, and where it leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Route {
    #[serde(flatten)]
    pub(crate) station: Station,
    /// The listeners that it is attached to.
    pub(crate) listeners: Vec<String>,
    pub(crate) legs: Vec<Leg>,
}

/// A rule of a Route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Leg {
    /// What it takes.
    pub(crate) takes: String,
    pub(crate) to: Vec<Target>,
}

/// Where a share of a rule's requests goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Target {
    /// `Service shop/orders:8080`.
    pub(crate) backend: String,
    /// `90 %`; empty if it is all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) share: String,
    /// `2 of 2 endpoints are ready`.
    pub(crate) endpoints: String,
    pub(crate) state: State,
}

impl State {
    /// A word for it.
    fn word(self) -> Words {
        match self {
            Self::Good => words::STATE_GOOD,
            Self::Foreseen => words::STATE_FORESEEN,
            Self::Unknown => words::STATE_UNKNOWN,
            Self::Waiting => words::STATE_WAITING,
            Self::Doubtful => words::STATE_DOUBTFUL,
            Self::Bad => words::STATE_BAD,
        }
    }
}

impl Owner {
    /// All of them, in the order of the chain.
    const ALL: [Self; 6] = [
        Self::InfrastructureOperator,
        Self::ClusterOperator,
        Self::ApplicationDeveloper,
        Self::Daemun,
        Self::Cloud,
        Self::Addon,
    ];

    /// Words for it.
    fn word(self) -> Words {
        match self {
            Self::InfrastructureOperator => words::ROLE_INFRASTRUCTURE,
            Self::ClusterOperator => words::ROLE_CLUSTER,
            Self::ApplicationDeveloper => words::ROLE_DEVELOPER,
            Self::Daemun => words::ROLE_DAEMUN,
            Self::Cloud => words::ROLE_CLOUD,
            Self::Addon => words::ROLE_ADDON,
        }
    }
}

impl Page {
    /// The page in a form.
    pub(crate) fn render(&self, output: Output, style: Style) -> String {
        match output {
            Output::Text => text::write(self, style),
            // Strings, numbers and lists are all there is; they always become JSON.
            Output::Json => serde_json::to_string_pretty(self).unwrap_or_default() + "\n",
            Output::Html => html::write(self),
            Output::Svg => svg::alone(self),
        }
    }

    /// All links, in the order of the chain.
    pub(crate) fn stations(&self) -> impl Iterator<Item = &Station> {
        let rules = [&self.class, &self.controller, &self.rule, &self.proxies];
        let ways = self.ways.iter().flat_map(|way| {
            let made = way.service.iter().chain(&way.load_balancer);
            made.chain(&way.addresses)
        });
        let listeners = self.listeners.iter().map(|it| &it.station);
        let routes = self.routes.iter().map(|it| &it.station);
        rules.into_iter().chain(ways).chain(listeners).chain(routes)
    }
}

/// A value as YAML takes it.
fn quoted(value: &str) -> String {
    if value.contains(['"', '\\']) {
        format!("'{}'", value.replace('\'', "''"))
    } else {
        format!("\"{value}\"")
    }
}

impl Station {
    /// `Service shop-daemun`.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.heading, self.name)
    }

    /// Says what is wrong, and how bad it is. What is worse goes before what was said already; of what is equally bad the
    /// first word stays.
    pub(crate) fn fail(&mut self, state: State, trouble: impl Into<Trouble>) {
        if self.trouble.is_none() || state > self.state {
            self.trouble = Some(trouble.into());
        }
        self.state = self.state.max(state);
    }

    /// Adds a fact.
    pub(crate) fn fact(
        &mut self,
        id: &'static str,
        label: impl Into<String>,
        value: impl Into<String>,
    ) {
        self.facts.push(Fact {
            id,
            label: label.into(),
            value: value.into(),
            meaning: String::new(),
        });
    }

    /// Says what the last fact means.
    pub(crate) fn meaning(&mut self, meaning: impl Into<String>) {
        if let Some(last) = self.facts.last_mut() {
            last.meaning = meaning.into();
        }
    }
}
