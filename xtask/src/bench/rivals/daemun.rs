//! Daemun: Gateway API objects, one HTTPRoute per route; rules on one host in HTTPRoutes of 16, which is
//! as many as the Gateway API allows in one.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::Path as FilePath;

use super::{Setup, command};
use crate::bench::routes::{Also, Path, Routing, Rule};

/// Routes in one file when they are split.
const ROUTES_PER_FILE: usize = 10;

pub(super) fn configure(binary: &FilePath, setup: &Setup<'_>) -> Result<Vec<OsString>, String> {
    let objects = setup.directory.join("objects");
    fs::create_dir_all(&objects)
        .map_err(|error| format!("{} cannot be made: {error}.", objects.display()))?;
    let listener = listener(setup);
    setup.write(
        "objects/gateway.yaml",
        include_str!("../../../../bench/templates/daemun.yaml"),
        &[("LISTENER", &listener)],
    )?;
    setup.write_plain("objects/routes.yaml", &documents(&routes(setup.rules)))?;
    let metrics = format!("127.0.0.1:{}", setup.metrics);
    let objects = objects.display().to_string();
    let one_worker = ["run", "--workers", "1", "--log-level", "error"];
    let arguments = [
        &one_worker[..],
        &["--admin", "off", "--health", &metrics, &objects],
    ]
    .concat();
    Ok(command(binary, &arguments))
}

fn listener(setup: &Setup<'_>) -> String {
    let port = setup.port;
    if !setup.traffic.is_tls() {
        return format!("  - {{name: http, port: {port}, protocol: HTTP}}\n");
    }
    format!(
        "  - {{name: https, port: {port}, protocol: HTTPS, tls: {{certificateRefs: [{{name: bench}}]}}}}
---
apiVersion: v1
kind: Secret
metadata:
  name: bench
  annotations:
    file.gateway.daemun.dev/tls.crt: {}
    file.gateway.daemun.dev/tls.key: {}
type: kubernetes.io/tls
---
apiVersion: gateway.daemun.dev/v1alpha1
kind: ListenerPolicy
metadata: {{name: tls}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: entry}}]
  tls: {{minVersion: \"1.3\", maxVersion: \"1.3\"}}
",
        setup.certificate.chain.display(),
        setup.certificate.key.display()
    )
}

/// One document per HTTPRoute: a route of its own for each rule that stands alone on its path and host
/// in the scenario of many routes, 16 rules in each otherwise.
fn routes(rules: &[Rule]) -> Vec<String> {
    let one_host = rules.iter().all(|rule| rule.host == rules[0].host);
    let rules_per_route = if one_host { 16 } else { 1 };
    rules
        .chunks(rules_per_route)
        .enumerate()
        .map(|(number, rules)| route(&format!("route{number:04}"), rules))
        .collect()
}

fn documents(routes: &[String]) -> String {
    routes.join("---\n")
}

fn route(name: &str, rules: &[Rule]) -> String {
    let mut text = format!(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: {name}}}\nspec:\n  parentRefs: [{{name: entry}}]\n"
    );
    if let Some(host) = rules.first().and_then(|rule| rule.host.as_deref()) {
        let _ = writeln!(text, "  hostnames: [{host}]");
    }
    text.push_str("  rules:\n");
    for rule in rules {
        let _ = writeln!(text, "  - matches: [{{{}}}]", conditions(rule));
        text.push_str("    backendRefs: [{group: gateway.daemun.dev, kind: Backend, name: app}]\n");
    }
    text
}

fn conditions(rule: &Rule) -> String {
    let path = match &rule.path {
        Path::Prefix(prefix) => format!("path: {{type: PathPrefix, value: {prefix}}}"),
        Path::Regex(pattern) => format!("path: {{type: RegularExpression, value: '{pattern}'}}"),
    };
    match &rule.also {
        Also::Nothing => path,
        Also::Tenant(value) => format!("{path}, headers: [{{name: x-tenant, value: {value}}}]"),
        Also::Kind(value) => format!("{path}, queryParams: [{{name: kind, value: {value}}}]"),
    }
}

/// Puts the 5,000 routes into files of ten, in place of the one file.
pub(crate) fn split_routes(objects: &FilePath) -> Result<(), String> {
    let routes = routes(&Routing::Hosts.rules());
    let written = routes
        .chunks(ROUTES_PER_FILE)
        .enumerate()
        .try_for_each(|(number, routes)| {
            fs::write(
                objects.join(format!("routes{number:03}.yaml")),
                documents(routes),
            )
        });
    written
        .and_then(|()| fs::remove_file(objects.join("routes.yaml")))
        .map_err(|error| {
            format!(
                "The routes in {} cannot be split: {error}.",
                objects.display()
            )
        })
}

/// The text of the file that holds the last of the 5,000 routes (all of them, or ten), with that
/// route's path set to `path`; and the route's host.
pub(crate) fn change_route(path: &str, split: bool) -> (String, String) {
    let mut rules = Routing::Hosts.rules();
    let last = rules.len() - 1;
    rules[last].path = Path::Prefix(path.to_owned());
    let host = rules[last].host.clone().unwrap_or_default();
    let routes = routes(&rules);
    let from = if split {
        routes.len() - ROUTES_PER_FILE
    } else {
        0
    };
    (documents(&routes[from..]), host)
}
