//! Commands that look at a cluster as well as at files: which cluster, and whose rights count there.

use std::path::PathBuf;

use clap::Args;
use daemun_controller::glimpse::{Glimpse, Scope};
use daemun_controller::kubernetes::{Access, CONTROLLER};

use super::process::runtime;

/// Which cluster is read, and which part of it.
#[derive(Clone, Debug, Args)]
pub(crate) struct ClusterArguments {
    /// Read a cluster instead of files, by this kubeconfig and with the rights that it gives
    #[arg(long, value_name = "PATH", env = "KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// Read the cluster of this context of the kubeconfig
    #[arg(long, value_name = "NAME", conflicts_with = "paths")]
    context: Option<String>,
    /// The namespace that is looked at in a cluster [default: the context's]
    #[arg(short, long, value_name = "NAME", conflicts_with = "paths")]
    namespace: Option<String>,
    /// The controllerName of the GatewayClasses that count in a cluster
    #[arg(
        long,
        value_name = "NAME",
        env = "DAEMUN_CONTROLLER_NAME",
        default_value = CONTROLLER
    )]
    controller_name: String,
}

/// What was seen of a cluster.
pub(crate) struct Seen {
    /// Objects, and what follows from them.
    pub(crate) glimpse: Glimpse,
    /// The namespace that was asked about; none for all.
    pub(crate) namespace: Option<String>,
}

impl ClusterArguments {
    /// Looks at the cluster: at one namespace and what belongs to it, or at all of them.
    ///
    /// # Errors
    /// A sentence: there is no way to the cluster, or it does not answer.
    pub(crate) fn look(&self, everywhere: bool) -> Result<Seen, String> {
        self.look_in(self.namespace.as_deref(), everywhere)
    }

    /// The same for a namespace that the question itself names.
    ///
    /// # Errors
    /// As of [`ClusterArguments::look`].
    pub(crate) fn look_at(&self, namespace: &str) -> Result<Seen, String> {
        self.look_in(Some(namespace), false)
    }

    fn look_in(&self, namespace: Option<&str>, everywhere: bool) -> Result<Seen, String> {
        runtime()?.block_on(async {
            let access = Access {
                kubeconfig: self.kubeconfig.clone(),
                context: self.context.clone(),
            };
            let client = access.connect().await?;
            let default = || client.default_namespace().to_owned();
            let namespace = namespace.map_or_else(default, str::to_owned);
            let namespace = (!everywhere).then_some(namespace);
            let scope = Scope {
                controller: self.controller_name.clone(),
                namespace: namespace.clone(),
            };
            let glimpse = Glimpse::of(&client, &scope).await?;
            Ok(Seen { glimpse, namespace })
        })
    }
}
