//! Our ListenerPolicy: limits, trust, versions of TLS. One that cannot be used closes its listeners: their
//! requests are answered 500, never served without it.

use std::collections::{BTreeMap, BTreeSet};

use daemun_model::listener::ProxyStatus;
use daemun_model::names::{ListenerKey, ListenerOwner, ObjectName, ObjectRef, Transport};
use daemun_model::policy::forwarding::Forwarding;
use daemun_model::policy::limits::ClientLimits;
use daemun_model::tls::TlsVersion;
use daemun_model::verdict::FieldPath;
use daemun_objects::Open;
use daemun_objects::own::listener_policy::{
    ListenerPolicy, ListenerPolicySpec, ProxyStatus as WrittenStatus, Tls,
    TlsVersion as WrittenVersion,
};

use super::gateway::{ReadGateway, ReadGateways, age};
use crate::cluster::Cluster;
use crate::listener::{Entry, Protocol, Treatment};
use crate::policy::targets::{Claims, Judged, Target};
use crate::policy::{arrivals, forwarding, limits};
use crate::refs::GATEWAY_GROUP;
use crate::value::unknown;
use crate::verdict::{Refusal, warning};

/// What can be a target.
const KINDS: [(&str, &str); 2] = [(GATEWAY_GROUP, "Gateway"), (GATEWAY_GROUP, "ListenerSet")];

/// What a policy says, section by section.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Settings {
    limits: Option<ClientLimits>,
    forwarding: Option<Forwarding>,
    versions: Option<(TlsVersion, TlsVersion)>,
    proxy_status: Option<ProxyStatus>,
}

type ByTarget = BTreeMap<Target, (ObjectName, Result<Settings, String>)>;

/// Reads all policies, the oldest first, and gives each listener what holds for it. The policies are given
/// back with the Gateways through which they work.
pub(crate) fn apply_all(
    cluster: &Cluster,
    gateways: &mut ReadGateways,
) -> Vec<(Judged, BTreeSet<ObjectName>)> {
    let mut policies: Vec<_> = cluster.listener_policies.iter().collect();
    policies.sort_by_key(|(name, policy)| age(policy.metadata.created(), name));
    let mut claims = Claims::default();
    let mut by_target = ByTarget::new();
    let mut judged = Vec::with_capacity(policies.len());
    for (name, policy) in policies {
        let claimed = claims.claim(cluster, name, &policy.spec.target_refs, &KINDS);
        let settings = read(policy);
        for target in &claimed.won {
            let settings = settings
                .clone()
                .map_err(|refusal| format!("ListenerPolicy {name}: {}", refusal.message));
            by_target.insert(target.clone(), (name.clone(), settings));
        }
        let ancestors = ancestors(gateways, &claimed.exist);
        let policy = Judged {
            object: ObjectRef::new("ListenerPolicy", name.clone()),
            generation: policy.metadata.generation.unwrap_or_default(),
            claimed,
            invalid: settings.err(),
            unresolved: None,
        };
        judged.push((policy, ancestors));
    }
    for gateway in &mut gateways.ours {
        apply(&by_target, gateway);
        let way_in = gateway.arrivals.clone();
        arrivals::apply(&way_in, gateway.all_entries_mut());
    }
    judged
}

/// The Gateways to which targets belong.
fn ancestors(gateways: &ReadGateways, targets: &[Target]) -> BTreeSet<ObjectName> {
    let of = |target: &Target| {
        gateways.ours.iter().find(|gateway| match target.kind {
            "Gateway" => gateway.name == target.name,
            _ => gateway.sets.iter().any(|set| set.name == target.name),
        })
    };
    targets
        .iter()
        .filter_map(of)
        .map(|gateway| gateway.name.clone())
        .collect()
}

fn read(policy: &ListenerPolicy) -> Result<Settings, Refusal> {
    let ListenerPolicySpec {
        target_refs: _, // In apply_all.
        limits: written_limits,
        forwarding: written_forwarding,
        tls,
        proxy_status,
    } = &policy.spec;
    let spec = FieldPath::of("spec");
    let limits = written_limits
        .as_ref()
        .map(|written| limits::read(written, &spec.field("limits")))
        .transpose()?;
    let forwarding = written_forwarding
        .as_ref()
        .map(|written| forwarding::read(written, &spec.field("forwarding")))
        .transpose()?;
    let versions = tls
        .as_ref()
        .map(|written| versions(written, &spec.field("tls")))
        .transpose()?;
    let proxy_status = proxy_status
        .as_ref()
        .map(|written| read_status(written, &spec.field("proxyStatus")))
        .transpose()?;
    Ok(Settings {
        limits,
        forwarding,
        versions,
        proxy_status,
    })
}

fn read_status(written: &Open<WrittenStatus>, path: &FieldPath) -> Result<ProxyStatus, Refusal> {
    match written.known() {
        Some(WrittenStatus::Off) => Ok(ProxyStatus::Off),
        Some(WrittenStatus::Error) => Ok(ProxyStatus::Error),
        Some(WrittenStatus::Full) => Ok(ProxyStatus::Full),
        None => Err(unknown(
            path,
            "value of proxyStatus",
            written.as_str(),
            &["Off", "Error", "Full"],
        )),
    }
}

fn versions(written: &Tls, path: &FieldPath) -> Result<(TlsVersion, TlsVersion), Refusal> {
    let default = Treatment::default();
    let Tls {
        min_version,
        max_version,
    } = written;
    let version = |written: &Option<Open<WrittenVersion>>, default, field: &str| match written {
        None => Ok(default),
        Some(written) => match written.known() {
            Some(WrittenVersion::Tls12) => Ok(TlsVersion::Tls12),
            Some(WrittenVersion::Tls13) => Ok(TlsVersion::Tls13),
            None => Err(unknown(
                &path.field(field),
                "version of TLS",
                written.as_str(),
                &["1.2", "1.3"],
            )),
        },
    };
    let min = version(min_version, default.min_version, "minVersion")?;
    let max = version(max_version, default.max_version, "maxVersion")?;
    if min > max {
        return Err(Refusal::unsupported(
            path.field("minVersion"),
            "tls.minVersion is higher than tls.maxVersion: no version is left.",
        ));
    }
    Ok((min, max))
}

/// Gives each listener of a Gateway what the policies for the listener, for its ListenerSet and for its
/// Gateway say: each section is that of the nearest policy that has it. One that cannot be used closes the
/// listener, even if another is nearer: what it would have protected is not known. Who is believed is a
/// matter of the port, because it is asked before a listener is chosen, and so are most limits: where listeners of
/// several owners share a port, the owner of a ListenerSet does not decide on them for the others.
fn apply(by_target: &ByTarget, gateway: &mut ReadGateway) {
    let name = gateway.name.clone();
    let owners = owners_of_ports(gateway);
    let mut ports: BTreeMap<(Transport, u16), (ObjectName, Forwarding)> = BTreeMap::new();
    for entry in gateway.all_entries_mut() {
        let mut forwarding = None;
        let is_shared = !is_alone(&owners, entry);
        let mut not_his = None;
        let treatment = &mut entry.treatment;
        // From the farthest to the nearest, which has the last word.
        for (of_gateway, (policy, settings)) in policies_of(by_target, &name, &entry.key) {
            let is_guest = is_shared && !of_gateway;
            match settings {
                Err(why) => treatment.refused = Some(why.clone()),
                Ok(settings) => {
                    if let Some(limits) = &settings.limits {
                        let held = match is_guest {
                            true => limits_of_guest(limits, &treatment.limits),
                            false => limits.clone(),
                        };
                        if held != *limits {
                            not_his = Some(policy);
                        }
                        treatment.limits = held;
                    }
                    if let Some((min, max)) = settings.versions {
                        (treatment.min_version, treatment.max_version) = (min, max);
                    }
                    if let Some(status) = settings.proxy_status {
                        treatment.proxy_status = status;
                    }
                    match &settings.forwarding {
                        Some(own) if is_guest && *own != Forwarding::default() => {
                            not_his = Some(policy);
                        }
                        Some(own) => forwarding = Some((policy, own)),
                        None => {}
                    }
                }
            }
        }
        if let Some(policy) = not_his {
            entry.warnings.push(port_is_others_too(entry, policy));
        }
        if let Some((policy, own)) = forwarding {
            let (holder, held) = ports
                .entry(port_of(entry))
                .or_insert_with(|| (policy.clone(), own.clone()));
            if held != own {
                let holder = holder.clone();
                entry.warnings.push(port_is_shared(entry, policy, &holder));
            }
        }
    }
    for entry in gateway.all_entries_mut() {
        if let Some((_, forwarding)) = ports.get(&port_of(entry)) {
            entry.forwarding = forwarding.clone();
        }
    }
}

fn port_of(entry: &Entry) -> (Transport, u16) {
    let transport = entry.protocol.map(Protocol::transport);
    (transport.unwrap_or_default(), entry.port)
}

type Owners = BTreeMap<(Transport, u16), BTreeSet<(ListenerOwner, ObjectName)>>;

/// The objects that have accepted listeners on each port.
fn owners_of_ports(gateway: &ReadGateway) -> Owners {
    let mut owners = Owners::new();
    for entry in gateway.all_entries().filter(|entry| entry.accepted()) {
        owners
            .entry(port_of(entry))
            .or_default()
            .insert(owner(entry));
    }
    owners
}

/// Whether nobody but its own object has listeners on an entry's port.
fn is_alone(owners: &Owners, entry: &Entry) -> bool {
    let mut on_port = owners.get(&port_of(entry)).into_iter().flatten();
    on_port.all(|other| *other == owner(entry))
}

fn owner(entry: &Entry) -> (ListenerOwner, ObjectName) {
    (entry.key.owner, entry.key.object.clone())
}

/// What holds of the limits of a ListenerSet's owner on a port that others share: those that are looked at when the
/// listener is known.
fn limits_of_guest(own: &ClientLimits, of_port: &ClientLimits) -> ClientLimits {
    ClientLimits {
        target_bytes: own.target_bytes,
        body_bytes: own.body_bytes,
        requests: own.requests,
        ..of_port.clone()
    }
}

fn port_is_others_too(entry: &Entry, policy: &ObjectName) -> daemun_model::verdict::Finding {
    warning(
        entry.path.field("port"),
        "PortIsShared",
        format!(
            "ListenerPolicy {policy} does not decide whom others' listeners believe, and how much their clients may use: on port {}, which other objects' listeners share, only targetBytes, bodyBytes and requests of its limits hold. The rest is for a ListenerPolicy of the Gateway.",
            entry.port
        ),
    )
}

fn port_is_shared(
    entry: &Entry,
    policy: &ObjectName,
    holder: &ObjectName,
) -> daemun_model::verdict::Finding {
    warning(
        entry.path.field("port"),
        "ForwardingDiffers",
        format!(
            "ListenerPolicy {policy} and ListenerPolicy {holder} differ in forwarding for port {}; it is the same for all listeners of a port, and that of {holder} counts.",
            entry.port
        ),
    )
}

/// The policies for a listener, the farthest first, each with whether it is one for the Gateway.
fn policies_of<'t>(
    by_target: &'t ByTarget,
    gateway: &ObjectName,
    key: &ListenerKey,
) -> impl Iterator<Item = (bool, &'t (ObjectName, Result<Settings, String>))> {
    let target = |kind, name: &ObjectName, section: Option<&str>| {
        by_target.get(&Target {
            kind,
            name: name.clone(),
            section: section.map(str::to_owned),
        })
    };
    let name = Some(key.name.as_str());
    let found = match key.owner {
        ListenerOwner::Gateway => [
            (true, target("Gateway", gateway, None)),
            (true, target("Gateway", gateway, name)),
            (true, None),
        ],
        ListenerOwner::ListenerSet => [
            (true, target("Gateway", gateway, None)),
            (false, target("ListenerSet", &key.object, None)),
            (false, target("ListenerSet", &key.object, name)),
        ],
    };
    found
        .into_iter()
        .filter_map(|(of_gateway, found)| Some((of_gateway, found?)))
}
