//! Provisioning against a real API server: what is made, what it is given, what is taken away, and what is said when it
//! goes wrong. The tests need a cluster with the Gateway API's CRDs and somebody who answers Services of type LoadBalancer in
//! 198.18.128.0/18, such as the lab (`cargo xtask lab up`):
//!
//! ```text
//! KUBECONFIG=$(cargo xtask lab kubeconfig) cargo test -p daemun-controller --test provision -- --ignored
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot be set up has failed"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use daemun_base::tasks::Tasks;
use daemun_controller::provision::{Address, Handle, Place, Provisioner, Settings, Wanted};
use daemun_model::names::ObjectName;
use daemun_translate::exposure::{Exposure, ServiceKind};
use daemun_translate::infrastructure::parameters::Workload;
use daemun_translate::infrastructure::{Infrastructure, Port, Transport, Wanted as WantedAddress};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Service, ServiceAccount};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::{DynamicObject, GroupVersionKind};
use kube::discovery::ApiResource;
use kube::{Api, Client};

/// A namespace with one Gateway in it, and a provisioner that looks at that namespace only.
struct World {
    client: Client,
    namespace: String,
    gateway: Infrastructure,
    handle: Handle,
    _tasks: Tasks,
}

impl World {
    async fn new(name: &str) -> Self {
        let client = Client::try_default().await.unwrap();
        let namespace = format!("provision-{name}");
        let namespaces: Api<Namespace> = Api::all(client.clone());
        let object = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": { "name": namespace, "labels": {
                "pod-security.kubernetes.io/enforce": "restricted",
                "pod-security.kubernetes.io/warn": "restricted",
            } },
        });
        let apply = PatchParams::apply("test").force();
        namespaces
            .patch(&namespace, &apply, &Patch::Apply(&object))
            .await
            .unwrap();
        let kind = GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "Gateway");
        let resource = ApiResource::from_gvk_with_plural(&kind, "gateways");
        let gateways: Api<DynamicObject> =
            Api::namespaced_with(client.clone(), &namespace, &resource);
        let _ = gateways.delete(name, &DeleteParams::foreground()).await;
        let object = serde_json::json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": { "name": name },
            "spec": {
                "gatewayClassName": "of-a-test",
                "listeners": [{ "name": "http", "port": 80, "protocol": "HTTP" }],
            },
        });
        let made = eventually("the Gateway can be made", async || {
            let object = serde_json::from_value(object.clone()).unwrap();
            gateways.create(&PostParams::default(), &object).await.ok()
        })
        .await;
        let tasks = Tasks::default();
        let settings = Settings {
            controller: format!("gateway.daemun.dev/test-{name}"),
            image: "pause:lab".to_owned(),
            image_pull_policy: Some("Never".to_owned()),
            pull_secrets: Vec::new(),
            wire: "daemun-controller.daemun-system.svc:9903".to_owned(),
            namespaces: Some(vec![namespace.clone()]),
            rolling: 3,
        };
        let handle = Provisioner::start(client.clone(), settings, &tasks);
        let mut gateway = Infrastructure {
            gateway: ObjectName::new(&namespace, name),
            uid: made.metadata.uid.unwrap(),
            generation: 1,
            class: "daemun".to_owned(),
            on_hold: false,
            labels: [("team".to_owned(), "a".to_owned())].into(),
            annotations: BTreeMap::new(),
            ports: vec![Port {
                port: 80,
                bind: 20_080,
                transport: Transport::Tcp,
            }],
            addresses: Vec::new(),
            brought: Vec::new(),
            looked_at: None,
            named: Default::default(),
            lacks_public: false,
            exposure: Exposure::default(),
            fates: BTreeMap::new(),
            parameters: Default::default(),
        };
        gateway.parameters.workload = Workload::Deployment(1);
        Self {
            client,
            namespace,
            gateway,
            handle,
            _tasks: tasks,
        }
    }

    fn want(&self) {
        self.want_all([(self.gateway.gateway.clone(), Arc::new(self.gateway.clone()))].into());
    }

    fn want_all(&self, gateways: BTreeMap<ObjectName, Arc<Infrastructure>>) {
        self.handle.want.send_replace(Some(Wanted {
            gateways: Arc::new(gateways),
            authorities: "CERTIFICATES".into(),
        }));
    }

    fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Takes the namespace away with all that is in it.
    async fn end(self) {
        self.want_all(BTreeMap::new());
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        namespaces
            .delete(&self.namespace, &DeleteParams::default())
            .await
            .unwrap();
    }

    /// How many objects of a kind there are of this Gateway.
    async fn count<K>(&self) -> usize
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + serde::de::DeserializeOwned,
        K::DynamicType: Default,
    {
        let label = format!(
            "gateway.networking.k8s.io/gateway-name={},team=a",
            self.gateway.gateway.name
        );
        let api = self.api::<K>();
        let all = api.list(&ListParams::default().labels(&label)).await;
        all.unwrap().items.len()
    }

    /// Waits until what is said about the Gateway fits.
    async fn place(&self, what: &str, fits: impl Fn(&Place) -> bool) -> Place {
        let mut provisioned = self.handle.provisioned.clone();
        let gateway = &self.gateway.gateway;
        let all = provisioned.wait_for(|all| all.get(gateway).is_some_and(|place| fits(place)));
        match tokio::time::timeout(Duration::from_secs(60), all).await {
            Ok(all) => all.unwrap().get(gateway).unwrap().as_ref().clone(),
            Err(_) => panic!(
                "{what}: {:?}",
                self.handle.provisioned.borrow().get(gateway)
            ),
        }
    }
}

async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..1200 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what}: not within two minutes");
}

fn ip(text: &str) -> Address {
    Address::Ip(text.parse().unwrap())
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn what_is_wanted_is_made_and_what_is_not_is_taken_away() {
    let mut world = World::new("made").await;
    world.want();
    let place = world
        .place("an address", |place| !place.addresses.is_empty())
        .await;
    assert_eq!(place.trouble, None);
    assert_eq!(world.count::<ConfigMap>().await, 1);
    assert_eq!(world.count::<ServiceAccount>().await, 1);
    assert_eq!(world.count::<Service>().await, 1);
    assert_eq!(world.count::<Deployment>().await, 1);
    assert_eq!(world.count::<PodDisruptionBudget>().await, 1);
    let account: ServiceAccount = world.api().get("made-daemun").await.unwrap();
    let accounts = world.handle.accounts.borrow().clone();
    let uid = account.metadata.uid.unwrap();
    assert_eq!(accounts.get(&uid), Some(&world.gateway.gateway));

    // Nothing is applied again that is there.
    let deployment: Deployment = world.api().get("made-daemun").await.unwrap();
    let before = deployment.metadata.generation;
    world.gateway.generation = 2;
    world.want();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let service: Service = world.api().get("made-daemun").await.unwrap();
    let deployment: Deployment = world.api().get("made-daemun").await.unwrap();
    assert_eq!(deployment.metadata.generation, before);

    // A listener changes the Service, and no pod.
    world.gateway.ports.push(Port {
        port: 443,
        bind: 20_443,
        transport: Transport::Tcp,
    });
    world.want();
    eventually("the Service has the new port", async || {
        let changed: Service = world.api().get("made-daemun").await.unwrap();
        (changed.spec?.ports?.len() == 2).then_some(())
    })
    .await;
    let deployment: Deployment = world.api().get("made-daemun").await.unwrap();
    assert_eq!(deployment.metadata.generation, before);
    let same: Service = world.api().get("made-daemun").await.unwrap();
    assert_eq!(same.metadata.uid, service.metadata.uid);

    // Somebody else's change is put right.
    let patch = serde_json::json!({ "spec": { "template": { "spec": { "serviceAccountName": "other" } } } });
    let other = PatchParams::apply("somebody");
    let deployments: Api<Deployment> = world.api();
    deployments
        .patch(
            "made-daemun",
            &PatchParams {
                force: false,
                ..other
            },
            &Patch::Merge(&patch),
        )
        .await
        .unwrap();
    eventually("the change is put right", async || {
        let deployment: Deployment = world.api().get("made-daemun").await.unwrap();
        let pod = deployment.spec?.template.spec?;
        (pod.service_account_name.as_deref() == Some("made-daemun")).then_some(())
    })
    .await;

    // An autoscaler: the number of proxies is its own from then on, and does not fall to one on the way.
    let replicas = async |world: &World| {
        let deployment: Deployment = world.api().get("made-daemun").await.unwrap();
        deployment.spec.unwrap().replicas
    };
    world.gateway.parameters.workload = Workload::Deployment(2);
    world.want();
    eventually("there are to be two", async || {
        (replicas(&world).await == Some(2)).then_some(())
    })
    .await;
    world.gateway.parameters.workload = Workload::Scaled {
        min: 1,
        max: 3,
        cpu: 70,
    };
    world.want();
    eventually("there is an autoscaler", async || {
        (world.count::<HorizontalPodAutoscaler>().await == 1).then_some(())
    })
    .await;
    assert_eq!(replicas(&world).await, Some(2));

    // On hold, nothing changes; without the Gateway all goes.
    world.gateway.on_hold = true;
    world.gateway.ports.clear();
    world.want();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.count::<Deployment>().await, 1);
    world.want_all(BTreeMap::new());
    eventually("everything is gone", async || {
        let left = world.count::<ConfigMap>().await
            + world.count::<ServiceAccount>().await
            + world.count::<Service>().await
            + world.count::<Deployment>().await
            + world.count::<PodDisruptionBudget>().await
            + world.count::<HorizontalPodAutoscaler>().await;
        (left == 0).then_some(())
    })
    .await;
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_certain_address_is_had_exactly_or_not_at_all() {
    let mut world = World::new("static").await;
    let wanted = |text: &str| WantedAddress::Ip(text.parse().unwrap());
    world.gateway.addresses = vec![wanted("198.51.100.9"), wanted("198.18.128.201")];
    world.want();
    let place = world
        .place("the one cannot be had", |place| {
            matches!(place.trouble, Some(("AddressNotUsable", _)))
        })
        .await;
    let (_, why) = place.trouble.unwrap();
    assert!(why.contains("198.51.100.9"), "{why}");
    world.gateway.addresses = vec![wanted("198.18.128.201")];
    world.want();
    let place = world
        .place("the other can", |place| place.trouble.is_none())
        .await;
    assert_eq!(place.addresses, [ip("198.18.128.201")]);
    eventually("the Service of the first is gone", async || {
        (world.count::<Service>().await == 1).then_some(())
    })
    .await;
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn inside_of_the_cluster_an_address_is_had_at_once() {
    let mut world = World::new("inside").await;
    world.gateway.exposure.kind = ServiceKind::ClusterIp;
    world.gateway.parameters.workload = Workload::DaemonSet;
    world.want();
    let place = world
        .place("an address", |place| !place.addresses.is_empty())
        .await;
    assert_eq!(place.trouble, None);
    assert_eq!(world.count::<DaemonSet>().await, 1);
    assert_eq!(world.count::<PodDisruptionBudget>().await, 0);
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn what_is_in_the_way_is_named_and_left_alone() {
    let world = World::new("taken").await;
    let other = serde_json::json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": { "name": "taken-daemun" },
    });
    let accounts: Api<ServiceAccount> = world.api();
    let made = accounts
        .patch(
            "taken-daemun",
            &PatchParams::apply("somebody"),
            &Patch::Apply(&other),
        )
        .await
        .unwrap();
    world.want();
    let place = world
        .place("the account is in the way", |place| {
            matches!(place.trouble, Some(("NoResources", _)))
        })
        .await;
    let (_, why) = place.trouble.unwrap();
    assert!(why.contains("was not made by Daemun"), "{why}");
    let still: ServiceAccount = accounts.get("taken-daemun").await.unwrap();
    assert_eq!(
        still.metadata.resource_version,
        made.metadata.resource_version
    );
    assert!(world.handle.accounts.borrow().is_empty());
    accounts
        .delete("taken-daemun", &DeleteParams::default())
        .await
        .unwrap();
    // It is tried again, and works.
    world
        .place("an address", |place| {
            place.trouble.is_none() && !place.addresses.is_empty()
        })
        .await;
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_image_that_cannot_be_had_is_named() {
    let mut world = World::new("image").await;
    world.gateway.parameters.pod.image = Some("example.com/no/such:image".to_owned());
    world.want();
    let place = world
        .place("the image is named", |place| {
            place
                .pods
                .as_ref()
                .is_some_and(|pods| pods.contains("example.com/no/such:image"))
        })
        .await;
    let pods = place.pods.unwrap();
    assert!(pods.contains("cannot be pulled"), "{pods}");
    world.end().await;
}
