//! What is done when, and what has to wait.

use serde_json::{Value, json};

use std::collections::BTreeMap;

use daemun_translate::exposure::{Asked, Fate};

use super::{Action, Applied, Plan, applied, is_complete};
use crate::provision::kinds::Kind;
use crate::provision::made::Manifest;
use crate::provision::seen::Seen;
use crate::provision::store::Around;

fn manifest(kind: Kind, name: &str, image: &str) -> Manifest {
    let body = json!({
        "metadata": { "name": name },
        "spec": { "template": { "spec": { "containers": [{ "image": image }] } } },
    });
    Manifest {
        kind,
        name: name.to_owned(),
        body,
        reach: None,
    }
}

/// A workload as the cluster has it: of one pod, which is ready or not.
fn seen(manifest: &Manifest, is_ready: bool) -> Seen {
    let mut object = manifest.body.clone();
    object["metadata"]["uid"] = json!(format!("uid-of-{}", manifest.name));
    object["metadata"]["generation"] = json!(1);
    object["spec"]["template"]["spec"]["dnsPolicy"] = json!("ClusterFirst");
    let ready = i32::from(is_ready);
    match manifest.kind {
        Kind::DaemonSet => {
            object["status"] = json!({
                "observedGeneration": 1, "desiredNumberScheduled": 1, "currentNumberScheduled": 1,
                "updatedNumberScheduled": 1, "numberReady": ready,
            });
        }
        _ => {
            object["spec"]["replicas"] = json!(1);
            object["status"] = json!({
                "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": ready,
            });
        }
    }
    Seen {
        kind: manifest.kind,
        object,
    }
}

/// A plan where no Service has to go.
fn plan(wanted: &[Manifest], around: &Around, applied: &Applied, may_roll: bool) -> Plan {
    super::plan(wanted, (around, &BTreeMap::new()), applied, may_roll)
}

fn around(all: &[Seen]) -> Around {
    all.iter()
        .map(|seen| ((seen.kind, seen.name().to_owned()), seen.clone()))
        .collect()
}

/// A plan in short: `+` makes, `~` changes, `-` deletes.
fn short(plan: &Plan) -> Vec<String> {
    plan.actions
        .iter()
        .map(|action| match action {
            Action::Apply { manifest, seen } => {
                let sign = if *seen { '~' } else { '+' };
                format!("{sign}{} {}", manifest.kind.as_str(), manifest.name)
            }
            Action::HandOver { name, replicas } => format!("={name} {replicas}"),
            Action::Note { name, .. } => format!("!{name}"),
            Action::Delete { kind, name, .. } => format!("-{} {name}", kind.as_str()),
        })
        .collect()
}

#[test]
fn what_is_missing_is_made_what_differs_is_changed_and_what_is_there_is_left() {
    let wanted = [
        manifest(Kind::Deployment, "a", "1"),
        manifest(Kind::Service, "a", ""),
    ];
    let made = plan(&wanted, &Around::new(), &Applied::new(), true);
    assert_eq!(short(&made), ["+Deployment a", "+Service a"]);
    let there = around(&[seen(&wanted[0], true), seen(&wanted[1], true)]);
    assert_eq!(
        plan(&wanted, &there, &Applied::new(), true),
        Plan::default()
    );
    let next = [manifest(Kind::Deployment, "a", "2"), wanted[1].clone()];
    let change = plan(&next, &there, &Applied::new(), true);
    // The test's manifests say no number of pods.
    assert_eq!(short(&change), ["=a 1", "~Deployment a"]);
    assert!(change.rolls);
}

/// The API server writes "1" where 1 was given: that is not a difference for ever.
#[test]
fn what_was_applied_is_not_applied_again() {
    let wanted = [manifest(Kind::Deployment, "a", "1")];
    let other = seen(&manifest(Kind::Deployment, "a", "one"), true);
    let there = around(std::slice::from_ref(&other));
    let key = (Kind::Deployment, "a".to_owned());
    let memory: Applied = [(key, applied(&wanted[0], &other))].into();
    assert_eq!(plan(&wanted, &there, &memory, true), Plan::default());
    // Unless somebody changes it,
    let mut changed = other;
    changed.object["spec"]["replicas"] = json!(7);
    let there = around(&[changed]);
    assert_eq!(
        short(&plan(&wanted, &there, &memory, true)),
        ["=a 7", "~Deployment a"]
    );
    // and what becomes of it is no change.
    let status = |ready| around(&[seen(&manifest(Kind::Deployment, "a", "one"), ready)]);
    for ready in [true, false] {
        assert_eq!(
            plan(&wanted, &status(ready), &memory, true),
            Plan::default()
        );
    }
}

#[test]
fn pods_are_replaced_when_it_is_their_turn() {
    let there = around(&[seen(&manifest(Kind::Deployment, "a", "1"), true)]);
    let wanted = [
        manifest(Kind::Service, "a", ""),
        manifest(Kind::Deployment, "a", "2"),
    ];
    let put_off = plan(&wanted, &there, &Applied::new(), false);
    assert_eq!(short(&put_off), ["+Service a"]);
    assert!(put_off.postponed && !put_off.rolls);
    // A number of replicas replaces none.
    let mut more = manifest(Kind::Deployment, "a", "1");
    more.body["spec"]["replicas"] = json!(3);
    let plan = plan(&[more], &there, &Applied::new(), false);
    assert_eq!(short(&plan), ["~Deployment a"]);
    assert!(!plan.postponed && !plan.rolls);
}

#[test]
fn the_old_workload_goes_when_the_new_one_serves() {
    let old = seen(&manifest(Kind::Deployment, "a", "1"), true);
    let budget = seen(&manifest(Kind::PodDisruptionBudget, "a", ""), true);
    let wanted = [manifest(Kind::DaemonSet, "a", "1")];
    let step = |more: &[Seen]| {
        let all = [&[old.clone(), budget.clone()], more].concat();
        short(&plan(&wanted, &around(&all), &Applied::new(), true))
    };
    assert_eq!(step(&[]), ["+DaemonSet a", "-PodDisruptionBudget a"]);
    assert_eq!(step(&[seen(&wanted[0], false)]), ["-PodDisruptionBudget a"]);
    assert_eq!(
        step(&[seen(&wanted[0], true)]),
        ["-PodDisruptionBudget a", "-Deployment a"]
    );
}

/// A port of a node is free for the new pods only when the old ones are gone.
#[test]
fn the_old_workload_makes_room_where_both_take_ports_of_nodes() {
    let with_port = |kind: Kind| {
        let mut manifest = manifest(kind, "a", "1");
        let ports = json!([{ "containerPort": 9901 }, { "containerPort": 20_080, "hostPort": 80 }]);
        manifest.body["spec"]["template"]["spec"]["containers"][0]["ports"] = ports;
        manifest
    };
    let new = with_port(Kind::DaemonSet);
    let step = |old: Manifest, new: &Manifest, there: &[Seen]| {
        let all = [&[seen(&old, true)], there].concat();
        let wanted = std::slice::from_ref(new);
        short(&plan(wanted, &around(&all), &Applied::new(), true))
    };
    let waits = [seen(&new, false)];
    assert_eq!(
        step(with_port(Kind::Deployment), &new, &[]),
        ["+DaemonSet a"]
    );
    assert_eq!(
        step(with_port(Kind::Deployment), &new, &waits),
        ["-Deployment a"]
    );
    // Who has none is in nobody's way.
    assert!(step(manifest(Kind::Deployment, "a", "1"), &new, &waits).is_empty());
    let portless = manifest(Kind::DaemonSet, "a", "1");
    let waits = [seen(&portless, false)];
    assert!(step(with_port(Kind::Deployment), &portless, &waits).is_empty());
}

/// An autoscaler gets the number as it is.
#[test]
fn the_number_of_pods_is_handed_over_once() {
    let mut fixed = manifest(Kind::Deployment, "a", "1");
    fixed.body["spec"]["replicas"] = json!(3);
    let mut scaled = manifest(Kind::Deployment, "a", "1");
    scaled.body["metadata"]["labels"] = json!({ "new": "label" });
    let scaler = manifest(Kind::HorizontalPodAutoscaler, "a", "");
    let mut there = seen(&fixed, true);
    there.object["spec"]["replicas"] = json!(3);
    let wanted = [scaled, scaler.clone()];
    let steps = plan(&wanted, &around(&[there.clone()]), &Applied::new(), true);
    assert_eq!(
        short(&steps),
        ["=a 3", "~Deployment a", "+HorizontalPodAutoscaler a"]
    );
    let later = around(&[there, seen(&scaler, true)]);
    let steps = plan(&wanted, &later, &Applied::new(), true);
    assert_eq!(short(&steps), ["~Deployment a"]);
}

/// Under another class the names are others; the old account stays as long as pods run as it.
#[test]
fn what_pods_hold_stays_as_long_as_they_do() {
    let old = [
        seen(&manifest(Kind::ConfigMap, "old", ""), true),
        seen(&manifest(Kind::ServiceAccount, "old", ""), true),
        seen(&manifest(Kind::Service, "old", ""), true),
        seen(&manifest(Kind::Deployment, "old", "1"), true),
    ];
    let wanted = [manifest(Kind::Deployment, "new", "1")];
    let step = |more: &[Seen]| {
        let all = [&old[..], more].concat();
        short(&plan(&wanted, &around(&all), &Applied::new(), true))
    };
    assert_eq!(
        step(&[seen(&wanted[0], false)]),
        ["-Service old"],
        "only the Service is free to go"
    );
    assert_eq!(step(&[seen(&wanted[0], true)]).len(), 4);
}

#[test]
fn nothing_is_wanted_any_more() {
    let mut going = seen(&manifest(Kind::Service, "b", ""), true);
    going.object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    let pod = seen(&manifest(Kind::Pod, "p", ""), true);
    let there = around(&[
        seen(&manifest(Kind::Deployment, "a", "1"), true),
        going,
        pod,
    ]);
    let plan = plan(&[], &there, &Applied::new(), false);
    assert_eq!(short(&plan), ["-Deployment a"]);
}

#[test]
fn a_rollout_is_complete_when_all_pods_are_new_and_ready() {
    let complete = |change: fn(&mut Value)| {
        let mut seen = seen(&manifest(Kind::Deployment, "a", "1"), true);
        change(&mut seen.object);
        is_complete(&seen)
    };
    assert!(complete(|_| {}));
    assert!(!complete(|it| it["metadata"]["generation"] = json!(2)));
    assert!(!complete(|it| it["status"]["updatedReplicas"] = json!(0)));
    assert!(!complete(|it| it["status"]["replicas"] = json!(2)));
    assert!(!complete(|it| it["status"]["readyReplicas"] = json!(0)));
    assert!(!complete(|it| it["spec"]["replicas"] = json!(0)));
}

#[test]
fn a_service_that_migrates_stays_until_the_new_one_serves() {
    let service = |name: &str| Manifest {
        kind: Kind::Service,
        name: name.to_owned(),
        body: json!({ "metadata": { "name": name } }),
        reach: None,
    };
    let there = around(&[seen(&service("old"), true)]);
    for (fate, steps) in [
        (Some(Fate::Migrating), vec!["+Service new"]),
        (Some(Fate::Goes), vec!["+Service new", "-Service old"]),
        (None, vec!["+Service new", "-Service old"]),
    ] {
        let fates = fate.map(|fate| ("old".to_owned(), fate)).into_iter();
        let fates: BTreeMap<String, Fate> = fates.collect();
        let applied = Applied::new();
        let plan = super::plan(&[service("new")], (&there, &fates), &applied, true);
        assert_eq!(short(&plan), steps);
    }
}

/// What was made does not change with what is asked, and whoever writes the Service's own annotations changes it not
/// either: the note is in its status, and stays as long as there is a load balancer.
#[test]
fn what_a_load_balancer_was_made_for_is_noted_once_in_its_status() {
    let noted = json!([{ "type": "gateway.daemun.dev/MadeFor", "reason": "Private" }]);
    let annotations = json!({ "gateway.daemun.dev/reach": "Public" });
    let (balancer, cluster) = ("LoadBalancer", "ClusterIP");
    for (there, conditions, asked, expected) in [
        (balancer, json!([]), Some(Asked::Private), vec!["Private"]),
        (balancer, noted.clone(), Some(Asked::Private), vec![]),
        (balancer, noted.clone(), Some(Asked::Public), vec![]),
        (balancer, json!([]), None, vec![]),
        // It is not one yet, and not one any more.
        (cluster, json!([]), Some(Asked::Private), vec![]),
        (cluster, noted, None, vec!["nothing"]),
    ] {
        let mut service = manifest(Kind::Service, "a", "");
        service.body = json!({ "metadata": { "name": "a" } });
        service.reach = asked;
        let mut seen = seen(&service, true);
        seen.object["spec"] = json!({ "type": there });
        seen.object["metadata"]["annotations"] = annotations.clone();
        seen.object["status"] = json!({ "conditions": conditions });
        let plan = plan(&[service], &around(&[seen]), &Applied::new(), true);
        let notes = plan.actions.iter().map(|action| match action {
            Action::Note { uid, reach, .. } => {
                assert_eq!(uid, "uid-of-a");
                reach.map_or("nothing", Asked::as_str)
            }
            other => panic!("{other:?}"),
        });
        assert_eq!(notes.collect::<Vec<_>>(), expected, "{there} {asked:?}");
    }
}
