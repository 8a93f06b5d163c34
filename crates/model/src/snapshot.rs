//! All that a Gateway's proxy must know, at one moment.
//!
//! Every part is behind an `Arc`, and an unchanged part is the same `Arc` in the next snapshot, so that
//! who compiles or sends it can compare pointers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::backend::Backend;
use crate::gateway::Gateway;
use crate::listener::Listener;
use crate::names::{BackendKey, ListenerKey, ObjectName, RouteKey};
use crate::route::HttpRoute;
use crate::stream::StreamRoute;
use crate::tls::Certificate;

/// One Gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// The Gateway itself.
    pub gateway: Arc<Gateway>,
    /// Its listeners, those of attached ListenerSets included.
    pub listeners: BTreeMap<ListenerKey, Arc<Listener>>,
    /// The HTTPRoutes and GRPCRoutes that are attached to them.
    pub routes: BTreeMap<RouteKey, Arc<HttpRoute>>,
    /// The TLSRoutes, TCPRoutes and UDPRoutes that are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub streams: BTreeMap<RouteKey, Arc<StreamRoute>>,
    /// The backends that those Routes refer to.
    pub backends: BTreeMap<BackendKey, Arc<Backend>>,
    /// The certificates that listeners and backends refer to.
    pub certificates: BTreeMap<ObjectName, Arc<Certificate>>,
}

/// All Gateways that one proxy process serves: one in Kubernetes, any number on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Configuration {
    /// By name.
    pub gateways: BTreeMap<ObjectName, Arc<Snapshot>>,
}
