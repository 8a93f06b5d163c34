//! Who serves whom: which listeners a Route attaches to, and why not to others (gateway-api
//! `CommonRouteSpec.parentRefs`).
//!
//! A parent is looked at through its [`Face`]: what Routes may know of it. While the face is the same,
//! no Route that names the parent has to be looked at again.

use std::collections::BTreeMap;
use std::sync::Arc;

use daemun_model::hostname::HostPattern;
use daemun_model::names::{ListenerKey, ListenerOwner, ObjectName, ObjectRef, RouteKind};
use daemun_model::route::Attachment;
use daemun_model::verdict::{FieldPath, Finding};

use crate::listener::{Labels, Namespaces};
use crate::nearest::{did_you_mean, list};
use crate::verdict::{Refusal, warning};

/// A Gateway or ListenerSet as Routes see it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Face {
    /// The object.
    pub(crate) object: ObjectRef,
    /// The Gateway whose listeners these are in the end.
    pub(crate) gateway: ObjectName,
    /// Whether it is a default Gateway.
    pub(crate) default: bool,
    /// Why no Route can attach at all, if so.
    pub(crate) closed: Option<String>,
    /// The listeners, in the order in which they are written.
    pub(crate) listeners: Vec<FaceListener>,
}

/// A listener as Routes see it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FaceListener {
    /// Its key.
    pub(crate) key: ListenerKey,
    /// Its port.
    pub(crate) port: u16,
    /// Its hostnames.
    pub(crate) hostname: HostPattern,
    /// The kinds of Route that it takes.
    pub(crate) kinds: Vec<RouteKind>,
    /// The namespaces whose Routes it takes.
    pub(crate) namespaces: Namespaces,
    /// Why it is not served, if it is not.
    pub(crate) idle: Option<String>,
}

/// The parents that Routes can name, by what they are.
pub(crate) type Faces = BTreeMap<(ListenerOwner, ObjectName), Arc<Face>>;

/// What a Route asks of a parent.
pub(crate) struct Wish<'a> {
    /// The Route's kind.
    pub(crate) kind: RouteKind,
    /// The Route's namespace.
    pub(crate) namespace: &'a str,
    /// The labels of that namespace.
    pub(crate) labels: &'a Labels,
    /// The Route's hostnames; never empty.
    pub(crate) hostnames: &'a [HostPattern],
    /// `sectionName`.
    pub(crate) section: Option<&'a str>,
    /// `port`.
    pub(crate) port: Option<u16>,
    /// Where the parent is named in the Route.
    pub(crate) path: FieldPath,
}

/// Where a Route is attached.
#[derive(Debug)]
pub(crate) struct Attached {
    /// Served or not: the listeners that count it.
    pub(crate) listeners: Vec<ListenerKey>,
    /// The listeners that serve it.
    pub(crate) attachments: Vec<Attachment>,
    /// Listeners that take it and are not served themselves.
    pub(crate) findings: Vec<Finding>,
}

/// Attaches a Route to a parent.
///
/// # Errors
/// Why no listener takes it, with the remedy.
pub(crate) fn attach(face: &Face, wish: &Wish<'_>) -> Result<Attached, Refusal> {
    let refuse = |field: &str, reason, message: String| {
        Err(Refusal::new(wish.path.field(field), reason, message))
    };
    if let Some(why) = &face.closed {
        return refuse(
            "name",
            "NoMatchingParent",
            format!("{} is not accepted: {why}", face.object),
        );
    }
    let named = named(face, wish)?;
    let (allowed, kept_out): (Vec<_>, Vec<_>) = named.into_iter().partition(|listener| {
        listener.kinds.contains(&wish.kind)
            && listener.namespaces.contain(wish.namespace, wish.labels)
    });
    if allowed.is_empty() {
        let why: Vec<String> = kept_out
            .iter()
            .take(2)
            .map(|listener| not_allowed(face, listener, wish))
            .collect();
        return refuse("name", "NotAllowedByListeners", why.join(" "));
    }
    let mut attached = Attached {
        listeners: Vec::new(),
        attachments: Vec::new(),
        findings: Vec::new(),
    };
    for listener in &allowed {
        let hostnames = in_common(&listener.hostname, wish.hostnames);
        if hostnames.is_empty() {
            continue;
        }
        attached.listeners.push(listener.key.clone());
        match &listener.idle {
            None => attached.attachments.push(Attachment {
                listener: listener.key.clone(),
                hostnames,
            }),
            Some(why) => attached.findings.push(warning(
                wish.path.field("name"),
                "ListenerNotServed",
                format!(
                    "The route is attached to listener {}, which is not served: {why}",
                    listener.key
                ),
            )),
        }
    }
    if attached.listeners.is_empty() {
        let theirs: Vec<String> = allowed
            .iter()
            .map(|listener| format!("{} ({})", listener.hostname, listener.key.name))
            .collect();
        let ours: Vec<String> = wish.hostnames.iter().map(ToString::to_string).collect();
        return Err(Refusal::new(
            FieldPath::of("spec.hostnames"),
            "NoMatchingListenerHostname",
            format!(
                "The route is for {}, and the listeners of {} are for {}: they have no name in common. A wildcard stands for one or more labels, and not for the domain itself.",
                list(&ours, "no name"),
                face.object,
                list(&theirs, "no name")
            ),
        ));
    }
    Ok(attached)
}

/// The listeners that `sectionName` and `port` leave.
fn named<'f>(face: &'f Face, wish: &Wish<'_>) -> Result<Vec<&'f FaceListener>, Refusal> {
    let fits = |listener: &&FaceListener| {
        wish.section
            .is_none_or(|section| section == listener.key.name)
            && wish.port.is_none_or(|port| port == listener.port)
    };
    let named: Vec<_> = face.listeners.iter().filter(fits).collect();
    if !named.is_empty() {
        return Ok(named);
    }
    let there: Vec<String> = face
        .listeners
        .iter()
        .map(|listener| format!("{} (port {})", listener.key.name, listener.port))
        .collect();
    let there = list(&there, "no listener at all");
    let (field, what) = match (wish.section, wish.port) {
        (Some(section), None) => (
            "sectionName",
            format!(
                "no listener \"{section}\".{}",
                did_you_mean(
                    section,
                    face.listeners
                        .iter()
                        .map(|listener| listener.key.name.as_str())
                )
            ),
        ),
        (None, Some(port)) => ("port", format!("no listener on port {port}.")),
        (Some(section), Some(port)) => {
            ("port", format!("no listener \"{section}\" on port {port}."))
        }
        (None, None) => ("name", "no listener.".to_owned()),
    };
    Err(Refusal::new(
        wish.path.field(field),
        "NoMatchingParent",
        format!("{} has {what} It has {there}.", face.object),
    ))
}

fn in_common(listener: &HostPattern, route: &[HostPattern]) -> Vec<HostPattern> {
    let mut names: Vec<HostPattern> = Vec::new();
    for name in route.iter().filter_map(|name| listener.intersect(name)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.shrink_to_fit();
    names
}

fn not_allowed(face: &Face, listener: &FaceListener, wish: &Wish<'_>) -> String {
    let name = &listener.key.name;
    let object = &face.object;
    let namespace = wish.namespace;
    if !listener.kinds.contains(&wish.kind) {
        let kinds: Vec<String> = listener
            .kinds
            .iter()
            .map(|kind| kind.as_str().to_owned())
            .collect();
        return match kinds.as_slice() {
            [] => format!("Listener {name} of {object} takes no kind of route that is served."),
            kinds => format!(
                "Listener {name} of {object} takes {} and no {}.",
                list(kinds, ""),
                wish.kind.as_str()
            ),
        };
    }
    match &listener.namespaces {
        Namespaces::All => String::new(),
        Namespaces::None => format!("Listener {name} of {object} takes routes from no namespace."),
        Namespaces::Same(own) => format!(
            "Listener {name} of {object} takes routes from its own namespace {own} only (allowedRoutes.namespaces.from is Same, the default). Its owner can allow namespace {namespace} with from: Selector and a label, or with from: All."
        ),
        Namespaces::Selector(selector) => format!(
            "Listener {name} of {object} takes routes from namespaces with certain labels (allowedRoutes.namespaces.selector), and namespace {namespace} lacks {}.",
            selector.missing(wish.labels).join(" and ")
        ),
    }
}
