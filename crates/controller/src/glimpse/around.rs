//! What stands around a Gateway or a Service, as the API server has it: with who wrote which field and when, which
//! nobody keeps. It is for explaining, so nothing is left out and nothing is judged here.

use std::collections::BTreeSet;

use daemun_model::names::ObjectName;
use futures_util::future::join_all;
use kube::api::ListParams;
use kube::core::{DynamicObject, GroupVersionKind};
use kube::discovery::ApiResource;
use kube::{Api, Client};
use serde_json::Value;

use super::sight::{away, is_forbidden};
use crate::provision::gateway_selector;

/// So many nodes are enough to see what cloud they are of.
const SOME_NODES: u32 = 20;

/// Objects as JSON, and what could not be seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Around {
    /// The objects, whole.
    pub objects: Vec<Value>,
    /// What could not be seen, each as a sentence.
    pub unseen: BTreeSet<String>,
    /// The kinds that could not be seen.
    pub hidden: BTreeSet<&'static str>,
}

/// A kind of object that is looked for.
struct Kind {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
}

const GATEWAY: Kind = kind("gateway.networking.k8s.io", "v1", "Gateway", "gateways");
const CLASS: Kind = kind(
    "gateway.networking.k8s.io",
    "v1",
    "GatewayClass",
    "gatewayclasses",
);
const SERVICE: Kind = kind("", "v1", "Service", "services");
const POD: Kind = kind("", "v1", "Pod", "pods");
const EVENT: Kind = kind("", "v1", "Event", "events");
const NODE: Kind = kind("", "v1", "Node", "nodes");
const DEPLOYMENT: Kind = kind("apps", "v1", "Deployment", "deployments");
const DAEMON_SET: Kind = kind("apps", "v1", "DaemonSet", "daemonsets");

const fn kind(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
) -> Kind {
    Kind {
        group,
        version,
        kind,
        plural,
    }
}

/// One question to the API server.
struct Wish {
    kind: &'static Kind,
    namespace: Option<String>,
    parameters: ListParams,
}

impl Around {
    /// Looks at a Gateway, its class, and what was made for it.
    ///
    /// # Errors
    /// A sentence: the API server does not answer.
    pub async fn gateway(
        client: &Client,
        gateway: &ObjectName,
        class: Option<&str>,
    ) -> Result<Self, String> {
        let ObjectName { namespace, name } = gateway;
        let of = ListParams::default().labels(&gateway_selector(name));
        let near = |kind, parameters| Wish {
            kind,
            namespace: Some(namespace.clone()),
            parameters,
        };
        let mut wishes = vec![
            near(&GATEWAY, named(name)),
            near(&SERVICE, of.clone()),
            near(&DEPLOYMENT, of.clone()),
            near(&DAEMON_SET, of.clone()),
            near(&POD, of),
            nodes(),
        ];
        wishes.extend(class.map(|class| Wish {
            kind: &CLASS,
            namespace: None,
            parameters: named(class),
        }));
        let mut around = Self::default();
        around.ask(client, wishes).await?;
        around.events(client, namespace).await?;
        Ok(around)
    }

    /// Looks at a Service, what is said of it, and the nodes.
    ///
    /// # Errors
    /// A sentence: the API server does not answer.
    pub async fn service(client: &Client, service: &ObjectName) -> Result<Self, String> {
        let ObjectName { namespace, name } = service;
        let wish = Wish {
            kind: &SERVICE,
            namespace: Some(namespace.clone()),
            parameters: named(name),
        };
        let mut around = Self::default();
        around.ask(client, vec![wish, nodes()]).await?;
        around.events(client, namespace).await?;
        Ok(around)
    }

    /// What is said about the Services that were found.
    async fn events(&mut self, client: &Client, namespace: &str) -> Result<(), String> {
        let services = self.objects.iter().filter(|it| it["kind"] == "Service");
        let wishes = services.filter_map(|service| {
            let name = service.pointer("/metadata/name")?.as_str()?;
            let of = format!("involvedObject.kind=Service,involvedObject.name={name}");
            Some(Wish {
                kind: &EVENT,
                namespace: Some(namespace.to_owned()),
                parameters: ListParams::default().fields(&of),
            })
        });
        let wishes = wishes.collect();
        self.ask(client, wishes).await
    }

    async fn ask(&mut self, client: &Client, wishes: Vec<Wish>) -> Result<(), String> {
        let asking = wishes.iter().map(|wish| list(client, wish));
        for (wish, listed) in wishes.iter().zip(join_all(asking).await) {
            match listed {
                Ok(found) => self.objects.extend(found),
                Err(error) if is_forbidden(&error) => {
                    self.unseen.insert(refused(wish));
                    self.hidden.insert(wish.kind.kind);
                }
                // A cluster without such a kind has none of it.
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(error) => return Err(away(&error)),
            }
        }
        Ok(())
    }
}

fn named(name: &str) -> ListParams {
    ListParams::default().fields(&format!("metadata.name={name}"))
}

fn nodes() -> Wish {
    Wish {
        kind: &NODE,
        namespace: None,
        parameters: ListParams::default().limit(SOME_NODES),
    }
}

fn refused(wish: &Wish) -> String {
    let Kind { group, plural, .. } = wish.kind;
    let name = match *group {
        "" => (*plural).to_owned(),
        group => format!("{plural}.{group}"),
    };
    match &wish.namespace {
        Some(namespace) => format!("You may not list in namespace {namespace}: {name}."),
        None => format!("You may not list in the cluster: {name}."),
    }
}

async fn list(client: &Client, wish: &Wish) -> kube::Result<Vec<Value>> {
    let Kind {
        group,
        version,
        kind,
        plural,
    } = wish.kind;
    let gvk = GroupVersionKind::gvk(group, version, kind);
    let resource = ApiResource::from_gvk_with_plural(&gvk, plural);
    let api: Api<DynamicObject> = match &wish.namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let found = api.list(&wish.parameters).await?;
    let objects = found.items.into_iter().filter_map(|object| {
        let mut object = serde_json::to_value(object).ok()?;
        // Objects in lists come without it.
        object["kind"] = Value::from(*kind);
        Some(object)
    });
    Ok(objects.collect())
}
