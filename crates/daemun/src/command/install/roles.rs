//! The roles of people. The viewer's is always printed, since it gives no more than to look; the others are printed when
//! they are asked for, since a developer's becomes part of the role `edit` of everybody who has it.

use serde_json::{Value, json};

use super::Arguments;
use super::object::{cluster_name, cluster_wide};
use crate::roles::persona::Persona;
use crate::roles::rule::rules;

pub(super) const RBAC: &str = "rbac.authorization.k8s.io/v1";

/// Those of operators and developers.
pub(super) fn operators_and_developers(arguments: &Arguments) -> Vec<Value> {
    let personas = Persona::ALL.iter().copied();
    let others = personas.filter(|persona| *persona != Persona::Viewer);
    others.map(|persona| role(arguments, persona)).collect()
}

/// The viewer's.
pub(super) fn viewer(arguments: &Arguments) -> Value {
    role(arguments, Persona::Viewer)
}

/// A persona's ClusterRole; each installation has its own, so that none takes another's away.
fn role(arguments: &Arguments, persona: Persona) -> Value {
    let name = cluster_name(arguments, persona.role());
    let rules = json!({ "rules": rules(persona.rules()) });
    let mut role = cluster_wide(RBAC, "ClusterRole", &name, rules);
    if let Some((of, _)) = persona.part_of() {
        let label = format!("rbac.authorization.k8s.io/aggregate-to-{of}");
        role["metadata"]["labels"][label] = json!("true");
    }
    role
}
