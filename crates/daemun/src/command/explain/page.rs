//! `daemun explain gateway NAME` and `daemun explain service NAME`: where these objects, and what stands around them,
//! come from.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use daemun_controller::glimpse::presume_classes;
use daemun_controller::look_once;
use daemun_controller::source::files::{Locator, Positions, Reason, Spot};
use daemun_model::names::{ObjectName, ObjectRef};
use daemun_model::verdict::FieldPath;
use daemun_translate::exposure::provider::{Provider, rules};
use daemun_translate::nearest::{list_all, nearest};
use daemun_translate::{Cluster, Home, Outcome, Settings, translate};
use serde_json::Value;

use crate::command::Status;
use crate::explain::page::build::build;
use crate::explain::page::known::{From, Known, rules_of_nodes};
use crate::explain::page::lang::Lang;
use crate::explain::page::seen::Seen;
use crate::explain::page::service::{Known as KnownService, explain};
use crate::explain::page::{Page, State};
use crate::output::style::Style;

/// Kinds that only the page reads, so that a file that has them is no mistake.
const READ_HERE: &[&str] = &["Deployment", "DaemonSet", "Pod", "Event"];

/// Arguments of pages.
#[derive(Clone, Debug, Args)]
pub(super) struct PageArguments {
    /// Who makes load balancers, where a Gateway or a Service is explained and neither GatewayParameters nor the nodes tell
    #[arg(long, value_name = "NAME", value_parser = providers())]
    provider: Option<String>,
    /// The language of a page [default: by LC_ALL, LC_MESSAGES and LANG]
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    lang: Option<Lang>,
    /// The locale: this one counts before the others
    #[arg(long, env = "LC_ALL", hide = true, default_value = "")]
    lc_all: String,
    /// The locale's messages
    #[arg(long, env = "LC_MESSAGES", hide = true, default_value = "")]
    lc_messages: String,
    /// The locale, where nothing else says it
    #[arg(long = "locale", env = "LANG", hide = true, default_value = "")]
    locale: String,
}

/// The names of who makes load balancers.
pub(crate) fn providers() -> PossibleValuesParser {
    PossibleValuesParser::new(Provider::ALL.iter().map(|it| it.name()))
}

impl PageArguments {
    fn lang(&self) -> Lang {
        let variables = [&*self.lc_all, &*self.lc_messages, &*self.locale];
        self.lang.unwrap_or_else(|| Lang::of_environment(variables))
    }
}

/// What is asked about, other than requests and Routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Gateway,
    Service,
}

/// A word that asks about an object, as kubectl takes it; none if it is another word.
pub(super) fn subject(word: &str) -> Option<Subject> {
    match &*word.to_ascii_lowercase() {
        "gateway" | "gateways" | "gtw" => Some(Subject::Gateway),
        "service" | "services" | "svc" => Some(Subject::Service),
        _ => None,
    }
}

/// The answer about an object; refused if what it is about does not work.
///
/// # Errors
/// A sentence: there is no such object, or it cannot be seen, or it is not Daemun's where that matters.
pub(super) fn about(
    subject: Subject,
    arguments: &super::Arguments,
    style: Style,
) -> Result<(String, Status), String> {
    if arguments.admin.is_some() {
        return Err(
            "A running process is asked about requests; Gateways and Services are explained by files or a cluster."
                .to_owned(),
        );
    }
    if !arguments.headers.is_empty() {
        return Err("Headers (-H) belong to a request, not to an object.".to_owned());
    }
    match subject {
        Subject::Gateway => about_gateway(arguments, style),
        Subject::Service => Ok((about_service(arguments, style)?, Status::Fine)),
    }
}

/// Who made a Service, and why.
fn about_service(arguments: &super::Arguments, style: Style) -> Result<String, String> {
    if arguments.paths.is_empty() {
        return about_service_of_cluster(arguments, style);
    }
    let read = Read::of(arguments)?;
    let services = read.objects.iter().map(Seen);
    let services = services.filter(|it| it.kind() == "Service");
    let names = services.map(|it| it.whole_name());
    let name = the_one("Service", arguments.named(), names)?;
    let asked = Asked {
        arguments,
        name: &name,
        objects: &read.objects,
        unseen: &[],
    };
    let service = asked.service()?;
    let owner = owner(service).filter(|it| is_judged(&read.outcome, it));
    let (places, hidden) = (read.places(), BTreeSet::new());
    let gateway = owner.as_ref().map(|gateway| Known {
        gateway,
        cluster: &read.cluster,
        outcome: &read.outcome,
        objects: &read.objects,
        from: From::Files,
        class_presumed: false,
        hidden: &hidden,
        unseen: &[],
        places: Some(&places),
        lang: arguments.page.lang(),
    });
    asked.answer(service, gateway, style)
}

fn about_service_of_cluster(arguments: &super::Arguments, style: Style) -> Result<String, String> {
    let (name, around) = arguments.cluster.look_around_service(&arguments.url)?;
    let unseen: Vec<String> = around.unseen.into_iter().collect();
    let asked = Asked {
        arguments,
        name: &name,
        objects: &around.objects,
        unseen: &unseen,
    };
    let service = asked.service()?;
    // Whoever may see the Service need not be allowed to see its Gateway; then less is told.
    let gateway = owner(service).and_then(|it| {
        let found = arguments.cluster.look_around_gateway(&it.to_string());
        found
            .ok()
            .filter(|(seen, name, _)| is_judged(&seen.glimpse.outcome, name))
    });
    let gateway = gateway.as_ref().map(|(seen, name, around)| Known {
        gateway: name,
        cluster: &seen.glimpse.cluster,
        outcome: &seen.glimpse.outcome,
        objects: &around.objects,
        from: From::Cluster,
        class_presumed: false,
        hidden: &around.hidden,
        unseen: &[],
        places: None,
        lang: arguments.page.lang(),
    });
    asked.answer(service, gateway, style)
}

/// A Service that is asked about, and what was seen beside it.
struct Asked<'a> {
    arguments: &'a super::Arguments,
    name: &'a ObjectName,
    objects: &'a [Value],
    unseen: &'a [String],
}

impl<'a> Asked<'a> {
    fn service(&self) -> Result<&'a Value, String> {
        let name = self.name;
        let is_meant = |it: &&Value| Seen(it).kind() == "Service" && Seen(it).whole_name() == *name;
        let found = self.objects.iter().find(is_meant);
        found.ok_or_else(|| format!("There is no Service {name}, or it cannot be seen."))
    }

    fn answer(
        &self,
        service: &Value,
        gateway: Option<Known<'_>>,
        style: Style,
    ) -> Result<String, String> {
        let named = self.arguments.page.provider.as_deref();
        let named = named.and_then(Provider::named).map(rules);
        let explained = explain(&KnownService {
            service,
            rules: named.or_else(|| rules_of_nodes(self.objects, &Cluster::default())),
            gateway,
            unseen: self.unseen,
            lang: self.arguments.page.lang(),
        });
        explained.render(self.arguments.output, style)
    }
}

/// The Gateway that owns an object, if one does.
fn owner(object: &Value) -> Option<ObjectName> {
    let object = Seen(object);
    let (kind, name) = object.owner()?;
    (kind == "Gateway").then(|| ObjectName::new(object.whole_name().namespace, name))
}

/// The page of a Gateway.
fn about_gateway(arguments: &super::Arguments, style: Style) -> Result<(String, Status), String> {
    let lang = arguments.page.lang();
    let show = |page: &Page| {
        let status = match page.state {
            State::Bad => Status::Refused,
            State::Good | State::Foreseen | State::Unknown | State::Waiting | State::Doubtful => {
                Status::Fine
            }
        };
        (page.render(arguments.output, style), status)
    };
    if arguments.paths.is_empty() {
        let (mut seen, name, around) = arguments.cluster.look_around_gateway(&arguments.url)?;
        let provider = arguments.page.provider.clone();
        seen.glimpse.cluster.settings.provider = provider;
        is_ours(&seen.glimpse.cluster, &seen.glimpse.outcome, &name)?;
        let glimpsed = seen.glimpse.unseen.iter();
        let unseen: Vec<String> = glimpsed.chain(&around.unseen).cloned().collect();
        let page = build(&Known {
            gateway: &name,
            cluster: &seen.glimpse.cluster,
            outcome: &seen.glimpse.outcome,
            objects: &around.objects,
            from: From::Cluster,
            class_presumed: false,
            hidden: &around.hidden,
            unseen: &unseen,
            places: None,
            lang,
        });
        return Ok(show(&page));
    }
    let read = Read::of(arguments)?;
    let gateways = read.cluster.gateways.iter();
    let names = gateways.map(|(name, _)| name.clone());
    let name = the_one("Gateway", arguments.named(), names)?;
    is_ours(&read.cluster, &read.outcome, &name)?;
    let gateway = read.cluster.gateways.get(&name);
    let class = gateway.map_or("", |it| &it.spec.gateway_class_name);
    let places = read.places();
    let page = build(&Known {
        gateway: &name,
        cluster: &read.cluster,
        outcome: &read.outcome,
        objects: &read.objects,
        from: From::Files,
        class_presumed: read.presumed.iter().any(|it| it == class),
        hidden: &BTreeSet::new(),
        unseen: &[],
        places: Some(&places),
        lang,
    });
    Ok(show(&page))
}

/// What was read from files.
struct Read {
    cluster: Cluster,
    outcome: Outcome,
    /// The objects, whole.
    objects: Vec<Value>,
    /// Classes that are not in the files.
    presumed: Vec<String>,
    /// Where the objects stand.
    positions: Positions,
}

impl Read {
    /// Reads files as a cluster would have them.
    fn of(arguments: &super::Arguments) -> Result<Self, String> {
        let settings = Settings {
            controller: arguments.cluster.controller_name().to_owned(),
            home: Home::Kubernetes,
            provider: arguments.page.provider.clone(),
            ..Settings::default()
        };
        let paths: Vec<PathBuf> = arguments.paths.clone();
        let controller = look_once(paths, settings);
        let problems = &controller.state().problems;
        let is_told = |message: &str| {
            let mut kinds = READ_HERE.iter();
            !kinds.any(|kind| message.starts_with(&format!("{kind} ")))
        };
        for problem in problems.iter() {
            if problem.reason != Reason::UnknownKind || is_told(&problem.message) {
                eprintln!("{problem}");
            }
        }
        let mut problems = problems.iter();
        if problems.any(|problem| problem.reason == Reason::Unreadable) {
            return Err("Nothing can be explained without this.".to_owned());
        }
        let mut cluster = controller.cluster().clone();
        let presumed = presume_classes(&mut cluster);
        let objects = controller.documents().flat_map(objects).collect();
        Ok(Self {
            positions: controller.state().positions.clone(),
            outcome: translate(&cluster),
            cluster,
            objects,
            presumed,
        })
    }
}

impl Read {
    /// Finds where fields stand, without the text around them.
    fn places(&self) -> impl Fn(&ObjectRef, &FieldPath) -> Option<Spot> {
        let locator: RefCell<Locator<'_>> = RefCell::new(self.positions.locator());
        move |object, path| {
            let spot = locator.borrow_mut().spot(object, path)?;
            Some(Spot {
                snippet: None,
                ..spot
            })
        }
    }
}

/// The object of files that is meant: one without a namespace is looked for in all of them.
fn the_one(
    kind: &str,
    (namespace, written): (Option<&str>, &str),
    names: impl Iterator<Item = ObjectName>,
) -> Result<ObjectName, String> {
    let (namespace, name) = match written.split_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (namespace, written),
    };
    let names: Vec<ObjectName> = names.collect();
    let meant: Vec<&ObjectName> = names
        .iter()
        .filter(|it| it.name == name && namespace.is_none_or(|there| it.namespace == there))
        .collect();
    match &*meant {
        [one] => Ok((*one).clone()),
        [] => {
            let all: Vec<String> = names.iter().map(ToString::to_string).collect();
            let near = nearest(name, names.iter().map(|it| it.name.as_str()));
            let near: Vec<String> = names
                .iter()
                .filter(|it| it.name == name || Some(it.name.as_str()) == near)
                .map(ToString::to_string)
                .collect();
            let there = match (&*near, &*all) {
                (_, []) => format!("No {kind} is in them."),
                ([], all) => format!("In them: {}.", list_all(all)),
                (near, _) => format!("Did you mean {}?", near.join(" or ")),
            };
            Err(format!(
                "There is no {kind} {written} in the files. {there}"
            ))
        }
        _ => {
            let names: Vec<String> = meant.iter().map(ToString::to_string).collect();
            Err(format!(
                "There are several: {kind} {}. Write the namespace before the name.",
                names.join(", ")
            ))
        }
    }
}

/// The objects of a document, those of a list one by one.
fn objects(document: &str) -> Vec<Value> {
    let Ok(mut object) = serde_saphyr::from_str::<Value>(document) else {
        return Vec::new();
    };
    let is_list = object["kind"]
        .as_str()
        .is_some_and(|it| it.ends_with("List"));
    match object.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) if is_list => items,
        Some(_) | None => vec![object],
    }
}

fn is_ours(cluster: &Cluster, outcome: &Outcome, name: &ObjectName) -> Result<(), String> {
    let Some(gateway) = cluster.gateways.get(name) else {
        return Err(format!("There is no Gateway {name}, or it cannot be seen."));
    };
    if is_judged(outcome, name) {
        return Ok(());
    }
    let class = &gateway.spec.gateway_class_name;
    let ours = &cluster.settings.controller;
    let found = cluster.gateway_classes.get(&ObjectName::new("", class));
    Err(match found {
        Some(found) => format!(
            "Gateway {name} is not Daemun's: its GatewayClass {class} belongs to the controller {}, and Daemun's is {ours}. For the Service in front of it see daemun explain service.",
            found.spec.controller_name
        ),
        None => format!(
            "Gateway {name} is of GatewayClass {class}, which does not exist or cannot be seen, so nobody serves it."
        ),
    })
}

/// Whether a Gateway is of a class of Daemun's.
fn is_judged(outcome: &Outcome, name: &ObjectName) -> bool {
    let verdicts = outcome.verdicts.others().iter();
    let mut judged = verdicts.filter(|it| it.object.kind == "Gateway");
    judged.any(|it| it.object.name == *name)
}
