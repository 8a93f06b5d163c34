//! GatewayParameters: what is made around a Gateway in Kubernetes (the proxies' workload, their pods, the Service
//! in front of them), and how the proxies run. On a host, from files, there is nothing to make.
//!
//! A GatewayClass refers to one (`spec.parametersRef`) and a Gateway to another
//! (`spec.infrastructure.parametersRef`). They are put over each other field by field, so every field may be left out.

use std::sync::OnceLock;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::exposure::ExposureSettings;
use super::pod::PodSettings;
use super::{GROUP, VERSION};
use crate::duration::Duration;
use crate::meta::{Kind, Object};
use crate::open::{Open, known_values};

/// Settings of a class of Gateways, or of one.
pub type GatewayParameters = Object<GatewayParametersSpec>;

/// What a GatewayParameters says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewayParametersSpec {
    /// Fields that a Gateway's own parameters cannot change, such as `pod.resources` or `exposure`; what lies below one
    /// is meant too. Counts where a GatewayClass refers to it. Default: pod.env, pod.image, pod.imagePullPolicy and pod.security.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<Vec<String>>,
    /// What runs the proxies, and how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload>,
    /// The proxies' pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<PodSettings>,
    /// How the proxies run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxySettings>,
    /// The way in: who may reach the Gateway, through which Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure: Option<ExposureSettings>,
}

impl Kind for GatewayParametersSpec {
    const GROUP: &'static str = GROUP;
    const VERSION: &'static str = VERSION;
    const KIND: &'static str = "GatewayParameters";
}

/// Whether a path such as `pod.resources` leads to a field of a GatewayParameters' `spec`, or into a map or list
/// of one.
pub fn is_field(path: &str) -> bool {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    let schema = SCHEMA.get_or_init(|| {
        let settings = SchemaSettings::draft2020_12().with(|it| it.inline_subschemas = true);
        let generator = settings.into_generator();
        generator.into_root_schema_for::<GatewayParametersSpec>()
    });
    path.split('.')
        .try_fold(schema.as_value(), |schema, field| {
            let open = schema.get("additionalProperties");
            schema
                .get("properties")
                .and_then(|fields| fields.get(field))
                .or(open.filter(|open| open.is_object()))
        })
        .is_some()
}

/// What runs the proxies, and how many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Workload {
    /// A number of proxies anywhere, or one on each node; default `Deployment`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Open<WorkloadKind>>,
    /// How many proxies, for a Deployment without autoscaling; default 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// Between which numbers a HorizontalPodAutoscaler chooses, for a Deployment; default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,
}

known_values! { closed
    /// What runs the proxies.
    pub enum WorkloadKind {
        /// A number of proxies, spread over nodes.
        Deployment = "Deployment",
        /// One proxy on each node.
        DaemonSet = "DaemonSet",
    }
}

/// Between which numbers of proxies a HorizontalPodAutoscaler chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Autoscaling {
    /// At least this many; default 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_replicas: Option<u32>,
    /// At most this many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_replicas: Option<u32>,
    /// The share of the requested CPU that proxies use on average, in percent; default 70.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<u32>,
}

/// How the proxies run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProxySettings {
    /// Worker threads; default the CPU limit rounded up, and without a limit the cores, at most 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<u16>,
    /// What is logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<Log>,
    /// Who collects metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
    /// How a proxy ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain: Option<Drain>,
}

/// What is logged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Log {
    /// The level: error, warn, info, debug or trace; or module=level,…; default `info`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// How the log is written; default `Json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Open<LogFormat>>,
    /// A line for each request, on standard output; default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessLog>,
}

/// A line for each request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AccessLog {
    /// Whether there are any; default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The lines: json, json:FIELD,…, text, or a text with fields such as `{time} {method} {path} {status}`;
    /// default `json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Only answers with these statuses: classes, codes, ranges, such as `4xx,500-503`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statuses: Option<String>,
    /// One of so many requests; those that failed always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_in: Option<u32>,
}

known_values! { closed
    /// How the log is written.
    pub enum LogFormat {
        /// For people.
        Text = "Text",
        /// One JSON object a line.
        Json = "Json",
    }
}

/// Who collects metrics. They are always there, on port 9901 of each pod at `/metrics`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Metrics {
    /// Whether pods have the annotations by which many a Prometheus finds them (`prometheus.io/scrape`, `port` and
    /// `path`); default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scrape_annotations: Option<bool>,
}

/// How a proxy ends: it goes on accepting while others learn that it goes, then ends what it has begun.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Drain {
    /// How long it goes on accepting; default `10s`. At least what a load balancer needs to notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<Duration>,
    /// How long requests under way may take to end after that; default `30s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::is_field;

    #[test]
    fn paths_lead_to_fields_or_nowhere() {
        for path in [
            "pod",
            "pod.image",
            "pod.resources.limits",
            "pod.resources.limits.cpu",
            "pod.affinity.nodeAffinity",
            "workload.autoscaling.maxReplicas",
            "exposure.annotations",
            "proxy.drain.delay",
        ] {
            assert!(is_field(path), "{path}");
        }
        for path in [
            "",
            "spec.pod",
            "pod.imagee",
            "image",
            "pod.",
            "pod.image.tag",
        ] {
            assert!(!is_field(path), "{path}");
        }
    }
}
