//! `daemun check` as a person runs it: what is printed, and with which exit status.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

const SHOP: &str = "\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: shop}
spec:
  gatewayClassName: daemun
  listeners:
  - {name: http, port: 80, protocol: HTTP}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: orders}
spec:
  parentRefs: [{name: shop}]
  rules:
  - matches:
    - path: {type: PathPrefix, value: /api/orders}
    backendRefs: [{name: orders, port: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: orders}
spec:
  ports: [{port: 8080}]
";

struct Case(tempfile::TempDir);

impl Case {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        Self(directory)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_daemun"));
        command.args(arguments).current_dir(self.0.path());
        command
            .env_remove("DAEMUN_OUTPUT")
            .env_remove("DAEMUN_COLOR")
            .env_remove("KUBECONFIG")
            .env("HOME", self.0.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> (String, i32) {
        seen(&self.command(arguments).output().unwrap())
    }
}

fn seen(output: &Output) -> (String, i32) {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    (
        text + &said,
        output.status.code().expect("it ended by itself"),
    )
}

fn check(text: &str) -> (String, i32) {
    Case::new(&[("shop.yaml", text)]).run(&["check", "shop.yaml"])
}

#[test]
fn what_is_in_order_is_said_in_a_table() {
    assert_eq!(
        check(SHOP),
        (
            "\
KIND       NAME            RESULT
Gateway    default/shop    accepted
HTTPRoute  default/orders  accepted by shop
Service    default/orders  read

All 3 objects are in order.
"
            .to_owned(),
            0
        )
    );
}

#[test]
fn a_misspelt_field_is_shown_where_it_stands() {
    assert_eq!(
        check(&SHOP.replace("- path:", "- pathh:")),
        (
            "\
KIND       NAME            RESULT
Gateway    default/shop    accepted
Service    default/orders  read
HTTPRoute  default/orders  not read (shop.yaml:16)

shop.yaml:16:7: unknown field \"pathh\" in HTTPRoute default/orders, spec.rules[0].matches[0]; did you mean \"path\"?
   14 |   rules:
   15 |   - matches:
   16 |     - pathh: {type: PathPrefix, value: /api/orders}
      |       ^^^^^

1 object needs attention.
"
            .to_owned(),
            1
        )
    );
}

#[test]
fn what_is_refused_points_into_the_file() {
    let text = SHOP.replace(
        "name: orders, port: 8080}]\n---",
        "name: ordrs, port: 8080}]\n---",
    ) + "---\n"
        + &SHOP
            .split("---\n")
            .nth(1)
            .unwrap()
            .replace("{name: orders}", "{name: stock, namespace: team-b}")
            .replace("[{name: shop}]", "[{name: shop, namespace: default}]");
    let (output, status) = check(&text);
    assert_eq!(status, 1, "{output}");
    for part in [
        "HTTPRoute  default/orders  accepted by shop, refused in part (ResolvedRefs=False, BackendNotFound)\n",
        "           shop.yaml:17:26  rule 1: ",
        "Did you mean \"orders\"?",
        "HTTPRoute  team-b/stock    not attached (Accepted=False, NotAllowedByListeners)\n",
        "           shop.yaml:29:23  ",
        "\n2 objects need attention.\n",
    ] {
        assert!(output.contains(part), "{part:?} is not in\n{output}");
    }
}

#[test]
fn what_refers_to_an_object_with_a_mistake_is_told_where_the_mistake_is() {
    let text = SHOP.replace("ports: [{port: 8080}]", "portss: [{port: 8080}]");
    let (output, status) = check(&text);
    assert_eq!(status, 1, "{output}");
    let told = "Service default/orders could not be read: shop.yaml:";
    assert!(output.contains(told), "{output}");
    assert!(!output.contains("does not exist"), "{output}");
}

#[test]
fn parameters_of_another_namespace_are_told_with_the_remedy() {
    let parameters = "---\napiVersion: gateway.daemun.dev/v1alpha1\nkind: GatewayParameters\nmetadata: {name: mine, namespace: daemun-system}\nspec: {}\n";
    let text = SHOP.replacen(
        "  listeners",
        "  infrastructure:\n    parametersRef: {group: gateway.daemun.dev, kind: GatewayParameters, name: mine}\n  listeners",
        1,
    ) + parameters;
    let (output, status) = check(&text);
    assert_eq!(status, 1, "{output}");
    let told = "GatewayParameters default/mine does not exist. There is one of this name in namespace daemun-system; a Gateway takes parameters of its own namespace only";
    assert!(output.contains(told), "{output}");
}

#[test]
fn an_object_that_is_not_in_the_files_is_told_with_those_that_are() {
    let case = Case::new(&[("shop.yaml", SHOP)]);
    for (arguments, told) in [
        (
            &["explain", "gateway", "shpo", "shop.yaml"][..],
            "There is no Gateway shpo in the files. Did you mean default/shop?",
        ),
        (
            &["explain", "gateway", "shop", "-n", "infra", "shop.yaml"],
            "There is no Gateway shop in the files. Did you mean default/shop?",
        ),
        (
            &["explain", "service", "redis", "shop.yaml"],
            "There is no Service redis in the files. In them: default/orders.",
        ),
    ] {
        let (output, status) = case.run(arguments);
        assert_eq!(status, 2, "{output}");
        assert!(output.contains(told), "{output}");
    }
    let (output, status) = case.run(&["check", "-n", "infra", "shop.yaml"]);
    assert_eq!(status, 2, "{output}");
    assert!(output.contains("leave out --namespace infra"), "{output}");
}

/// A class of Daemun's, with parameters that say this of the way in.
fn class(exposure: &str) -> String {
    format!(
        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {{name: daemun}}\nspec:\n  controllerName: gateway.daemun.dev/controller\n  parametersRef: {{group: gateway.daemun.dev, kind: GatewayParameters, name: daemun, namespace: daemun-system}}\n---\napiVersion: gateway.daemun.dev/v1alpha1\nkind: GatewayParameters\nmetadata: {{name: daemun, namespace: daemun-system}}\nspec:\n  exposure: {exposure}\n"
    )
}

#[test]
fn files_for_kubernetes_are_judged_as_there() {
    // Each Gateway has an address of its own there; on one host they cannot share a port.
    let second = SHOP
        .split("---\n")
        .next()
        .unwrap()
        .replace("{name: shop}", "{name: shop, namespace: team-b}");
    let two = SHOP.to_owned() + "---\n" + &second;
    let (output, status) = check(&two);
    assert_eq!(status, 1, "{output}");
    assert!(
        output.contains("Port 80 of this host belongs to"),
        "{output}"
    );
    let (output, status) = check(&(two + &class("{provider: NHN}")));
    assert_eq!(status, 0, "{output}");
    assert!(
        output.ends_with("All 6 objects are in order.\n"),
        "{output}"
    );
}

#[test]
fn a_switch_that_is_spelled_wrong_is_found_before_anything_is_made() {
    let key = "service.beta.kubernetes.io/openstack-internal-load-balancer";
    let text = SHOP.to_owned()
        + &class(&format!(
            "{{provider: NHN, annotations: {{{key}: 'True'}}}}"
        ));
    let (output, status) = check(&text);
    assert_eq!(status, 1, "{output}");
    assert!(
        output.contains(key) && output.contains("exposure.reach"),
        "{output}"
    );
    // Without GatewayParameters the flag says whose load balancers they will be.
    let case = Case::new(&[(
        "shop.yaml",
        &SHOP.replacen(
            "  listeners",
            "  infrastructure: {annotations: {service.beta.kubernetes.io/ncloud-load-balancer-internal: 'false'}}\n  listeners",
            1,
        ),
    )]);
    assert_eq!(
        case.run(&["check", "shop.yaml"]).1,
        0,
        "a host makes no load balancer"
    );
    let (output, status) = case.run(&["check", "shop.yaml", "--provider", "NAVER"]);
    assert_eq!(status, 1, "{output}");
    assert!(output.contains("exposure.reach"), "{output}");
}

#[test]
fn unknown_kinds_are_warnings_and_refuse_nothing() {
    let (output, status) = check(
        &(SHOP.to_owned() + "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"),
    );
    assert_eq!(status, 0, "{output}");
    assert!(
        output.contains("shop.yaml:26:7: warning: Deployment web is left out: "),
        "{output}"
    );
    assert!(
        output.ends_with("\nNothing is refused; there is 1 warning about the files.\n"),
        "{output}"
    );
}

#[test]
fn errors_outside_of_objects_are_counted_beside_them() {
    let lost = SHOP.replace("{name: shop}]", "{name: shopp}]");
    let (output, status) = check(&(lost + "---\nnobody: knows\n"));
    assert_eq!(status, 1, "{output}");
    assert!(
        output.contains("HTTPRoute  default/orders  not attached\n"),
        "{output}"
    );
    assert!(
        output.ends_with("\n1 object and 1 error in the files need attention.\n"),
        "{output}"
    );
}

#[test]
fn a_flag_that_says_nothing_is_told_what_to_write() {
    let case = Case::new(&[]);
    for (arguments, sentence) in [
        (
            ["--to", "http://localhost:9000"],
            "write it without the scheme: --to localhost:9000",
        ),
        (["--listen", "80"], "write an address with a port"),
        (["--drain-grace", "10s"], "write whole seconds"),
        (["--log-level", "loud"], "\"loud\" is not a log level"),
        (["--access-log-format", "xml"], "has no field"),
    ] {
        let (output, status) = case.run(&["run", arguments[0], arguments[1]]);
        assert!(output.contains(sentence), "{arguments:?}: {output}");
        assert_eq!(status, 2, "{arguments:?}");
    }
}

const ON_NHN: &str = "\
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: daemun}
spec:
  controllerName: gateway.daemun.dev/controller
  parametersRef: {group: gateway.daemun.dev, kind: GatewayParameters, namespace: infra, name: all}
---
apiVersion: gateway.daemun.dev/v1alpha1
kind: GatewayParameters
metadata: {name: all, namespace: infra}
spec:
  exposure:
    reach: Private
    annotations:
      loadbalancer.nhncloud/healthmonitor-dely: \"5\"
    listenerAnnotations:
      TCP-80:
        loadbalancer.nhncloud/connection-limit: \"1000\"
      TCP-9000:
        loadbalancer.nhncloud/connection-limit: \"1000\"
---
apiVersion: gateway.daemun.dev/v1alpha1
kind: GatewayParameters
metadata: {name: own, namespace: infra}
spec:
  exposure:
    sourceRanges: [192.0.2.0/24]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: one, namespace: infra}
spec:
  gatewayClassName: daemun
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: two, namespace: infra}
spec:
  gatewayClassName: daemun
  listeners: [{name: http, port: 81, protocol: HTTP}, {name: udp, port: 53, protocol: UDP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: three, namespace: infra}
spec:
  gatewayClassName: daemun
  infrastructure: {parametersRef: {group: gateway.daemun.dev, kind: GatewayParameters, name: own}}
  listeners: [{name: http, port: 82, protocol: HTTP}]
";

/// What is wrong in parameters is said of them, once, and where it stands; Gateways are told in their conditions.
#[test]
fn what_is_wrong_in_parameters_is_said_of_them_and_once() {
    let case = Case::new(&[("shop.yaml", ON_NHN)]);
    let (table, status) = case.run(&["check", "shop.yaml", "--provider", "NHN"]);
    assert_eq!(status, 1, "{table}");
    let places: Vec<&str> = table
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("shop.yaml:"))
        .map(|line| line.split_once(' ').unwrap().0)
        .collect();
    // The Gateway that is refused, and the listener; the misspelt key, the port that no Gateway of the class has, the
    // ranges that nobody could keep.
    assert_eq!(
        places,
        ["45:18", "41:87", "15:49", "20:49", "27:5"],
        "{table}"
    );
    assert!(table.contains("healthmonitor-delay"), "{table}");
    assert!(table.contains("listener at TCP port 9000"), "{table}");
    assert!(table.contains("UnsupportedProtocol"), "{table}");
}

#[test]
fn json_and_yaml_say_what_kubernetes_would() {
    let case = Case::new(&[("shop.yaml", SHOP)]);
    let (json, status) = case.run(&["check", "shop.yaml", "-o", "json"]);
    assert_eq!(status, 0, "{json}");
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    let route = &report["objects"][1];
    assert_eq!(route["kind"], "HTTPRoute");
    assert_eq!(
        route["spot"],
        serde_json::json!({"file": "shop.yaml", "line": 11, "column": 18})
    );
    let parent = &route["status"]["parents"][0];
    assert_eq!(parent["parentRef"]["name"], "shop");
    let condition = &parent["conditions"][0];
    assert_eq!(
        (&condition["type"], &condition["status"]),
        (&"Accepted".into(), &"True".into())
    );
    assert!(
        condition["message"]
            .as_str()
            .is_some_and(|message| !message.is_empty())
    );
    let listener = &report["objects"][0]["status"]["listeners"][0];
    assert_eq!(
        (&listener["name"], &listener["attachedRoutes"]),
        (&"http".into(), &1.into())
    );

    let (yaml, status) = case.run(&["check", "shop.yaml", "-o", "yaml"]);
    assert_eq!(status, 0);
    let same: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap();
    assert_eq!(same, report);
    let (wide, _) = case.run(&["check", "shop.yaml", "-o", "wide"]);
    assert!(wide.contains("listener http: Programmed="), "{wide}");
}

#[test]
fn directories_and_standard_input_are_read() {
    let case = Case::new(&[
        ("b.yaml", SHOP),
        (
            "a.json",
            "{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"x\"}}",
        ),
    ]);
    let (output, status) = case.run(&["check", "."]);
    assert_eq!(status, 0, "{output}");
    assert!(
        output.ends_with("All 4 objects are in order.\n"),
        "{output}"
    );

    let mut child = case
        .command(&["check", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let text = SHOP.replace("port: 80,", "prot: 80,");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let (output, status) = seen(&child.wait_with_output().unwrap());
    assert_eq!(status, 1);
    assert!(output.contains("standard input:7:18: unknown field \"prot\" in Gateway default/shop, spec.listeners[0]; did you mean \"port\"?"), "{output}");
}

#[test]
fn what_cannot_be_done_ends_with_2() {
    let case = Case::new(&[]);
    let (output, status) = case.run(&["check", "none.yaml"]);
    assert_eq!(status, 2);
    assert!(
        output.contains("none.yaml: this cannot be read: there is no such file or directory."),
        "{output}"
    );
    let (output, status) = case.run(&["check"]);
    assert_eq!(status, 2, "{output}");
    assert!(
        output.contains("There is no way to the API server")
            && output.contains("To read files instead, name them."),
        "{output}"
    );
    let (output, status) = case.run(&["explain", "gateway", "shop"]);
    assert_eq!(status, 2, "{output}");
    assert!(
        output.contains("To read files instead, name them."),
        "{output}"
    );
    assert_eq!(case.run(&["chekc", "x"]).1, 2);
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let case = Case::new(&[("shop.yaml", SHOP)]);
    let escape = '\u{1b}';
    assert!(!case.run(&["check", "shop.yaml"]).0.contains(escape));
    assert!(
        case.run(&["check", "shop.yaml", "--color", "always"])
            .0
            .contains(escape)
    );
    let coloured = case.run(&["check", "shop.yaml", "--color", "always"]).0;
    let plain = coloured.replace("\u{1b}[32m", "").replace("\u{1b}[0m", "");
    assert_eq!(
        plain,
        case.run(&["check", "shop.yaml"]).0,
        "colours do not move columns"
    );
}

#[test]
fn help_completions_and_the_manual_page_are_made() {
    let case = Case::new(&[]);
    for (arguments, part) in [
        (&["--help"][..], "Exit status: 0 if all is well"),
        (&["check", "--help"], "[env: DAEMUN_OUTPUT=]"),
        (&["completions", "bash"], "_daemun()"),
        (&["completions", "zsh"], "#compdef daemun"),
        (&["man"], ".TH daemun 1"),
    ] {
        let (output, status) = case.run(arguments);
        assert_eq!(status, 0, "{arguments:?}: {output}");
        assert!(
            output.contains(part),
            "{part:?} is not in {arguments:?}:\n{output}"
        );
    }
}

/// What a cluster would refuse is told of files, which may have the namespace with its label.
#[test]
fn ports_of_nodes_need_a_namespace_that_allows_them() {
    const EDGE: &str = "
apiVersion: gateway.daemun.dev/v1alpha1
kind: GatewayParameters
metadata: {name: edge, namespace: edge}
spec: {exposure: {reach: Node, hostPorts: [{port: 80}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: edge}
spec:
  gatewayClassName: daemun
  infrastructure: {parametersRef: {group: gateway.daemun.dev, kind: GatewayParameters, name: edge}}
  listeners: [{name: http, port: 80, protocol: HTTP}]
";
    const NAMESPACE: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: edge, labels: {pod-security.kubernetes.io/enforce: privileged}}
";
    let case = Case::new(&[("edge.yaml", EDGE), ("namespace.yaml", NAMESPACE)]);
    let (output, status) = case.run(&["check", "edge.yaml"]);
    assert_eq!(status, 1, "{output}");
    assert!(
        output.contains("pod-security.kubernetes.io/enforce: privileged"),
        "{output}"
    );
    let (output, status) = case.run(&["check", "edge.yaml", "namespace.yaml"]);
    assert_eq!(status, 0, "{output}");
}
