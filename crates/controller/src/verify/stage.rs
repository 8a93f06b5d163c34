//! Where it is tried: a namespace of its own with Gateways in it, all of which is taken away in the end.

use std::net::IpAddr;
use std::time::Duration;

use daemun_base::clock;
use daemun_translate::exposure::ALLOW_RECREATION;
use daemun_translate::exposure::provider::{self, Rules};
use k8s_openapi::api::core::v1::{Namespace, Service};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::journal::Journal;
use super::look::Look;
use super::{Claim, Trial, Verdict, refused};
use crate::provision::GATEWAY_NAME;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);
/// How long an address has to answer.
const ANSWER: Duration = Duration::from_secs(2);
/// The Gateways' only listener.
const PORT: u16 = 80;

/// A namespace that is there for as long as it is tried.
pub(super) struct Stage<'a> {
    client: &'a Client,
    /// What is tried.
    pub(super) trial: &'a Trial,
    /// By whose rules.
    pub(super) rules: &'static Rules,
    namespace: String,
    began: i64,
}

/// What was seen while something was waited for.
pub(super) struct Watched {
    /// The last look.
    pub(super) look: Look,
    /// Whether it came; else time ran out.
    pub(super) came: bool,
    /// Whether a public address was shown at any time, open or not.
    pub(super) was_public: bool,
    /// The longest time for which a public address was shown and the Gateway did not say that it is closed.
    pub(super) open_for: Duration,
}

impl<'a> Stage<'a> {
    /// Makes the namespace.
    pub(super) async fn set(
        client: &'a Client,
        trial: &'a Trial,
        rules: &'static Rules,
    ) -> Result<Self, String> {
        let began = clock::unix_seconds();
        let stage = Self {
            client,
            trial,
            rules,
            // Somebody else may begin in the same moment.
            namespace: format!(
                "daemun-verify-{:x}-{:x}",
                clock::since_epoch().as_millis(),
                std::process::id()
            ),
            began,
        };
        let body = json!({"metadata": {
            "name": stage.namespace,
            "labels": {"app.kubernetes.io/created-by": "daemun-verify"},
        }});
        let namespaces = Api::<Namespace>::all(client.clone());
        let made = serde_json::from_value(body).map_err(|error| error.to_string())?;
        let made = namespaces.create(&PostParams::default(), &made).await;
        made.map_err(|error| refused("asked for a namespace", &error))?;
        Ok(stage)
    }

    /// When it began, in seconds since 1970.
    pub(super) fn began(&self) -> i64 {
        self.began
    }

    /// The namespace's name.
    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Makes a Gateway of that name, with that `exposure` in parameters of the same name, or with none.
    pub(super) async fn gateway(&self, name: &str, exposure: Option<Value>) -> Result<(), String> {
        let mut exposure = exposure;
        if let Some(subnet) = self.subnet(exposure.as_ref()) {
            let written = exposure.get_or_insert_with(|| json!({}));
            written["subnet"] = json!(subnet);
        }
        if let Some(provider) = self.trial.provider {
            let written = exposure.get_or_insert_with(|| json!({}));
            written["provider"] = json!(provider.name());
        }
        let mut spec = json!({
            "gatewayClassName": self.trial.class,
            "listeners": [{"name": "http", "port": PORT, "protocol": "HTTP"}],
        });
        if let Some(exposure) = exposure {
            self.parameters(name, &exposure).await?;
            spec["infrastructure"] = json!({"parametersRef":
                {"group": "gateway.daemun.dev", "kind": "GatewayParameters", "name": name}});
        }
        self.apply("gateway.networking.k8s.io/v1", "Gateway", name, &spec)
            .await
    }

    /// The subnet, if it may be named: with some it makes an address private.
    fn subnet(&self, exposure: Option<&Value>) -> Option<&str> {
        let mut keys = self.rules.private.keys().iter();
        let decides = keys.any(|key| key.value == provider::Value::Subnet);
        let public = exposure.is_some_and(|it| it["reach"] == "Public");
        let subnet = self.trial.subnet.as_deref();
        subnet.filter(|_| !(decides && public))
    }

    async fn parameters(&self, name: &str, exposure: &Value) -> Result<(), String> {
        let spec = json!({"exposure": exposure, "workload": {"replicas": 1}});
        let version = "gateway.daemun.dev/v1alpha1";
        self.apply(version, "GatewayParameters", name, &spec).await
    }

    async fn apply(
        &self,
        version: &str,
        kind: &str,
        name: &str,
        spec: &Value,
    ) -> Result<(), String> {
        let body = json!({
            "apiVersion": version, "kind": kind,
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": spec,
        });
        let parameters = PatchParams::apply("daemun-verify").force();
        let api = self.objects(version, kind);
        let applied = api.patch(name, &parameters, &Patch::Apply(&body)).await;
        applied
            .map(drop)
            .map_err(|error| refused(&format!("asked for a {kind}"), &error))
    }

    fn objects(&self, version: &str, kind: &str) -> Api<DynamicObject> {
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        // The plural of GatewayParameters is itself.
        let resource = ApiResource {
            plural: match kind {
                "GatewayParameters" => "gatewayparameters".to_owned(),
                _ => resource.plural,
            },
            ..resource
        };
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
    }

    fn services(&self) -> Api<Service> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Looks at a Gateway.
    pub(super) async fn look(&self, gateway: &str) -> Result<Look, String> {
        let selector = ListParams::default().labels(&format!("{GATEWAY_NAME}={gateway}"));
        let services = self.services().list(&selector).await;
        let services = services.map_err(|error| refused("asked for Services", &error))?;
        let api = self.objects("gateway.networking.k8s.io/v1", "Gateway");
        let object = api.get_opt(gateway).await;
        let object = object.map_err(|error| refused("asked for a Gateway", &error))?;
        Ok(Look::of(self.trial, object.as_ref(), &services.items))
    }

    /// Looks again and again until it is so, or time runs out; writes down what is new.
    pub(super) async fn watch(
        &self,
        gateway: &str,
        journal: &mut Journal,
        patience: Duration,
        so: impl Fn(&Look) -> bool,
    ) -> Result<Watched, String> {
        let end = journal.elapsed() + patience;
        let mut watched = Watched {
            look: Look::default(),
            came: false,
            was_public: false,
            open_for: Duration::ZERO,
        };
        let mut open_since = None;
        loop {
            let look = self.look(gateway).await?;
            let now = journal.elapsed();
            journal.look(&look);
            watched.was_public |= look.is_public();
            if look.is_public() && !look.is_closed() {
                let since = *open_since.get_or_insert(now);
                watched.open_for = watched.open_for.max(now.saturating_sub(since));
            } else {
                open_since = None;
            }
            watched.came = so(&look);
            watched.look = look;
            if watched.came || now >= end {
                return Ok(watched);
            }
            sleep(PAUSE).await;
        }
    }

    /// Shows a public address in front of a Gateway, again and again where the cloud's controller takes it away, until
    /// the Gateway is closed or time runs out.
    pub(super) async fn show_until_closed(
        &self,
        (gateway, service): (&str, &str),
        ingress: &Value,
        journal: &mut Journal,
        patience: Duration,
    ) -> Result<Watched, String> {
        let end = journal.elapsed() + patience;
        loop {
            self.show(service, ingress).await?;
            let left = end.saturating_sub(journal.elapsed());
            let over = |look: &Look| look.is_closed() || !look.is_public();
            let watched = self.watch(gateway, journal, left, over).await?;
            if watched.look.is_closed() || journal.elapsed() >= end {
                return Ok(Watched {
                    came: watched.look.is_closed(),
                    ..watched
                });
            }
        }
    }

    /// Writes what Services show, as a cloud's controller would.
    pub(super) async fn show(&self, service: &str, ingress: &Value) -> Result<(), String> {
        let body = json!({"status": {"loadBalancer": {"ingress": ingress}}});
        let services = self.services();
        let (usual, patch) = (PatchParams::default(), Patch::Merge(&body));
        let patched = services.patch_status(service, &usual, &patch);
        patched
            .await
            .map(drop)
            .map_err(|error| refused("asked to change a Service's status", &error))
    }

    /// What a Service shows, as it is written.
    pub(super) async fn shown(&self, service: &str) -> Result<Value, String> {
        let there = self.services().get_status(service).await;
        let there = there.map_err(|error| refused("asked for a Service", &error))?;
        let status = there.status.and_then(|it| it.load_balancer);
        let ingress = status.and_then(|it| it.ingress);
        serde_json::to_value(ingress).map_err(|error| error.to_string())
    }

    /// Annotates a Gateway so that a Service may go and another one come.
    pub(super) async fn allow_recreation(
        &self,
        gateway: &str,
        service: &str,
    ) -> Result<(), String> {
        let body = json!({"metadata": {"annotations": {ALLOW_RECREATION: service}}});
        let gateways = self.objects("gateway.networking.k8s.io/v1", "Gateway");
        let (usual, patch) = (PatchParams::default(), Patch::Merge(&body));
        let patched = gateways.patch(gateway, &usual, &patch).await;
        patched
            .map(drop)
            .map_err(|error| refused("asked to annotate a Gateway", &error))
    }

    /// Takes annotations off a Service, by hand.
    pub(super) async fn take_off(&self, service: &str, keys: &[&str]) -> Result<(), String> {
        let none: serde_json::Map<_, _> = keys
            .iter()
            .map(|key| ((*key).to_owned(), Value::Null))
            .collect();
        let body = json!({"metadata": {"annotations": none}});
        let services = self.services();
        let (usual, patch) = (PatchParams::default(), Patch::Merge(&body));
        let patched = services.patch(service, &usual, &patch);
        patched
            .await
            .map(drop)
            .map_err(|error| refused("asked to change a Service", &error))
    }

    /// Whether an address answers within a while: nodes take a moment until they know of it.
    pub(super) async fn comes_to_answer(&self, address: &str) -> bool {
        for _ in 0..10 {
            if self.answers(address).await {
                return true;
            }
            sleep(Duration::from_secs(1)).await;
        }
        false
    }

    /// Whether an address answers an HTTP request from here.
    pub(super) async fn answers(&self, address: &str) -> bool {
        let Ok(address) = address.parse::<IpAddr>() else {
            return false;
        };
        let asked = async {
            let mut stream = TcpStream::connect((address, PORT)).await.ok()?;
            let question = b"GET / HTTP/1.1\r\nHost: verify.invalid\r\nConnection: close\r\n\r\n";
            stream.write_all(question).await.ok()?;
            let mut start = [0; 5];
            stream.read_exact(&mut start).await.ok()?;
            (&start == b"HTTP/").then_some(())
        };
        matches!(timeout(ANSWER, asked).await, Ok(Some(())))
    }

    /// Takes everything away; whether the Services went with their Gateways.
    pub(super) async fn strike(self) -> Result<Claim, String> {
        let mut journal = Journal::after(Look::default());
        let verdict = self.take_away(&mut journal).await;
        let namespaces = Api::<Namespace>::all(self.client.clone());
        let namespace = &self.namespace;
        let usual = DeleteParams::default();
        if let Err(error) = namespaces.delete(namespace, &usual).await {
            return Err(format!(
                "{} Namespace {namespace} is still there; kubectl delete namespace {namespace} takes it away.",
                refused("asked to delete a namespace", &error)
            ));
        }
        Ok(Claim {
            name: "deletion",
            what: "With a Gateway go its Service and the load balancer behind it.",
            verdict: verdict.unwrap_or_else(Verdict::Unknown),
            seen: journal.end().0,
        })
    }

    async fn take_away(&self, journal: &mut Journal) -> Result<Verdict, String> {
        let gateways = self.objects("gateway.networking.k8s.io/v1", "Gateway");
        let (usual, all) = (DeleteParams::default(), ListParams::default());
        let gone = gateways.delete_collection(&usual, &all);
        gone.await
            .map_err(|error| refused("asked to delete Gateways", &error))?;
        let end = journal.elapsed() + self.trial.patience;
        loop {
            let left = self.services().list(&ListParams::default()).await;
            let left = left.map_err(|error| refused("asked for Services", &error))?;
            let names: Vec<String> = left
                .items
                .into_iter()
                .filter_map(|it| it.metadata.name)
                .collect();
            if names.is_empty() {
                journal.note("No Service is left.");
                return Ok(Verdict::Held(format!(
                    "after {:.1} s",
                    journal.elapsed().as_secs_f64()
                )));
            }
            if journal.elapsed() >= end {
                return Ok(Verdict::Broken(format!(
                    "Service {} is still there; its finalizers and events say who keeps it",
                    names.join(", ")
                )));
            }
            sleep(PAUSE).await;
        }
    }
}
