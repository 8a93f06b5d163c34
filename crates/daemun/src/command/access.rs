//! What commands that speak to a cluster are told: the way to it, and which addresses are private there.

use std::path::PathBuf;

use clap::Args;
use daemun_controller::kubernetes::Access;
use ipnet::IpNet;

/// The way to the API server.
#[derive(Clone, Debug, Args)]
pub(crate) struct AccessArguments {
    /// A kubeconfig [default: the pod's ServiceAccount, or ~/.kube/config outside of a cluster]
    #[arg(long, value_name = "PATH", env = "KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// A context of the kubeconfig
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

impl AccessArguments {
    /// As the controller takes it.
    pub(crate) fn access(&self) -> Access {
        Access {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
        }
    }
}

/// What an operator says about the addresses of the network at hand.
#[derive(Clone, Debug, Args)]
pub(crate) struct RangeArguments {
    /// Addresses that count as private whatever their range, as CIDRs
    #[arg(
        long,
        value_name = "CIDR,…",
        env = "DAEMUN_PRIVATE_RANGES",
        value_delimiter = ','
    )]
    pub(crate) private_ranges: Vec<IpNet>,
    /// Addresses that count as public whatever their range, as CIDRs
    #[arg(
        long,
        value_name = "CIDR,…",
        env = "DAEMUN_PUBLIC_RANGES",
        value_delimiter = ','
    )]
    pub(crate) public_ranges: Vec<IpNet>,
}
