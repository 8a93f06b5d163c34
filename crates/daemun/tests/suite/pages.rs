//! Pages as a person asks for them: the program is run on example files, and what it says is compared with a record
//! (`tests/pages`).

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod cluster;
mod told;

use std::path::{Path, PathBuf};
use std::process::Command;

use daemun_testkit::golden;

const LANGUAGES: [&str; 2] = ["en", "ko"];

/// The Gateways of the records, and what they are told by.
const CASES: &[(&str, &[&str])] = &[
    ("private", &["private.yaml", "shop.yaml", "cluster.yaml"]),
    ("public", &["public.yaml", "shop.yaml", "cluster.yaml"]),
    ("silent", &["silent.yaml", "shop.yaml", "cluster.yaml"]),
    ("violated", &["violated.yaml", "shop.yaml", "cluster.yaml"]),
    ("pending", &["pending.yaml", "shop.yaml", "cluster.yaml"]),
    ("held", &["held.yaml", "shop.yaml", "cluster.yaml"]),
    ("host", &["host.yaml", "shop.yaml"]),
    (
        "host-foreseen",
        &["host-foreseen.yaml", "shop.yaml", "--provider", "NHN"],
    ),
    (
        "foreseen",
        &["foreseen.yaml", "shop.yaml", "--provider", "NHN"],
    ),
    (
        "refused",
        &["refused.yaml", "shop.yaml", "--provider", "NHN"],
    ),
];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages")
}

/// Runs the program where the records are; gives what it printed, what it complained of, and its status.
fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (String, String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_daemun"));
    for variable in ["LC_ALL", "LC_MESSAGES", "LANG", "KUBECONFIG"] {
        command.env_remove(variable);
    }
    let command = command.envs(environment.iter().copied());
    let output = command
        .args(arguments)
        .current_dir(directory())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code(),
    )
}

fn page(case: &[&str], more: &[&str]) -> String {
    let arguments = [&["explain", "gateway", "infra/shop"], case, more].concat();
    let (told, problems, status) = run(&arguments, &[]);
    assert_eq!(problems, "", "{arguments:?}");
    assert!(matches!(status, Some(0 | 1)), "{arguments:?}: {status:?}");
    told
}

#[test]
fn the_status_is_1_where_something_is_wrong() {
    for (case, files) in CASES {
        let arguments = [&["explain", "gateway", "infra/shop"], *files].concat();
        let (_, _, status) = run(&arguments, &[]);
        let wrong = ["violated", "pending", "refused", "lost"].contains(case);
        assert_eq!(status, Some(i32::from(wrong)), "{case}");
    }
}

#[test]
fn pages_are_as_recorded_in_every_language_and_form() {
    let mut differ = Vec::new();
    for (case, files) in CASES {
        for language in LANGUAGES {
            for (form, ending) in [("text", "txt"), ("json", "json"), ("svg", "svg")] {
                let told = page(files, &["--lang", language, "-o", form]);
                let record = directory().join(format!("{case}.{language}.{ending}"));
                differ.extend(golden::check(&record, &told).err());
            }
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// Services, whoever made them.
const SERVICES: &[(&str, &[&str])] = &[
    (
        "envoy-infra-web-1a2b3c4d",
        &["envoy.yaml", "--provider", "NHN"],
    ),
    (
        "ingress-nginx-controller",
        &["helm.yaml", "--provider", "NHN"],
    ),
    ("shop", &["kubectl.yaml", "--provider", "NHN"]),
    ("shop-daemun", &["private.yaml", "cluster.yaml"]),
];

#[test]
fn who_made_a_service_and_why_is_as_recorded() {
    let mut differ = Vec::new();
    for (name, files) in SERVICES {
        for language in LANGUAGES {
            for (form, ending) in [("text", "txt"), ("json", "json")] {
                let arguments = ["explain", "service", name, "--lang", language, "-o", form];
                let (told, problems, status) = run(&[&arguments, *files].concat(), &[]);
                assert_eq!((problems.as_str(), status), ("", Some(0)), "{arguments:?}");
                let record = directory().join(format!("service.{name}.{language}.{ending}"));
                differ.extend(golden::check(&record, &told).err());
            }
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn a_floating_ip_is_foretold_by_the_switch_and_by_who_reads_it() {
    for (annotation, provider, says) in [
        ("{}", "NHN", "\"PublicByDefault\""),
        (
            "{service.beta.kubernetes.io/openstack-internal-load-balancer: 'true'}",
            "NHN",
            "\"Private\"",
        ),
        (
            "{service.beta.kubernetes.io/openstack-internal-load-balancer: 'false'}",
            "NHN",
            "\"Public\"",
        ),
        (
            "{service.beta.kubernetes.io/openstack-internal-load-balancer: 'True'}",
            "NHN",
            "\"PublicByDefault\"",
        ),
        (
            "{service.beta.kubernetes.io/openstack-internal-load-balancer: 'true'}",
            "NAVER",
            "\"PublicByDefault\"",
        ),
        (
            "{service.beta.kubernetes.io/ncloud-load-balancer-internal: 'true'}",
            "NAVER",
            "\"Private\"",
        ),
        ("{}", "MetalLB", "\"Elsewhere\""),
    ] {
        let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
        let text = format!(
            "apiVersion: v1
kind: Service
metadata: {{name: web, annotations: {annotation}}}
spec: {{type: LoadBalancer, ports: [{{port: 80}}]}}
"
        );
        std::fs::write(file.path(), text).unwrap();
        let path = file.path().to_str().unwrap();
        let arguments = [
            "explain",
            "service",
            "web",
            path,
            "--provider",
            provider,
            "-o",
            "json",
        ];
        let (told, problems, _) = run(&arguments, &[]);
        let forecast = format!("\"forecast\": {says}");
        assert!(
            told.contains(&forecast),
            "{annotation} {provider}: {told}{problems}"
        );
    }
}

/// Names, annotations and messages that would be markup, or would write over a terminal.
const HOSTILE: &[&str] = &["hostile.yaml", "shop.yaml", "cluster.yaml"];

#[test]
fn what_others_write_is_never_markup() {
    for language in LANGUAGES {
        for form in ["html", "svg"] {
            let told = page(HOSTILE, &["--lang", language, "-o", form]);
            for mark in [
                "<script",
                "<img",
                "<b>",
                "</title><",
                "onerror=\"",
                "\u{1b}",
                "\u{7}",
            ] {
                let found = told.find(mark).map(|at| &told[at..told.len().min(at + 80)]);
                assert!(found.is_none(), "{form}: {found:?}");
            }
            assert!(told.contains("&lt;/script&gt;"), "{form}");
            well_formed(&told, form);
        }
    }
}

/// Every tag is closed in its order, and no attribute's quote is left open.
fn well_formed(markup: &str, form: &str) {
    const EMPTY: &[&str] = &["meta", "!DOCTYPE", "?xml", "br"];
    let mut open: Vec<String> = Vec::new();
    for tag in markup.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').unwrap();
        assert!(tag.matches('"').count().is_multiple_of(2), "{form}: {tag}");
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        assert!(name == "style" || !text.contains('>'), "{form}: {text}");
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(closed), "{form}: {tag}");
        } else if !tag.ends_with('/') && !EMPTY.contains(&name) {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty(), "{form}: {open:?}");
}

#[test]
fn what_others_write_does_not_move_a_terminal() {
    for language in LANGUAGES {
        let told = page(HOSTILE, &["--lang", language]);
        let moves = told.chars().any(|it| it.is_control() && it != '\n');
        assert!(!moves, "{told}");
        assert!(told.contains("\u{fffd}[31m"), "{told}");
    }
}

#[test]
fn a_page_of_html_loads_and_runs_nothing() {
    let (_, files) = CASES[0];
    let told = page(files, &["-o", "html"]);
    for mark in [
        "src=",
        "href=",
        "url(",
        "@import",
        "<script",
        "<link",
        "javascript:",
    ] {
        assert!(!told.contains(mark), "{mark}");
    }
    assert!(told.contains("default-src 'none'"));
    // The drawing is the same as alone.
    let alone = page(files, &["-o", "svg"]);
    let (_, drawing) = alone.split_once('\n').unwrap();
    assert!(told.contains(drawing));
}

#[test]
fn of_many_routes_those_with_something_wrong_come_first_and_the_others_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("many.yaml");
    let routes: String = (0..5000).map(route).collect();
    std::fs::write(&file, routes).unwrap();
    let (_, files) = CASES[0];
    let files = [files, &[file.to_str().unwrap()][..]].concat();
    let told = page(&files, &[]);
    let wrong = told.find("✗ HTTPRoute shop/route-4321").unwrap();
    let fine = told.find("✓ HTTPRoute").unwrap();
    assert!(wrong < fine, "{told}");
    assert!(told.contains("and 4982 more Routes"), "{told}");
    assert!(told.lines().count() < 200, "{}", told.lines().count());
    let drawn = page(&files, &["-o", "svg"]);
    assert!(drawn.contains("and 4992 more Routes"), "{drawn}");
    assert!(drawn.contains("shop/route-4321"));
    let whole = page(&files, &["-o", "json"]);
    let whole: serde_json::Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole["routes"].as_array().unwrap().len(), 5002);
    assert_eq!(whole["firstWrong"]["object"], "HTTPRoute shop/route-4321");
}

fn route(number: usize) -> String {
    let backend = if number == 4321 { "gone" } else { "orders" };
    format!(
        "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: route-{number:04}, namespace: shop}}
spec:
  parentRefs: [{{name: shop, namespace: infra}}]
  hostnames: [host-{number}.example.com]
  rules: [{{backendRefs: [{{name: {backend}, port: 8080}}]}}]
---
"
    )
}

#[test]
fn the_language_is_the_environments_unless_one_is_asked_for() {
    let (korean, english) = ("Gateway infra/shop — ", "Gateway infra/shop serves");
    let (_, files) = CASES[0];
    let arguments = [&["explain", "gateway", "infra/shop"], files].concat();
    for (environment, begins) in [
        (&[("LANG", "ko_KR.UTF-8")][..], korean),
        (&[("LC_ALL", "ko_KR.UTF-8"), ("LANG", "C")], korean),
        (&[("LC_ALL", "C"), ("LANG", "ko_KR.UTF-8")], english),
        (&[], english),
    ] {
        let (told, ..) = run(&arguments, environment);
        assert!(told.starts_with(begins), "{environment:?}: {told}");
    }
}

#[test]
fn questions_about_pages_that_are_none_are_told_so() {
    for (arguments, sentence) in [
        (
            &["gateway", "nowhere", "private.yaml"][..],
            "There is no Gateway nowhere in the files.",
        ),
        (
            &["gateway", "shop", "private.yaml", "-H", "a: b"],
            "belong to a request",
        ),
        (
            &["gateway", "shop", "--admin", "unix:/nowhere"],
            "explained by files or a cluster",
        ),
        (
            &["service", "nowhere", "private.yaml"],
            "There is no Service nowhere in the files.",
        ),
        (
            &["service", "shop", "kubectl.yaml", "-o", "svg"],
            "there is no drawing",
        ),
        (
            &["GET", "http://a/", "private.yaml", "-o", "html"],
            "Only pages",
        ),
        (
            &["gateway", "shop", "nowhere.yaml"],
            "nowhere.yaml: this cannot be read",
        ),
        (
            &["gateway", "shop", "private.yaml", "--provider", "NIX"],
            "NHN",
        ),
        (
            &["gateway", "theirs", "foreign.yaml"],
            "is not Daemun's: its GatewayClass theirs belongs to the controller example.com/theirs",
        ),
    ] {
        let (_, told, status) = run(&[&["explain"], arguments].concat(), &[]);
        assert!(told.contains(sentence), "{arguments:?}: {told}");
        assert_eq!(status, Some(2), "{arguments:?}");
    }
}

#[test]
fn a_gateway_that_serves_a_public_address_is_not_called_closed() {
    let files = &["held-public.yaml", "shop.yaml", "cluster.yaml"];
    for (language, closed) in [("en", "closed"), ("ko", "닫혀")] {
        for form in ["text", "json", "svg"] {
            let told = page(files, &["--lang", language, "-o", form]);
            let first = told.lines().take(6).collect::<String>();
            assert!(
                !first.contains(closed) && told.contains("133.186.200.4"),
                "{told}"
            );
        }
    }
    let closed = page(
        &["violated.yaml", "shop.yaml", "cluster.yaml"],
        &["--lang", "ko"],
    );
    assert!(
        closed.lines().next().is_some_and(|it| it.contains("닫혀")),
        "{closed}"
    );
}
