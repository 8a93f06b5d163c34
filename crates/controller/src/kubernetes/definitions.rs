//! Which CRDs of the Gateway API a cluster has, for who is about to apply others.

use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};

use super::Access;
use daemun_base::causes::because;

/// So long the API server is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// A CustomResourceDefinition of the Gateway API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// The release that it says it is of: `v1.6.1`.
    pub release: Option<String>,
    /// The channel that it says it is of.
    pub channel: Option<String>,
}

/// The CRDs of the Gateway API that there are.
///
/// # Errors
/// A sentence: the cluster cannot be asked.
pub async fn definitions(access: &Access) -> Result<Vec<Definition>, String> {
    let client = access.connect().await?;
    let api: Api<CustomResourceDefinition> = Api::all(client);
    let parameters = ListParams::default();
    let list = tokio::time::timeout(PATIENCE, api.list_metadata(&parameters));
    let list = list
        .await
        .map_err(|_| "The API server does not answer.".to_owned())?
        .map_err(|error| format!("The API server does not tell: {}.", because(&error)))?;
    let found = list.items.iter().map(|object| {
        let says = |what: &str| {
            let key = format!("gateway.networking.k8s.io/{what}");
            object.annotations().get(&key).cloned()
        };
        Definition {
            name: object.name_any(),
            release: says("bundle-version"),
            channel: says("channel"),
        }
    });
    Ok(found
        .filter(|definition| definition.name.ends_with(".gateway.networking.k8s.io"))
        .collect())
}
