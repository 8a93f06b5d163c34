//! What is wrong in GatewayParameters is to be found there, once, whichever Gateways they hold for: those of a class may
//! be hundreds. The Gateways and classes themselves are told in their conditions.

use std::collections::BTreeMap;
use std::sync::Arc;

use daemun_model::names::{ObjectName, ObjectRef};
use daemun_model::verdict::{Finding, Verdict};
use daemun_objects::Kind as _;
use daemun_objects::own::parameters::GatewayParametersSpec;

use crate::cluster::Cluster;
use crate::read::gateway::ReadGateways;
use crate::read::{gatewayclass, parameters};
use crate::verdict::{Elsewhere, Refusal};

/// What is wrong only if it is for every Gateway that they hold for: a class may well say it for its other Gateways.
const FOR_ALL: &[&str] = &["NoListenerAtPort", "NoLoadBalancer"];

/// What is said about GatewayParameters in which something was found.
pub(crate) fn verdicts(cluster: &Cluster, gateways: &ReadGateways) -> Vec<Verdict> {
    let classes = cluster.gateway_classes.iter();
    let classes = classes.filter_map(|(_, class)| gatewayclass::refusal(cluster, class));
    let of_classes = classes.filter_map(|refusal| refusal.elsewhere.map(|it| *it));
    let refused = gateways.ours.iter().flat_map(|gateway| {
        let all = gateway.refused.iter().chain(&gateway.unusable);
        all.filter_map(|refusal: &Refusal| refusal.elsewhere.as_deref().cloned())
    });
    let told = gateways.ours.iter().flat_map(|gateway| &gateway.elsewhere);
    let mut found: BTreeMap<ObjectName, Vec<(Finding, usize)>> = BTreeMap::new();
    for one in of_classes.chain(refused).chain(told.cloned()) {
        let Elsewhere {
            parameters,
            finding,
        } = one;
        let all = found.entry(parameters).or_default();
        let same = |it: &Finding| (&it.path, it.reason) == (&finding.path, finding.reason);
        match all.iter_mut().find(|(it, _)| same(it)) {
            Some((_, times)) => *times += 1,
            None => all.push((finding, 1)),
        }
    }
    let mut verdicts = Vec::new();
    for (name, found) in found {
        let users = users(cluster, gateways, &name);
        let counts = |(finding, times): &(Finding, usize)| {
            !FOR_ALL.contains(&finding.reason) || *times >= users
        };
        let mut findings: Vec<Finding> = found
            .into_iter()
            .filter(counts)
            .map(|(finding, _)| finding)
            .collect();
        findings.sort_by(|one, other| {
            let key = |it: &Finding| (std::cmp::Reverse(it.severity), it.path.to_string());
            key(one).cmp(&key(other))
        });
        if findings.is_empty() {
            continue;
        }
        let object = cluster.gateway_parameters.get(&name);
        verdicts.push(Verdict {
            object: ObjectRef::new(GatewayParametersSpec::KIND, name),
            generation: object
                .and_then(|it| it.metadata.generation)
                .unwrap_or_default(),
            parts: Arc::default(),
            findings,
        });
    }
    verdicts
}

/// How many Gateways they hold for that are judged to the end.
fn users(cluster: &Cluster, gateways: &ReadGateways, name: &ObjectName) -> usize {
    let ours = gateways.ours.iter().filter(|it| it.usable());
    let used = ours.filter(|it| parameters::named(cluster, &it.name, &it.object).contains(name));
    used.count()
}
