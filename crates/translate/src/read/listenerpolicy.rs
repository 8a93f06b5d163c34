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
/// matter of the port, because it is asked before a listener is chosen.
fn apply(by_target: &ByTarget, gateway: &mut ReadGateway) {
    let name = gateway.name.clone();
    let mut ports: BTreeMap<(Transport, u16), (ObjectName, Forwarding)> = BTreeMap::new();
    for entry in gateway.all_entries_mut() {
        let mut forwarding = None;
        let treatment = &mut entry.treatment;
        // From the farthest to the nearest, which has the last word.
        for (policy, settings) in policies_of(by_target, &name, &entry.key) {
            match settings {
                Err(why) => treatment.refused = Some(why.clone()),
                Ok(settings) => {
                    if let Some(limits) = &settings.limits {
                        treatment.limits = limits.clone();
                    }
                    if let Some((min, max)) = settings.versions {
                        (treatment.min_version, treatment.max_version) = (min, max);
                    }
                    if let Some(status) = settings.proxy_status {
                        treatment.proxy_status = status;
                    }
                    if let Some(own) = &settings.forwarding {
                        forwarding = Some((policy, own));
                    }
                }
            }
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

/// The policies for a listener, the farthest first.
fn policies_of<'t>(
    by_target: &'t ByTarget,
    gateway: &ObjectName,
    key: &ListenerKey,
) -> impl Iterator<Item = &'t (ObjectName, Result<Settings, String>)> {
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
            None,
            target("Gateway", gateway, None),
            target("Gateway", gateway, name),
        ],
        ListenerOwner::ListenerSet => [
            target("Gateway", gateway, None),
            target("ListenerSet", &key.object, None),
            target("ListenerSet", &key.object, name),
        ],
    };
    found.into_iter().flatten()
}
