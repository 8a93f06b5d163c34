//! Where one cloud is tried: a namespace and a class of its own. Who makes the load balancer of a Service stands on the
//! Service, so that several clouds can be tried beside each other.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Namespace, Service};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, Client};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::clouds::Cloud;
use super::ledger::Ledger;
use super::seen::Seen;

const GATEWAY: &str = "gateway.networking.k8s.io/v1";
const PARAMETERS: &str = "gateway.daemun.dev/v1alpha1";
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);
/// As long as anything takes in a cluster that has much to do.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

/// A cloud that is tried.
pub(super) struct Stage {
    client: Client,
    ledger: Ledger,
    pub(super) cloud: Cloud,
    pub(super) name: String,
}

/// What a Gateway is to be.
#[derive(Clone)]
pub(super) struct Wanted {
    /// `exposure` of its parameters, but for what every Gateway of the cloud has.
    pub(super) exposure: Value,
    pub(super) listeners: Value,
    /// Whether it has proxies; without, the address is looked at alone, and nothing has to be started.
    pub(super) serves: bool,
}

impl Wanted {
    /// One without proxies.
    pub(super) fn address_only(exposure: Value) -> Self {
        Self {
            serves: false,
            ..Self::serving(exposure)
        }
    }

    /// One that serves.
    pub(super) fn serving(exposure: Value) -> Self {
        Self {
            exposure,
            listeners: json!([{
                "name": "http", "port": 80, "protocol": "HTTP",
                "allowedRoutes": {"namespaces": {"from": "All"}},
            }]),
            serves: true,
        }
    }
}

impl Stage {
    /// Makes the namespace and the class.
    pub(super) async fn set(client: Client, ledger: Ledger, cloud: Cloud) -> Result<Self, String> {
        let stage = Self {
            client,
            ledger,
            cloud,
            name: cloud.slug(),
        };
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": stage.name}});
        let namespaces = Api::<Namespace>::all(stage.client.clone());
        let (how, namespace) = (apply(), Patch::Apply(&namespace));
        let applied = namespaces.patch(&stage.name, &how, &namespace).await;
        applied.map_err(|error| error.to_string())?;
        stage
            .parameters(&stage.name, &Wanted::serving(json!({})))
            .await?;
        let class = json!({
            "controllerName": "gateway.daemun.dev/controller",
            "parametersRef": {
                "group": "gateway.daemun.dev", "kind": "GatewayParameters",
                "name": stage.name, "namespace": stage.name,
            },
        });
        stage
            .apply(GATEWAY, "GatewayClass", &stage.name, &class)
            .await?;
        Ok(stage)
    }

    /// Takes the namespace and the class away, and waits until they are gone.
    pub(super) async fn strike(&self) -> Result<(), String> {
        let classes = self.objects(GATEWAY, "GatewayClass");
        let namespaces = Api::<Namespace>::all(self.client.clone());
        let usual = DeleteParams::default();
        let gone = gone(classes.delete(&self.name, &usual).await.map(drop));
        gone?;
        self::gone(namespaces.delete(&self.name, &usual).await.map(drop))?;
        let end = now() + PATIENCE;
        while now() < end {
            let there = namespaces.get_opt(&self.name).await;
            if there.map_err(|error| error.to_string())?.is_none() {
                return Ok(());
            }
            sleep(PAUSE).await;
        }
        Err(format!("Namespace {} does not go.", self.name))
    }

    /// What is written for every Gateway of this cloud, and this. The class names no subnet, since its Gateways could not take
    /// that back.
    fn exposure(&self, own: &Value, of_class: bool) -> Value {
        let mut exposure = own.clone();
        let mut annotations = self.cloud.annotations();
        let more = own["annotations"].as_object().cloned();
        annotations.extend(more.unwrap_or_default());
        exposure["annotations"] = json!(annotations);
        exposure["provider"] = json!(self.cloud.name());
        let names_it = own["reach"] != "Public" && !of_class;
        let subnet = self.cloud.subnet().filter(|_| names_it);
        if let Some(subnet) = subnet {
            exposure["subnet"] = json!(subnet);
        }
        exposure
    }

    /// Writes a Gateway's parameters.
    pub(super) async fn parameters(&self, name: &str, wanted: &Wanted) -> Result<(), String> {
        let mut pod = json!({"resources": {"requests": {"cpu": "10m", "memory": "32Mi"}}});
        if !wanted.serves {
            pod["nodeSelector"] = json!({"way-in": "nowhere"});
        }
        let spec = json!({
            "exposure": self.exposure(&wanted.exposure, name == self.name),
            "workload": {"replicas": 1},
            "pod": pod,
            "proxy": {"drain": {"delay": "1s", "grace": "1s"}},
        });
        self.apply(PARAMETERS, "GatewayParameters", name, &spec)
            .await
    }

    /// Makes a Gateway, with parameters of the same name.
    pub(super) async fn gateway(&self, name: &str, wanted: &Wanted) -> Result<(), String> {
        self.parameters(name, wanted).await?;
        let spec = json!({
            "gatewayClassName": self.name,
            "listeners": wanted.listeners,
            "infrastructure": {"parametersRef":
                {"group": "gateway.daemun.dev", "kind": "GatewayParameters", "name": name}},
        });
        self.apply(GATEWAY, "Gateway", name, &spec).await
    }

    /// Makes a Gateway without parameters, of a class without parameters.
    pub(super) async fn bare_gateway(&self, name: &str, class: &str) -> Result<(), String> {
        let listeners = json!([{"name": "http", "port": 80, "protocol": "HTTP"}]);
        let spec = json!({"gatewayClassName": class, "listeners": listeners});
        self.apply(GATEWAY, "Gateway", name, &spec).await
    }

    /// Sends what a Gateway of this cloud gets to the backend that all share.
    pub(super) async fn route(&self, gateway: &str, host: &str) -> Result<(), String> {
        let name = format!("{}-{gateway}", self.name);
        let body = json!({
            "apiVersion": GATEWAY, "kind": "HTTPRoute",
            "metadata": {"name": name, "namespace": "way-in"},
            "spec": {
                "parentRefs": [{"namespace": self.name, "name": gateway}],
                "hostnames": [host],
                "rules": [{"backendRefs": [{"name": "echo", "port": 8080}]}],
            },
        });
        let resource = resource(GATEWAY, "HTTPRoute");
        let routes =
            Api::<DynamicObject>::namespaced_with(self.client.clone(), "way-in", &resource);
        let applied = routes.patch(&name, &apply(), &Patch::Apply(&body)).await;
        applied.map(drop).map_err(|error| error.to_string())
    }

    async fn apply(
        &self,
        version: &str,
        kind: &str,
        name: &str,
        spec: &Value,
    ) -> Result<(), String> {
        let mut metadata = json!({"name": name});
        if kind != "GatewayClass" {
            metadata["namespace"] = json!(self.name);
        }
        let body = json!({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec});
        let objects = self.objects(version, kind);
        let applied = objects.patch(name, &apply(), &Patch::Apply(&body)).await;
        applied
            .map(drop)
            .map_err(|error| format!("{kind} {name} cannot be made: {error}."))
    }

    fn objects(&self, version: &str, kind: &str) -> Api<DynamicObject> {
        let resource = resource(version, kind);
        match kind {
            "GatewayClass" => Api::all_with(self.client.clone(), &resource),
            _ => Api::namespaced_with(self.client.clone(), &self.name, &resource),
        }
    }

    fn services(&self) -> Api<Service> {
        Api::namespaced(self.client.clone(), &self.name)
    }

    /// Looks at a Gateway.
    pub(super) async fn look(&self, name: &str) -> Result<Seen, String> {
        let gateway = self.objects(GATEWAY, "Gateway").get_opt(name).await;
        let gateway = gateway.map_err(|error| error.to_string())?;
        let label = format!("gateway.networking.k8s.io/gateway-name={name}");
        let mine = ListParams::default().labels(&label);
        let services = self.services().list(&mine).await;
        let services = services.map_err(|error| error.to_string())?;
        Ok(Seen {
            gateway: gateway.map(|gateway| gateway.data).unwrap_or_default(),
            services: services.items,
        })
    }

    /// Looks again and again until it is so; else says what was there instead.
    pub(super) async fn until(
        &self,
        name: &str,
        what: &str,
        so: impl Fn(&Seen) -> bool,
    ) -> Result<Seen, String> {
        let (seen, came) = self.within(PATIENCE, name, so).await?;
        match came {
            true => Ok(seen),
            false => Err(format!(
                "it did not come to it that {what}: {}",
                seen.everything()
            )),
        }
    }

    /// Looks until it is so or time runs out, and tells whether it is.
    pub(super) async fn within(
        &self,
        patience: Duration,
        name: &str,
        so: impl Fn(&Seen) -> bool,
    ) -> Result<(Seen, bool), String> {
        let end = now() + patience;
        loop {
            let seen = self.look(name).await?;
            let came = so(&seen);
            if came || now() >= end {
                return Ok((seen, came));
            }
            sleep(PAUSE).await;
        }
    }

    /// Deletes a Gateway, and waits until its Services are gone.
    pub(super) async fn delete(&self, name: &str) -> Result<(), String> {
        let gateways = self.objects(GATEWAY, "Gateway");
        gone(
            gateways
                .delete(name, &DeleteParams::default())
                .await
                .map(drop),
        )?;
        let what = "the Services are gone with the Gateway";
        let gone = self.until(name, what, |seen| seen.services.is_empty());
        gone.await.map(drop)
    }

    /// Annotates a Gateway.
    pub(super) async fn annotate(&self, name: &str, key: &str, value: &str) -> Result<(), String> {
        let body = json!({"metadata": {"annotations": {key: value}}});
        let gateways = self.objects(GATEWAY, "Gateway");
        let (usual, patch) = (PatchParams::default(), Patch::Merge(&body));
        let patched = gateways.patch(name, &usual, &patch).await;
        patched.map(drop).map_err(|error| error.to_string())
    }

    /// Writes on a Service by hand what the cloud is to do; on one that is gone nothing.
    pub(super) async fn tell_service(
        &self,
        name: &str,
        annotations: &Map<String, Value>,
    ) -> Result<(), String> {
        let body = json!({"metadata": {"annotations": annotations}});
        let services = self.services();
        let (usual, patch) = (PatchParams::default(), Patch::Merge(&body));
        let patched = services.patch(name, &usual, &patch).await;
        gone(patched.map(drop))
    }

    /// What the cloud's log says of a Gateway's load balancers.
    pub(super) fn logged(&self, gateway: &str) -> Result<Vec<String>, String> {
        self.logged_of_class(gateway, &self.name)
    }

    /// The same, of a Gateway of another class.
    pub(super) fn logged_of_class(
        &self,
        gateway: &str,
        class: &str,
    ) -> Result<Vec<String>, String> {
        self.ledger.of(&self.name, &format!("{gateway}-{class}"))
    }
}

fn apply() -> PatchParams {
    PatchParams::apply("xtask").force()
}

/// What is not there need not be deleted.
fn gone(done: Result<(), kube::Error>) -> Result<(), String> {
    match done {
        Ok(()) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn resource(version: &str, kind: &str) -> ApiResource {
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let kind = GroupVersionKind::gvk(group, version, kind);
    match kind.kind.as_str() {
        // Its plural is itself.
        "GatewayParameters" => ApiResource::from_gvk_with_plural(&kind, "gatewayparameters"),
        _ => ApiResource::from_gvk(&kind),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "xtask does not run inside Daemun's clock"
)]
fn now() -> Instant {
    Instant::now()
}
