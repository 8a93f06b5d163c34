//! Our ListenerPolicy: limits, trust, versions of TLS. One that cannot be used closes its listeners: their
//! requests are answered 500, never served without it.

use std::collections::{BTreeMap, BTreeSet};

use daemun_model::listener::ProxyStatus;
use daemun_model::names::{ListenerKey, ListenerOwner, ObjectName, ObjectRef};
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
use super::matches::unknown;
use crate::cluster::Cluster;
use crate::listener::{Entry, Treatment};
use crate::policy::targets::{Claims, Judged, Target};
use crate::policy::{forwarding, limits};
use crate::refs::GATEWAY_GROUP;
use crate::verdict::{Refusal, warning};

/// What can be a target.
const KINDS: [(&str, &str); 2] = [(GATEWAY_GROUP, "Gateway"), (GATEWAY_GROUP, "ListenerSet")];

/// What a policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Settings {
    treatment: Treatment,
    forwarding: Option<Forwarding>,
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
    let limits = match written_limits {
        None => ClientLimits::default(),
        Some(written) => limits::read(written, &spec.field("limits"))?,
    };
    let forwarding = written_forwarding
        .as_ref()
        .map(|written| forwarding::read(written, &spec.field("forwarding")))
        .transpose()?;
    let (min_version, max_version) = versions(tls.as_ref(), &spec.field("tls"))?;
    let proxy_status = match proxy_status {
        None => ProxyStatus::default(),
        Some(written) => match written.known() {
            Some(WrittenStatus::Off) => ProxyStatus::Off,
            Some(WrittenStatus::Error) => ProxyStatus::Error,
            Some(WrittenStatus::Full) => ProxyStatus::Full,
            None => {
                return Err(unknown(
                    &spec.field("proxyStatus"),
                    "value of proxyStatus",
                    written.as_str(),
                    &["Off", "Error", "Full"],
                ));
            }
        },
    };
    Ok(Settings {
        treatment: Treatment {
            limits,
            min_version,
            max_version,
            proxy_status,
            refused: None,
        },
        forwarding,
    })
}

fn versions(written: Option<&Tls>, path: &FieldPath) -> Result<(TlsVersion, TlsVersion), Refusal> {
    let default = Treatment::default();
    let Some(Tls {
        min_version,
        max_version,
    }) = written
    else {
        return Ok((default.min_version, default.max_version));
    };
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

/// Gives each listener of a Gateway the policy that is nearest to it: for the listener, for its ListenerSet,
/// for its Gateway. Policies are not mixed. Who is believed is a matter of the port, though, because it is
/// asked before a listener is chosen.
fn apply(by_target: &ByTarget, gateway: &mut ReadGateway) {
    let name = gateway.name.clone();
    let mut ports: BTreeMap<u16, (ObjectName, Forwarding)> = BTreeMap::new();
    for entry in gateway.all_entries_mut() {
        let Some((policy, settings)) = nearest(by_target, &name, &entry.key) else {
            continue;
        };
        match settings {
            Err(why) => entry.treatment.refused = Some(why.clone()),
            Ok(settings) => {
                entry.treatment = settings.treatment.clone();
                if let Some(forwarding) = &settings.forwarding {
                    let (holder, held) = ports
                        .entry(entry.port)
                        .or_insert_with(|| (policy.clone(), forwarding.clone()));
                    if held != forwarding {
                        let holder = holder.clone();
                        entry.warnings.push(port_is_shared(entry, policy, &holder));
                    }
                }
            }
        }
    }
    for entry in gateway.all_entries_mut() {
        if let Some((_, forwarding)) = ports.get(&entry.port) {
            entry.forwarding = forwarding.clone();
        }
    }
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

fn nearest<'t>(
    by_target: &'t ByTarget,
    gateway: &ObjectName,
    key: &ListenerKey,
) -> Option<&'t (ObjectName, Result<Settings, String>)> {
    let own = match key.owner {
        ListenerOwner::Gateway => "Gateway",
        ListenerOwner::ListenerSet => "ListenerSet",
    };
    let target = |kind, name: &ObjectName, section: Option<&str>| {
        by_target.get(&Target {
            kind,
            name: name.clone(),
            section: section.map(str::to_owned),
        })
    };
    target(own, &key.object, Some(&key.name))
        .or_else(|| target(own, &key.object, None))
        .or_else(|| target("Gateway", gateway, None))
}
