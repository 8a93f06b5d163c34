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
use crate::persistent::Map;
use crate::route::HttpRoute;
use crate::stream::StreamRoute;
use crate::tls::Certificate;

/// One Gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// The Gateway itself.
    pub gateway: Arc<Gateway>,
    /// Its listeners, those of attached ListenerSets included.
    pub listeners: Map<ListenerKey, Arc<Listener>>,
    /// The HTTPRoutes and GRPCRoutes that are attached to them.
    pub routes: Map<RouteKey, Arc<HttpRoute>>,
    /// The TLSRoutes, TCPRoutes and UDPRoutes that are.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub streams: Map<RouteKey, Arc<StreamRoute>>,
    /// The backends that those Routes refer to.
    pub backends: Map<BackendKey, Arc<Backend>>,
    /// The certificates that listeners and backends refer to.
    pub certificates: Map<ObjectName, Arc<Certificate>>,
}

/// All Gateways that one proxy process serves: one in Kubernetes, any number on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Configuration {
    /// By name.
    pub gateways: BTreeMap<ObjectName, Arc<Snapshot>>,
}
