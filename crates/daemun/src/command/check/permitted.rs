//! Whether somebody of a role could apply the objects: said of each, beside what would become of it.

use daemun_controller::Controller;
use daemun_model::names::{ObjectName, ObjectRef};

use super::report::{PlacedFinding, Report, Summary};
use super::words::Level;
use crate::roles::judge::obstacles;
use crate::roles::persona::Persona;

/// Says it, and counts anew.
pub(super) fn add(report: &mut Report, persona: Persona, looked: &Controller) {
    let mut locator = looked.state().positions.locator();
    for checked in &mut report.objects {
        let name = ObjectName::new(checked.namespace.clone(), checked.name.clone());
        let object = ObjectRef::new(checked.kind.clone(), name);
        let found = obstacles(persona, &object, looked.cluster());
        let could = if found.is_empty() {
            "could"
        } else {
            checked.level = Level::Refused;
            "could not"
        };
        checked.result = format!("{}; {} {could} apply it", checked.result, persona.words());
        let placed = found
            .iter()
            .map(|finding| PlacedFinding::of(finding, &object, &mut locator));
        checked.findings.extend(placed);
    }
    report.summary = Summary::of(&report.objects, &report.problems);
}
