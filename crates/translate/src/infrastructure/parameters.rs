//! GatewayParameters as they are meant: judged, with every default filled in. What is written about pods is passed
//! on in its own words.

use std::collections::BTreeSet;
use std::time::Duration;

use daemun_model::verdict::FieldPath;
use daemun_objects::Duration as WrittenDuration;
use daemun_objects::own::parameters::{
    AccessLog as WrittenAccessLog, Autoscaling, Drain, GatewayParametersSpec, Log, LogFormat,
    Metrics, ProxySettings, Workload as WrittenWorkload, WorkloadKind,
};
use daemun_objects::own::pod::PodSettings;
use serde::Serialize;

use super::way_in::{self, WayIn};
use crate::value::known;
use crate::verdict::Refusal;

/// How things are made around a Gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Parameters {
    /// What runs the proxies, and how many.
    pub workload: Workload,
    /// The proxies' pods, in Kubernetes' words.
    pub pod: PodSettings,
    /// How the proxies run.
    pub proxy: Proxy,
    /// What is written of the way in; what is made of it is the Infrastructure's `exposure`.
    #[serde(skip)]
    pub way_in: WayIn,
    /// Labels and annotations that the class sets and locks: the Gateway's own of the same key do not count.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub locked_keys: BTreeSet<String>,
}

/// What runs the proxies, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Workload {
    /// This many.
    Deployment(u32),
    /// As many as an autoscaler chooses.
    Scaled {
        /// At least.
        min: u32,
        /// At most.
        max: u32,
        /// The average share of the requested CPU, in percent.
        cpu: u32,
    },
    /// One on each node.
    DaemonSet,
}

impl Default for Workload {
    fn default() -> Self {
        Self::Deployment(2)
    }
}

/// How the proxies run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proxy {
    /// Worker threads; none leaves it to the proxy.
    pub workers: Option<u16>,
    /// The log's level; none leaves it to the proxy.
    pub log_level: Option<String>,
    /// Whether the log is written for people; else one JSON object a line.
    pub log_text: bool,
    /// A line for each request.
    pub access_log: Option<AccessLog>,
    /// Whether pods have the annotations by which a Prometheus finds them.
    pub scrape_annotations: bool,
    /// How long a proxy that ends goes on accepting, in seconds.
    pub drain_delay: u64,
    /// How long requests under way may take after that, in seconds.
    pub drain_grace: u64,
}

impl Default for Proxy {
    fn default() -> Self {
        Self {
            workers: None,
            log_level: None,
            log_text: false,
            access_log: None,
            scrape_annotations: false,
            drain_delay: 10,
            drain_grace: 30,
        }
    }
}

/// A line for each request, as the proxy's arguments say it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccessLog {
    /// The lines.
    pub format: String,
    /// Which answers.
    pub statuses: Option<String>,
    /// One of so many.
    pub one_in: Option<u32>,
}

/// Judges what is written. The path of a refusal is one in the GatewayParameters.
pub(crate) fn judge(written: &GatewayParametersSpec) -> Result<Parameters, Refusal> {
    let GatewayParametersSpec {
        locked: _, // is about which of two is meant, and was settled before
        workload,
        pod,
        proxy,
        exposure,
    } = written;
    let spec = FieldPath::of("spec");
    let pod = pod.clone().unwrap_or_default();
    reserved_keys(&pod, &spec.field("pod"))?;
    reserved_variables(&pod, &spec.field("pod.env"))?;
    let way_in = way_in::read(
        &exposure.clone().unwrap_or_default(),
        &spec.field("exposure"),
    )?;
    Ok(Parameters {
        workload: judge_workload(
            &workload.clone().unwrap_or_default(),
            !way_in.host_ports.is_empty(),
            &spec.field("workload"),
        )?,
        pod,
        proxy: judge_proxy(&proxy.clone().unwrap_or_default(), &spec.field("proxy"))?,
        way_in,
        locked_keys: BTreeSet::new(),
    })
}

/// Who has ports of the nodes wants them on every node, unless a number of proxies is written.
fn judge_workload(
    written: &WrittenWorkload,
    has_host_ports: bool,
    path: &FieldPath,
) -> Result<Workload, Refusal> {
    let WrittenWorkload {
        kind,
        replicas,
        autoscaling,
    } = written;
    let kind = known(kind.as_ref(), &path.field("kind"), "workload")?;
    let default = match (replicas, autoscaling) {
        (None, None) if has_host_ports => WorkloadKind::DaemonSet,
        _ => WorkloadKind::Deployment,
    };
    match (kind.unwrap_or(default), autoscaling) {
        (WorkloadKind::DaemonSet, Some(_)) => Err(Refusal::unsupported(
            path.field("autoscaling"),
            "A DaemonSet has one proxy on each node, so there is nothing to scale; take autoscaling out, or use kind Deployment.",
        )),
        (WorkloadKind::DaemonSet, None) => Ok(Workload::DaemonSet),
        (WorkloadKind::Deployment, Some(scaling)) => {
            judge_scaling(scaling, &path.field("autoscaling"))
        }
        (WorkloadKind::Deployment, None) => match replicas.unwrap_or(2) {
            0 => Err(Refusal::unsupported(
                path.field("replicas"),
                "Without a proxy nothing is served; replicas is at least 1. To stop a Gateway, delete it.",
            )),
            replicas => Ok(Workload::Deployment(replicas)),
        },
    }
}

fn judge_scaling(written: &Autoscaling, path: &FieldPath) -> Result<Workload, Refusal> {
    let Autoscaling {
        min_replicas,
        max_replicas,
        cpu_percent,
    } = written;
    let (min, cpu) = (min_replicas.unwrap_or(2), cpu_percent.unwrap_or(70));
    let Some(max) = *max_replicas else {
        return Err(Refusal::unsupported(
            path.field("maxReplicas"),
            "Autoscaling needs a bound; say with maxReplicas how many proxies there may be at most.",
        ));
    };
    if min == 0 || max < min {
        return Err(Refusal::unsupported(
            path.field("minReplicas"),
            format!(
                "Between {min} (minReplicas) and {max} (maxReplicas) there is no number of proxies to choose; minReplicas is at least 1 and at most maxReplicas."
            ),
        ));
    }
    if cpu == 0 {
        return Err(Refusal::unsupported(
            path.field("cpuPercent"),
            "Proxies cannot use 0 percent of the CPU they ask for; cpuPercent is at least 1.",
        ));
    }
    Ok(Workload::Scaled { min, max, cpu })
}

fn judge_proxy(written: &ProxySettings, path: &FieldPath) -> Result<Proxy, Refusal> {
    let ProxySettings {
        workers,
        log,
        metrics,
        drain,
    } = written;
    let Log {
        level,
        format,
        access,
    } = log.clone().unwrap_or_default();
    let Metrics { scrape_annotations } = metrics.clone().unwrap_or_default();
    let Drain { delay, grace } = drain.clone().unwrap_or_default();
    let default = Proxy::default();
    if let Some(workers) = workers.filter(|workers| !(1..=256).contains(workers)) {
        return Err(Refusal::unsupported(
            path.field("workers"),
            format!("{workers} is no number of worker threads; there are 1 to 256."),
        ));
    }
    let format = known(format.as_ref(), &path.field("log.format"), "format")?;
    let drain = path.field("drain");
    Ok(Proxy {
        workers: *workers,
        log_level: level,
        log_text: format == Some(LogFormat::Text),
        access_log: access.and_then(judge_access_log),
        scrape_annotations: scrape_annotations.unwrap_or(default.scrape_annotations),
        drain_delay: seconds(delay.as_ref(), default.drain_delay, &drain.field("delay"))?,
        drain_grace: seconds(grace.as_ref(), default.drain_grace, &drain.field("grace"))?,
    })
}

fn judge_access_log(written: WrittenAccessLog) -> Option<AccessLog> {
    let WrittenAccessLog {
        enabled,
        format,
        statuses,
        one_in,
    } = written;
    enabled.unwrap_or(true).then(|| AccessLog {
        format: format.unwrap_or_else(|| "json".to_owned()),
        statuses,
        one_in,
    })
}

/// Labels by which Daemun knows its own are not for others to set.
fn reserved_keys(pod: &PodSettings, path: &FieldPath) -> Result<(), Refusal> {
    let labels = pod.labels.iter().flatten();
    for (key, _) in labels {
        if super::is_reserved(key) {
            return Err(Refusal::unsupported(
                path.field("labels").key(key),
                format!(
                    "The label {key} is Daemun's own, by which it knows the pods; take it out."
                ),
            ));
        }
    }
    Ok(())
}

/// The proxy's own settings are not to be had by its environment: it is told what holds, and a value that it
/// cannot use it would quote.
fn reserved_variables(pod: &PodSettings, path: &FieldPath) -> Result<(), Refusal> {
    for (index, variable) in pod.env.iter().flatten().enumerate() {
        let name = variable.name.as_str();
        if name.starts_with("DAEMUN_") || name == "NO_COLOR" {
            return Err(Refusal::unsupported(
                path.index(index).field("name"),
                format!(
                    "The variable {name} would set what spec.proxy is for; take it out, and use spec.proxy."
                ),
            ));
        }
    }
    Ok(())
}

/// Whole seconds, rounded up; at most an hour, because a pod that ends holds its place.
fn seconds(
    written: Option<&WrittenDuration>,
    default: u64,
    path: &FieldPath,
) -> Result<u64, Refusal> {
    let Some(written) = written else {
        return Ok(default);
    };
    let duration = written
        .parse()
        .map_err(|why| Refusal::unsupported(path.clone(), format!("{why}.")))?;
    if duration > Duration::from_secs(3600) {
        return Err(Refusal::unsupported(
            path.clone(),
            format!(
                "{} is longer than an hour, for which a pod that ends would hold its place; write at most 1h.",
                written.0
            ),
        ));
    }
    Ok(duration
        .as_millis()
        .div_ceil(1000)
        .try_into()
        .unwrap_or(default))
}
