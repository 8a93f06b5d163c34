//! The way to the API server, and whose rights count there.

use std::path::PathBuf;

use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};

use daemun_base::causes::because;

/// How to reach the API server.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Kubeconfigs, with colons between them; none for the pod's ServiceAccount, or `~/.kube/config` outside of one.
    pub kubeconfig: Option<PathBuf>,
    /// A context of the kubeconfig; none for its current one.
    pub context: Option<String>,
}

impl Access {
    /// A client. Nothing is sent yet.
    ///
    /// # Errors
    /// A sentence: there is nothing that says where the API server is, or it cannot be understood.
    pub async fn connect(&self) -> Result<Client, String> {
        let config = self.config().await?;
        Client::try_from(config)
            .map_err(|error| format!("The API server cannot be spoken to: {}.", because(&error)))
    }

    async fn config(&self) -> Result<Config, String> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            ..KubeConfigOptions::default()
        };
        let Some(paths) = self
            .kubeconfig
            .as_ref()
            .filter(|it| !it.as_os_str().is_empty())
        else {
            return match Config::incluster() {
                Ok(config) if self.context.is_none() => Ok(config),
                Ok(_) | Err(_) => Config::from_kubeconfig(&options).await.map_err(|error| {
                    format!(
                        "There is no way to the API server: this is not a pod with a ServiceAccount, and no kubeconfig can be used ({}). --kubeconfig names one.",
                        because(&error)
                    )
                }),
            };
        };
        let refused = |error: kube::config::KubeconfigError| {
            format!(
                "The kubeconfig {} cannot be used: {}.",
                paths.display(),
                because(&error)
            )
        };
        let mut merged = Kubeconfig::default();
        for path in std::env::split_paths(paths) {
            let next = Kubeconfig::read_from(&path).map_err(refused)?;
            merged = merged.merge(next).map_err(refused)?;
        }
        Config::from_custom_kubeconfig(merged, &options)
            .await
            .map_err(refused)
    }
}
