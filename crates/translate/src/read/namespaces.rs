//! Which namespaces something is allowed from: `allowedRoutes.namespaces` and
//! `allowedListeners.namespaces`.

use daemun_model::names::ObjectName;
use daemun_model::verdict::FieldPath;
use daemun_objects::Open;
use daemun_objects::gateway_api::shared::{
    FromNamespaces, LabelOperator, LabelSelector, ListenerNamespaces, ListenersFrom,
    RouteNamespaces,
};

use crate::cluster::Cluster;
use crate::listener::{Labels, Namespaces, Operator, Requirement, Selector};
use crate::value::unknown;
use crate::verdict::Refusal;

/// The label that every namespace has with its own name.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Reads `allowedRoutes.namespaces`, at a path; `own` is the namespace of the object.
pub(crate) fn of_routes(
    written: Option<&RouteNamespaces>,
    own: &str,
    path: &FieldPath,
) -> Result<Namespaces, Refusal> {
    let empty = RouteNamespaces::default();
    let RouteNamespaces { from, selector } = written.unwrap_or(&empty);
    let known = from
        .as_ref()
        .map_or(Some(FromNamespaces::Same), Open::known);
    match known {
        Some(FromNamespaces::All) => Ok(Namespaces::All),
        Some(FromNamespaces::Same) => Ok(Namespaces::Same(own.to_owned())),
        Some(FromNamespaces::Selector) => selected(selector.as_ref(), path),
        None => Err(unknown(
            &path.field("from"),
            "value of from",
            from.as_ref().map(Open::as_str).unwrap_or_default(),
            &["All", "Selector", "Same"],
        )),
    }
}

/// Reads `allowedListeners.namespaces`, at a path; `own` is the namespace of the Gateway.
pub(crate) fn of_listeners(
    written: Option<&ListenerNamespaces>,
    own: &str,
    path: &FieldPath,
) -> Result<Namespaces, Refusal> {
    let empty = ListenerNamespaces::default();
    let ListenerNamespaces { from, selector } = written.unwrap_or(&empty);
    let known = from.as_ref().map_or(Some(ListenersFrom::None), Open::known);
    match known {
        Some(ListenersFrom::All) => Ok(Namespaces::All),
        Some(ListenersFrom::Same) => Ok(Namespaces::Same(own.to_owned())),
        Some(ListenersFrom::None) => Ok(Namespaces::None),
        Some(ListenersFrom::Selector) => selected(selector.as_ref(), path),
        None => Err(unknown(
            &path.field("from"),
            "value of from",
            from.as_ref().map(Open::as_str).unwrap_or_default(),
            &["All", "Selector", "Same", "None"],
        )),
    }
}

fn selected(selector: Option<&LabelSelector>, path: &FieldPath) -> Result<Namespaces, Refusal> {
    let selector = selector.ok_or_else(|| {
        Refusal::unsupported(
            path.field("from"),
            format!(
                "{path}.from is Selector, and there is no {path}.selector; write the labels of the namespaces there (matchLabels)."
            ),
        )
    })?;
    read_selector(selector, &path.field("selector")).map(Namespaces::Selector)
}

fn read_selector(written: &LabelSelector, path: &FieldPath) -> Result<Selector, Refusal> {
    let LabelSelector {
        match_labels,
        match_expressions,
    } = written;
    let mut requirements: Vec<Requirement> = match_labels
        .iter()
        .map(|(key, value)| Requirement {
            key: key.clone(),
            operator: Operator::In(vec![value.clone()]),
        })
        .collect();
    for (index, expression) in match_expressions.iter().enumerate() {
        let path = path.field("matchExpressions").index(index);
        let values = || expression.values.clone();
        let operator = match expression.operator.known() {
            Some(LabelOperator::In) => Operator::In(values()),
            Some(LabelOperator::NotIn) => Operator::NotIn(values()),
            Some(LabelOperator::Exists) => Operator::Exists,
            Some(LabelOperator::DoesNotExist) => Operator::DoesNotExist,
            None => {
                return Err(Refusal::unsupported(
                    path.field("operator"),
                    format!(
                        "{path}.operator is \"{}\"; In, NotIn, Exists and DoesNotExist are known.",
                        expression.operator
                    ),
                ));
            }
        };
        let wants_values = matches!(operator, Operator::In(_) | Operator::NotIn(_));
        if wants_values == expression.values.is_empty() {
            let message = if wants_values {
                format!("{path}.operator {} needs values.", expression.operator)
            } else {
                format!("{path}.operator {} takes no values.", expression.operator)
            };
            return Err(Refusal::unsupported(path.field("values"), message));
        }
        requirements.push(Requirement {
            key: expression.key.clone(),
            operator,
        });
    }
    Ok(Selector(requirements))
}

/// The labels of a namespace: those of its object, if there is one, and its name.
pub(crate) fn labels(cluster: &Cluster, namespace: &str) -> Labels {
    let mut labels = cluster
        .namespaces
        .get(&ObjectName::new("", namespace))
        .map(|object| object.metadata.labels.clone())
        .unwrap_or_default();
    labels.insert(NAME_LABEL.to_owned(), namespace.to_owned());
    labels
}
