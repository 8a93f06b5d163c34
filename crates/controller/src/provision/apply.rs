//! Doing what a plan says, by server-side apply: only our own fields are set, and others' stay as they are.

use std::borrow::Cow;

use daemun_base::clock;
use daemun_model::shown;
use daemun_translate::exposure::Asked;
use daemun_translate::infrastructure::MADE_FOR;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::{Client, Error};
use serde_json::Value;

use super::kinds::Kind;
use super::made::{self, Manifest};
use super::names::{self, MANAGER};
use super::plan::{self, Action, Applied, Plan};
use super::seen::Seen;
use super::watch::api;
use crate::refused;

/// How many other health check ports are tried when one is taken.
const HEALTH_PORTS: usize = 8;

/// Whose objects are to be changed.
pub(super) struct Owner<'a> {
    /// The namespace.
    pub(super) namespace: &'a str,
    /// The Gateway's name.
    pub(super) gateway: &'a str,
    /// Its uid, as long as it is there.
    pub(super) uid: Option<&'a str>,
}

/// What came of a plan.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// What was applied.
    pub(super) applied: Applied,
    /// What could not be done; the rest was tried all the same.
    pub(super) failed: Option<Failure>,
}

/// Something that could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The reason of `Programmed`, where the Gateway cannot be reached because of it.
    pub(super) reason: &'static str,
    /// A sentence.
    pub(super) why: String,
}

impl Failure {
    /// A failure that is not about an address.
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self {
            reason: "NoResources",
            why: why.into(),
        }
    }

    /// A failure of making an object.
    fn of(manifest: &Manifest, why: String) -> Self {
        let asks = |field| manifest.body.pointer(field).is_some();
        let reason = match manifest.kind {
            Kind::Service if asks("/spec/loadBalancerIP") || asks("/spec/clusterIP") => {
                "AddressNotUsable"
            }
            Kind::Service => "AddressNotAssigned",
            _ => "NoResources",
        };
        Self { reason, why }
    }
}

/// Carries out a plan.
pub(super) async fn carry_out(client: &Client, owner: &Owner<'_>, plan: Plan) -> Done {
    let mut done = Done::default();
    // Whom pods would be and what they would hold is not ours: then no pod is made.
    let mut no_pods = false;
    for action in plan.actions {
        if no_pods
            && let Action::Apply { manifest, .. } = &action
            && manifest.kind.is_workload()
        {
            continue;
        }
        let failure = match &action {
            Action::Apply { manifest, seen } => match apply(client, owner, manifest, *seen).await {
                Ok(after) => {
                    let key = (manifest.kind, manifest.name.clone());
                    done.applied.insert(key, plan::applied(manifest, &after));
                    None
                }
                Err(why) => {
                    no_pods |= matches!(manifest.kind, Kind::ConfigMap | Kind::ServiceAccount);
                    Some(Failure::of(manifest, why))
                }
            },
            Action::HandOver { name, replicas } => hand_over(client, owner, (name, *replicas))
                .await
                .err()
                .map(Failure::new),
            Action::Note { name, uid, reach } => note(client, owner, (name, uid, *reach))
                .await
                .err()
                .map(Failure::new),
            Action::Delete { kind, name, uid } => delete(client, owner, (*kind, name, uid))
                .await
                .err()
                .map(Failure::new),
        };
        done.failed = done.failed.or(failure);
    }
    done
}

async fn apply(
    client: &Client,
    owner: &Owner<'_>,
    manifest: &Manifest,
    seen: bool,
) -> Result<Seen, String> {
    let Manifest {
        kind, name, body, ..
    } = manifest;
    let api = api(client, *kind, owner.namespace);
    let wrong = |error: &Error| in_words(owner, (*kind, name), "make", error);
    if !seen {
        let there = api.get_opt(name).await.map_err(|error| wrong(&error))?;
        if let Some(there) = there.and_then(|there| Seen::new(*kind, there)) {
            check_owner(owner, &there)?;
        }
    }
    let parameters = PatchParams::apply(MANAGER).force().validation_strict();
    let mut body = Cow::Borrowed(body);
    let mut tried = 0;
    let after = loop {
        match api.patch(name, &parameters, &Patch::Apply(&*body)).await {
            Ok(after) => break after,
            Err(error) if !seen && tried < HEALTH_PORTS && health_port_is_taken(&error) => {
                tried += 1;
                with_next_health_port(body.to_mut());
            }
            Err(error) => return Err(wrong(&error)),
        }
    };
    let mut after = Seen::new(*kind, after);
    if let Some(ports) = after
        .as_ref()
        .and_then(|after| without_others(manifest, after))
    {
        let version = after
            .as_ref()
            .map(|after| after.text("/metadata/resourceVersion"));
        let body = serde_json::json!({
            "metadata": { "resourceVersion": version },
            "spec": { "ports": ports },
        });
        let parameters = PatchParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let taken = api.patch(name, &parameters, &Patch::Merge(&body)).await;
        after = Seen::new(*kind, taken.map_err(|error| wrong(&error))?);
    }
    after.ok_or_else(|| {
        format!(
            "{} {}/{name} cannot be read.",
            kind.as_str(),
            owner.namespace
        )
    })
}

/// A Service's ports without those that are not asked for, if there are any: each leads to the proxies, and applying
/// leaves others' in the list.
fn without_others(manifest: &Manifest, after: &Seen) -> Option<Vec<Value>> {
    let asked = manifest.body.pointer("/spec/ports")?.as_array()?;
    let is_asked = |port: &&Value| {
        let same = |field, asked: &Value| asked.get(field) == port.get(field);
        let mut asked = asked.iter();
        asked.any(|asked| same("port", asked) && same("protocol", asked))
    };
    let there = after.list("/spec/ports");
    let ours: Vec<Value> = there.iter().filter(is_asked).cloned().collect();
    (manifest.kind == Kind::Service && ours.len() < there.len() && !ours.is_empty()).then_some(ours)
}

/// Whether the port at which a Service's nodes tell of their proxies is another Service's.
fn health_port_is_taken(error: &Error) -> bool {
    matches!(error, Error::Api(status)
        if status.message.contains("HealthCheck NodePort")
            && status.message.contains("already allocated"))
}

/// Asks for another port, wherever the one before was written. From then on the Service has it, and what is wanted
/// follows the Service.
fn with_next_health_port(body: &mut Value) {
    const PORT: &str = "/spec/healthCheckNodePort";
    let Some(port) = body.pointer(PORT).and_then(Value::as_u64) else {
        return;
    };
    let next = made::next_health_port(u16::try_from(port).unwrap_or_default());
    let annotations = body.pointer_mut("/metadata/annotations");
    for (_, value) in annotations
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        if value.as_str() == Some(port.to_string().as_str()) {
            *value = Value::String(next.to_string());
        }
    }
    if let Some(port) = body.pointer_mut(PORT) {
        *port = Value::from(next);
    }
}

/// Nothing is taken over that was not made for this Gateway.
fn check_owner(owner: &Owner<'_>, there: &Seen) -> Result<(), String> {
    if there.annotation(names::OF_GATEWAY) == owner.gateway
        && there
            .owner()
            .is_some_and(|(name, uid)| name == owner.gateway && Some(uid) == owner.uid)
    {
        return Ok(());
    }
    let whose = match there.owner() {
        Some((gateway, _)) if gateway == owner.gateway => {
            "was made for an earlier Gateway of this name, and is to go by itself".to_owned()
        }
        Some((gateway, _)) => format!("belongs to Gateway {gateway}"),
        None => "was not made by Daemun".to_owned(),
    };
    Err(format!(
        "{} {}/{} {whose}, and this Gateway needs one of that name. Rename or delete one of the two.",
        there.kind.as_str(),
        owner.namespace,
        there.name()
    ))
}

/// Says the number once more under another name, so that it stays when it is not said under the usual one.
async fn hand_over(
    client: &Client,
    owner: &Owner<'_>,
    (name, replicas): (&str, i64),
) -> Result<(), String> {
    let kind = Kind::Deployment;
    let body = serde_json::json!({
        "apiVersion": kind.api_version(),
        "kind": kind.as_str(),
        "metadata": { "name": name, "namespace": owner.namespace },
        "spec": { "replicas": replicas },
    });
    let parameters = PatchParams::apply(names::SCALING).force();
    api(client, kind, owner.namespace)
        .patch(name, &parameters, &Patch::Apply(&body))
        .await
        .map(drop)
        .map_err(|error| in_words(owner, (kind, name), "change", &error))
}

/// Notes what a Service was made for where only those write who may write a Service's status: whoever may, decides
/// what its addresses seem to be anyhow.
async fn note(
    client: &Client,
    owner: &Owner<'_>,
    (name, uid, reach): (&str, &str, Option<Asked>),
) -> Result<(), String> {
    let kind = Kind::Service;
    let condition = |reach: Asked| {
        serde_json::json!({
            "type": MADE_FOR,
            "status": "True",
            "reason": reach.as_str(),
            "message": "Daemun made the Service to be reached so, and judges its addresses by that as long as another reach is asked for and waits.",
            "lastTransitionTime": shown::moment(clock::unix_seconds()),
        })
    };
    let conditions: Vec<Value> = reach.into_iter().map(condition).collect();
    let body = serde_json::json!({
        "apiVersion": kind.api_version(),
        "kind": kind.as_str(),
        "metadata": { "name": name, "namespace": owner.namespace, "uid": uid },
        "status": { "conditions": conditions },
    });
    let parameters = PatchParams::apply(MANAGER).force();
    let api = api(client, kind, owner.namespace);
    match api
        .patch_status(name, &parameters, &Patch::Apply(&body))
        .await
    {
        Ok(_) => Ok(()),
        // It is gone, or another one has its name.
        Err(Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
        Err(error) => Err(in_words(owner, (kind, name), "write the status of", &error)),
    }
}

async fn delete(
    client: &Client,
    owner: &Owner<'_>,
    (kind, name, uid): (Kind, &str, &str),
) -> Result<(), String> {
    let parameters = DeleteParams::background().preconditions(Preconditions {
        uid: Some(uid.to_owned()),
        resource_version: None,
    });
    match api(client, kind, owner.namespace)
        .delete(name, &parameters)
        .await
    {
        Ok(_) => Ok(()),
        // It is gone, or another one has its name.
        Err(Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
        Err(error) => Err(in_words(owner, (kind, name), "delete", &error)),
    }
}

fn in_words(owner: &Owner<'_>, (kind, name): (Kind, &str), verb: &str, error: &Error) -> String {
    let object = format!("{} {}/{name}", kind.as_str(), owner.namespace);
    refused::why(verb, &object, error)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Kind, Manifest, Seen, without_others};

    #[test]
    fn a_port_that_others_added_is_taken_off() {
        let manifest = Manifest {
            kind: Kind::Service,
            name: "shop-daemun".to_owned(),
            body: json!({"spec": {"ports": [{"port": 80, "targetPort": 20080, "protocol": "TCP"}]}}),
            reach: None,
        };
        let of = |ports| Seen {
            kind: Kind::Service,
            object: json!({"spec": {"ports": ports}}),
        };
        let own = json!({"port": 80, "targetPort": 20080, "protocol": "TCP", "nodePort": 31080});
        let metrics = json!({"port": 9901, "targetPort": 9901, "protocol": "TCP"});
        let udp = json!({"port": 80, "targetPort": 9901, "protocol": "UDP"});
        let with = of(json!([&own, metrics, udp]));
        assert_eq!(without_others(&manifest, &with), Some(vec![own.clone()]));
        assert_eq!(without_others(&manifest, &of(json!([own]))), None);
    }
}
