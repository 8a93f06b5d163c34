//! Compiling Routes below HTTP. A Route that is unchanged is taken from before, and so are its place among the
//! others of its listener and what is counted of it.

use std::collections::HashMap;
use std::sync::Arc;

use daemun_model::Snapshot;
use daemun_model::hostname::HostPattern;
use daemun_model::names::{ListenerKey, ObjectName};
use daemun_model::stream::StreamRoute;

use super::{Keep, Targets};
use crate::balance::Weighted;
use crate::endpoints::{Backends, Spoken};
use crate::live::StreamLive;
use crate::observe::series::Registry;

/// The Routes of a Gateway that were compiled, in the order of their keys.
#[derive(Default)]
pub(super) struct Kept(Vec<Arc<StreamLive>>);

/// The Routes of one listener, each with the names that it has there.
pub(super) type Attached<'a> = Vec<(&'a Arc<StreamLive>, &'a [HostPattern])>;

impl Kept {
    /// The Routes of each listener.
    pub(super) fn by_listener(&self) -> HashMap<&ListenerKey, Attached<'_>> {
        let mut attached: HashMap<&ListenerKey, Attached<'_>> = HashMap::new();
        for live in &self.0 {
            for attachment in &live.route.attachments {
                let of_listener = attached.entry(&attachment.listener).or_default();
                of_listener.push((live, &attachment.hostnames));
            }
        }
        attached
    }
}

/// Walks the Routes and what was made of them before side by side, as with those of HTTP.
pub(super) fn compile(snapshot: &Snapshot, keep: &mut Keep) -> Kept {
    let gateway = &snapshot.gateway.name;
    let before = keep.streams.remove(gateway).unwrap_or_default();
    let mut before = before.0.into_iter().peekable();
    let next = snapshot.streams.iter().map(|(key, route)| {
        let is_earlier =
            |kept: &Arc<StreamLive>| !Arc::ptr_eq(&kept.route, route) && kept.route.key < *key;
        while before.next_if(is_earlier).is_some() {}
        let is_same =
            |kept: &Arc<StreamLive>| Arc::ptr_eq(&kept.route, route) || kept.route == *route;
        before
            .next_if(is_same)
            .unwrap_or_else(|| Arc::new(one(gateway, route, (&mut keep.backends, &keep.series))))
    });
    Kept(next.collect())
}

fn one(
    gateway: &ObjectName,
    route: &Arc<StreamRoute>,
    (backends, series): (&mut Backends, &Registry),
) -> StreamLive {
    let StreamRoute {
        key,
        created: _, /* in the table */
        attachments: _,
        rule,
        backends: shares,
    } = &**route;
    let mut targets = Targets {
        gateway,
        backends,
        spoken: Spoken::Its,
    };
    let weights: Vec<u32> = shares.iter().map(|share| share.weight).collect();
    StreamLive {
        route: Arc::clone(route),
        series: series.stream_rule(gateway, key, rule.as_deref()),
        targets: shares
            .iter()
            .map(|share| targets.compile(&share.target))
            .collect(),
        weights: Weighted::new(&weights),
    }
}
