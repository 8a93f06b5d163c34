//! The API server, as far as the bench needs it: objects as JSON, one call at a time or a few at once.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::{Method, Request};
use kube::Client as Kube;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::objects;
use crate::bench::process::now;
use crate::http::client::Client;

/// How many objects are made at once.
const AT_ONCE: usize = 16;

/// A cluster, and the namespace that the bench works in.
pub(super) struct Cluster {
    runtime: Runtime,
    kube: Kube,
    namespace: &'static str,
}

impl Cluster {
    /// Connects as `KUBECONFIG` says.
    pub(super) fn connect(namespace: &'static str) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("There is no runtime: {error}."))?;
        let kube = runtime.block_on(Kube::try_default()).map_err(|error| {
            format!("There is no cluster to measure ({error}). Set KUBECONFIG, or start one with cargo xtask lab up.")
        })?;
        Ok(Self {
            runtime,
            kube,
            namespace,
        })
    }

    /// One call. None: there is no such object.
    pub(super) fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Option<Value>, String> {
        self.runtime
            .block_on(call(self.kube.clone(), method, path.to_owned(), body))
    }

    /// What is at a path; an error if there is nothing.
    pub(super) fn get(&self, path: &str) -> Result<Value, String> {
        self.call(Method::GET, path, None)?
            .ok_or_else(|| format!("The API server has nothing at {path}."))
    }

    /// Makes an object in the bench's namespace.
    pub(super) fn create(&self, object: &Value) -> Result<(), String> {
        self.call(Method::POST, &self.collection(object)?, Some(object))
            .map(drop)
    }

    /// Replaces parts of an object (RFC 7396).
    pub(super) fn patch(&self, object: &Value, patch: &Value) -> Result<(), String> {
        let path = self.path(object)?;
        self.call(Method::PATCH, &path, Some(patch)).map(drop)
    }

    /// Deletes an object.
    pub(super) fn delete(&self, object: &Value) -> Result<(), String> {
        self.call(Method::DELETE, &self.path(object)?, None)
            .map(drop)
    }

    pub(super) fn create_namespace(&self) -> Result<(), String> {
        let namespace = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace},
        });
        self.call(Method::POST, "/api/v1/namespaces", Some(&namespace))
            .map(drop)
    }

    /// Deletes the namespace with all that is in it, and waits until it is gone.
    pub(super) fn delete_namespace(&self) -> Result<(), String> {
        let path = format!("/api/v1/namespaces/{}", self.namespace);
        self.call(Method::DELETE, &path, None)?;
        wait("the namespace is gone", Duration::from_secs(300), || {
            Ok(self.call(Method::GET, &path, None)?.is_none().then_some(()))
        })
    }

    /// Waits until the Gateway is programmed, and gives its address.
    pub(super) fn wait_for_gateway(&self) -> Result<SocketAddr, String> {
        let path = self.path(&objects::gateway(""))?;
        wait(
            "the Gateway is programmed",
            Duration::from_secs(120),
            || {
                let gateway = self.get(&path)?;
                let conditions = gateway["status"]["conditions"].as_array();
                let programmed = conditions.into_iter().flatten().any(|condition| {
                    condition["type"] == "Programmed" && condition["status"] == "True"
                });
                let address = gateway["status"]["addresses"][0]["value"].as_str();
                let address = address.and_then(|address| address.parse().ok());
                Ok(address
                    .filter(|_| programmed)
                    .map(|address| SocketAddr::new(address, 80)))
            },
        )
    }

    /// The routes of a Gateway; there are none yet.
    pub(super) fn routes(&self, gateway: SocketAddr) -> Routes<'_> {
        Routes {
            cluster: self,
            gateway,
            client: RefCell::new(Client::new(gateway)),
            count: 0,
        }
    }

    fn collection(&self, object: &Value) -> Result<String, String> {
        let word = |field: &str| object[field].as_str().unwrap_or_default();
        let (version, kind) = (word("apiVersion"), word("kind"));
        let root = if version.contains('/') { "apis" } else { "api" };
        if kind.is_empty() {
            return Err(format!("This object has no kind: {object}"));
        }
        let plural = format!("{}s", kind.to_ascii_lowercase());
        Ok(format!(
            "/{root}/{version}/namespaces/{}/{plural}",
            self.namespace
        ))
    }

    fn path(&self, object: &Value) -> Result<String, String> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        Ok(format!("{}/{name}", self.collection(object)?))
    }
}

async fn call(
    kube: Kube,
    method: Method,
    path: String,
    body: Option<&Value>,
) -> Result<Option<Value>, String> {
    let content = if method == Method::PATCH {
        "application/merge-patch+json"
    } else {
        "application/json"
    };
    let what = format!("{method} {path}");
    let bytes = body.map(ToString::to_string).unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", content)
        .body(bytes.into_bytes())
        .map_err(|error| format!("{what}: {error}"))?;
    match kube.request::<Value>(request).await {
        Ok(answer) => Ok(Some(answer)),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(format!("{what}: {error}")),
    }
}

/// The routes of the bench's Gateway, numbered from 0.
pub(super) struct Routes<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) gateway: SocketAddr,
    client: RefCell<Client>,
    count: usize,
}

impl Routes<'_> {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Makes routes until there are so many.
    pub(super) fn grow_to(&mut self, count: usize) -> Result<(), String> {
        let path = self.cluster.collection(&objects::route(0, 0))?;
        let kube = &self.cluster.kube;
        let made = self.cluster.runtime.block_on(async {
            let mut making = JoinSet::new();
            for number in self.count..count {
                if making.len() == AT_ONCE
                    && let Some(one) = making.join_next().await
                {
                    one.map_err(|error| error.to_string())??;
                }
                let (kube, path) = (kube.clone(), path.clone());
                making.spawn(async move {
                    let route = objects::route(number, 0);
                    call(kube, Method::POST, path, Some(&route)).await.map(drop)
                });
            }
            while let Some(one) = making.join_next().await {
                one.map_err(|error| error.to_string())??;
            }
            Ok(())
        });
        self.count = self.count.max(count);
        made
    }

    /// Waits until the last route answers.
    pub(super) fn wait_for_last(&self) -> Result<(), String> {
        let host = objects::host(self.count.saturating_sub(1));
        wait("the last route answers", Duration::from_secs(120), || {
            let status = self.client.borrow_mut().get(&host, "/")?;
            Ok((status == 200).then_some(()))
        })
    }

    /// Waits until the status of every route says something.
    pub(super) fn wait_for_statuses(&self) -> Result<(), String> {
        let path = self.cluster.collection(&objects::route(0, 0))?;
        wait("every route has a status", Duration::from_secs(300), || {
            // Looking at thousands is work for the API server, which has enough to do.
            std::thread::sleep(Duration::from_secs(2));
            let routes = self.cluster.get(&path)?;
            let told = |route: &Value| {
                route["status"]["parents"]
                    .as_array()
                    .is_some_and(|it| !it.is_empty())
            };
            let routes = routes["items"].as_array();
            Ok(routes
                .is_some_and(|routes| routes.iter().all(told))
                .then_some(()))
        })
    }

    /// Makes one more route and gives the moment at which the API server had accepted it.
    pub(super) fn add_one(&mut self) -> Result<Instant, String> {
        self.cluster.create(&objects::route(self.count, 0))?;
        let accepted = now();
        self.count += 1;
        Ok(accepted)
    }
}

/// Looks again and again, for at most so long.
pub(super) fn wait<T>(
    what: &str,
    longest: Duration,
    mut look: impl FnMut() -> Result<Option<T>, String>,
) -> Result<T, String> {
    let end = now() + longest;
    loop {
        let seen = look();
        if let Ok(Some(found)) = seen {
            return Ok(found);
        }
        if now() > end {
            let why = seen.err().unwrap_or_default();
            return Err(format!(
                "It did not come about within {} s that {what}. {why}",
                longest.as_secs()
            ));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
