//! Reading objects: from what was written to what was meant, one file per kind. What the API server would
//! have refused (a file has none in front of it) is refused here, with the place and the remedy.

pub(crate) mod backend;
pub(crate) mod backendpolicy;
pub(crate) mod backendtlspolicy;
pub(crate) mod exposure;
pub(crate) mod faces;
pub(crate) mod frontend;
pub(crate) mod gateway;
pub(crate) mod gatewayclass;
pub(crate) mod grpcroute;
pub(crate) mod hostnames;
pub(crate) mod httproute;
pub(crate) mod listener;
pub(crate) mod listenerpolicy;
pub(crate) mod listenerset;
pub(crate) mod listenertls;
pub(crate) mod matches;
pub(crate) mod namespaces;
pub(crate) mod parameters;
pub(crate) mod parents;
pub(crate) mod route;
pub(crate) mod routes;
pub(crate) mod rule;
pub(crate) mod streamroute;
pub(crate) mod xbackend;
pub(crate) mod xbackendtrafficpolicy;
