//! Gateways with their listeners and those of their ListenerSets: read, and judged against one another.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use daemun_model::names::{Alphabetical, ListenerOwner, ObjectName};
use daemun_model::tls::Certificate;
use daemun_model::verdict::{FieldPath, Finding};
use daemun_objects::Open;
use daemun_objects::gateway_api::gateway::{AddressType, DefaultScope, Gateway, GatewayAddress};
use daemun_objects::gateway_api::listenerset::ListenerSet;

use super::exposure;
use super::frontend::{self, Frontend};
use super::gatewayclass::{Class, class};
use super::listener::{Owner, read_all};
use super::listenerset::{self, ReadSet};
use super::namespaces;
use super::parameters;
use crate::cluster::{Cluster, Home};
use crate::conflicts::{self, PortClaim};
use crate::credentials::secret;
use crate::exposure::Exposure;
use crate::exposure::fronts::Fronts;
use crate::exposure::judge;
use crate::exposure::lint;
use crate::infrastructure::Wanted;
use crate::infrastructure::parameters::Parameters;
use crate::listener::{Entry, Namespaces};
use crate::memo::Judgements;
use crate::policy::arrivals::Arrivals;
use crate::refs::{GATEWAY_GROUP, Referrer};
use crate::value::unknown;
use crate::verdict::{CLOSED, Elsewhere, Refusal, reason};

/// A Gateway that is ours.
#[derive(Debug)]
pub(crate) struct ReadGateway {
    /// Its name.
    pub(crate) name: ObjectName,
    /// The object.
    pub(crate) object: Arc<Gateway>,
    /// What stands against the Gateway itself; the first one gives the reason.
    pub(crate) refused: Vec<Refusal>,
    /// Its class cannot be used; the sentence says why.
    pub(crate) pending: Option<String>,
    /// The addresses that its proxy binds; empty means all.
    pub(crate) addresses: Vec<IpAddr>,
    /// The addresses that are asked for, as written.
    pub(crate) wanted: Vec<Wanted>,
    /// How things are made around it; none if that cannot be said.
    pub(crate) parameters: Option<Parameters>,
    /// What its Service is to be; none if that cannot be said, and on a host.
    pub(crate) exposure: Option<Exposure>,
    /// Why an address that is asked for cannot be used, so that nothing is made.
    pub(crate) unusable: Option<Refusal>,
    /// What the way in means for its listeners.
    pub(crate) arrivals: Arrivals,
    /// Its own listeners.
    pub(crate) entries: Vec<Entry>,
    /// Its ListenerSets, in order of precedence.
    pub(crate) sets: Vec<ReadSet>,
    /// The certificate that it shows to backends, if it has one; the error is why it cannot.
    pub(crate) client_certificate: Option<Result<Arc<Certificate>, Refusal>>,
    /// Whether clients without a valid certificate are let in somewhere.
    pub(crate) insecure: bool,
    /// What else there is to say.
    pub(crate) findings: Vec<Finding>,
    /// What there is to say of its parameters.
    pub(crate) elsewhere: Vec<Elsewhere>,
}

impl ReadGateway {
    /// Its uid, by which what was made for it is known; empty if there is none.
    pub(crate) fn uid(&self) -> &str {
        self.object.metadata.uid.as_deref().unwrap_or_default()
    }

    /// Whether its class and the Gateway itself can be used; its listeners are another matter.
    pub(crate) fn usable(&self) -> bool {
        self.refused.is_empty() && self.pending.is_none()
    }

    /// Why it is not usable, if it is not.
    pub(crate) fn why_closed(&self) -> Option<String> {
        let refused = self.refused.first().map(|refusal| refusal.message.clone());
        self.pending.clone().or(refused)
    }

    /// Whether Routes that ask for default Gateways are attached to it (GEP-3793).
    pub(crate) fn is_default(&self) -> bool {
        let scope = self.object.spec.default_scope.as_ref();
        scope.is_some_and(|scope| *scope == DefaultScope::All)
    }

    /// All listeners that count: its own, and those of the ListenerSets that it takes.
    pub(crate) fn all_entries(&self) -> impl Iterator<Item = &Entry> {
        let sets = self.sets.iter().filter(|set| set.refused.is_none());
        self.entries
            .iter()
            .chain(sets.flat_map(|set| set.entries.iter()))
    }

    /// The same, to be changed.
    pub(crate) fn all_entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        let sets = self.sets.iter_mut().filter(|set| set.refused.is_none());
        self.entries
            .iter_mut()
            .chain(sets.flat_map(|set| set.entries.iter_mut()))
    }

    /// Whether proxies are given what it says. Also while its parameters, or those of its class, are invalid:
    /// nothing new is made around it then, and what was made before goes on.
    pub(crate) fn is_configured(&self, home: Home) -> bool {
        let only_parameters = || {
            let mut refused = self.refused.iter();
            refused.all(|refusal| refusal.reason == reason::INVALID_PARAMETERS)
                && self.all_entries().any(Entry::accepted)
        };
        match home {
            Home::Host => self.accepted(),
            Home::Kubernetes => only_parameters(),
        }
    }

    /// Whether it is accepted: usable, with at least one listener that is valid.
    pub(crate) fn accepted(&self) -> bool {
        self.usable() && self.all_entries().any(Entry::accepted)
    }
}

/// All Gateways that were read, by precedence: the older first.
#[derive(Debug, Default)]
pub(crate) struct ReadGateways {
    /// Those that are ours.
    pub(crate) ours: Vec<ReadGateway>,
    /// Those that are not, with the sentence that says why.
    pub(crate) foreign: BTreeMap<ObjectName, String>,
    /// On a host: ListenerSets without a Gateway of ours, with why.
    pub(crate) orphans: Vec<(ObjectName, Arc<ListenerSet>, Refusal)>,
}

/// When an object came into being, and its name: the order in which objects have precedence.
pub(crate) fn age(created: Option<i64>, name: &ObjectName) -> (i64, Alphabetical<'_>) {
    (created.unwrap_or_default(), name.alphabetical())
}

/// Reads all Gateways and ListenerSets. What was read before counts where what is written now is refused.
pub(crate) fn read_gateways(
    cluster: &Cluster,
    judgements: &mut Judgements,
    fronts: &Fronts,
    last: &ReadGateways,
) -> ReadGateways {
    let mut read = ReadGateways::default();
    let mut sets = sets_by_gateway(cluster, &mut read);
    let mut gateways: Vec<_> = cluster.gateways.iter().collect();
    gateways.sort_by_key(|(name, gateway)| age(gateway.metadata.created(), name));
    let mut claims: Vec<PortClaim> = Vec::new();
    let makers = (!cluster.on_host()).then(|| judge::makers(cluster));
    let last: BTreeMap<&ObjectName, &ReadGateway> =
        last.ours.iter().map(|it| (&it.name, it)).collect();
    for (name, object) in gateways {
        let pending = match class(cluster, &object.spec.gateway_class_name) {
            Class::Ours => None,
            Class::Refused(why) => Some(why),
            Class::Foreign(why) => {
                read.foreign.insert(name.clone(), why);
                continue;
            }
        };
        let sets = sets.remove(name).unwrap_or_default();
        let mut gateway = read_gateway(cluster, judgements, (name, object), &sets);
        gateway.pending = pending;
        if let Some(makers) = &makers {
            let before = last.get(name).filter(|it| it.uid() == gateway.uid());
            let before = before.map(|it| &it.arrivals);
            exposure::read(cluster, makers, fronts, &mut gateway, before);
        }
        if gateway.usable() {
            let addresses = gateway.addresses.clone();
            let mut entries: Vec<&mut Entry> = gateway.all_entries_mut().collect();
            match cluster.settings.home {
                Home::Host => conflicts::on_host(name, &addresses, &mut entries, &mut claims),
                Home::Kubernetes => conflicts::in_pod(&mut entries),
            }
        }
        let mut entries: Vec<&mut Entry> = gateway.all_entries_mut().collect();
        conflicts::overlaps(&mut entries);
        read.ours.push(gateway);
    }
    // In Kubernetes they may be another controller's, whose Gateways are not all seen.
    if cluster.on_host() {
        orphans(cluster, sets, &mut read);
    } else {
        read.orphans.clear();
    }
    read
}

/// Judges the ListenerSets whose Gateway is none of ours.
fn orphans(cluster: &Cluster, sets: BTreeMap<ObjectName, Sets>, read: &mut ReadGateways) {
    for (gateway, sets) in sets {
        let why = match read.foreign.get(&gateway) {
            Some(why) => format!("Gateway {gateway} is not served by Daemun. {why}"),
            None => listenerset::no_such_gateway(cluster, &gateway),
        };
        for (name, set) in sets {
            let refusal = Refusal::new(
                FieldPath::of("spec.parentRef.name"),
                "ParentNotAccepted",
                why.clone(),
            );
            read.orphans.push((name, set, refusal));
        }
    }
}

type Sets = Vec<(ObjectName, Arc<ListenerSet>)>;

/// ListenerSets by the Gateway that they name, the older first.
fn sets_by_gateway(cluster: &Cluster, read: &mut ReadGateways) -> BTreeMap<ObjectName, Sets> {
    let mut all: Vec<_> = cluster.listener_sets.iter().collect();
    all.sort_by_key(|(name, set)| age(set.metadata.created(), name));
    let mut sets: BTreeMap<ObjectName, Sets> = BTreeMap::new();
    for (name, set) in all {
        match listenerset::parent(name, set) {
            Ok(gateway) => sets
                .entry(gateway)
                .or_default()
                .push((name.clone(), Arc::clone(set))),
            Err(refusal) => read.orphans.push((name.clone(), Arc::clone(set), refusal)),
        }
    }
    sets
}

fn read_gateway(
    cluster: &Cluster,
    judgements: &mut Judgements,
    (name, object): (&ObjectName, &Arc<Gateway>),
    sets: &[(ObjectName, Arc<ListenerSet>)],
) -> ReadGateway {
    let spec = &object.spec;
    let owner = Owner {
        kind: ListenerOwner::Gateway,
        name,
    };
    let (entries, findings) = read_all(cluster, judgements, owner, &spec.listeners);
    let mut gateway = ReadGateway {
        name: name.clone(),
        object: Arc::clone(object),
        refused: Vec::new(),
        pending: None,
        addresses: Vec::new(),
        wanted: Vec::new(),
        parameters: None,
        exposure: None,
        unusable: None,
        arrivals: Arrivals::default(),
        entries,
        sets: Vec::new(),
        client_certificate: None,
        insecure: false,
        findings,
        elsewhere: Vec::new(),
    };
    read_addresses(&spec.addresses, &mut gateway);
    if cluster.on_host() {
        gateway.addresses = bound(&gateway.wanted);
    }
    read_parameters(cluster, &mut gateway);
    read_annotations(&mut gateway);
    if spec.listeners.is_empty() {
        gateway.refused.push(Refusal::new(
            FieldPath::of("spec.listeners"),
            reason::INVALID,
            "A Gateway has at least one listener of its own, and this one has none.",
        ));
    }
    if let Some(Open::Other(scope)) = &spec.default_scope
        && !scope.is_empty()
    {
        let path = FieldPath::of("spec.defaultScope");
        let refusal = unknown(&path, "scope", scope, &["All", "None"]);
        gateway.findings.push(refusal.into());
    }
    let allowed = read_allowed_listeners(&mut gateway);
    gateway.sets = sets
        .iter()
        .map(|(set, object)| listenerset::read(cluster, judgements, &allowed, (name, set), object))
        .collect();
    read_tls(cluster, judgements, &mut gateway);
    let ReadGateway { entries, sets, .. } = &mut gateway;
    let mut groups: Vec<&mut Vec<Entry>> = vec![entries];
    groups.extend(
        sets.iter_mut()
            .filter(|set| set.refused.is_none())
            .map(|set| &mut set.entries),
    );
    conflicts::among(&mut groups);
    gateway
}

fn read_addresses(written: &[GatewayAddress], gateway: &mut ReadGateway) {
    let path = FieldPath::of("spec.addresses");
    for (index, address) in written.iter().enumerate() {
        let path = path.index(index);
        let GatewayAddress { r#type, value } = address;
        if let Some(other) = r#type
            && *other != AddressType::IpAddress
        {
            gateway.refused.push(Refusal::new(
                path.field("type"),
                "UnsupportedAddress",
                format!("Addresses of type {other} are not supported; type IPAddress is, with the address in value, or without a value for one that is chosen."),
            ));
            continue;
        }
        let value = value.as_deref().unwrap_or_default();
        if value.is_empty() {
            gateway.wanted.push(Wanted::Any);
            continue;
        }
        match value.parse::<IpAddr>() {
            Ok(address) if gateway.wanted.contains(&Wanted::Ip(address)) => {
                gateway.refused.push(Refusal::new(
                    path.field("value"),
                    reason::INVALID,
                    format!("The address {address} is there twice; take one out."),
                ));
            }
            Ok(address) => gateway.wanted.push(Wanted::Ip(address)),
            Err(_) => gateway.refused.push(Refusal::new(
                path.field("value"),
                "UnsupportedAddress",
                format!("\"{value}\" is not an IP address, such as 192.0.2.7 or 2001:db8::7."),
            )),
        }
    }
}

/// The addresses that are bound on a host: an address without a value is one that we choose, and that is all.
fn bound(wanted: &[Wanted]) -> Vec<IpAddr> {
    let addresses: Option<Vec<IpAddr>> = wanted
        .iter()
        .map(|wanted| match wanted {
            Wanted::Ip(address) => Some(*address),
            Wanted::Any => None,
        })
        .collect();
    addresses.unwrap_or_default()
}

fn read_parameters(cluster: &Cluster, gateway: &mut ReadGateway) {
    let reserved = parameters::reserved(&gateway.object);
    gateway.findings.extend(reserved);
    match parameters::of_gateway(cluster, &gateway.name, &gateway.object) {
        Ok(read) => {
            gateway.parameters = Some(read.parameters);
            gateway.findings.extend(read.findings);
            gateway.elsewhere.extend(read.elsewhere);
        }
        Err(refusal) => gateway.refused.push(refusal),
    }
}

/// What is written on the Gateway itself, but meant for its Service.
fn read_annotations(gateway: &mut ReadGateway) {
    for slip in lint::of_gateway(&gateway.object.metadata.annotations) {
        match slip.refused {
            true => gateway.refused.push(slip.refusal()),
            false => gateway.findings.push(slip.warning()),
        }
    }
}

fn read_allowed_listeners(gateway: &mut ReadGateway) -> Namespaces {
    let written = gateway.object.spec.allowed_listeners.as_ref();
    namespaces::of_listeners(
        written.and_then(|allowed| allowed.namespaces.as_ref()),
        &gateway.name.namespace,
        &FieldPath::of("spec.allowedListeners.namespaces"),
    )
    .unwrap_or_else(|refusal| {
        gateway.findings.push(refusal.into());
        Namespaces::None
    })
}

fn read_tls(cluster: &Cluster, judgements: &mut Judgements, gateway: &mut ReadGateway) {
    let object = Arc::clone(&gateway.object);
    let Some(tls) = &object.spec.tls else {
        return;
    };
    let backend = tls.backend.as_ref();
    if let Some(reference) = backend.and_then(|it| it.client_certificate_ref.as_ref()) {
        let from = Referrer {
            group: GATEWAY_GROUP,
            kind: "Gateway",
            namespace: &gateway.name.namespace,
        };
        let certificate = secret(cluster, judgements, &from, reference)
            .map_err(|(found, message)| {
                let found = if found == reason::INVALID_CERTIFICATE_REF {
                    "InvalidClientCertificateRef"
                } else {
                    found
                };
                Refusal::new(
                    FieldPath::of("spec.tls.backend.clientCertificateRef.name"),
                    found,
                    format!("{message} Backends with TLS are not spoken to without it: their requests are {CLOSED}."),
                )
            });
        gateway.client_certificate = Some(certificate);
    }
    if let Some(written) = &tls.frontend {
        let mut frontend: Frontend = frontend::read(cluster, judgements, &gateway.name, written);
        gateway.findings.append(&mut frontend.findings);
        gateway.insecure = frontend.is_insecure();
        gateway
            .all_entries_mut()
            .for_each(|entry| frontend.apply(entry));
    }
}
