//! A Route of which no parent can be seen: what the controller wrote into its status is all there is to tell.

use daemun_controller::glimpse::{Recorded, Said};
use daemun_model::names::ObjectRef;

use super::report::Checked;
use super::words::Level;

/// What is to be said about it.
pub(super) fn check(object: &ObjectRef, recorded: &[Recorded]) -> Checked {
    let fails = |said: &&Said| said.status == "False" || said.kind == "PartiallyInvalid";
    let parents = recorded.iter().map(|parent| {
        let name = match &parent.section {
            Some(section) => format!("{}, listener {section}", parent.parent),
            None => parent.parent.clone(),
        };
        let failing = parent.conditions.iter().filter(fails);
        let reasons: Vec<String> = failing
            .map(|said| format!("({}={}, {})", said.kind, said.status, said.reason))
            .collect();
        match (parent.is_accepted(), reasons.is_empty()) {
            (true, true) => format!("accepted by {name}"),
            (true, false) => format!("accepted by {name}, refused in part {}", reasons.join(" ")),
            (false, _) => format!("not attached to {name} {}", reasons.join(" ")),
        }
    });
    let parents: Vec<String> = parents.collect();
    let failing = recorded
        .iter()
        .flat_map(|parent| &parent.conditions)
        .filter(fails);
    let remarks: Vec<String> = failing.map(|said| said.message.clone()).collect();
    Checked {
        kind: object.kind.clone(),
        namespace: object.name.namespace.clone(),
        name: object.name.name.clone(),
        spot: None,
        level: if remarks.is_empty() {
            Level::Fine
        } else {
            Level::Refused
        },
        result: format!("{}, as its status says", parents.join("; ")),
        status: None,
        findings: Vec::new(),
        remarks,
    }
}
