//! What is made around Gateways: nobody waits for another's, and who does not lead any more makes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use daemun_base::tasks::Tasks;
use daemun_controller::provision::{Handle, Provisioner, Settings, Wanted};
use daemun_model::names::ObjectName;
use daemun_translate::infrastructure::{Infrastructure, Port, Transport};
use http::Method;

use super::fake::Fake;

fn provisioner(fake: &Fake, tasks: &Tasks) -> Handle {
    let settings = Settings {
        controller: "gateway.daemun.dev/controller".to_owned(),
        image: "daemun:test".to_owned(),
        image_pull_policy: None,
        pull_secrets: Vec::new(),
        wire: "daemun-controller.daemun-system.svc:9903".to_owned(),
        namespaces: None,
        rolling: 3,
    };
    Provisioner::start(fake.client(), settings, tasks)
}

fn gateway(namespace: &str, port: u16) -> (ObjectName, Arc<Infrastructure>) {
    let name = ObjectName::new(namespace, "gw");
    let infrastructure = Infrastructure {
        gateway: name.clone(),
        uid: format!("uid of {name}"),
        generation: 1,
        class: "daemun".to_owned(),
        on_hold: false,
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        ports: vec![Port {
            port,
            bind: port,
            transport: Transport::Tcp,
        }],
        addresses: Vec::new(),
        brought: Vec::new(),
        looked_at: None,
        named: Default::default(),
        lacks_public: false,
        exposure: Default::default(),
        fates: Default::default(),
        parameters: Default::default(),
    };
    (name, Arc::new(infrastructure))
}

fn want(handle: &Handle, gateways: &[(ObjectName, Arc<Infrastructure>)]) {
    handle.want.send_replace(Some(Wanted {
        gateways: Arc::new(gateways.iter().cloned().collect()),
        authorities: "CERTIFICATES".into(),
    }));
}

/// How much was written in a namespace.
fn written(fake: &Fake, namespace: &str, kind: &str) -> usize {
    let requests = fake.requests();
    let place = format!("/namespaces/{namespace}/{kind}");
    let is_meant =
        |(method, path): &&(Method, String)| *method == Method::PATCH && path.contains(&place);
    requests.iter().filter(is_meant).count()
}

#[tokio::test]
async fn nobody_waits_for_anothers_objects_and_who_does_not_lead_makes_nothing() {
    let (fake, tasks) = (Fake::new(), Tasks::default());
    fake.hold("patch slow", true);
    let handle = provisioner(&fake, &tasks);
    let slow = gateway("slow", 8080);
    want(&handle, &[slow.clone(), gateway("quick", 8080)]);
    fake.until("the quick one is there", |fake| {
        written(fake, "quick", "services") == 1
    })
    .await;
    let asked = |fake: &Fake| {
        let requests = fake.requests();
        requests
            .iter()
            .any(|(_, path)| path.contains("/namespaces/slow/"))
    };
    fake.until("the slow one is begun", asked).await;

    // Its ServiceAccount was seen, so its proxies may be believed.
    let quick = ObjectName::new("quick", "gw");
    let mut accounts = handle.accounts.clone();
    let told = accounts.wait_for(|all| all.values().any(|gateway| *gateway == quick));
    let told = tokio::time::timeout(Duration::from_secs(10), told).await;
    assert!(told.is_ok(), "its ServiceAccount is not told");

    // While the slow one's objects are not answered, the quick one's still follow it.
    want(&handle, &[slow, gateway("quick", 8081)]);
    fake.until("the change is there", |fake| {
        written(fake, "quick", "services") == 2
    })
    .await;

    // Another one leads now: what was begun ends, and is not gone on with when there are answers again.
    handle.want.send_replace(None);
    let mut provisioned = handle.provisioned.clone();
    provisioned.wait_for(|all| all.is_empty()).await.unwrap();
    let quick = written(&fake, "quick", "");
    fake.hold("patch slow", false);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(written(&fake, "slow", ""), 0);
    assert_eq!(written(&fake, "quick", ""), quick);
}
