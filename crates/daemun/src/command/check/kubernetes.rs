//! Files that are meant for Kubernetes are judged as there: each Gateway has an address of its own, its way in counts, and
//! what GatewayParameters say.
//!
//! They are meant for it if a GatewayClass of ours or GatewayParameters are among them, which a host has no use for, or if
//! it is said who makes load balancers. What a cluster adds by itself is not missed: endpoints, and classes that other
//! files have.

use daemun_controller::Controller;
use daemun_controller::glimpse::presume_classes;
use daemun_controller::publish::State;
use daemun_translate::{Cluster, Home, translate};

/// The state of files that are meant for Kubernetes, judged as there; none if they are not.
pub(super) fn judged(looked: &Controller, provider: Option<&str>) -> Option<State> {
    let known = looked.cluster();
    let controller = &known.settings.controller;
    let mut classes = known.gateway_classes.iter();
    let is_meant = provider.is_some()
        || classes.any(|(_, class)| class.spec.controller_name == *controller)
        || known.gateway_parameters.iter().next().is_some();
    if !is_meant {
        return None;
    }
    let mut cluster = Cluster::clone(known);
    cluster.settings.home = Home::Kubernetes;
    cluster.settings.provider = provider.map(str::to_owned);
    presume_classes(&mut cluster);
    Some(State {
        verdicts: translate(&cluster).verdicts,
        ..State::clone(looked.state())
    })
}
