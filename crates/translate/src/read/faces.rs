//! The faces of Gateways and ListenerSets: what Routes may know of them.

use std::sync::Arc;

use daemun_model::names::{ListenerOwner, ObjectName, ObjectRef};

use super::gateway::ReadGateways;
use crate::attach::{Face, FaceListener, Faces};
use crate::cluster::Home;
use crate::listener::Entry;

/// The faces of all parents that are ours.
pub(crate) fn faces(gateways: &ReadGateways, home: Home) -> Faces {
    let mut faces = Faces::new();
    for gateway in &gateways.ours {
        // Its Routes go with its listeners: where those are still served, so are these.
        let closed = (!gateway.is_configured(home)).then(|| gateway.why_closed());
        let closed = closed.flatten();
        let mut add = |owner: ListenerOwner, name: &ObjectName, set_closed, entries: &[Entry]| {
            // A Gateway that is not usable keeps its Routes attached in status; nothing is served.
            let listeners = entries
                .iter()
                .map(|entry| FaceListener {
                    key: entry.key.clone(),
                    port: entry.port,
                    hostname: entry.hostname.clone(),
                    kinds: entry.kinds.clone(),
                    namespaces: entry.namespaces.clone(),
                    idle: closed
                        .clone()
                        .or_else(|| entry.why_not_served().map(str::to_owned)),
                })
                .collect();
            let (kind, default) = match owner {
                ListenerOwner::Gateway => ("Gateway", gateway.is_default()),
                ListenerOwner::ListenerSet => ("ListenerSet", false),
            };
            let face = Face {
                object: ObjectRef::new(kind, name.clone()),
                gateway: gateway.name.clone(),
                default,
                closed: set_closed,
                listeners,
            };
            faces.insert((owner, name.clone()), Arc::new(face));
        };
        add(
            ListenerOwner::Gateway,
            &gateway.name,
            None,
            &gateway.entries,
        );
        for set in &gateway.sets {
            let closed = set.refused.as_ref().map(|refusal| refusal.message.clone());
            add(ListenerOwner::ListenerSet, &set.name, closed, &set.entries);
        }
    }
    faces
}
