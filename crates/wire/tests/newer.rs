//! What a proxy makes of a controller that is newer than it: a resource that it cannot read is refused by name, and
//! what cannot be read protects.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use daemun_model::Snapshot;
use daemun_model::filter::Filter;
use daemun_model::matching::PathMatch;
use daemun_testkit::gateway::Objects;
use daemun_testkit::yaml;
use daemun_wire::client::{Update, replay};
use daemun_wire::commit::{Commit, Put, cut};
use daemun_wire::frame::{self, ToProxy};
use daemun_wire::resource::{self, Name, Resource, Version};
use daemun_wire::versions::Versions;
use serde::Serialize;

/// A resource of tomorrow: what there is today, and something more.
#[derive(Serialize)]
struct Newer<'a, T> {
    #[serde(flatten)]
    known: &'a T,
    tomorrow: bool,
}

fn newer(resource: &Resource) -> Bytes {
    fn written<T: Serialize>(known: &T) -> Bytes {
        let newer = Newer {
            known,
            tomorrow: true,
        };
        rmp_serde::to_vec_named(&newer).unwrap().into()
    }
    match resource {
        Resource::Gateway(it) => written(&**it),
        Resource::Listener(it) => written(&**it),
        Resource::Route(it) => written(&**it),
        Resource::Stream(it) => written(&**it),
        Resource::Backend(it) => written(&**it),
        Resource::Certificate(it) => written(&**it),
    }
}

/// Another word of the same length in place of one.
fn respelled(bytes: &[u8], word: &str, other: &str) -> Bytes {
    assert_eq!(word.len(), other.len());
    let place = bytes
        .windows(word.len())
        .position(|window| window == word.as_bytes());
    let mut bytes = bytes.to_vec();
    let place = place.unwrap();
    bytes[place..place + word.len()].copy_from_slice(other.as_bytes());
    bytes.into()
}

/// A controller of any version: what it has sent so far.
struct Stream {
    resources: BTreeMap<Name, Resource>,
    versions: Versions,
    frames: Vec<Bytes>,
}

impl Stream {
    /// One that sent these objects.
    fn new() -> Self {
        let objects = yaml::documents(&[
            &yaml::gateway(8080),
            "apiVersion: gateway.daemun.dev/v1alpha1\nkind: Backend\nmetadata: {name: echo}\n\
             spec: {endpoints: [{address: 127.0.0.1, port: 9}]}",
            &yaml::route(
                "one",
                &format!(
                    "rules: [{{matches: [{{path: {{type: Exact, value: /one}}}}], \
                     filters: [{{type: RequestHeaderModifier, requestHeaderModifier: {{remove: [x]}}}}], \
                     backendRefs: [{{{}}}]}}]",
                    yaml::to("echo")
                ),
            ),
        ]);
        let (configuration, _) = Objects::default().translate(&objects);
        let snapshot = configuration.gateways.values().next().unwrap();
        Self {
            resources: resource::all(snapshot)
                .map(|resource| (resource.key().name(), resource))
                .collect(),
            versions: Versions::default(),
            frames: Vec::new(),
        }
    }

    /// The one resource of a kind.
    fn find(&self, kind: &str) -> (Name, Resource) {
        let mut of_kind = self
            .resources
            .iter()
            .filter(|(_, resource)| format!("{resource:?}").starts_with(kind));
        let (name, resource) = of_kind.next().unwrap();
        (name.clone(), resource.clone())
    }

    fn send(&mut self, put: Vec<(Name, Bytes)>) {
        for (name, bytes) in &put {
            self.versions.insert(name, Version::of(bytes));
        }
        let commit = Commit {
            put: put
                .into_iter()
                .map(|(name, bytes)| Put { name, bytes })
                .collect(),
            removed: Vec::new(),
            root: self.versions.root(),
        };
        let pieces = cut(&commit).unwrap().into_iter();
        let frames = pieces.map(|piece| frame::write(&ToProxy::Commit(piece)).unwrap());
        self.frames.extend(frames);
    }

    /// Sends all as it is, with this in place of what it has or beside it.
    fn send_all(&mut self, with: Option<(Name, Bytes)>) {
        let all = self.resources.iter();
        let mut put: BTreeMap<Name, Bytes> = all
            .map(|(name, resource)| (name.clone(), resource.write().unwrap()))
            .collect();
        put.extend(with);
        self.send(put.into_iter().collect());
    }

    fn update(&self) -> Option<Update> {
        replay(self.frames.iter().map(|frame| &frame[..])).unwrap()
    }
}

fn snapshot(update: &Update) -> Arc<Snapshot> {
    let mut gateways = update.configuration.gateways.values();
    Arc::clone(gateways.next().unwrap())
}

/// What became of the one resource of a kind when it came from tomorrow.
fn refused(kind: &str, change: impl Fn(&Resource) -> Bytes) -> Arc<Snapshot> {
    let mut stream = Stream::new();
    let (name, resource) = stream.find(kind);
    stream.send_all(Some((name.clone(), change(&resource))));
    let update = stream.update().unwrap();
    let what: Vec<&str> = update.refused.iter().map(|it| it.what.as_str()).collect();
    assert_eq!(what, [name.to_string()]);
    snapshot(&update)
}

/// The only route's only rule: the path it takes, and its filters.
fn rule(snapshot: &Snapshot) -> (PathMatch, Vec<Filter>) {
    let route = snapshot.routes.values().next().unwrap();
    let rule = &route.rules[0];
    (rule.matches[0].path.clone(), rule.filters.clone())
}

#[test]
fn a_route_that_cannot_be_read_answers_500_where_it_stands() {
    for change in [
        (|resource: &Resource| newer(resource)) as fn(&Resource) -> Bytes,
        |resource| {
            respelled(
                &resource.write().unwrap(),
                "RequestHeaders",
                "RequestSecrets",
            )
        },
        |resource| respelled(&resource.write().unwrap(), "weight", "burden"),
    ] {
        let snapshot = refused("Route", change);
        let (path, filters) = rule(&snapshot);
        assert_eq!(path, PathMatch::Exact("/one".to_owned()));
        assert!(matches!(filters[..], [Filter::Invalid(_)]), "{filters:?}");
    }
}

#[test]
fn a_match_that_cannot_be_read_takes_what_nobody_else_takes() {
    let respelled = |resource: &Resource| respelled(&resource.write().unwrap(), "Exact", "Maybe");
    let (path, filters) = rule(&refused("Route", respelled));
    assert_eq!(path, PathMatch::Prefix("/".to_owned()));
    assert!(matches!(filters[..], [Filter::Invalid(_)]), "{filters:?}");
}

#[test]
fn listeners_and_backends_that_cannot_be_read_answer_500() {
    let snapshot = refused("Listener", newer);
    let listener = snapshot.listeners.values().next().unwrap();
    assert_eq!(listener.port, 8080);
    assert!(listener.refused.is_some());
    let snapshot = refused("Backend", newer);
    let backend = snapshot.backends.values().next().unwrap();
    assert!(backend.refused.is_some() && backend.endpoints.is_empty());
}

#[test]
fn what_was_accepted_before_stays_and_what_comes_right_is_taken() {
    let mut stream = Stream::new();
    stream.send_all(None);
    let (name, resource) = stream.find("Route");
    let before = snapshot(&stream.update().unwrap());
    stream.send(vec![(name.clone(), newer(&resource))]);
    let update = stream.update().unwrap();
    assert_eq!(snapshot(&update), before);
    assert_eq!(update.refused.len(), 1);
    stream.send(vec![(name, resource.write().unwrap())]);
    let update = stream.update().unwrap();
    assert_eq!(snapshot(&update), before);
    assert!(update.refused.is_empty());
}

#[test]
fn a_kind_that_is_not_known_is_refused_by_name() {
    let mut stream = Stream::new();
    let wall = Name::from("wall infra/great".to_owned());
    stream.send_all(Some((wall, Bytes::from_static(b"\x80"))));
    let update = stream.update().unwrap();
    assert_eq!(update.refused[0].what, "wall infra/great");
    assert_eq!(snapshot(&update).routes.len(), 1);
}

#[test]
fn without_its_gateway_there_is_nothing_to_serve() {
    let mut stream = Stream::new();
    let (name, gateway) = stream.find("Gateway");
    stream.send_all(Some((name.clone(), newer(&gateway))));
    assert!(stream.update().is_none());
    stream.send(vec![(name, gateway.write().unwrap())]);
    assert_eq!(snapshot(&stream.update().unwrap()).routes.len(), 1);
}

#[test]
fn a_frame_that_is_not_known_ends_the_stream() {
    for bytes in [
        rmp_serde::to_vec_named(&BTreeMap::from([("Sing", "loudly")])).unwrap(),
        respelled(&frame::write(&ToProxy::Ping).unwrap(), "Ping", "Pung").to_vec(),
        b"no frame at all".to_vec(),
    ] {
        assert!(replay([&bytes[..]]).is_err());
    }
}
