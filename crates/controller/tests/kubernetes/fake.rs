//! An API server in this process: as much of one as the controller asks of. Objects are kept as JSON, every change has
//! a version, lists and watches tell of them, and a write with an old version is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// The API server.
#[derive(Clone)]
pub(crate) struct Fake {
    state: Arc<Mutex<State>>,
    /// Lists of these plurals, and patches in namespaces (`patch NAMESPACE`), wait until they are not in it any more.
    held: watch::Sender<BTreeSet<String>>,
}

#[derive(Default)]
struct State {
    /// By `plural` and `namespace/name`.
    objects: BTreeMap<(String, String), Value>,
    version: u64,
    /// All changes: version, plural, the line that tells of it.
    log: Vec<(u64, String, Bytes)>,
    watchers: Vec<(String, mpsc::UnboundedSender<Bytes>)>,
    missing: BTreeSet<String>,
    forbidden: BTreeSet<String>,
    away: bool,
    /// What is done before the next status of an object is written.
    before_write: BTreeMap<String, Value>,
    requests: Vec<(Method, String)>,
}

/// What a path means.
struct Target {
    plural: String,
    namespace: String,
    name: Option<String>,
    status: bool,
}

impl Fake {
    /// One without objects that knows every kind.
    pub(crate) fn new() -> Self {
        Self {
            state: Arc::default(),
            held: watch::channel(BTreeSet::new()).0,
        }
    }

    /// A client of it.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.clone(), "default")
    }

    /// Puts an object, as a user would: what changes is `spec` and `metadata`.
    pub(crate) fn put(&self, plural: &str, object: Value) {
        self.state().put(plural, object);
    }

    /// Removes an object.
    pub(crate) fn delete(&self, plural: &str, key: &str) {
        let mut state = self.state();
        let found = state.objects.remove(&(plural.to_owned(), key.to_owned()));
        if let Some(mut object) = found {
            state.version += 1;
            object["metadata"]["resourceVersion"] = json!(state.version.to_string());
            state.tell(plural, "DELETED", &object);
        }
    }

    /// An object, as it stands.
    pub(crate) fn get(&self, plural: &str, key: &str) -> Value {
        let key = (plural.to_owned(), key.to_owned());
        self.state().objects.get(&key).cloned().unwrap_or_default()
    }

    /// All objects of a plural.
    pub(crate) fn all(&self, plural: &str) -> Vec<Value> {
        let state = self.state();
        let all = state.objects.iter().filter(|((of, _), _)| of == plural);
        all.map(|(_, object)| object.clone()).collect()
    }

    /// A kind is not known (any more), or is known (again).
    pub(crate) fn set_missing(&self, plural: &str, missing: bool) {
        let mut state = self.state();
        if missing {
            state.missing.insert(plural.to_owned());
        } else {
            state.missing.remove(plural);
        }
    }

    /// `verb plural` is forbidden from now on.
    pub(crate) fn forbid(&self, what: &str, forbidden: bool) {
        let mut state = self.state();
        if forbidden {
            state.forbidden.insert(what.to_owned());
        } else {
            state.forbidden.remove(what);
        }
    }

    /// A kind may be listed in namespaces only.
    pub(crate) fn forbid_everywhere(&self, plural: &str) {
        self.forbid(&format!("list {plural} everywhere"), true);
    }

    /// Lists of a kind wait, or `patch NAMESPACE`.
    pub(crate) fn hold(&self, what: &str, hold: bool) {
        self.held.send_modify(|held| {
            if hold {
                held.insert(what.to_owned());
            } else {
                held.remove(what);
            }
        });
    }

    /// Nothing is answered, and all watches end.
    pub(crate) fn set_away(&self, away: bool) {
        let mut state = self.state();
        state.away = away;
        if away {
            state.watchers.clear();
        }
    }

    /// Right before the next write into `plural namespace/name`, somebody else writes this status.
    pub(crate) fn interfere(&self, object: &str, status: Value) {
        self.state().before_write.insert(object.to_owned(), status);
    }

    /// What was asked for: methods and paths.
    pub(crate) fn requests(&self) -> Vec<(Method, String)> {
        self.state().requests.clone()
    }

    /// How often a path was asked for with a method.
    pub(crate) fn count(&self, method: &Method, end_of_path: &str) -> usize {
        let requests = self.requests();
        let is_meant =
            |(with, path): &&(Method, String)| with == method && path.ends_with(end_of_path);
        requests.iter().filter(is_meant).count()
    }

    /// Waits until something holds.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..1000 {
            if holds(self) {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!(
            "{what}: it did not come to that. Asked for: {:#?}",
            self.requests()
        );
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn answer(self, request: Request<Body>) -> Answer {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let path = head.uri.path().to_owned();
        let query = head.uri.query().unwrap_or_default().to_owned();
        let Some(target) = Target::of(&path) else {
            return failure(StatusCode::NOT_FOUND, "NotFound", "no such path");
        };
        let watches = query.contains("watch=true");
        let lists = head.method == Method::GET && target.name.is_none() && !watches;
        let waits_for = match head.method {
            _ if lists => Some(target.plural.clone()),
            Method::PATCH => Some(format!("patch {}", target.namespace)),
            _ => None,
        };
        if let Some(what) = waits_for {
            let mut held = self.held.subscribe();
            held.wait_for(|held| !held.contains(&what)).await.unwrap();
        }
        let mut state = self.state();
        state.requests.push((head.method.clone(), path));
        let verb = match (&head.method, &target.name) {
            _ if watches => "watch",
            (&Method::GET, None) => "list",
            (&Method::GET, Some(_)) => "get",
            (&Method::POST, _) => "create",
            (&Method::PUT, _) => "update",
            _ if head.headers.get(CONTENT_TYPE).is_some_and(is_apply) => "apply",
            _ => "patch",
        };
        let what = format!("{verb} {}", target.plural);
        if state.missing.contains(&target.plural) {
            return failure(StatusCode::NOT_FOUND, "", "404 page not found");
        }
        let everywhere = format!("{what} everywhere");
        let is_everywhere = target.namespace.is_empty() && state.forbidden.contains(&everywhere);
        if is_everywhere || state.forbidden.contains(&what) {
            return failure(StatusCode::FORBIDDEN, "Forbidden", &what);
        }
        match verb {
            "watch" => state.watch(&target, &query),
            "list" => json_answer(&state.list(&target, &query)),
            "get" => state.found(&target),
            _ => state.write(&target, verb, &serde_json::from_slice(&body).unwrap()),
        }
    }
}

impl State {
    fn put(&mut self, plural: &str, mut object: Value) {
        let key = (plural.to_owned(), key_of(&object));
        let old = self.objects.get(&key).cloned();
        let generation = old.as_ref().map_or(1, |old| {
            let before = old["metadata"]["generation"].as_u64().unwrap_or(1);
            before + u64::from(old["spec"] != object["spec"])
        });
        object["metadata"]["generation"] = json!(generation);
        object["metadata"]["uid"] = json!(format!("uid of {}", key.1));
        if let Some(old) = old.as_ref().filter(|old| !old["status"].is_null()) {
            object["status"] = old["status"].clone();
        }
        let event = if old.is_some() { "MODIFIED" } else { "ADDED" };
        self.store(key, object, event);
    }

    fn store(&mut self, key: (String, String), mut object: Value, event: &str) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let plural = key.0.clone();
        self.objects.insert(key, object.clone());
        self.tell(&plural, event, &object);
    }

    fn tell(&mut self, plural: &str, event: &str, object: &Value) {
        // The type comes first, as API servers write it.
        let line = format!("{{\"type\": \"{event}\", \"object\": {object}}}\n");
        let line = Bytes::from(line);
        self.watchers
            .retain(|(of, watcher)| of != plural || watcher.send(line.clone()).is_ok());
        self.log.push((self.version, plural.to_owned(), line));
    }

    fn of(&self, target: &Target) -> Vec<Value> {
        let in_place = |key: &str| {
            target.namespace.is_empty() || key.starts_with(&format!("{}/", target.namespace))
        };
        let all = self.objects.iter();
        let meant = all.filter(|((plural, key), _)| *plural == target.plural && in_place(key));
        meant.map(|(_, object)| object.clone()).collect()
    }

    /// As many as are asked for; `continue` says from where the next page goes on.
    fn list(&self, target: &Target, query: &str) -> Value {
        let number = |name: &str| {
            let mut fields = query.split('&');
            let value = fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
            value.and_then(|value| value.parse::<usize>().ok())
        };
        let mut items = self.of(target);
        let begin = number("continue").unwrap_or_default();
        let end = number("limit").map_or(items.len(), |limit| items.len().min(begin + limit));
        let next = if end < items.len() {
            end.to_string()
        } else {
            String::new()
        };
        items.truncate(end);
        items.drain(..begin);
        json!({
            "apiVersion": "v1", "kind": "List",
            "metadata": {"resourceVersion": self.version.to_string(), "continue": next},
            "items": items,
        })
    }

    fn watch(&mut self, target: &Target, query: &str) -> Answer {
        let since = query
            .split('&')
            .find_map(|it| it.strip_prefix("resourceVersion="));
        let since: u64 = since.and_then(|text| text.parse().ok()).unwrap_or_default();
        let (sender, lines) = mpsc::unbounded_channel();
        for (version, plural, line) in &self.log {
            if *version > since && *plural == target.plural {
                sender.send(line.clone()).unwrap();
            }
        }
        self.watchers.push((target.plural.clone(), sender));
        let frames = stream::unfold(lines, |mut lines| async {
            let line = lines.recv().await?;
            Some((Ok(http_body::Frame::data(line)), lines))
        });
        Response::new(StreamBody::new(frames).boxed_unsync())
    }

    fn found(&self, target: &Target) -> Answer {
        match self.objects.get(&target.key()) {
            Some(object) => json_answer(object),
            None => failure(StatusCode::NOT_FOUND, "NotFound", "not found"),
        }
    }

    fn write(&mut self, target: &Target, verb: &str, body: &Value) -> Answer {
        let key = match verb {
            "create" => (target.plural.clone(), key_of_new(target, body)),
            _ => target.key(),
        };
        let interference = self.before_write.remove(&format!("{} {}", key.0, key.1));
        if let (Some(status), Some(mut object)) = (interference, self.objects.get(&key).cloned()) {
            object["status"] = status;
            self.store(key.clone(), object, "MODIFIED");
        }
        let there = self.objects.get(&key).cloned();
        let wanted = &body["metadata"]["resourceVersion"];
        match (verb, &there) {
            ("create", Some(_)) => {
                return failure(StatusCode::CONFLICT, "AlreadyExists", "it exists");
            }
            ("create" | "apply", None) => {}
            (_, None) => return failure(StatusCode::NOT_FOUND, "NotFound", "not found"),
            (_, Some(there))
                if wanted.is_string() && *wanted != there["metadata"]["resourceVersion"] =>
            {
                return failure(StatusCode::CONFLICT, "Conflict", "it was changed");
            }
            _ => {}
        }
        let mut object = there.unwrap_or_else(|| body.clone());
        match verb {
            "update" => object = body.clone(),
            "patch" if target.status => merge(&mut object["status"], &body["status"]),
            "patch" | "apply" => merge(&mut object, body),
            _ => {}
        }
        self.store(key.clone(), object, "MODIFIED");
        json_answer(&self.objects[&key])
    }
}

impl Target {
    fn of(path: &str) -> Option<Self> {
        let mut parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match *parts.first()? {
            "api" => drop(parts.drain(..2)),
            "apis" => drop(parts.drain(..3)),
            _ => return None,
        }
        let mut namespace = String::new();
        if parts.first() == Some(&"namespaces") && parts.len() > 2 {
            parts[1].clone_into(&mut namespace);
            parts.drain(..2);
        }
        Some(Self {
            plural: (*parts.first()?).to_owned(),
            namespace,
            name: parts.get(1).map(|name| (*name).to_owned()),
            status: parts.get(2) == Some(&"status"),
        })
    }

    fn key(&self) -> (String, String) {
        let name = self.name.clone().unwrap_or_default();
        (self.plural.clone(), joined(&self.namespace, &name))
    }
}

/// Server-side apply, which makes what is not there. Whose fields are whose is not kept.
fn is_apply(content_type: &HeaderValue) -> bool {
    content_type.as_bytes() == b"application/apply-patch+yaml"
}

fn key_of(object: &Value) -> String {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    joined(text("namespace"), text("name"))
}

fn key_of_new(target: &Target, object: &Value) -> String {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    joined(&target.namespace, name)
}

fn joined(namespace: &str, name: &str) -> String {
    if namespace.is_empty() {
        name.to_owned()
    } else {
        format!("{namespace}/{name}")
    }
}

/// JSON merge patch (RFC 7396).
fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (field, value) in patch {
        if value.is_null() {
            into.as_object_mut().unwrap().remove(field);
        } else {
            merge(&mut into[field], value);
        }
    }
}

fn json_answer(value: &Value) -> Answer {
    let body = Full::new(Bytes::from(value.to_string()));
    Response::new(body.boxed_unsync())
}

fn failure(status: StatusCode, reason: &str, message: &str) -> Answer {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure",
        "code": status.as_u16(), "reason": reason, "message": message,
    });
    let mut answer = json_answer(&body);
    *answer.status_mut() = status;
    answer
}

impl tower_service::Service<Request<Body>> for Fake {
    type Response = Answer;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let fake = self.clone();
        Box::pin(async move {
            if fake.state().away {
                return Err(std::io::Error::other("connection refused"));
            }
            Ok(fake.answer(request).await)
        })
    }
}
