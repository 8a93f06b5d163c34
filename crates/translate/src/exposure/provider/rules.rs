//! The form of what is known about one maker of load balancers.
//!
//! Everything is `'static` data, so that a provider's file reads like a table. There are three ways not to have
//! something: it cannot be done (and why), it is not known, and it needs nothing to be said.

use serde::Serialize;

use super::{Gate, Provider};

/// What is known about one provider of load balancers.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Whose these are.
    pub provider: Provider,
    /// As in GatewayParameters and in texts.
    pub name: &'static str,
    /// Its product's name, for texts.
    pub product: &'static str,
    /// The same in Korean, where it is more than a name.
    pub product_ko: Option<&'static str>,
    /// Whether nothing says that it is this one: whether there is a maker of load balancers at all is not known.
    pub guessed: bool,
    /// Beginnings of nodes' `spec.providerID` by which it is recognised (several providers may share one).
    pub node_prefixes: &'static [&'static str],
    /// What makes an address private.
    pub private: Switch,
    /// What makes an address public.
    pub public: Switch,
    /// What comes of a Service that says nothing of its reach.
    pub unsaid: Unsaid,
    /// Keys that decide reach and so belong to `reach` alone; they may begin or end with `*`.
    pub decides_reach: &'static [&'static str],
    /// Beginnings of the keys that this provider reads, ending in `*`.
    pub reads: &'static [&'static str],
    /// The keys that are known, and what each takes.
    pub keys: &'static [Known],
    /// Whether `keys` has all that are documented, so that any other of `reads` is a mistake.
    pub keys_complete: bool,
    /// Keys by which the load balancer takes connections apart instead of passing them on.
    pub terminates: &'static [Terminates],
    /// What may change on a live Service, of what keys say. The ports, `externalTrafficPolicy` and what else Kubernetes
    /// itself acts on may, with all; `loadBalancerClass` may with none, since Kubernetes does not let it.
    pub live: &'static [Aspect],
    /// What may not. What is in neither list is not known, and is treated alike.
    pub create_only: &'static [Aspect],
    /// Whether it carries UDP; TCP all do.
    pub udp: Way<()>,
    /// How a certain address is asked for.
    pub fixed_address: FixedAddress,
    /// What keeps an address beyond the Service's end.
    pub kept_address: Way<Key>,
    /// The key that names the address's subnet.
    pub subnet: Way<&'static str>,
    /// How PROXY headers are switched on.
    pub proxy_protocol: Way<ProxyProtocol>,
    /// The annotation that decides whether PROXY headers are sent when they are asked for, if one does.
    pub proxy_needs: Option<ProxyNeeds>,
    /// Where ranges of callers are said.
    pub source_ranges: Way<SourceRanges>,
    /// The health check's keys.
    pub health_check: &'static [HealthKey],
    /// What its own defaults get wrong, and what is said instead when nothing is written.
    pub health_defaults: Option<HealthDefaults>,
    /// Whose address the proxies see.
    pub client: ClientAddress,
    /// Whether it reaches the proxies by the nodes' NodePorts, and what has to let it through then.
    pub node_ports: Way<Gate>,
    /// What a Service's status shows.
    pub shows: Shows,
    /// What `spec.loadBalancerClass` does.
    pub classes: Classes,
    /// Keys by which whoever writes the Service chooses which name its status shows in the place of the address.
    pub chooses_shown: &'static [&'static str],
    /// Keys that it writes on the Service itself.
    pub written_back: &'static [&'static str],
    /// That of them which holds the address, whatever the status shows.
    pub writes_address: Option<&'static str>,
    /// What it cannot do, and what surprises, in sentences.
    pub cannot: &'static [&'static str],
    /// Why all of this is believed.
    pub evidence: &'static [Evidence],
}

impl Rules {
    /// Nothing is known; a provider's file says what is.
    pub(super) const UNKNOWN: Self = Self {
        provider: Provider::Generic,
        name: "Generic",
        product: "a load balancer that is not known",
        product_ko: None,
        guessed: false,
        node_prefixes: &[],
        private: Switch::NotKnown,
        public: Switch::NotKnown,
        unsaid: Unsaid::NotKnown,
        decides_reach: &[],
        reads: &[],
        keys: &[],
        keys_complete: false,
        terminates: &[],
        live: &[Aspect::Annotation],
        create_only: &[],
        udp: Way::NotKnown,
        fixed_address: FixedAddress {
            private: Way::NotKnown,
            public: Way::NotKnown,
        },
        kept_address: Way::NotKnown,
        subnet: Way::NotKnown,
        proxy_protocol: Way::NotKnown,
        proxy_needs: None,
        source_ranges: Way::NotKnown,
        health_check: &[],
        health_defaults: None,
        client: ClientAddress::NotKnown,
        node_ports: Way::NotKnown,
        shows: Shows::Ip,
        classes: Classes::NotKnown,
        chooses_shown: &[],
        written_back: &[],
        writes_address: None,
        cannot: &[],
        evidence: &[],
    };

    /// What a change of a live Service means.
    pub fn change(&self, aspect: Aspect) -> Change {
        if self.live.contains(&aspect) {
            Change::Live
        } else if self.create_only.contains(&aspect) {
            Change::CreateOnly
        } else {
            Change::NotKnown
        }
    }

    /// What is known of a key, with or without the port that it is for (`TCP-443.`).
    pub fn known(&self, key: &str) -> Option<&'static Known> {
        let bare = listener_key(key).map_or(key, |(_, _, bare)| bare);
        self.keys.iter().find(|known| known.key == bare)
    }

    /// Whether a key decides who can reach the address.
    pub fn decides_reach(&self, key: &str) -> bool {
        let bare = listener_key(key).map_or(key, |(_, _, bare)| bare);
        let is_switch = |switch: &Switch| switch.keys().iter().any(|key| key.key == bare);
        is_switch(&self.private)
            || is_switch(&self.public)
            || self
                .decides_reach
                .iter()
                .any(|pattern| matches(pattern, bare))
    }

    /// Whether this provider looks at a key.
    pub fn reads(&self, key: &str) -> bool {
        let bare = listener_key(key).map_or(key, |(_, _, bare)| bare);
        self.known(bare).is_some() || self.reads.iter().any(|pattern| matches(pattern, bare))
    }

    /// What is before the names of a family of its keys, as a key begins.
    pub fn stem(&self, key: &str) -> Option<&'static str> {
        let stems = self
            .reads
            .iter()
            .filter_map(|pattern| pattern.strip_suffix('*'));
        stems
            .filter(|stem| key.starts_with(stem))
            .max_by_key(|stem| stem.len())
    }

    /// Whether it has keys of a single listener (`TCP-443.loadbalancer.nhncloud/…`).
    pub fn has_listener_keys(&self) -> bool {
        self.keys.iter().any(|known| known.per_listener)
    }

    /// The key of a part of the health check.
    pub fn health_key(&self, part: HealthPart) -> Option<&'static HealthKey> {
        self.health_check.iter().find(|key| key.part == part)
    }

    /// What has to let the load balancer through; none where it does not reach the proxies by NodePorts. With
    /// `externalTrafficPolicy: Local`, the nodes answer for the proxies when their health is checked.
    pub(crate) fn gate(&self, local: bool) -> Option<Gate> {
        let gate = match self.node_ports {
            Way::Is(gate) => gate,
            Way::NotKnown => Gate::NOT_KNOWN,
            Way::No(_) => return None,
        };
        Some(Gate {
            checks: gate.checks && !local,
            ..gate
        })
    }

    /// What a class of load balancers decides about reach, before any annotation.
    pub fn reach_of_class(&self, class: &str) -> Option<Unsaid> {
        let Classes::Selects(known) = self.classes else {
            return None;
        };
        known.iter().find(|known| known.class == class)?.reach
    }
}

/// Takes a key of a single listener apart: protocol, port, and the key. Nothing, if it is not one.
pub fn listener_key(key: &str) -> Option<(&str, u16, &str)> {
    let (listener, bare) = key.split_once('.')?;
    let (protocol, port) = listener.split_once('-')?;
    let is_protocol = matches!(protocol, "TCP" | "UDP");
    let port = port.parse().ok().filter(|_| is_protocol)?;
    Some((protocol, port, bare))
}

/// Whether a key is meant by a pattern: the key itself, or its beginning or end where the pattern has a `*`.
pub fn matches(pattern: &str, key: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (_, Some(start)) => key.starts_with(start),
        (Some(end), None) => key.ends_with(end),
        (None, None) => key == pattern,
    }
}

/// An annotation without which PROXY headers are asked for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyNeeds {
    /// The annotation.
    pub key: &'static str,
    /// The values with which they are sent.
    pub values: &'static [&'static str],
    /// Whether they are sent without it.
    pub unsaid: bool,
}

/// Something that a provider may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way<T> {
    /// It has it: so.
    Is(T),
    /// It does not have it, and why, in a sentence.
    No(&'static str),
    /// The sources that were read do not tell.
    NotKnown,
}

impl<T> Way<T> {
    /// What it is, if it is known to be there.
    pub const fn get(&self) -> Option<&T> {
        match self {
            Self::Is(way) => Some(way),
            Self::No(_) | Self::NotKnown => None,
        }
    }
}

/// How an address becomes private, or public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// By these keys, all of them.
    Keys(&'static [Key]),
    /// By saying nothing.
    Default,
    /// Not by the Service: a pool of addresses or the nodes' addresses decide, as the sentence says.
    Elsewhere(&'static str),
    /// Not at all, and why, in a sentence.
    Impossible(&'static str),
    /// The sources that were read do not tell.
    NotKnown,
}

impl Switch {
    /// The keys that do it.
    pub const fn keys(&self) -> &'static [Key] {
        match self {
            Self::Keys(keys) => keys,
            Self::Default | Self::Elsewhere(_) | Self::Impossible(_) | Self::NotKnown => &[],
        }
    }

    /// Whether annotations have all its keys as it wants them; not if there are none.
    pub fn is_said<'a>(&self, annotation: impl Fn(&str) -> Option<&'a str>) -> bool {
        let keys = self.keys();
        !keys.is_empty() && keys.iter().all(|key| key.is_in(annotation(key.key)))
    }
}

/// What comes of a Service that says nothing of its reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsaid {
    /// A public address.
    Public,
    /// A private address.
    Private,
    /// It depends, as the sentence says.
    Depends(&'static str),
    /// The sources that were read do not tell.
    NotKnown,
}

/// A key and what is written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The annotation's whole name.
    pub key: &'static str,
    /// What is written there.
    pub value: Value,
}

impl Key {
    /// A key with a fixed value.
    pub(super) const fn is(key: &'static str, value: &'static str) -> Self {
        Self {
            key,
            value: Value::Is(value),
        }
    }

    /// A key whose value is the subnet.
    pub(super) const fn subnet(key: &'static str) -> Self {
        Self {
            key,
            value: Value::Subnet,
        }
    }

    /// Whether it is written as it is wanted: of a subnet, that one is named.
    pub fn is_in(&self, written: Option<&str>) -> bool {
        match self.value {
            Value::Is(value) => written == Some(value),
            Value::Subnet => written.is_some_and(|subnet| !subnet.is_empty()),
        }
    }
}

/// What is written at a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// This text.
    Is(&'static str),
    /// The subnet that GatewayParameters name; without one the key cannot be written.
    Subnet,
}

/// A key that a provider is known to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The annotation's whole name, without a listener's prefix.
    pub key: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// Whether a change of it comes through on a live load balancer.
    pub change: Change,
    /// Whether it may be said of one listener.
    pub per_listener: bool,
}

impl Known {
    /// A key of which it is not known whether it may change later.
    pub(super) const fn new(key: &'static str, takes: Takes) -> Self {
        Self {
            key,
            takes,
            change: Change::NotKnown,
            per_listener: false,
        }
    }

    /// It may change later.
    pub(super) const fn live(self) -> Self {
        Self {
            change: Change::Live,
            ..self
        }
    }

    /// It counts at creation only.
    pub(super) const fn create_only(self) -> Self {
        Self {
            change: Change::CreateOnly,
            ..self
        }
    }

    /// It may be said of one listener.
    pub(super) const fn per_listener(self) -> Self {
        Self {
            per_listener: true,
            ..self
        }
    }
}

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Any text.
    Text,
    /// Exactly `true` or `false`; anything else counts as if nothing were written.
    Boolean,
    /// One of these, exactly.
    Words(&'static [&'static str]),
    /// A whole number between these.
    Number(u32, u32),
    /// A path that begins with `/`.
    Path,
    /// A private key in clear text, which does not belong in an annotation.
    PrivateKey,
}

impl Takes {
    /// Whether a value counts, exactly as it is written.
    pub fn accepts(self, value: &str) -> bool {
        match self {
            Self::Boolean => matches!(value, "true" | "false"),
            Self::Words(words) => words.contains(&value),
            Self::Number(from, to) => {
                let number = value.parse::<u32>();
                number.is_ok_and(|number| (from..=to).contains(&number))
            }
            Self::Path => value.starts_with('/'),
            Self::Text | Self::PrivateKey => true,
        }
    }
}

/// A key by which a load balancer takes connections apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminates {
    /// The annotation's whole name, without a listener's prefix.
    pub key: &'static str,
    /// The values that do it; none means all do.
    pub values: &'static [&'static str],
}

/// What can change about a load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    /// Private or public.
    Reach,
    /// The network or subnet of the address.
    Subnet,
    /// The ranges that may call.
    SourceRanges,
    /// PROXY headers.
    ProxyProtocol,
    /// The health check.
    HealthCheck,
    /// Keys of which nothing else is known.
    Annotation,
}

/// What a change of a live Service means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It comes through.
    Live,
    /// It does not come through, or does harm: only a new load balancer has it.
    CreateOnly,
    /// The sources that were read do not tell.
    NotKnown,
}

/// How a certain address is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedAddress {
    /// A private one.
    pub private: Way<Place>,
    /// A public one.
    pub public: Way<Place>,
}

/// Where an address is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `spec.loadBalancerIP`.
    LoadBalancerIp,
    /// An annotation.
    Annotation(&'static str),
    /// One annotation for each family.
    ByFamily {
        /// For an IPv4 address.
        v4: &'static str,
        /// For an IPv6 address.
        v6: &'static str,
    },
}

/// How PROXY headers are switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyProtocol {
    /// The keys for it, all of them.
    pub keys: &'static [Key],
    /// The header's version.
    pub version: ProxyVersion,
    /// Under which condition they count, in a sentence.
    pub condition: Option<&'static str>,
}

/// The version of PROXY headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ProxyVersion {
    /// A line of text.
    V1,
    /// Binary.
    V2,
    /// One or the other, depending on what kind of load balancer it is.
    Either,
    /// The sources that were read do not tell.
    NotKnown,
}

/// How ranges of callers are said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRanges {
    /// Where.
    pub place: RangesPlace,
    /// Under which condition they count, in a sentence.
    pub condition: Option<&'static str>,
}

/// Where ranges of callers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangesPlace {
    /// `spec.loadBalancerSourceRanges`.
    Field,
    /// An annotation, with commas between.
    Annotation(&'static str),
}

/// A key of the health check's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthKey {
    /// What it is about.
    pub part: HealthPart,
    /// The annotation's whole name.
    pub key: &'static str,
    /// How its value is said.
    pub unit: Unit,
}

impl HealthKey {
    /// A key of a part.
    pub(super) const fn of(part: HealthPart, key: &'static str, unit: Unit) -> Self {
        Self { part, key, unit }
    }
}

/// What a key of the health check's is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HealthPart {
    /// Whether there is a check at all.
    Enable,
    /// How long between two checks.
    Delay,
    /// How long an answer may take.
    Timeout,
    /// After how many failures a node is out.
    Tries,
    /// What is spoken.
    Kind,
    /// The path that is asked for.
    Path,
    /// The port that is asked.
    Port,
}

/// How a value of the health check's is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Whole seconds.
    Seconds,
    /// A number without a unit.
    Count,
    /// A word or a text; a kind is in capitals (`TCP`, `HTTP`).
    Text,
    /// Like that, in small letters (`tcp`, `http`).
    LowerText,
    /// The sources that were read do not tell, so nothing is written there.
    NotKnown,
}

/// What the health check is when nothing is written, in seconds and tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthDefaults {
    /// Between two checks.
    pub delay: u32,
    /// For an answer.
    pub timeout: u32,
    /// Until a node is out.
    pub tries: u32,
}

/// Whose address the proxies see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAddress {
    /// The load balancer's, which is a proxy itself.
    Hidden,
    /// The client's, with `externalTrafficPolicy: Local`.
    Kept,
    /// It depends, as the sentence says.
    Depends(&'static str),
    /// The sources that were read do not tell.
    NotKnown,
}

/// What a Service's status shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// Addresses.
    Ip,
    /// A name, which is looked up.
    Hostname,
    /// Private and public addresses beside each other.
    Mixed,
}

/// What `spec.loadBalancerClass` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Classes {
    /// With a class, whichever, this provider makes nothing.
    Ignores,
    /// Some classes are this provider's.
    Selects(&'static [ClassRule]),
    /// The sources that were read do not tell.
    NotKnown,
}

/// A class of a provider's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassRule {
    /// `spec.loadBalancerClass`.
    pub class: &'static str,
    /// What it decides about reach, before any annotation.
    pub reach: Option<Unsaid>,
}

/// Why something is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What.
    pub claim: &'static str,
    /// Where it was read.
    pub source: &'static str,
    /// What kind of source that is.
    pub kind: EvidenceKind,
    /// Of which day the source is, where it says so.
    pub date: Option<&'static str>,
}

impl Evidence {
    /// Evidence whose source has no date.
    pub(super) const fn of(kind: EvidenceKind, claim: &'static str, source: &'static str) -> Self {
        Self {
            claim,
            source,
            kind,
            date: None,
        }
    }

    /// Of this day.
    pub(super) const fn dated(self, date: &'static str) -> Self {
        Self {
            date: Some(date),
            ..self
        }
    }
}

/// What kind of source something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EvidenceKind {
    /// The controller's source.
    Source,
    /// The maker's own document, whole.
    Document,
    /// A piece of the maker's document.
    Excerpt,
    /// A user's report.
    User,
    /// Concluded, not read.
    Inferred,
}

impl EvidenceKind {
    /// A word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Document => "document",
            Self::Excerpt => "excerpt",
            Self::User => "user",
            Self::Inferred => "inferred",
        }
    }
}
