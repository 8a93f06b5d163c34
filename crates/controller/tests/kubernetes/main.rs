//! The controller against an API server in this process: what it reads and writes, and when.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod fake;
mod glimpse;
mod provisioning;
mod reach;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use daemun_base::readiness::Readiness;
use daemun_base::tasks::Tasks;
use daemun_controller::exposure::Lookup;
use daemun_controller::kubernetes::{CONTROLLER, Parts, Running, Settings, start};
use daemun_controller::{Metrics, provision};
use daemun_wire::server::Publisher;
use http::Method;
use serde_json::{Value, json};
use tokio::sync::watch;

use fake::Fake;

const GROUP: &str = "gateway.networking.k8s.io/v1";
const DEFINITION: &str = "grpcroutes.gateway.networking.k8s.io";

/// A controller of a fake API server.
struct Controller {
    readiness: Readiness,
    running: Running,
    metrics: Arc<Metrics>,
    /// What is made around Gateways.
    provisioned: watch::Sender<Arc<provision::Provisioned>>,
    _tasks: Tasks,
}

fn controller(fake: &Fake) -> Controller {
    controller_of(fake, &[])
}

/// One that looks at these namespaces only.
fn controller_of(fake: &Fake, namespaces: &[&str]) -> Controller {
    let (tasks, readiness) = (Tasks::default(), Readiness::default());
    let (want, _) = watch::channel(None);
    let (provisioner, provisioned) = watch::channel(Arc::default());
    let metrics = Arc::new(Metrics::default());
    let (_, accounts) = watch::channel(Arc::default());
    let (_, authorities) = watch::channel(None);
    let settings = Settings {
        controller: CONTROLLER.to_owned(),
        namespace: "daemun-system".to_owned(),
        identity: "us".to_owned(),
        namespaces: namespaces.iter().map(|&name| name.to_owned()).collect(),
        private_ranges: Vec::new(),
        public_ranges: Vec::new(),
    };
    let parts = Parts {
        client: &fake.client(),
        publisher: &Publisher::default(),
        authorities,
        lookup: Lookup::new(looked_up),
        provision: provision::Handle {
            want,
            provisioned,
            accounts,
            pods: watch::channel(None).1,
        },
        readiness: &readiness,
        metrics: &metrics,
        tasks: &tasks,
    };
    Controller {
        running: start(&settings, parts),
        readiness,
        metrics,
        provisioned: provisioner,
        _tasks: tasks,
    }
}

/// `10-0-0-1.example.com` is 10.0.0.1, and `10-0-0-1.slow.example.com` after a while; about other names nobody answers.
async fn looked_up(name: String) -> Result<Vec<IpAddr>, String> {
    if name.contains(".slow.") {
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    let name = name.replace(".slow.", ".");
    let address = name.strip_suffix(".example.com");
    let address = address.and_then(|it| it.replace('-', ".").parse().ok());
    let address: Option<IpAddr> = address;
    address
        .map(|it| vec![it])
        .ok_or_else(|| "nobody answers".to_owned())
}

fn class(name: &str, controller: &str) -> Value {
    json!({
        "apiVersion": GROUP, "kind": "GatewayClass", "metadata": {"name": name},
        "spec": {"controllerName": controller},
    })
}

fn gateway(secret: Option<&str>) -> Value {
    let mut listener = json!({"name": "web", "port": 80, "protocol": "HTTP"});
    if let Some(secret) = secret {
        listener = json!({
            "name": "web", "port": 443, "protocol": "HTTPS",
            "tls": {"certificateRefs": [{"name": secret}]},
        });
    }
    json!({
        "apiVersion": GROUP, "kind": "Gateway", "metadata": {"namespace": "n", "name": "gw"},
        "spec": {"gatewayClassName": "daemun", "listeners": [listener]},
    })
}

fn route(kind: &str, name: &str) -> Value {
    json!({
        "apiVersion": GROUP, "kind": kind, "metadata": {"namespace": "n", "name": name},
        "spec": {"parentRefs": [{"name": "gw"}], "rules": []},
    })
}

/// A class and a Gateway of ours.
fn ours() -> Fake {
    let fake = Fake::new();
    fake.put("gatewayclasses", class("daemun", CONTROLLER));
    fake.put("gateways", gateway(None));
    fake
}

/// The status of a condition in a list of them.
fn stands<'v>(conditions: &'v Value, kind: &str) -> &'v str {
    let mut all = conditions.as_array().into_iter().flatten();
    let found = all.find(|condition| condition["type"] == kind);
    found.map_or("", |condition| condition["status"].as_str().unwrap())
}

fn is_accepted(fake: &Fake, plural: &str, key: &str) -> bool {
    let object = fake.get(plural, key);
    let status = &object["status"];
    let of_route = &status["parents"][0]["conditions"];
    let conditions = if of_route.is_null() {
        &status["conditions"]
    } else {
        of_route
    };
    stands(conditions, "Accepted") == "True"
}

#[tokio::test]
async fn nothing_is_written_before_everything_was_listed_once() {
    let fake = ours();
    fake.put("gatewayclasses", class("theirs", "example.com/other"));
    fake.hold("udproutes", true);
    let controller = controller(&fake);
    fake.until("the lead is taken", |fake| {
        fake.count(&Method::POST, "/leases") == 1
            && fake.count(&Method::GET, "/customresourcedefinitions") > 0
    })
    .await;
    assert!(!controller.readiness.is_ready());
    assert!(
        controller
            .readiness
            .report()
            .contains("udproutes.gateway.networking.k8s.io")
    );
    assert_eq!(fake.count(&Method::PATCH, ""), 0);
    fake.hold("udproutes", false);
    fake.until("statuses are written", |fake| {
        is_accepted(fake, "gatewayclasses", "daemun") && is_accepted(fake, "gateways", "n/gw")
    })
    .await;
    assert!(controller.readiness.is_ready());
    let theirs = fake.get("gatewayclasses", "theirs");
    assert_eq!(
        theirs["status"],
        Value::Null,
        "classes of others are left alone"
    );
    let class = fake.get("gatewayclasses", "daemun");
    let marks = &class["metadata"];
    assert_eq!(
        marks["finalizers"],
        json!(["gateway-exists-finalizer.gateway.networking.k8s.io"])
    );
    assert_eq!(
        marks["annotations"],
        json!({"gateway.daemun.dev/controlled-by": "daemun-system"})
    );
}

#[tokio::test]
async fn what_is_settled_is_not_written_again() {
    let fake = ours();
    fake.put("httproutes", route("HTTPRoute", "a"));
    let _controller = controller(&fake);
    fake.until("statuses are written", |fake| {
        is_accepted(fake, "httproutes", "n/a")
    })
    .await;
    // A change that changes no status is the sign that all before it was looked at.
    fake.put(
        "services",
        json!({"metadata": {"namespace": "n", "name": "s"}, "spec": {}}),
    );
    fake.put("httproutes", route("HTTPRoute", "b"));
    fake.until("the next one is written", |fake| {
        is_accepted(fake, "httproutes", "n/b")
    })
    .await;
    assert_eq!(fake.count(&Method::PATCH, "httproutes/a/status"), 1);
}

#[tokio::test]
async fn a_kind_whose_crd_comes_later_is_picked_up() {
    let fake = ours();
    fake.set_missing("grpcroutes", true);
    let _controller = controller(&fake);
    fake.until("the others work without it", |fake| {
        is_accepted(fake, "gateways", "n/gw")
    })
    .await;
    fake.put("grpcroutes", route("GRPCRoute", "late"));
    fake.set_missing("grpcroutes", false);
    fake.put(
        "customresourcedefinitions",
        json!({"metadata": {"name": DEFINITION}}),
    );
    fake.until("it is judged", |fake| {
        is_accepted(fake, "grpcroutes", "n/late")
    })
    .await;
}

#[tokio::test]
async fn secrets_are_read_only_if_something_refers_to_them() {
    let secret = |name: &str, value: &str| json!({"metadata": {"namespace": "n", "name": name}, "data": {"tls.crt": value}});
    let fake = Fake::new();
    fake.put("gatewayclasses", class("daemun", CONTROLLER));
    fake.put("gateways", gateway(Some("wanted")));
    fake.put("secrets", secret("wanted", "YQ=="));
    fake.put("secrets", secret("other", "YQ=="));
    let _controller = controller(&fake);
    let says = |fake: &Fake, text: &str| {
        let gateway = fake.get("gateways", "n/gw");
        gateway["status"]["listeners"][0].to_string().contains(text)
    };
    fake.until("what is wrong with it is said", |fake| {
        says(fake, "it has no tls.key")
    })
    .await;
    assert_eq!(fake.count(&Method::GET, "/secrets/wanted"), 1);
    assert_eq!(fake.count(&Method::GET, "/secrets/other"), 0);
    let patches = fake.count(&Method::PATCH, "gateways/gw/status");
    assert_eq!(patches, 1, "that it is not there was never said");
    fake.put(
        "secrets",
        json!({"metadata": {"namespace": "n", "name": "wanted"}, "data": {}}),
    );
    fake.until("it is read again", |fake| says(fake, "it has no tls.crt"))
        .await;
    fake.delete("secrets", "n/wanted");
    fake.until("it is gone", |fake| {
        says(fake, "Secret n/wanted does not exist")
    })
    .await;
}

#[tokio::test]
async fn a_secret_that_may_not_be_read_is_not_called_missing() {
    let fake = Fake::new();
    fake.put("gatewayclasses", class("daemun", CONTROLLER));
    fake.put("gateways", gateway(Some("wanted")));
    fake.put(
        "secrets",
        json!({"metadata": {"namespace": "n", "name": "wanted"}}),
    );
    fake.forbid("get secrets", true);
    let _controller = controller(&fake);
    fake.until("the missing right is named", |fake| {
        let gateway = fake.get("gateways", "n/gw");
        gateway
            .to_string()
            .contains("the controller may not get secrets in namespace n")
    })
    .await;
}

#[tokio::test]
async fn of_two_that_write_at_once_both_are_heard() {
    let fake = ours();
    let theirs = json!({
        "controllerName": "example.com/other", "parentRef": {"name": "theirs"}, "conditions": [],
    });
    fake.put("httproutes", route("HTTPRoute", "a"));
    fake.interfere("httproutes n/a", json!({"parents": [theirs]}));
    let _controller = controller(&fake);
    fake.until("both entries are there", |fake| {
        let route = fake.get("httproutes", "n/a");
        let parents = route["status"]["parents"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        parents.len() == 2 && parents[0] == theirs && parents[1]["controllerName"] == CONTROLLER
    })
    .await;
    // One is refused, one is done; and one more is refused if the watch tells of the other's write after that.
    let writes = fake.count(&Method::PATCH, "httproutes/a/status");
    assert!((2..=3).contains(&writes), "{writes}");
}

#[tokio::test]
async fn without_a_right_nothing_is_written_and_readiness_names_it() {
    let fake = ours();
    fake.forbid("list tlsroutes", true);
    let controller = controller(&fake);
    let says = "The controller may not list tlsroutes.gateway.networking.k8s.io in the cluster";
    fake.until("it is named", |_| {
        controller.readiness.report().contains(says)
    })
    .await;
    assert_eq!(fake.count(&Method::PATCH, ""), 0);
    fake.forbid("list tlsroutes", false);
    fake.until("it goes on with the right", |fake| {
        is_accepted(fake, "gateways", "n/gw")
    })
    .await;
}

#[tokio::test]
async fn while_the_api_server_is_away_all_stays_and_then_goes_on() {
    let fake = ours();
    fake.put("httproutes", route("HTTPRoute", "a"));
    let controller = controller(&fake);
    fake.until("statuses are written", |fake| {
        is_accepted(fake, "httproutes", "n/a")
    })
    .await;
    let before = fake.get("httproutes", "n/a");
    fake.set_away(true);
    fake.put("httproutes", route("HTTPRoute", "b"));
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    assert!(controller.readiness.is_ready());
    fake.set_away(false);
    fake.until("what came meanwhile is judged", |fake| {
        is_accepted(fake, "httproutes", "n/b")
    })
    .await;
    assert_eq!(fake.get("httproutes", "n/a"), before);
}

#[tokio::test]
async fn who_does_not_lead_writes_nothing_and_who_resigns_gives_up_the_lease() {
    let fake = ours();
    fake.put(
        "leases",
        json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"namespace": "daemun-system", "name": "daemun-controller"},
            "spec": {"holderIdentity": "other", "leaseDurationSeconds": 15},
        }),
    );
    let follower = controller(&fake);
    fake.until("everything is known", |_| follower.readiness.is_ready())
        .await;
    assert_eq!(fake.count(&Method::PATCH, ""), 0);
    let mut lease = fake.get("leases", "daemun-system/daemun-controller");
    lease["spec"]["holderIdentity"] = json!("");
    fake.put("leases", lease);
    fake.until("it leads now", |fake| is_accepted(fake, "gateways", "n/gw"))
        .await;
    follower.running.resign().await;
    let lease = fake.get("leases", "daemun-system/daemun-controller");
    assert_eq!(lease["spec"]["holderIdentity"], "");
}

#[tokio::test]
async fn another_installation_of_the_same_name_is_not_fought() {
    let fake = Fake::new();
    let mut class = class("daemun", CONTROLLER);
    class["metadata"]["annotations"] = json!({"gateway.daemun.dev/controlled-by": "elsewhere"});
    fake.put("gatewayclasses", class);
    let lease = |holder: &str| {
        json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"namespace": "elsewhere", "name": "daemun-controller"},
            "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15},
        })
    };
    fake.put("leases", lease("them"));
    let controller = controller(&fake);
    fake.until("the other one is looked at", |fake| {
        fake.count(
            &Method::GET,
            "namespaces/elsewhere/leases/daemun-controller",
        ) > 0
    })
    .await;
    assert!(controller.readiness.is_ready());
    assert_eq!(fake.count(&Method::PATCH, ""), 0);
    fake.put("leases", lease(""));
    fake.until("the class is taken over", |fake| {
        let class = fake.get("gatewayclasses", "daemun");
        class["metadata"]["annotations"]["gateway.daemun.dev/controlled-by"] == "daemun-system"
    })
    .await;
}

#[tokio::test]
async fn events_are_told_where_they_may_be() {
    let path = "/namespaces/default/events";
    for (namespaces, told) in [(&[][..], 1), (&["n"][..], 0)] {
        let fake = ours();
        fake.put(
            "customresourcedefinitions",
            json!({"metadata": {
                "name": "gatewayclasses.gateway.networking.k8s.io",
                "annotations": {"gateway.networking.k8s.io/bundle-version": "v1.4.0"},
            }}),
        );
        let _controller = controller_of(&fake, namespaces);
        fake.until("the class says so", |fake| {
            let class = fake.get("gatewayclasses", "daemun").to_string();
            class.contains("UnsupportedVersion") && fake.count(&Method::POST, path) >= told
        })
        .await;
        // What is told is told right after the write.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        assert_eq!(fake.count(&Method::POST, path), told);
    }
}
