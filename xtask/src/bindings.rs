//! `cargo xtask bindings`: the hand-written types of the Gateway API say what its CRDs say.
//!
//! The CRDs come from the Go module that the API is published as, in the version that the bindings are
//! written for; both channels are compared, because the bindings hold the fields of both. It is no
//! generator: what differs is printed, and a person decides.

mod compare;
mod shape;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use daemun_objects::experimental::xbackendtrafficpolicy::XBackendTrafficPolicySpec;
use daemun_objects::experimental::{self, xbackend::XBackendSpec};
use daemun_objects::gateway_api::backendtlspolicy::BackendTlsPolicySpec;
use daemun_objects::gateway_api::gateway::GatewaySpec;
use daemun_objects::gateway_api::gatewayclass::GatewayClassSpec;
use daemun_objects::gateway_api::grpcroute::GrpcRouteSpec;
use daemun_objects::gateway_api::httproute::HttpRouteSpec;
use daemun_objects::gateway_api::listenerset::ListenerSetSpec;
use daemun_objects::gateway_api::referencegrant::ReferenceGrantSpec;
use daemun_objects::gateway_api::tcproute::TcpRouteSpec;
use daemun_objects::gateway_api::tlsroute::TlsRouteSpec;
use daemun_objects::gateway_api::udproute::UdpRouteSpec;
use daemun_objects::{Any, Kind, gateway_api};
use schemars::{JsonSchema, schema_for};
use serde_json::Value;

use self::compare::{Channel, compare};
use self::shape::Shape;

const MODULE: &str = "sigs.k8s.io/gateway-api";
/// The version of the Gateway API that the bindings are written for.
pub(crate) const VERSION: &str = "v1.6.1";

/// The groups whose kinds are published there.
const GROUPS: [&str; 2] = [gateway_api::GROUP, experimental::GROUP];

/// Compares the bindings with the published CRDs. Without Go, or without a way to the module, it says
/// so and compares nothing.
pub(crate) fn run() -> Result<(), String> {
    let directory = match module_directory() {
        Ok(directory) => directory,
        Err(why) => {
            println!("bindings: skipped: {why}");
            return Ok(());
        }
    };
    let ours = ours();
    let mut findings = uncovered(&ours);
    let published = [Channel::Standard, Channel::Experimental]
        .into_iter()
        .map(|channel| Ok((channel, read_crds(&directory, channel)?)))
        .collect::<Result<Vec<_>, String>>()?;
    for kind in &ours {
        findings.extend(kind.differences(&published));
    }
    if findings.is_empty() {
        println!(
            "bindings: {} kinds say what the CRDs of {MODULE}@{VERSION} say, in both channels.",
            ours.len()
        );
        return Ok(());
    }
    findings.push(format!(
        "The bindings (crates/objects/src/gateway_api) and the CRDs of {MODULE}@{VERSION} differ as listed."
    ));
    Err(findings.join("\n"))
}

/// A kind as the bindings have it.
struct Ours {
    kind: &'static str,
    namespaced: bool,
    versions: Vec<&'static str>,
    spec: Shape,
}

fn ours() -> Vec<Ours> {
    vec![
        Ours::of::<GatewayClassSpec>(),
        Ours::of::<GatewaySpec>(),
        Ours::of::<ListenerSetSpec>(),
        Ours::of::<HttpRouteSpec>(),
        Ours::of::<GrpcRouteSpec>(),
        Ours::of::<TlsRouteSpec>(),
        Ours::of::<TcpRouteSpec>(),
        Ours::of::<UdpRouteSpec>(),
        Ours::of::<ReferenceGrantSpec>(),
        Ours::of::<BackendTlsPolicySpec>(),
        Ours::of::<XBackendSpec>(),
        Ours::of::<XBackendTrafficPolicySpec>(),
    ]
}

/// Kinds of the groups that are read but would not be compared.
fn uncovered(ours: &[Ours]) -> Vec<String> {
    Any::KINDS
        .iter()
        .filter(|info| GROUPS.contains(&info.group))
        .filter(|info| !ours.iter().any(|kind| kind.kind == info.kind))
        .map(|info| {
            format!(
                "{}: is read, but not compared; add its spec to xtask/src/bindings.rs.",
                info.kind
            )
        })
        .collect()
}

impl Ours {
    fn of<S: Kind + JsonSchema>() -> Self {
        let schema = schema_for!(S);
        Self {
            kind: S::KIND,
            namespaced: S::NAMESPACED,
            versions: std::iter::once(S::VERSION)
                .chain(S::OTHER_VERSIONS.iter().copied())
                .collect(),
            spec: Shape::of_ours(schema.as_value(), schema.as_value()),
        }
    }

    fn differences(&self, published: &[(Channel, Vec<Value>)]) -> Vec<String> {
        let mut findings = Vec::new();
        let mut found: Vec<&str> = Vec::new();
        for (channel, crds) in published {
            let of_kind = |crd: &&Value| crd["spec"]["names"]["kind"] == self.kind;
            let Some(crd) = crds.iter().find(of_kind) else {
                continue;
            };
            if (crd["spec"]["scope"] == "Namespaced") != self.namespaced {
                findings.push(format!(
                    "{}: the bindings and the CRD of the {channel} channel differ in whether it lives in namespaces.",
                    self.kind
                ));
            }
            for version in crd["spec"]["versions"].as_array().into_iter().flatten() {
                let known = self.versions.iter().find(|ours| version["name"] == **ours);
                let (Some(name), true) = (known, version["served"] == true) else {
                    continue;
                };
                found.push(name);
                let spec = &version["schema"]["openAPIV3Schema"]["properties"]["spec"];
                let differences = compare(*channel, &Shape::of_crd(spec), &self.spec);
                let heading = format!("{} {name}, {channel} channel", self.kind);
                findings.extend(differences.iter().map(|what| format!("{heading}: {what}")));
            }
        }
        let unserved = self.versions.iter().filter(|name| !found.contains(name));
        findings.extend(unserved.map(|name| {
            format!(
                "{}: the bindings take version {name}, which neither channel serves.",
                self.kind
            )
        }));
        findings
    }
}

/// Where Go keeps the module, which is fetched if need be. The error says why there is none.
pub(crate) fn module_directory() -> Result<PathBuf, String> {
    let output = Command::new("go")
        .args(["mod", "download", "-json", &format!("{MODULE}@{VERSION}")])
        .current_dir(std::env::temp_dir())
        .output()
        .map_err(|error| {
            format!("the command go cannot be run ({error}); it fetches the published CRDs. Install Go to compare.")
        })?;
    let answer: Value = serde_json::from_slice(&output.stdout).map_err(|_| {
        format!(
            "go mod download told nothing about {MODULE}@{VERSION}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )
    })?;
    match answer["Dir"].as_str() {
        Some(directory) => Ok(PathBuf::from(directory)),
        None => Err(format!(
            "{MODULE}@{VERSION} cannot be fetched: {}",
            answer["Error"].as_str().unwrap_or("go gives no reason")
        )),
    }
}

/// The CRDs of the API's groups in a channel.
fn read_crds(module: &Path, channel: Channel) -> Result<Vec<Value>, String> {
    let directory = module.join("config/crd").join(channel.to_string());
    let failed = |path: &Path, error: &dyn std::fmt::Display| {
        format!("{} cannot be read: {error}", path.display())
    };
    let mut crds = Vec::new();
    for entry in fs::read_dir(&directory).map_err(|error| failed(&directory, &error))? {
        let path = entry.map_err(|error| failed(&directory, &error))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if !name.is_some_and(|name| GROUPS.iter().any(|group| name.starts_with(group))) {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|error| failed(&path, &error))?;
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(&text).map_err(|error| failed(&path, &error))?;
        crds.extend(
            documents
                .into_iter()
                .filter(|document| document["kind"] == "CustomResourceDefinition"),
        );
    }
    if crds.is_empty() {
        return Err(format!(
            "{} has no CRD of {}; has the module's layout changed?",
            directory.display(),
            gateway_api::GROUP
        ));
    }
    Ok(crds)
}
