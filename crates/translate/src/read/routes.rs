//! All Routes, and who reads which kind.

use daemun_model::names::{RouteKey, RouteKind};

use super::hostnames::Hostnames;
use super::route::{RouteOutcome, Surroundings};
use super::{grpcroute, httproute, streamroute};
use crate::cluster::{Cluster, Objects};

/// The keys of all Routes.
pub(crate) fn all(cluster: &Cluster) -> impl Iterator<Item = RouteKey> + '_ {
    fn keys<T>(kind: RouteKind, objects: &Objects<T>) -> impl Iterator<Item = RouteKey> + '_ {
        objects.iter().map(move |(name, _)| RouteKey {
            kind,
            name: name.clone(),
        })
    }
    keys(RouteKind::Http, &cluster.http_routes)
        .chain(keys(RouteKind::Grpc, &cluster.grpc_routes))
        .chain(keys(RouteKind::Tls, &cluster.tls_routes))
        .chain(keys(RouteKind::Tcp, &cluster.tcp_routes))
        .chain(keys(RouteKind::Udp, &cluster.udp_routes))
}

/// Translates a Route, if there is one.
pub(crate) fn read(around: Surroundings<'_>, key: &RouteKey) -> Option<RouteOutcome> {
    let (cluster, name) = (around.cluster, &key.name);
    Some(match key.kind {
        RouteKind::Http => httproute::read(around, key, cluster.http_routes.get(name)?),
        RouteKind::Grpc => grpcroute::read(around, key, cluster.grpc_routes.get(name)?),
        RouteKind::Tls => {
            let route = cluster.tls_routes.get(name)?;
            let hostnames = Hostnames::read_some(&route.spec.hostnames);
            streamroute::read(around, key, route, hostnames)
        }
        RouteKind::Tcp => {
            let route = cluster.tcp_routes.get(name)?;
            streamroute::read(around, key, route, Hostnames::any())
        }
        RouteKind::Udp => {
            let route = cluster.udp_routes.get(name)?;
            streamroute::read(around, key, route, Hostnames::any())
        }
    })
}
