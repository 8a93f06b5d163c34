//! The same questions, asked of a cluster: an API server in this process that can be read, and no more.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use daemun_testkit::golden;
use serde_json::{Value, json};

use super::{directory, run};

/// What an API server has, and the plurals that may not be listed.
struct Server {
    objects: Vec<Value>,
    forbidden: Vec<&'static str>,
}

/// Starts one with the objects of files; gives a kubeconfig for it.
fn serve(files: &[&str], forbidden: &[&'static str]) -> tempfile::NamedTempFile {
    let objects = files.iter().flat_map(|file| {
        let text = std::fs::read_to_string(directory().join(file)).unwrap();
        let documents: Vec<Value> = text
            .split("\n---\n")
            .map(|document| serde_saphyr::from_str(document).unwrap())
            .collect();
        documents
    });
    let server = Arc::new(Server {
        objects: objects.collect(),
        forbidden: forbidden.to_vec(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let server = Arc::clone(&server);
            thread::spawn(move || server.answer(connection));
        }
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    let config = format!(
        "apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: 'http://{address}'}}}}]
users: [{{name: u, user: {{token: t}}}}]
contexts: [{{name: x, context: {{cluster: c, user: u, namespace: infra}}}}]
current-context: x
"
    );
    std::fs::write(file.path(), config).unwrap();
    file
}

impl Server {
    fn answer(&self, connection: TcpStream) {
        let mut reader = BufReader::new(connection);
        let mut first = String::new();
        let _ = reader.read_line(&mut first);
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
            line.clear();
        }
        let target = first.split(' ').nth(1).unwrap_or_default();
        let (code, body) = self.get(target);
        let body = body.to_string();
        let _ = write!(
            reader.get_mut(),
            "HTTP/1.1 {code} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
    }

    fn get(&self, target: &str) -> (u16, Value) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = query
            .replace("%3D", "=")
            .replace("%2F", "/")
            .replace("%2C", ",");
        let mut steps: Vec<&str> = path.split('/').skip(1).collect();
        let start = if steps.first() == Some(&"api") { 2 } else { 3 };
        let mut rest = steps.split_off(start.min(steps.len()));
        let namespace = (rest.first() == Some(&"namespaces") && rest.len() > 2).then(|| {
            let namespace = rest[1].to_owned();
            rest.drain(..2);
            namespace
        });
        let plural = rest.first().copied().unwrap_or_default();
        if self.forbidden.contains(&plural) {
            let message = format!("{plural} is forbidden");
            return (403, status(403, "Forbidden", &message));
        }
        let is_meant = |object: &&Value| {
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
            let kind = text("/kind").unwrap_or_default().to_lowercase();
            let plurals = [kind.clone(), format!("{kind}s"), format!("{kind}es")];
            let of_kind = plurals.iter().any(|it| it == plural);
            let here = namespace.is_none() || text("/metadata/namespace") == namespace.as_deref();
            let name = text("/metadata/name").unwrap_or_default();
            let named = rest.get(1).is_none_or(|wanted| *wanted == name);
            of_kind && here && named && selected(object, &query)
        };
        let mut found: Vec<Value> = self.objects.iter().filter(is_meant).cloned().collect();
        if rest.len() > 1 {
            return match found.pop() {
                Some(object) => (200, object),
                None => (404, status(404, "NotFound", "not found")),
            };
        }
        // Objects of lists come without these.
        for object in &mut found {
            let object = object.as_object_mut().unwrap();
            object.remove("kind");
            object.remove("apiVersion");
        }
        let list = json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": found});
        (200, list)
    }
}

fn selected(object: &Value, query: &str) -> bool {
    query.split('&').all(|parameter| {
        let (what, selector) = parameter.split_once('=').unwrap_or_default();
        selector.split(',').all(|term| {
            let (key, wanted) = term.split_once('=').unwrap_or_default();
            let found = match what {
                "labelSelector" => object["metadata"]["labels"][key].as_str(),
                "fieldSelector" => {
                    let pointer = format!("/{}", key.replace('.', "/"));
                    object.pointer(&pointer).and_then(Value::as_str)
                }
                _ => return true,
            };
            found == Some(wanted)
        })
    })
}

fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code})
}

fn ask(kubeconfig: &tempfile::NamedTempFile, arguments: &[&str]) -> String {
    let kubeconfig = kubeconfig.path().to_str().unwrap();
    let arguments = [&["explain"], arguments, &["--kubeconfig", kubeconfig]].concat();
    let (told, problems, status) = run(&arguments, &[]);
    assert_eq!(problems, "", "{arguments:?}");
    assert!(matches!(status, Some(0 | 1)), "{arguments:?}: {status:?}");
    told
}

#[test]
fn a_cluster_tells_the_same_as_files_with_all_that_it_has() {
    let mut differ = Vec::new();
    for case in ["private", "violated", "pending"] {
        let file = format!("{case}.yaml");
        let kubeconfig = serve(&[&file, "shop.yaml", "cluster.yaml"], &[]);
        for language in super::LANGUAGES {
            let told = ask(&kubeconfig, &["gateway", "shop", "--lang", language]);
            let record = directory().join(format!("{case}.{language}.txt"));
            differ.extend(golden::check(&record, &told).err());
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn what_may_not_be_seen_is_said_and_not_made_up() {
    let forbidden = ["nodes", "pods", "deployments", "events"];
    let kubeconfig = serve(&["private.yaml", "shop.yaml", "cluster.yaml"], &forbidden);
    let told = ask(&kubeconfig, &["gateway", "shop", "-n", "infra"]);
    for sentence in [
        "What could not be seen",
        "You may not list in namespace infra: pods.",
        "You may not list in namespace infra: deployments.apps.",
        "? Proxies Deployment shop-daemun · made by Daemun · not seen",
        "serves at the private address 192.168.0.31",
    ] {
        assert!(told.contains(sentence), "{sentence}: {told}");
    }
    assert!(!told.contains("Nothing is wrong"), "{told}");
}

#[test]
fn an_owner_of_a_namespace_is_told_of_nothing_wrong_that_only_cannot_be_seen() {
    let forbidden = ["gatewayparameters", "gatewayclasses", "nodes", "namespaces"];
    let kubeconfig = serve(&["private.yaml", "shop.yaml", "cluster.yaml"], &forbidden);
    let told = ask(&kubeconfig, &["gateway", "shop"]);
    for sentence in [
        "serves at the private address 192.168.0.31",
        "ReachVerified: True",
        "✓ Proxies Deployment shop-daemun",
        "✓ HTTPRoute shop/orders",
        "What could not be seen",
    ] {
        assert!(told.contains(sentence), "{sentence}: {told}");
    }
    assert!(
        !told.contains('✗') && !told.contains("does not exist"),
        "{told}"
    );
}

#[test]
fn what_is_missing_in_a_cluster_is_not_foreseen_but_missing() {
    let kubeconfig = serve(&["foreseen.yaml", "shop.yaml", "cluster.yaml"], &[]);
    let told = ask(&kubeconfig, &["gateway", "shop", "-n", "infra"]);
    for sentence in [
        "✗ Controller gateway.daemun.dev/controller · infrastructure operator · wrong",
        "It has written nothing into the Gateway's status.",
        "… Service infra/shop-daemun · made by Daemun · pending",
        "has no address yet",
    ] {
        assert!(told.contains(sentence), "{sentence}: {told}");
    }
    assert!(!told.contains("would be made"), "{told}");
}

#[test]
fn a_service_of_a_cluster_tells_who_made_it() {
    let kubeconfig = serve(&["envoy.yaml", "cluster.yaml"], &[]);
    let name = "envoy-infra-web-1a2b3c4d";
    let told = ask(
        &kubeconfig,
        &["service", name, "-n", "envoy-gateway-system"],
    );
    for sentence in [
        "field manager \"envoy-gateway\"",
        "made it for Gateway infra/web",
        "NHN Cloud NKS, OpenStack or OVH",
    ] {
        assert!(
            told.replace("\n  ", " ").contains(sentence),
            "{sentence}: {told}"
        );
    }
    let record = directory().join(format!("service.{name}.en.txt"));
    let whole = format!("envoy-gateway-system/{name}");
    let told = ask(&kubeconfig, &["service", &whole, "--provider", "NHN"]);
    golden::check(&record, &told).unwrap();
}
