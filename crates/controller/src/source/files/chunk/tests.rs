//! Documents as objects, and what is said about those that are none.

use daemun_model::verdict::{FieldPath, Severity};

use super::Chunk;

const ROUTE: &str = "\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: orders}
spec:
  rules:
  - matches:
    - path: {type: PathPrefix, value: /api}
";

fn messages(text: &str) -> Vec<String> {
    let (chunk, _) = Chunk::read(text);
    let of_entries = chunk.entries.iter().flat_map(|entry| &entry.flaws);
    let flaws = chunk.flaws.iter().chain(of_entries);
    flaws
        .map(|flaw| {
            let kind = if flaw.severity == Severity::Error {
                "error"
            } else {
                "warning"
            };
            format!(
                "{}:{} {kind} {}",
                flaw.place.line, flaw.place.column, flaw.message
            )
        })
        .collect()
}

#[test]
fn an_object_gets_the_namespace_that_its_file_leaves_out() {
    let (chunk, objects) = Chunk::read(ROUTE);
    assert_eq!(
        chunk.entries[0].object.to_string(),
        "HTTPRoute default/orders"
    );
    assert_eq!(objects[0].metadata().namespace.as_deref(), Some("default"));
    let (chunk, objects) = Chunk::read(
        "{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, \
         metadata: {name: x, namespace: y}, spec: {controllerName: a.b/c}}",
    );
    assert_eq!(chunk.entries[0].object.to_string(), "GatewayClass x");
    assert_eq!(objects[0].metadata().namespace, None);
}

#[test]
fn an_unknown_field_is_named_with_its_place_and_the_nearest_name() {
    assert_eq!(
        messages(&ROUTE.replace("path:", "pathh:")),
        [
            "7:7 error unknown field \"pathh\" in HTTPRoute default/orders, spec.rules[0].matches[0]; \
             did you mean \"path\"?"
        ]
    );
}

#[test]
fn kinds_and_versions_that_are_not_read_are_warnings() {
    for (text, message) in [
        (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n",
            "2:7 warning Deployment web is left out: nothing here reads the kind Deployment of apps/v1.",
        ),
        (
            "apiVersion: gateway.networking.k8s.io/v1alpha1\nkind: HTTPRoute\nmetadata: {name: web}\n",
            "2:7 warning HTTPRoute web is left out: HTTPRoute is read in apiVersion \
             gateway.networking.k8s.io/v1, not in gateway.networking.k8s.io/v1alpha1.",
        ),
        (
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HttpRoute\nmetadata: {name: web}\n",
            "2:7 warning HttpRoute web is left out: nothing here reads the kind HttpRoute of \
             gateway.networking.k8s.io/v1. Did you mean HTTPRoute?",
        ),
    ] {
        assert_eq!(messages(text), [message]);
    }
}

#[test]
fn what_is_no_object_is_said() {
    for (text, part) in [
        (
            "hello: world\n",
            "1:1 error this is not an object: the field \"apiVersion\" is missing",
        ),
        (
            "apiVersion: v1\nkind: 3\n",
            "2:7 error the field \"kind\" of an object is a string",
        ),
        (
            "apiVersion: v1\nkind: Service\nspec: {}\n",
            "1:1 error this Service has no name",
        ),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: 12}\n",
            "3:18 error this Service has no name",
        ),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: A_b}\nspec: {ports: []}\n",
            "3:18 error the name \"A_b\" is not one that Kubernetes takes",
        ),
        ("a: [\n", "error this is not YAML: "),
        (
            &ROUTE.replace("kind: HTTPRoute\n", "kind: HTTPRoute\nkind: Gateway\n"),
            "3:1 error the key \"kind\" stands twice",
        ),
    ] {
        let said = messages(text);
        assert!(
            said.iter().any(|message| message.contains(part)),
            "{text}: {said:#?}"
        );
    }
}

#[test]
fn lists_are_flattened_and_places_found_in_them() {
    let text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Namespace\n  metadata:\n    name: a\n    \
                labels: {x: y}\n- apiVersion: v1\n  kind: Namespace\n  metadata:\n    name: b\n    labels: {x: y}\n";
    let (chunk, objects) = Chunk::read(text);
    let names: Vec<_> = chunk
        .entries
        .iter()
        .map(|entry| entry.object.to_string())
        .collect();
    assert_eq!(names, ["Namespace a", "Namespace b"]);
    assert_eq!(objects.len(), 2);
    let path = FieldPath::of("metadata.labels.x");
    let place = chunk.entries[1]
        .position
        .locate(&chunk.documents(), &path)
        .unwrap();
    assert_eq!((place.line, place.column), (13, 17));
}

#[test]
fn nothing_of_a_secret_is_shown() {
    for data in [
        "stringData: {password: 12345678}",
        "data: {password: 'not/base64!'}",
        "stringData: {password: hunter2hunter2}\nmore: hunter2hunter2",
        "stringData: {password: [hunter2hunter2}",
        "stringData: {password: *hunter2hunter2}",
    ] {
        let text = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\n{data}\n");
        let (chunk, _) = Chunk::read(&text);
        assert!(chunk.secret, "{data}");
        let said = messages(&text).join("\n");
        assert!(!said.is_empty(), "{data}");
        for value in ["12345678", "not/base64", "hunter2"] {
            assert!(!said.contains(value), "{said}");
        }
        let spot = chunk.spot(
            &"f".into(),
            0,
            chunk
                .entries
                .first()
                .map_or_else(|| chunk.flaws[0].place, |entry| entry.place),
        );
        assert_eq!(spot.snippet, None);
    }
}

#[test]
fn a_broken_gateway_that_names_a_secret_is_shown() {
    let (chunk, _) = Chunk::read("metadata: {name: x}\nspec: {certificateRefs: [{kind: Secret}}\n");
    assert!(!chunk.secret);
    let message = &chunk.flaws[0].message;
    assert!(message.starts_with("this is not YAML: "), "{message}");
}
