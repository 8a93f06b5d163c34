//! Commands that look at a cluster as well as at files: which cluster, and whose rights count there.

use std::path::PathBuf;

use clap::Args;
use daemun_controller::glimpse::{Around, Glimpse, Scope};
use daemun_controller::kubernetes::{Access, CONTROLLER};
use daemun_model::names::ObjectName;

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
    /// The namespace that is looked at in a cluster [default: the context's], or of what is asked about in files
    #[arg(short, long, value_name = "NAME")]
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
    /// The `controllerName` that counts.
    pub(crate) fn controller_name(&self) -> &str {
        &self.controller_name
    }

    /// The namespace that was named.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    fn access(&self) -> Access {
        Access {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
        }
    }

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
            let client = self.access().connect().await.map_err(or_files)?;
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
    /// Looks at the cluster for a Gateway (`name` or `namespace/name`), and at what stands around it.
    ///
    /// # Errors
    /// As of [`ClusterArguments::look`].
    pub(crate) fn look_around_gateway(
        &self,
        written: &str,
    ) -> Result<(Seen, ObjectName, Around), String> {
        runtime()?.block_on(async {
            let client = self.access().connect().await.map_err(or_files)?;
            let name = self.named(written, client.default_namespace());
            let scope = Scope {
                controller: self.controller_name.clone(),
                namespace: Some(name.namespace.clone()),
            };
            let glimpse = Glimpse::of(&client, &scope).await?;
            let gateway = glimpse.cluster.gateways.get(&name);
            let class = gateway.map(|it| it.spec.gateway_class_name.as_str());
            let around = Around::gateway(&client, &name, class).await?;
            let namespace = Some(name.namespace.clone());
            Ok((Seen { glimpse, namespace }, name, around))
        })
    }

    /// Looks at a Service (`name` or `namespace/name`), and at what is said of it.
    ///
    /// # Errors
    /// As of [`ClusterArguments::look`].
    pub(crate) fn look_around_service(
        &self,
        written: &str,
    ) -> Result<(ObjectName, Around), String> {
        runtime()?.block_on(async {
            let client = self.access().connect().await.map_err(or_files)?;
            let name = self.named(written, client.default_namespace());
            let around = Around::service(&client, &name).await?;
            Ok((name, around))
        })
    }

    fn named(&self, written: &str, default: &str) -> ObjectName {
        match written.split_once('/') {
            Some((namespace, name)) => ObjectName::new(namespace, name),
            None => ObjectName::new(self.namespace.as_deref().unwrap_or(default), written),
        }
    }
}

/// Whoever meant files learns how to name them.
fn or_files(why: String) -> String {
    why + " To read files instead, name them."
}
