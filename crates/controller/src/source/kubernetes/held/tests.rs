//! What is known after what watches told.

use std::sync::Arc;

use daemun_model::names::ObjectName;
use daemun_objects::gateway_api::httproute::HttpRoute;
use daemun_objects::{Any, Metadata};
use daemun_translate::Settings;

use super::super::event::{Event, What};
use super::super::raw::{Seen, Written};
use super::super::served::kind;
use super::super::trouble::Trouble;
use super::super::watch::Watched;
use super::Held;

fn name(namespace: &str, text: &str) -> ObjectName {
    ObjectName::new(namespace, text)
}

fn route(namespace: &str, text: &str, version: &str) -> What {
    let mut route = HttpRoute::default();
    route.metadata = Metadata::new(namespace, text);
    What::Put(Box::new(Seen {
        name: name(namespace, text),
        object: Any::HttpRoute(Arc::new(route)),
        written: Written {
            resource_version: version.into(),
            ..Written::default()
        },
    }))
}

fn held(namespaces: &[&str]) -> Held {
    let watch = |(id, namespace): (usize, &&str)| Watched {
        id,
        kind: kind("HTTPRoute").unwrap(),
        namespace: Some((*namespace).to_owned()),
        names_only: false,
    };
    let watches: Vec<Watched> = namespaces.iter().enumerate().map(watch).collect();
    Held::new(Settings::default(), &watches)
}

fn tell(held: &mut Held, watch: usize, whats: impl IntoIterator<Item = What>) {
    for what in whats {
        held.note(Event { watch, what });
    }
}

fn names(held: &Held) -> Vec<String> {
    let routes = held.cluster.http_routes.iter();
    routes.map(|(name, _)| name.to_string()).collect()
}

#[test]
fn nothing_is_complete_before_every_watch_has_listed() {
    let mut held = held(&["a", "b"]);
    tell(
        &mut held,
        0,
        [What::Listing, route("a", "1", "1"), What::Listed],
    );
    assert!(!held.is_complete());
    tell(&mut held, 1, [What::Listing]);
    assert!(!held.is_complete());
    tell(&mut held, 1, [What::Listed]);
    assert!(held.is_complete());
}

#[test]
fn a_kind_that_the_api_server_does_not_know_has_no_objects_and_is_listed() {
    let mut held = held(&["a"]);
    tell(
        &mut held,
        0,
        [What::Listing, route("a", "1", "1"), What::Listed],
    );
    let missing = Trouble::Missing {
        kind: kind("HTTPRoute").unwrap(),
    };
    tell(&mut held, 0, [What::Trouble(missing.clone())]);
    assert!(held.is_complete());
    assert_eq!(names(&held), [""; 0]);
    assert_eq!(held.troubles(), [&missing]);
    tell(&mut held, 0, [What::Listing, What::Listed]);
    assert!(held.troubles().is_empty());
}

#[test]
fn a_second_listing_takes_out_what_it_does_not_name_in_its_own_namespace() {
    let mut held = held(&["a", "b"]);
    tell(
        &mut held,
        0,
        [
            What::Listing,
            route("a", "1", "1"),
            route("a", "2", "2"),
            What::Listed,
        ],
    );
    tell(
        &mut held,
        1,
        [What::Listing, route("b", "1", "3"), What::Listed],
    );
    assert!(held.take_changed());
    tell(&mut held, 0, [What::Listing, route("a", "2", "2")]);
    assert_eq!(
        names(&held),
        ["a/1", "a/2", "b/1"],
        "not before it is whole"
    );
    assert!(!held.take_changed());
    tell(&mut held, 0, [What::Listed]);
    assert_eq!(names(&held), ["a/2", "b/1"]);
    assert!(held.take_changed());
}

#[test]
fn what_controllers_write_is_observed_and_changes_nothing() {
    let mut held = held(&["a"]);
    tell(
        &mut held,
        0,
        [What::Listing, route("a", "1", "1"), What::Listed],
    );
    assert!(held.take_changed());
    assert_eq!(held.take_observed().len(), 1);
    tell(&mut held, 0, [route("a", "1", "2")]);
    assert!(!held.take_changed());
    let observed = held.take_observed();
    let version = observed[0].written.as_ref().map(|it| &*it.resource_version);
    assert_eq!(version, Some("2"));
    tell(&mut held, 0, [What::Gone(name("a", "1"))]);
    assert!(held.take_changed());
    assert_eq!(held.take_observed()[0].written, None);
}

#[test]
fn trouble_leaves_what_is_known_as_it_is() {
    let mut held = held(&["a"]);
    tell(
        &mut held,
        0,
        [What::Listing, route("a", "1", "1"), What::Listed],
    );
    held.take_changed();
    let away = Trouble::Away {
        why: "connection refused".to_owned(),
    };
    tell(&mut held, 0, [What::Trouble(away)]);
    assert!(held.is_complete());
    assert!(!held.take_changed());
    assert_eq!(names(&held), ["a/1"]);
}
