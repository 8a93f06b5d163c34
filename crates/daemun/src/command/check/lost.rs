//! A Route that names a Gateway which does not exist: no controller says anything of it.

use daemun_model::names::ObjectRef;

use super::report::Checked;
use super::words::Level;

/// Where nothing else is to be said.
pub(super) fn check(object: &ObjectRef) -> Checked {
    Checked {
        kind: object.kind.clone(),
        namespace: object.name.namespace.clone(),
        name: object.name.name.clone(),
        spot: None,
        level: Level::Fine,
        result: "not attached".to_owned(),
        status: None,
        findings: Vec::new(),
        remarks: Vec::new(),
    }
}

/// Says it: a warning, since the Gateway may be about to come.
pub(super) fn add(checked: &mut Checked, sentences: &[String]) {
    checked.level = checked.level.max(Level::Warning);
    checked.remarks.extend(sentences.iter().cloned());
}

#[cfg(test)]
mod tests {
    use daemun_controller::glimpse::Glimpse;
    use daemun_controller::source::files::read_text;

    use crate::command::check::report::Report;
    use crate::command::check::words::Level;
    use crate::command::cluster::Seen;

    #[test]
    fn a_route_that_names_nobody_is_told_and_warned_of() {
        let route = "
kind: HTTPRoute
apiVersion: gateway.networking.k8s.io/v1
metadata: {name: orders, namespace: shop}
spec: {parentRefs: [{name: web, namespace: infra}]}
";
        let mut glimpse = Glimpse {
            all_gateways: true,
            ..Glimpse::default()
        };
        for object in read_text("cluster", route).0 {
            glimpse.cluster.insert(object);
        }
        let report = Report::of_cluster(&Seen {
            glimpse,
            namespace: Some("shop".to_owned()),
        });
        let [checked] = &report.objects[..] else {
            panic!("{:?}", report.objects)
        };
        assert_eq!(
            (checked.level, &*checked.result),
            (Level::Warning, "not attached")
        );
        assert_eq!(
            checked.remarks,
            ["spec.parentRefs[0].name: Gateway infra/web does not exist."]
        );
    }
}
