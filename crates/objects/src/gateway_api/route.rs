//! What routes of all kinds have in common, for those who read them whatever their kind.

use super::gateway::DefaultScope;
use super::grpcroute::GrpcRouteSpec;
use super::httproute::HttpRouteSpec;
use super::shared::{ParentReference, StreamRouteRule};
use super::tcproute::TcpRouteSpec;
use super::tlsroute::TlsRouteSpec;
use super::udproute::UdpRouteSpec;
use crate::meta::Kind;
use crate::open::Open;

/// What routes of every kind write (`CommonRouteSpec`).
pub trait RouteSpec: Kind {
    /// The parents that the route attaches to.
    fn parent_refs(&self) -> &[ParentReference];

    /// The same, to be changed.
    fn parent_refs_mut(&mut self) -> &mut Vec<ParentReference>;

    /// Whether it also attaches to default Gateways.
    fn default_gateways(&self) -> Option<&Open<DefaultScope>>;
}

/// What routes below HTTP write.
pub trait StreamRouteSpec: RouteSpec {
    /// The rules; just one.
    fn rules(&self) -> &[StreamRouteRule];
}

/// A kind's fields are what the traits say they are.
macro_rules! route_spec {
    ($($spec:ident)+) => {$(
        impl RouteSpec for $spec {
            fn parent_refs(&self) -> &[ParentReference] {
                &self.parent_refs
            }

            fn parent_refs_mut(&mut self) -> &mut Vec<ParentReference> {
                &mut self.parent_refs
            }

            fn default_gateways(&self) -> Option<&Open<DefaultScope>> {
                self.use_default_gateways.as_ref()
            }
        }
    )+};
    (below HTTP: $($spec:ident)+) => {
        route_spec!($($spec)+);
        $(impl StreamRouteSpec for $spec {
            fn rules(&self) -> &[StreamRouteRule] {
                &self.rules
            }
        })+
    };
}

route_spec!(HttpRouteSpec GrpcRouteSpec);
route_spec!(below HTTP: TlsRouteSpec TcpRouteSpec UdpRouteSpec);
