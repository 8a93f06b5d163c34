//! Both ends of the wire over loopback: what travels, when, and to whom.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::sync::Arc;

use daemun_base::tasks::Tasks;
use daemun_model::Snapshot;
use daemun_testkit::wire::{Controller, Files, Localhost};
use daemun_testkit::{Authority, within, yaml};
use daemun_wire::answer::Phase;
use daemun_wire::client::{Client, Update};

/// The Gateway `gw` with a Backend and these routes, each for the path of its name.
fn objects(routes: &[&str]) -> String {
    let mut all = vec![
        yaml::gateway(8080),
        "apiVersion: gateway.daemun.dev/v1alpha1\nkind: Backend\nmetadata: {name: echo}\n\
         spec: {endpoints: [{address: 127.0.0.1, port: 9}]}"
            .to_owned(),
    ];
    all.extend(routes.iter().map(|name| {
        let to = yaml::to("echo");
        let rule = format!(
            "rules: [{{matches: [{{path: {{value: /{name}}}}}], backendRefs: [{{{to}}}]}}]"
        );
        yaml::route(name, &rule)
    }));
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    yaml::documents(&all)
}

/// A proxy's end, without a proxy.
struct Proxy {
    client: Client,
    _tasks: Tasks,
}

impl Proxy {
    fn start(files: &Files, controller: &Controller) -> Self {
        let tasks = Tasks::default();
        let client = Client::start(
            files.settings(controller.address),
            Arc::new(Localhost),
            &tasks,
        );
        Self {
            client,
            _tasks: tasks,
        }
    }

    /// The next configuration.
    async fn next(&mut self) -> Update {
        let updates = &mut self.client.updates;
        within("an update", updates.changed()).await.unwrap();
        updates.borrow_and_update().clone().unwrap()
    }
}

fn snapshot(update: &Update) -> Arc<Snapshot> {
    let mut gateways = update.configuration.gateways.values();
    Arc::clone(gateways.next().unwrap())
}

#[tokio::test]
async fn what_is_published_arrives_whole_and_what_changes_is_one_part() {
    let authority = Authority::new();
    let directory = tempfile::tempdir().unwrap();
    let files = Files::write(directory.path(), &authority, "default/gw/pod");
    let mut controller = Controller::start(&authority).await;
    let mut proxy = Proxy::start(&files, &controller);
    controller
        .until("it is connected", |proxies| proxies.len() == 1)
        .await;

    controller.publish(&objects(&["one", "two"]));
    let update = proxy.next().await;
    let first = snapshot(&update);
    assert_eq!((first.routes.len(), first.backends.len()), (2, 1));
    assert!(update.refused.is_empty());

    controller.publish(&objects(&["one", "two", "three"]));
    let second = snapshot(&proxy.next().await);
    assert_eq!(second.routes.len(), 3);
    for (key, route) in &first.routes {
        assert!(
            Arc::ptr_eq(route, second.routes.get(key).unwrap()),
            "{key} is the same"
        );
    }

    controller.publish(&objects(&["three"]));
    let update = proxy.next().await;
    assert_eq!(snapshot(&update).routes.len(), 1);

    proxy.client.answer(Phase::Ready, Some(&update), Vec::new());
    controller
        .until("it serves the newest", |proxies| {
            proxies[0].current && proxies[0].phase == Phase::Ready
        })
        .await;
    controller.publish(&objects(&["four"]));
    controller
        .until("there is something newer", |proxies| !proxies[0].current)
        .await;
    drop(proxy);
    controller.until("it is gone", <[_]>::is_empty).await;
}
