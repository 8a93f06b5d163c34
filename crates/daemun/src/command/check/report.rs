//! All that `check` found, as data: the JSON and YAML output, and what the table is made of.

use std::collections::{BTreeMap, HashMap};

use daemun_controller::publish::State;
use daemun_controller::source::files::{Locator, Positions, Problem, Spot};
use daemun_model::names::ObjectRef;
use daemun_model::verdict::{Condition, FieldPath, Finding, Part, Place, Severity, Verdict};
use daemun_objects::Any;
use daemun_translate::NO_READY_ENDPOINT;
use serde::Serialize;

use crate::command::cluster::Seen;

use super::words::{Level, level, level_of, result, sums_up};
use super::{lost, recorded};

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Every object that was read, in the order of kinds and names.
    pub(super) objects: Vec<Checked>,
    /// What is wrong in the files.
    pub(super) problems: Vec<Problem>,
    /// What of a cluster could not be seen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) unseen: Vec<String>,
    /// Numbers.
    pub(super) summary: Summary,
    /// Where the objects are, in words.
    #[serde(skip)]
    pub(super) place: String,
}

/// Numbers about a report.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    /// Objects that were read.
    pub(super) objects: usize,
    /// Objects of which something is refused.
    pub(super) refused: usize,
    /// Objects about which there are warnings only.
    pub(super) warned: usize,
    /// Objects that could not be read.
    pub(super) unread: usize,
    /// What is wrong in files, unread objects included.
    pub(super) file_errors: usize,
    /// Those of them that are about no object.
    pub(super) elsewhere: usize,
    /// What is to be said about files without being an error, such as objects that nothing here reads.
    pub(super) file_warnings: usize,
}

/// An object with what is to be said about it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Checked {
    pub(super) kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) namespace: String,
    pub(super) name: String,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) spot: Option<ShortSpot>,
    pub(super) level: Level,
    /// In a few words.
    pub(super) result: String,
    /// As Kubernetes would show it; none for kinds that are not judged by themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<Status>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) findings: Vec<PlacedFinding>,
    /// Messages of bad conditions that no finding says with a place; for the table.
    #[serde(skip)]
    pub(super) remarks: Vec<String>,
}

/// A place without its snippet.
#[derive(Debug, Serialize)]
pub(super) struct ShortSpot {
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// A finding with its place in the file.
#[derive(Debug, Serialize)]
pub(super) struct PlacedFinding {
    pub(super) severity: Severity,
    pub(super) reason: &'static str,
    pub(super) message: String,
    pub(super) path: FieldPath,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) spot: Option<ShortSpot>,
}

impl PlacedFinding {
    /// A finding about an object, where it stands.
    pub(super) fn of(finding: &Finding, object: &ObjectRef, locator: &mut Locator<'_>) -> Self {
        Self {
            severity: finding.severity,
            reason: finding.reason,
            message: finding.message.clone(),
            path: finding.path.clone(),
            spot: locator.spot(object, &finding.path).map(ShortSpot::from),
        }
    }
}

/// The `status` that the object would have in Kubernetes.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) conditions: Vec<Condition>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) listeners: Vec<ListenerStatus>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) parents: Vec<ParentStatus>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ancestors: Vec<AncestorStatus>,
}

/// `status.listeners[]`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListenerStatus {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    attached_routes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supported_kinds: Option<Vec<&'static str>>,
    pub(super) conditions: Vec<Condition>,
}

/// `status.parents[]`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ParentStatus {
    pub(super) parent_ref: ParentRef,
    pub(super) conditions: Vec<Condition>,
}

/// `status.parents[].parentRef`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ParentRef {
    kind: String,
    namespace: String,
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) section_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
}

/// `status.ancestors[]`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AncestorStatus {
    pub(super) ancestor_ref: ParentRef,
    pub(super) conditions: Vec<Condition>,
}

impl Report {
    /// What is to be said about files, as on a host.
    pub(super) fn of(state: &State) -> Self {
        Self::leaving_out(state, &[], "in these files")
    }

    /// What is to be said about files that were judged as in Kubernetes: endpoints are the cluster's to make.
    pub(super) fn of_kubernetes(state: &State) -> Self {
        let place = "in these files, judged as in Kubernetes";
        Self::leaving_out(state, &[NO_READY_ENDPOINT], place)
    }

    fn leaving_out(state: &State, reasons: &[&str], place: &str) -> Self {
        let mut locator = state.positions.locator();
        let verdicts: HashMap<&ObjectRef, &Verdict> = state
            .verdicts
            .iter()
            .map(|verdict| (&verdict.object, verdict.as_ref()))
            .collect();
        let mut names: Vec<&ObjectRef> = state.positions.objects().map(AsRef::as_ref).collect();
        names.sort_by_key(|object| (rank(&object.kind), *object));
        let checked = names.into_iter().map(|object| {
            let verdict = verdicts.get(object).map(|verdict| Verdict {
                findings: verdict
                    .findings
                    .iter()
                    .filter(|finding| !reasons.contains(&finding.reason))
                    .cloned()
                    .collect(),
                ..Verdict::clone(verdict)
            });
            check(object, verdict.as_ref(), &mut locator)
        });
        let objects: Vec<Checked> = checked.collect();
        let problems: Vec<Problem> = state.problems.iter().cloned().collect();
        let summary = Summary::of(&objects, &problems);
        Self {
            objects,
            problems,
            unseen: Vec::new(),
            summary,
            place: place.to_owned(),
        }
    }

    /// What is to be said about the objects of a namespace of a cluster, or of all of them.
    pub(super) fn of_cluster(seen: &Seen) -> Self {
        let Seen { glimpse, namespace } = seen;
        let is_meant = |object: &ObjectRef| {
            let namespace = namespace.as_ref();
            namespace.is_none_or(|namespace| object.name.namespace == *namespace)
        };
        let mut objects = BTreeMap::new();
        for (object, recorded) in &glimpse.recorded {
            objects.insert(object, recorded::check(object, recorded));
        }
        let nowhere = Positions::default();
        for verdict in glimpse.outcome.verdicts.iter() {
            let mut locator = nowhere.locator();
            let checked = check(&verdict.object, Some(verdict), &mut locator);
            // A Route of which no parent is seen is judged by what the controller wrote.
            if !verdict.parts.is_empty() || !objects.contains_key(&verdict.object) {
                objects.insert(&verdict.object, checked);
            }
        }
        let lost = glimpse.lost();
        for (object, sentences) in &lost {
            let checked = objects.entry(object).or_insert_with(|| lost::check(object));
            lost::add(checked, sentences);
        }
        let mut objects: Vec<(&ObjectRef, Checked)> = objects.into_iter().collect();
        objects.retain(|(object, _)| is_meant(object));
        objects.sort_by_key(|(object, _)| (rank(&object.kind), *object));
        let objects: Vec<Checked> = objects.into_iter().map(|(_, checked)| checked).collect();
        Self {
            summary: Summary::of(&objects, &[]),
            objects,
            problems: Vec::new(),
            unseen: glimpse.unseen.clone(),
            place: match namespace {
                Some(namespace) => format!("of Daemun's in namespace {namespace}"),
                None => "of Daemun's in the cluster".to_owned(),
            },
        }
    }
}

impl Summary {
    pub(super) fn of(objects: &[Checked], problems: &[Problem]) -> Self {
        let at = |level: Level| {
            objects
                .iter()
                .filter(|object| object.level == level)
                .count()
        };
        let mut unread: Vec<&ObjectRef> = unread(problems).collect();
        unread.dedup();
        let of = |severity| move |problem: &&Problem| problem.severity == severity;
        let errors = || problems.iter().filter(of(Severity::Error));
        Self {
            objects: objects.len(),
            refused: at(Level::Refused),
            warned: at(Level::Warning),
            unread: unread.len(),
            file_errors: errors().count(),
            elsewhere: errors().filter(|error| error.object.is_none()).count(),
            file_warnings: problems.iter().filter(of(Severity::Warning)).count(),
        }
    }
}

/// Objects that have errors in the files; one after the other as they stand there.
pub(super) fn unread(problems: &[Problem]) -> impl Iterator<Item = &ObjectRef> {
    problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .filter_map(|problem| problem.object.as_ref())
}

fn rank(kind: &str) -> usize {
    let place = Any::KINDS.iter().position(|info| info.kind == kind);
    place.unwrap_or(usize::MAX)
}

fn check(object: &ObjectRef, verdict: Option<&Verdict>, locator: &mut Locator<'_>) -> Checked {
    let spot = locator.spot(object, &FieldPath::root());
    let findings = verdict.map_or(&[][..], |verdict| &verdict.findings);
    let findings = findings
        .iter()
        .map(|finding| PlacedFinding::of(finding, object, locator));
    Checked {
        kind: object.kind.clone(),
        namespace: object.name.namespace.clone(),
        name: object.name.name.clone(),
        spot: spot.map(ShortSpot::from),
        level: verdict.map_or(Level::Fine, level),
        result: verdict.map_or_else(|| "read".to_owned(), result),
        findings: findings.collect(),
        status: verdict.map(Status::of),
        remarks: verdict.map(remarks).unwrap_or_default(),
    }
}

fn remarks(verdict: &Verdict) -> Vec<String> {
    let mut said: Vec<&str> = verdict.findings.iter().map(|it| it.reason).collect();
    let mut remarks = Vec::new();
    for condition in verdict.parts.iter().flat_map(|part| &part.conditions) {
        let worth_saying = level_of(condition) > Level::Fine
            && condition.kind != "Programmed"
            && !sums_up(condition, verdict);
        if worth_saying && !said.contains(&condition.reason) {
            said.push(condition.reason);
            remarks.push(condition.message.clone());
        }
    }
    remarks
}

impl From<Spot> for ShortSpot {
    fn from(spot: Spot) -> Self {
        Self {
            file: spot.file.to_string(),
            line: spot.line,
            column: spot.column,
        }
    }
}

impl Status {
    fn of(verdict: &Verdict) -> Self {
        let mut status = Self::default();
        for part in verdict.parts.iter() {
            status.add(part);
        }
        status
    }

    fn add(&mut self, part: &Part) {
        let Part {
            place,
            conditions,
            attached,
            supported_kinds,
        } = part;
        let conditions = conditions.clone();
        match place {
            Place::Object => self.conditions = conditions,
            Place::Listener(name) => self.listeners.push(ListenerStatus {
                name: name.clone(),
                attached_routes: *attached,
                supported_kinds: supported_kinds.clone(),
                conditions,
            }),
            Place::Parent {
                parent,
                section,
                port,
            } => self.parents.push(ParentStatus {
                parent_ref: ParentRef {
                    kind: parent.kind.clone(),
                    namespace: parent.name.namespace.clone(),
                    name: parent.name.name.clone(),
                    section_name: section.clone(),
                    port: *port,
                },
                conditions,
            }),
            Place::Ancestor(gateway) => self.ancestors.push(AncestorStatus {
                ancestor_ref: ParentRef {
                    kind: "Gateway".to_owned(),
                    namespace: gateway.namespace.clone(),
                    name: gateway.name.clone(),
                    section_name: None,
                    port: None,
                },
                conditions,
            }),
        }
    }
}
