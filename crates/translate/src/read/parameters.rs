//! GatewayParameters: which ones a GatewayClass and a Gateway refer to, and the one put over the other.

use std::collections::BTreeSet;

use daemun_model::names::ObjectName;
use daemun_model::verdict::{FieldPath, Finding, Step};
use daemun_objects::Kind;
use daemun_objects::gateway_api::gateway::Gateway;
use daemun_objects::gateway_api::gatewayclass::GatewayClass;
use daemun_objects::own::GROUP;
use daemun_objects::own::exposure::ExposureSettings;
use daemun_objects::own::parameters::{GatewayParametersSpec, is_field};
use serde_json::{Map, Value};

use crate::cluster::Cluster;
use crate::exposure::judge::allowed;
use crate::infrastructure::is_reserved;
use crate::infrastructure::parameters::{Parameters, judge};
use crate::infrastructure::way_in::{self, WayIn};
use crate::nearest::did_you_mean;
use crate::verdict::reason::INVALID_PARAMETERS;
use crate::verdict::{Elsewhere, Refusal, warning};

/// What a Gateway cannot change unless the class says otherwise.
const LOCKED: [&str; 4] = [
    "pod.env",
    "pod.image",
    "pod.imagePullPolicy",
    "pod.security",
];

/// The parameters of a class: none if it refers to none.
pub(crate) fn of_class<'a>(
    cluster: &'a Cluster,
    class: &GatewayClass,
) -> Result<Option<&'a GatewayParametersSpec>, Refusal> {
    let Some(reference) = &class.spec.parameters_ref else {
        return Ok(None);
    };
    let path = FieldPath::of("spec.parametersRef");
    check_kind(&reference.group, &reference.kind, &path)?;
    let Some(namespace) = reference.namespace.as_deref().filter(|it| !it.is_empty()) else {
        return Err(Refusal::new(
            path.field("namespace"),
            INVALID_PARAMETERS,
            format!(
                "GatewayParameters {} lacks its namespace; say in spec.parametersRef.namespace where it is.",
                reference.name
            ),
        ));
    };
    let name = ObjectName::new(namespace, &reference.name);
    let spec = find(
        cluster,
        &name,
        &path,
        "write its namespace into the reference",
    )?;
    let wrong = |refusal| in_words(&name, &path, &refusal);
    judge(spec).map_err(wrong)?;
    if let Some(unknown) = locked(spec).find(|field| !is_field(field)) {
        return Err(wrong(Refusal::unsupported(
            FieldPath::of("spec.locked"),
            format!(
                "\"{unknown}\" is no field of GatewayParameters and would lock nothing; write it from spec on, such as pod.resources."
            ),
        )));
    }
    Ok(Some(spec))
}

/// The parameters that hold for a Gateway, with what there is to say about it.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) parameters: Parameters,
    /// About the Gateway.
    pub(crate) findings: Vec<Finding>,
    /// About its own parameters.
    pub(crate) elsewhere: Vec<Elsewhere>,
}

/// The parameters that hold for a Gateway: its own over those of its class, which are known to be fine.
pub(crate) fn of_gateway(
    cluster: &Cluster,
    name: &ObjectName,
    gateway: &Gateway,
) -> Result<Read, Refusal> {
    let class = ObjectName::new("", &gateway.spec.gateway_class_name);
    let class = cluster.gateway_classes.get(&class);
    let of_class = class.and_then(|class| of_class(cluster, class).ok().flatten());
    let infrastructure = gateway.spec.infrastructure.as_ref();
    let path = FieldPath::of("spec.infrastructure.parametersRef");
    let Some(reference) = infrastructure.and_then(|it| it.parameters_ref.as_ref()) else {
        let parameters = of_class.map_or_else(|| Ok(Parameters::default()), judge)?;
        return Ok(keeping_locked_keys(parameters, of_class, gateway));
    };
    check_kind(&reference.group, &reference.kind, &path)?;
    let own_name = ObjectName::new(&name.namespace, &reference.name);
    let remedy = "a Gateway takes parameters of its own namespace only: move it there, or let the GatewayClass refer to it";
    let own = find(cluster, &own_name, &path, remedy)?;
    let wrong = |refusal| in_words(&own_name, &path, &refusal);
    if let Some(exposure) = &own.exposure {
        let locked = of_class.is_some_and(|class| is_locked(class, "exposure.reach"));
        let of_class = of_class.and_then(|class| class.exposure.as_ref());
        allowed::check(cluster, of_class, exposure, locked).map_err(wrong)?;
    }
    let (spec, passed_over) = merge(of_class, own).map_err(wrong)?;
    let parameters = judge(&spec).map_err(wrong)?;
    let locked = passed_over.iter().map(|field| Elsewhere {
        parameters: own_name.clone(),
        finding: warning(
            FieldPath::of("spec").field(field),
            "ParametersLocked",
            format!(
                "What this says about {field} does not hold: the GatewayClass {} leaves it to its owner (spec.locked of the class's parameters; without any, the image, environment and security of pods are locked).",
                gateway.spec.gateway_class_name
            ),
        ),
    });
    Ok(Read {
        elsewhere: locked.collect(),
        ..keeping_locked_keys(parameters, of_class, gateway)
    })
}

/// The GatewayParameters that a Gateway refers to, and those of its class: the former first.
pub(crate) fn named(cluster: &Cluster, name: &ObjectName, gateway: &Gateway) -> Vec<ObjectName> {
    let path = FieldPath::root();
    let own = gateway.spec.infrastructure.as_ref();
    let own = own.and_then(|own| own.parameters_ref.as_ref());
    let own = own.filter(|own| check_kind(&own.group, &own.kind, &path).is_ok());
    let own = own.map(|own| ObjectName::new(&name.namespace, &own.name));
    let class = ObjectName::new("", &gateway.spec.gateway_class_name);
    let class = cluster.gateway_classes.get(&class);
    let class = class.and_then(|class| class.spec.parameters_ref.as_ref());
    let class = class.filter(|class| check_kind(&class.group, &class.kind, &path).is_ok());
    let class =
        class.and_then(|class| Some(ObjectName::new(class.namespace.as_deref()?, &class.name)));
    own.into_iter().chain(class).collect()
}

/// The GatewayParameters in which something is written that holds for a Gateway, by its path.
pub(crate) fn written_in(
    cluster: &Cluster,
    (name, gateway): (&ObjectName, &Gateway),
    path: &FieldPath,
) -> Option<ObjectName> {
    let specs = named(cluster, name, gateway).into_iter();
    let specs = specs.filter_map(|name| {
        let object = cluster.gateway_parameters.get(&name)?;
        Some((name, serde_json::to_value(&object.spec).ok()?))
    });
    let mut specs: Vec<_> = specs.collect();
    let class = ObjectName::new("", &gateway.spec.gateway_class_name);
    let class = cluster.gateway_classes.get(&class);
    let class = class.and_then(|class| of_class(cluster, class).ok().flatten());
    let dotted = path.to_string();
    let below = dotted.strip_prefix("spec.").unwrap_or_default();
    if specs.len() > 1 && class.is_some_and(|class| is_locked(class, below)) {
        // What the Gateway's own say of it does not hold.
        specs.remove(0);
    }
    first_with(&specs, path)
}

/// The first object in which something is written at a path.
fn first_with(written: &[(ObjectName, serde_json::Value)], path: &FieldPath) -> Option<ObjectName> {
    let mut steps = path.steps().iter();
    if steps.next() != Some(&Step::Field("spec".to_owned())) {
        return None;
    }
    let steps: Vec<&Step> = steps.collect();
    let has = |spec: &serde_json::Value| {
        let mut at = Some(spec);
        for step in &steps {
            at = at.and_then(|at| match step {
                Step::Field(field) => at.get(field),
                Step::Index(index) => at.get(index),
            });
        }
        at.is_some()
    };
    let found = written.iter().find(|(_, spec)| has(spec));
    found.map(|(name, _)| name.clone())
}

/// What of a Gateway's way in counts while its parameters, or those of its class, cannot be had: each field that can be
/// read in both, whatever else is wrong with them. Of parameters that do not exist nothing is known.
pub(crate) fn way_in_in_doubt(cluster: &Cluster, name: &ObjectName, gateway: &Gateway) -> WayIn {
    let class = ObjectName::new("", &gateway.spec.gateway_class_name);
    let class = cluster.gateway_classes.get(&class);
    let class = class.and_then(|class| class.spec.parameters_ref.as_ref());
    let class = class.and_then(|reference| {
        let namespace = reference.namespace.as_deref().unwrap_or_default();
        let name = ObjectName::new(namespace, &reference.name);
        in_doubt(cluster, &name, &reference.group, &reference.kind)
    });
    let infrastructure = gateway.spec.infrastructure.as_ref();
    let own = infrastructure.and_then(|it| it.parameters_ref.as_ref());
    let own = own.and_then(|reference| {
        let name = ObjectName::new(&name.namespace, &reference.name);
        in_doubt(cluster, &name, &reference.group, &reference.kind)
    });
    let mut own = own.and_then(|own| own.exposure.clone()).unwrap_or_default();
    let locked = class.is_some_and(|class| is_locked(class, "exposure.reach"));
    let of_class = class.and_then(|class| class.exposure.as_ref());
    if allowed::check(cluster, of_class, &own, locked).is_err() {
        // What the class does not leave to its Gateways was never had.
        own = ExposureSettings {
            reach: None,
            allowed_reach: None,
            provider: None,
            on_violation: None,
            ..own
        };
    }
    let own = GatewayParametersSpec {
        exposure: Some(own),
        ..GatewayParametersSpec::default()
    };
    let spec = merge(class, &own).map_or(own, |(merged, _)| merged);
    way_in::read_in_doubt(&spec.exposure.unwrap_or_default())
}

fn in_doubt<'a>(
    cluster: &'a Cluster,
    name: &ObjectName,
    group: &str,
    kind: &str,
) -> Option<&'a GatewayParametersSpec> {
    check_kind(group, kind, &FieldPath::root()).ok()?;
    let found = cluster.gateway_parameters.get(name);
    found.map(|found| &found.spec)
}

/// Notes which labels and annotations the class sets and locks, and says so where the Gateway's infrastructure has
/// one of them otherwise.
fn keeping_locked_keys(
    mut parameters: Parameters,
    class: Option<&GatewayParametersSpec>,
    gateway: &Gateway,
) -> Read {
    let mut findings = Vec::new();
    let Some(class) = class else {
        return Read {
            parameters,
            findings,
            elsewhere: Vec::new(),
        };
    };
    let pod = class.pod.as_ref();
    let exposure = class.exposure.as_ref();
    let maps = [
        ("pod.labels", pod.and_then(|pod| pod.labels.as_ref())),
        (
            "pod.annotations",
            pod.and_then(|pod| pod.annotations.as_ref()),
        ),
        (
            "exposure.annotations",
            exposure.and_then(|it| it.annotations.as_ref()),
        ),
    ];
    let infrastructure = gateway.spec.infrastructure.clone().unwrap_or_default();
    let mut passed_over = BTreeSet::new();
    for (path, map) in maps {
        for (key, value) in map.filter(|_| is_locked(class, path)).into_iter().flatten() {
            let own = match path {
                "pod.labels" => infrastructure.labels.get(key),
                _ => infrastructure.annotations.get(key),
            };
            if own.is_some_and(|own| own != value) {
                passed_over.insert(key.clone());
            }
            parameters.locked_keys.insert(key.clone());
        }
    }
    if !passed_over.is_empty() {
        let keys: Vec<String> = passed_over.into_iter().collect();
        findings.push(warning(
            FieldPath::of("spec.infrastructure"),
            "ParametersLocked",
            format!(
                "What it says about {} does not hold: the GatewayClass {} leaves it to its owner (spec.locked of the class's parameters).",
                crate::nearest::list_all(&keys),
                gateway.spec.gateway_class_name
            ),
        ));
    }
    Read {
        parameters,
        findings,
        elsewhere: Vec::new(),
    }
}

/// What a Gateway wants to put on the objects around it, and what is kept for Daemun and the Gateway API.
pub(crate) fn reserved(gateway: &Gateway) -> Option<Finding> {
    let written = gateway.spec.infrastructure.as_ref()?;
    let keys = written.labels.keys().chain(written.annotations.keys());
    let keys: BTreeSet<&String> = keys.filter(|key| is_reserved(key)).collect();
    if keys.is_empty() {
        return None;
    }
    let keys: Vec<String> = keys.into_iter().cloned().collect();
    Some(warning(
        FieldPath::of("spec.infrastructure"),
        "ReservedKeys",
        format!(
            "{} {} not taken over: labels and annotations under gateway.networking.k8s.io/ and gateway.daemun.dev/, and the labels app.kubernetes.io/name and app.kubernetes.io/managed-by, are set by Daemun alone.",
            crate::nearest::list_all(&keys),
            if keys.len() == 1 { "is" } else { "are" },
        ),
    ))
}

fn check_kind(group: &str, kind: &str, path: &FieldPath) -> Result<(), Refusal> {
    if group == GROUP && kind == GatewayParametersSpec::KIND {
        return Ok(());
    }
    Err(Refusal::new(
        path.clone(),
        INVALID_PARAMETERS,
        format!(
            "{kind} of group \"{group}\" cannot hold parameters; {} of group {GROUP} does.",
            GatewayParametersSpec::KIND
        ),
    ))
}

fn find<'a>(
    cluster: &'a Cluster,
    name: &ObjectName,
    path: &FieldPath,
    remedy_elsewhere: &str,
) -> Result<&'a GatewayParametersSpec, Refusal> {
    let all = &cluster.gateway_parameters;
    let found = all.get(name);
    found.map(|found| &found.spec).ok_or_else(|| {
        let meant = || {
            let elsewhere = all.iter().find(|(other, _)| other.name == name.name);
            match elsewhere {
                Some((other, _)) => format!(
                    " There is one of this name in namespace {}; {remedy_elsewhere}.",
                    other.namespace
                ),
                None => did_you_mean(&name.name, all.names_in(&name.namespace)),
            }
        };
        Refusal::new(
            path.field("name"),
            INVALID_PARAMETERS,
            cluster
                .withheld
                .absence(GatewayParametersSpec::KIND, name, meant),
        )
    })
}

/// A refusal of a field of GatewayParameters, as one of the reference to them.
fn in_words(name: &ObjectName, path: &FieldPath, refusal: &Refusal) -> Refusal {
    let told = Refusal::new(
        path.clone(),
        INVALID_PARAMETERS,
        format!(
            "GatewayParameters {name}, {}: {}",
            refusal.path, refusal.message
        ),
    );
    let found = refusal.clone().found_in(name.clone(), refusal.path.clone());
    Refusal {
        elsewhere: found.elsewhere,
        ..told
    }
}

fn locked(class: &GatewayParametersSpec) -> impl Iterator<Item = &str> {
    let written = class.locked.as_ref();
    let default = LOCKED.iter().filter(move |_| written.is_none());
    let written = written.into_iter().flatten().map(String::as_str);
    default.copied().chain(written)
}

/// Whether a class locks a field, or one above it.
fn is_locked(class: &GatewayParametersSpec, path: &str) -> bool {
    locked(class).any(|locked| {
        let rest = path.strip_prefix(locked);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// A Gateway's own settings over those of its class, except what the class locks; with the locked fields that
/// the Gateway's settings have otherwise.
fn merge(
    class: Option<&GatewayParametersSpec>,
    own: &GatewayParametersSpec,
) -> Result<(GatewayParametersSpec, Vec<String>), Refusal> {
    let none = GatewayParametersSpec::default();
    let class = class.unwrap_or(&none);
    let locked: Vec<&str> = locked(class).chain(["locked"]).collect();
    let unreadable = |error: serde_json::Error| {
        Refusal::unsupported(
            FieldPath::of("spec"),
            format!("It cannot be put over the parameters of the class: {error}."),
        )
    };
    let mut merged = serde_json::to_value(class).map_err(unreadable)?;
    let mut passed_over = Vec::new();
    let own = serde_json::to_value(own).map_err(unreadable)?;
    put_over(&mut merged, own, "", &locked, &mut passed_over);
    let merged = serde_json::from_value(merged).map_err(unreadable)?;
    Ok((merged, passed_over))
}

/// Puts one value over another: fields over fields, anything else whole.
fn put_over(
    under: &mut Value,
    over: Value,
    path: &str,
    locked: &[&str],
    passed_over: &mut Vec<String>,
) {
    if locked.contains(&path) {
        if *under != over {
            passed_over.push(path.to_owned());
        }
        return;
    }
    let Value::Object(over) = over else {
        *under = over;
        return;
    };
    if !under.is_object() {
        *under = Value::Object(Map::new());
    }
    let Value::Object(fields) = under else {
        return;
    };
    for (name, over) in over {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let mut value = fields.remove(&name).unwrap_or(Value::Null);
        put_over(&mut value, over, &path, locked, passed_over);
        if !value.is_null() {
            fields.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use daemun_objects::own::parameters::GatewayParametersSpec;

    use super::merge;

    fn spec(yaml: &str) -> GatewayParametersSpec {
        serde_saphyr::from_str(yaml).unwrap()
    }

    fn merged(class: &str, own: &str) -> (GatewayParametersSpec, Vec<String>) {
        merge(Some(&spec(class)), &spec(own)).unwrap()
    }

    #[test]
    fn the_gateways_settings_win_field_by_field() {
        let (both, passed_over) = merged(
            "{workload: {replicas: 3}, pod: {nodeSelector: {a: '1', b: '1'}, tolerations: [{key: x}]}}",
            "{workload: {kind: DaemonSet}, pod: {nodeSelector: {b: '2'}, tolerations: []}}",
        );
        let expected = "{workload: {kind: DaemonSet, replicas: 3}, pod: {nodeSelector: {a: '1', b: '2'}, tolerations: []}}";
        assert_eq!(both, spec(expected));
        assert_eq!(passed_over, Vec::<String>::new());
    }

    #[test]
    fn what_is_locked_stays_as_the_class_has_it() {
        for (class, own, expected, passed_over) in [
            // The image and pod security are locked where nothing is said, whether the class sets them or not.
            (
                "{pod: {image: a}}",
                "{pod: {image: b, security: {runAsUser: 1}}}",
                "{pod: {image: a}}",
                vec!["pod.image", "pod.security"],
            ),
            // What a class says about locks replaces that.
            (
                "{locked: [], pod: {image: a}}",
                "{pod: {image: b}}",
                "{locked: [], pod: {image: b}}",
                vec![],
            ),
            (
                "{locked: [exposure, workload.replicas], exposure: {annotations: {a: '1'}}}",
                "{exposure: {annotations: {a: '2'}}, workload: {replicas: 9, kind: Deployment}}",
                "{locked: [exposure, workload.replicas], exposure: {annotations: {a: '1'}}, workload: {kind: Deployment}}",
                vec!["exposure", "workload.replicas"],
            ),
            // Who says the same is not passed over, and nobody unlocks.
            (
                "{locked: [exposure], exposure: {reach: Cluster}}",
                "{locked: [], exposure: {reach: Cluster}}",
                "{locked: [exposure], exposure: {reach: Cluster}}",
                vec!["locked"],
            ),
        ] {
            let (both, passed) = merged(class, own);
            let mut both_spec = spec(expected);
            if both.pod.is_some() && both_spec.pod.is_none() {
                both_spec.pod = Some(Default::default());
            }
            assert_eq!(
                (both, passed),
                (
                    both_spec,
                    passed_over.into_iter().map(str::to_owned).collect()
                )
            );
        }
    }
}
