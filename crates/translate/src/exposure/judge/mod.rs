//! From what is written about the way in to what the Service is to be, before anything exists. What cannot be had,
//! or would go round `reach`, is refused here, so that no load balancer is ever made for it.
//!
//! Each field of the way in has a file of its own, and decides by what is known about the load balancer's maker.

mod address;
pub(crate) mod allowed;
mod annotations;
mod doubt;
mod health;
pub(crate) mod host_ports;
pub(crate) mod proxy_protocol;
mod reach;
mod source_ranges;
mod stays;

use std::collections::{BTreeMap, BTreeSet};

use daemun_model::verdict::{FieldPath, Finding};
use daemun_objects::own::exposure::Reach;
use ipnet::IpNet;
use serde::Serialize;

use super::lint::Carried;
use super::provider::{
    Automatic, Gate, Place, Provider, ProxyVersion, Rules, Way, automatic, rules,
};
use crate::cluster::Cluster;
use crate::infrastructure::way_in::WayIn;
use crate::infrastructure::{Port, Wanted};
use crate::policy::arrivals::Arrivals;
use crate::verdict::reason::INVALID_PARAMETERS;
use crate::verdict::{Refusal, warning};

pub(crate) use doubt::{arrivals_in_doubt, in_doubt};
pub(crate) use stays::Stays;

/// What the Service in front of a Gateway's proxies is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exposure {
    /// Its type.
    pub kind: ServiceKind,
    /// What is written instead of a load balancer that stays all the same, and what would allow it to go.
    #[serde(skip)]
    pub instead: Option<(Reach, String)>,
    /// The ports of the nodes that the proxies take.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub host_ports: Vec<Port>,
    /// Who may reach it; none means that this was not said, and is not decided by the Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<Asked>,
    /// Whether nothing is served before an address is seen that is private: that was written, or it is known who makes
    /// load balancers here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub until_seen: bool,
    /// By whose rules.
    pub provider: &'static str,
    /// What is done when an address is not what was asked for.
    #[serde(skip_serializing_if = "OnViolation::is_default")]
    pub on_violation: OnViolation,
    /// Whether only nodes with a proxy take traffic; none leaves it to Kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<bool>,
    /// `loadBalancerClass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Annotations, over which the Gateway's own go.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Those of them that nobody wrote.
    #[serde(skip)]
    pub unsaid: BTreeSet<String>,
    /// Annotations that fields of `exposure` say, `reach` before all; nothing goes over them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub switch: BTreeMap<String, String>,
    /// Where an address is written that is asked for; none means `spec.loadBalancerIP`.
    #[serde(skip)]
    pub address: Option<Place>,
    /// Whether the address outlives the Gateway, and is billed on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub keeps_address: bool,
    /// `spec.loadBalancerSourceRanges`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source_ranges: Vec<IpNet>,
    /// The version of PROXY headers that the load balancer sends, if it sends them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_protocol: Option<ProxyVersion>,
    /// The annotation that tells the load balancer the Service's `healthCheckNodePort`, which then has to be chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_port: Option<&'static str>,
    /// Why the load balancer cannot carry UDP, if it cannot.
    #[serde(skip)]
    pub no_udp: Option<&'static str>,
    /// What has to let the load balancer through to the proxies, where it reaches them by NodePorts.
    #[serde(skip)]
    pub gate: Option<Gate>,
    /// How many seconds pass before the load balancer notices that a node is gone, if it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notices: Option<u64>,
}

/// A Service's type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum ServiceKind {
    /// A load balancer.
    #[default]
    LoadBalancer,
    /// The cluster.
    ClusterIp,
    /// A port on every node.
    NodePort,
    /// The cluster, for callers inside of it; others come by ports of the nodes that the proxies take themselves.
    HostPorts,
    /// None is made: there is one that somebody else brings, or none at all.
    Unmanaged,
}

impl ServiceKind {
    /// The one for a reach that is written, or not.
    fn of(reach: Option<Reach>, way_in: &WayIn) -> Self {
        match reach {
            Some(Reach::Cluster) => Self::ClusterIp,
            Some(Reach::Node) => host_ports::kind(way_in),
            Some(Reach::Unmanaged) => Self::Unmanaged,
            Some(Reach::Private | Reach::Public) | None => Self::LoadBalancer,
        }
    }

    /// Whether proxies see the addresses of those who call, without a load balancer in between and without a header. What
    /// comes by a port of a node that a proxy has is led to it as it is; what comes by a NodePort is, too, where no node
    /// passes it on.
    fn shows_clients(self, local: Option<bool>) -> bool {
        match self {
            Self::ClusterIp | Self::HostPorts => true,
            Self::NodePort => local == Some(true),
            Self::LoadBalancer | Self::Unmanaged => false,
        }
    }
}

/// Who may reach a load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Asked {
    /// Who is inside of the network.
    Private,
    /// Anybody.
    Public,
}

impl Asked {
    /// Both.
    pub const ALL: &[Self] = &[Self::Private, Self::Public];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Private => "Private",
            Self::Public => "Public",
        }
    }
}

/// What is done when an address is not what was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum OnViolation {
    /// Nothing is served.
    #[default]
    Close,
    /// It is said, and served all the same.
    Report,
}

impl OnViolation {
    fn is_default(&self) -> bool {
        *self == Self::Close
    }
}

/// Who makes load balancers, where nobody says it.
pub(crate) fn makers(cluster: &Cluster) -> Automatic {
    let named = cluster.settings.provider.as_deref();
    if let Some(provider) = named.and_then(Provider::named) {
        return Automatic::Rules(rules(provider));
    }
    if cluster.nodes_hidden {
        return Automatic::Unseen;
    }
    let nodes = cluster.nodes.iter();
    automatic(nodes.filter_map(|(_, node)| node.spec.provider_id.as_deref()))
}

/// The names of all providers.
pub(crate) fn names() -> String {
    let names: Vec<&str> = Provider::ALL.iter().map(|it| it.name()).collect();
    names.join(", ")
}

/// What is judged, and what counts for it.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    /// What is written.
    pub(crate) way_in: &'a WayIn,
    /// The Gateway's namespace.
    pub(crate) namespace: &'a str,
    /// The Gateway's own annotations (`spec.infrastructure.annotations`), which get to the Service as well.
    pub(crate) own: &'a Annotations,
    /// `spec.addresses`.
    pub(crate) wanted: &'a [Wanted],
    /// The listeners.
    pub(crate) listeners: &'a [Carried],
    /// Who makes load balancers, where nobody says it.
    pub(crate) makers: &'a Automatic,
    /// Whether a Service that was made for the Gateway says that PROXY headers are sent.
    pub(crate) still_sent: bool,
    /// A load balancer of the Gateway's that may not go yet.
    pub(crate) stays: Option<&'a Stays>,
    /// For the nodes, and for what is known about ranges.
    pub(crate) cluster: &'a Cluster,
}

impl Question<'_> {
    /// By whose rules load balancers are made.
    fn rules(&self) -> Result<&'static Rules, Refusal> {
        match self.way_in.provider {
            Some(provider) => Ok(rules(provider)),
            None => reach::recognised(self.makers),
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Judged {
    /// What the Service is to be.
    pub(crate) exposure: Exposure,
    /// What it means for listeners.
    pub(crate) arrivals: Arrivals,
    /// The addresses that are asked for.
    pub(crate) wanted: Vec<Wanted>,
    /// Why an address that is asked for cannot be used: then nothing is made.
    pub(crate) unusable: Option<Refusal>,
    /// What works and may surprise.
    pub(crate) findings: Vec<Finding>,
}

/// Annotations.
type Annotations = BTreeMap<String, String>;

/// Judges what is written of a Gateway's way in.
pub(crate) fn judge(asked: &Question<'_>) -> Result<Judged, Refusal> {
    let WayIn { reach, allowed, .. } = asked.way_in;
    // Whoever makes load balancers here: a key that decides reach somewhere has no other use.
    annotations::keys_of_reach(asked)?;
    host_ports::check(asked.cluster, asked.namespace, asked.way_in)?;
    let reach = reach::written(*reach, allowed)?;
    if let Some((instead, stays)) = stays::instead(asked, reach) {
        return stays::judge(asked, instead, stays);
    }
    match ServiceKind::of(reach, asked.way_in) {
        ServiceKind::LoadBalancer => load_balancer(asked, reach, asked.rules()?),
        kind => without_load_balancer(asked, kind),
    }
}

fn on_violation(way_in: &WayIn) -> OnViolation {
    if way_in.report {
        OnViolation::Report
    } else {
        OnViolation::Close
    }
}

/// A Service of type LoadBalancer.
fn load_balancer(
    asked: &Question<'_>,
    reach: Option<Reach>,
    rules: &'static Rules,
) -> Result<Judged, Refusal> {
    let WayIn {
        subnet,
        keep_address,
        local,
        class,
        annotations: written,
        listener_annotations,
        ..
    } = asked.way_in;
    let mut findings = annotations::lint(asked, rules)?;
    let until_seen = reach::until_seen(reach, rules);
    let (reach, mut switch) = reach::decided(reach, subnet.as_deref(), rules)?;
    annotations::keys_of_proof(asked, reach)?;
    reach::agrees_with_class(reach, class.as_deref(), rules)?;
    let (wanted, unusable) = address::wanted(asked, reach, rules);
    switch.extend(address::subnet(subnet.as_deref(), reach, rules)?);
    switch.extend(address::kept(*keep_address, reach, rules)?);
    // A load balancer's maker whose health check is set here is one where the other nodes' ports do no harm.
    let local = local.or_else(|| rules.health_defaults.map(|_| false));
    let waits = local == Some(true) && !proxy_protocol::may_be_local(asked);
    let local = if waits { Some(false) } else { local };
    if waits {
        findings.push(warning(
            at("externalTrafficPolicy"),
            "LocalWaits",
            "The Service still says that PROXY headers are sent, so externalTrafficPolicy stays Cluster until it does not: with Local they would come from the load balancer's own addresses, which are not known here. Its range in exposure.trustedRanges lets Local come at once.",
        ));
    }
    let health = health::decide(asked, local == Some(true), rules)?;
    switch.extend(health.said);
    let proxy = proxy_protocol::decide(asked, local == Some(true), rules)?;
    switch.extend(proxy.keys);
    findings.extend(proxy.findings);
    let sees_client = reach::sees_client(
        proxy.trusted.is_some() && proxy.conditional.is_none(),
        local,
        rules,
    );
    let ranges = source_ranges::decide(asked, sees_client, rules)?;
    switch.extend(ranges.key);
    findings.extend(ranges.finding);
    annotations::said_once(asked, &switch)?;
    switch.extend(listener_annotations.clone());
    let exposure = Exposure {
        kind: ServiceKind::LoadBalancer,
        instead: None,
        host_ports: Vec::new(),
        reach,
        until_seen: until_seen && reach == Some(Asked::Private),
        provider: rules.name,
        on_violation: on_violation(asked.way_in),
        local,
        class: class.clone(),
        unsaid: health.unsaid.keys().cloned().collect(),
        annotations: health.unsaid.into_iter().chain(written.clone()).collect(),
        switch,
        address: address::place(reach, rules),
        keeps_address: *keep_address,
        source_ranges: ranges.field,
        proxy_protocol: proxy.version,
        health_port: health.port,
        no_udp: match rules.udp {
            Way::No(why) => Some(why),
            Way::Is(()) | Way::NotKnown => None,
        },
        gate: rules.gate(local == Some(true)),
        notices: health.notices,
    };
    Ok(Judged {
        exposure,
        arrivals: Arrivals {
            proxies: proxy.trusted,
            sources: ranges.sources,
        },
        wanted,
        unusable,
        findings,
    })
}

/// A Service that is no load balancer's, or none. What is written about load balancers says nothing then; a class
/// may well say it for its other Gateways, so it is not wrong, and told.
fn without_load_balancer(asked: &Question<'_>, kind: ServiceKind) -> Result<Judged, Refusal> {
    let WayIn {
        keep_address,
        subnet,
        health,
        class,
        annotations: written,
        listener_annotations,
        local,
        host_ports,
        ..
    } = asked.way_in;
    let mut findings = annotations::lint(asked, rules(Provider::Generic))?;
    findings.extend(host_ports::of_nodes(host_ports));
    let silent: Vec<String> = [
        ("keepAddress", *keep_address),
        ("subnet", subnet.is_some()),
        ("healthCheck", *health != Default::default()),
        ("loadBalancerClass", class.is_some()),
        (
            "externalTrafficPolicy",
            local.is_some() && kind == ServiceKind::HostPorts,
        ),
        ("listenerAnnotations", !listener_annotations.is_empty()),
    ]
    .into_iter()
    .filter(|(_, is_written)| *is_written)
    .map(|(field, _)| field.to_owned())
    .collect();
    if !silent.is_empty() {
        findings.push(warning(
            at(silent.first().map_or("", |field| field.as_str())),
            "NoLoadBalancer",
            format!(
                "There is no load balancer with this reach, so exposure says nothing with {}.",
                crate::nearest::list_all(&silent)
            ),
        ));
    }
    let (wanted, unusable) = address::without_load_balancer(asked, kind);
    let proxy = proxy_protocol::without_load_balancer(asked, kind)?;
    findings.extend(proxy.findings);
    let seen = proxy.trusted.is_some() || kind.shows_clients(*local);
    let sources = source_ranges::by_listener(asked, seen, "the Service's")?;
    Ok(Judged {
        exposure: Exposure {
            kind,
            host_ports: host_ports.clone(),
            provider: "",
            on_violation: on_violation(asked.way_in),
            local: local.filter(|_| kind == ServiceKind::NodePort),
            annotations: written.clone(),
            ..Exposure::default()
        },
        arrivals: Arrivals {
            proxies: proxy.trusted,
            sources,
        },
        wanted,
        unusable,
        findings,
    })
}

/// Where a field of the way in is written, in GatewayParameters.
fn at(field: &str) -> FieldPath {
    FieldPath::of("spec.exposure").field(field)
}

/// A refusal of what a field says.
fn refusal(field: &str, message: impl Into<String>) -> Refusal {
    Refusal::new(at(field), INVALID_PARAMETERS, message)
}

#[cfg(test)]
mod tests;
