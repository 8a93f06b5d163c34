//! `daemun explain`: what becomes of a request or of a Route, and what stands around a Gateway, by the objects in files
//! or in a cluster, or by what a running process has.
//!
//! What it says is in [`crate::explain`]; here is only where the configuration comes from.

mod ask;
mod page;

pub(super) use page::providers;

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use daemun_controller::publish::State;
use daemun_controller::source::files::Reason;
use daemun_controller::{Controller, look_once};
use daemun_model::names::{ObjectName, ObjectRef, RouteKey, RouteKind};
use daemun_objects::Any;
use daemun_proxy::admin::{Address, Form, Question};
use daemun_translate::cluster::DEFAULT_NAMESPACE;
use daemun_translate::{Cluster, Settings};

use super::Status;
use super::cluster::ClusterArguments;
use crate::explain::cluster;
use crate::explain::page::Output;
use crate::explain::route::{self, Known};
use crate::output::style::ColourArguments;

/// Arguments of `explain`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// The request's method; or route (httproute, grpcroute, …) for what becomes of a Route, or gateway or service for all about a
    /// Gateway or Service
    #[arg(value_name = "METHOD")]
    method: String,
    /// The request's URL, with scheme and host; or the object's name
    #[arg(value_name = "URL")]
    url: String,
    /// Files with objects, directories with such files, or - for standard input; without any, the cluster is asked
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The Gateway in the cluster that is asked, if several take the request
    #[arg(long, value_name = "NAME", conflicts_with_all = ["paths", "admin"])]
    gateway: Option<String>,
    /// A header of the request; can be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Ask a running process at its admin port instead of reading files
    #[arg(long, value_name = "ADDRESS", conflicts_with = "paths")]
    admin: Option<Address>,
    /// How the answer is printed
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
    output: Output,
    #[command(flatten)]
    page: page::PageArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
}

impl Arguments {
    /// The namespace that was named beside the object, and the object's name as it was written.
    fn named(&self) -> (Option<&str>, &str) {
        (self.cluster.namespace(), &self.url)
    }
}

/// Explains, and prints the answer.
pub(crate) fn explain(arguments: &Arguments, colours: &ColourArguments) -> Status {
    let headers = arguments.headers.iter().map(|line| header(line)).collect();
    let headers = match headers {
        Ok(headers) => headers,
        Err(sentence) => return Status::unusable(&sentence),
    };
    let answered = if let Some(subject) = page::subject(&arguments.method) {
        page::about(subject, arguments, colours.style(&io::stdout()))
    } else {
        let told = form(arguments.output).and_then(|form| match route::kinds(&arguments.method) {
            Some(kinds) => about_route(arguments, &kinds, form),
            None => about_request(arguments, headers, form),
        });
        told.map(|text| (text, Status::Fine))
    };
    match answered {
        Ok((text, status)) => match io::stdout().write_all(text.as_bytes()) {
            // Whoever reads may stop reading.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Status::unusable(&format!("Standard output could not be written: {error}."))
            }
            Ok(()) | Err(_) => status,
        },
        Err(sentence) => Status::unusable(&sentence),
    }
}

fn form(output: Output) -> Result<Form, String> {
    match output {
        Output::Text => Ok(Form::Text),
        Output::Json => Ok(Form::Json),
        Output::Html | Output::Svg => {
            Err("Only pages (daemun explain gateway NAME) can be had as html or svg.".to_owned())
        }
    }
}

/// Answers by what is in force.
///
/// # Errors
/// A sentence about the question.
pub(crate) fn answer(state: &State, question: &Question, form: Form) -> Result<String, String> {
    crate::explain::answer(&state.configuration, &state.verdicts, question, form)
}

fn about_request(
    arguments: &Arguments,
    headers: Vec<(String, String)>,
    form: Form,
) -> Result<String, String> {
    let question = Question {
        method: arguments.method.clone(),
        url: arguments.url.clone(),
        headers,
    };
    match &arguments.admin {
        Some(address) => ask::running(address, &question, form),
        None if arguments.paths.is_empty() => {
            let seen = arguments.cluster.look(false)?;
            let gateway = arguments.gateway.as_deref();
            cluster::answer(&seen.glimpse, gateway, &question, form)
        }
        None => answer(by_files(&arguments.paths)?.state(), &question, form),
    }
}

fn about_route(arguments: &Arguments, kinds: &[RouteKind], form: Form) -> Result<String, String> {
    let written = arguments.url.split_once('/');
    let name = |namespace: &str| match written {
        Some((namespace, name)) => ObjectName::new(namespace, name),
        None => ObjectName::new(namespace, &arguments.url),
    };
    if arguments.admin.is_some() {
        return Err(
            "A running process is asked about requests; what becomes of a Route is told by files or a cluster."
                .to_owned(),
        );
    }
    if arguments.paths.is_empty() {
        let seen = match written {
            Some((namespace, _)) => arguments.cluster.look_at(namespace)?,
            None => arguments.cluster.look(false)?,
        };
        let name = name(seen.namespace.as_deref().unwrap_or_default());
        let presumed = seen.glimpse.presuming(None);
        let glimpse = presumed.as_ref().unwrap_or(&seen.glimpse);
        let lost = seen.glimpse.lost();
        let known = Known {
            configuration: &glimpse.outcome.configuration,
            verdicts: &seen.glimpse.outcome.verdicts,
            recorded: &|key| {
                let object = ObjectRef::new(key.kind.as_str(), key.name.clone());
                glimpse.recorded.get(&object).map(Vec::as_slice)
            },
            lost: &|key| {
                let object = ObjectRef::new(key.kind.as_str(), key.name.clone());
                lost.get(&object).cloned().unwrap_or_default()
            },
            exists: &|key| exists(&glimpse.cluster, key),
        };
        let told = route::answer(&known, kinds, &name, form)?;
        let unseen = cluster::what_was_not_seen(&seen.glimpse.unseen);
        return Ok(match form {
            Form::Text => told + &unseen,
            Form::Json => {
                eprint!("{unseen}");
                told
            }
        });
    }
    let controller = by_files(&arguments.paths)?;
    let known = Known {
        configuration: &controller.state().configuration,
        verdicts: &controller.state().verdicts,
        recorded: &|_| None,
        lost: &|_| Vec::new(),
        exists: &|key| exists(controller.cluster(), key),
    };
    let namespace = arguments.cluster.namespace().unwrap_or(DEFAULT_NAMESPACE);
    route::answer(&known, kinds, &name(namespace), form)
}

fn exists(cluster: &Cluster, key: &RouteKey) -> bool {
    let kind = Any::KINDS.iter().find(|it| it.kind == key.kind.as_str());
    kind.is_some_and(|kind| cluster.get(kind, &key.name).is_some())
}

/// Looks at files, and tells what is wrong in them.
fn by_files(paths: &[PathBuf]) -> Result<Controller, String> {
    let controller = look_once(paths.to_vec(), Settings::default());
    let state = controller.state();
    for problem in state.problems.iter() {
        eprintln!("{problem}");
    }
    let mut problems = state.problems.iter();
    if problems.any(|problem| problem.reason == Reason::Unreadable) {
        return Err("What becomes of the request cannot be told without this.".to_owned());
    }
    Ok(controller)
}

fn header(line: &str) -> Result<(String, String), String> {
    line.split_once(':')
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .ok_or_else(|| format!("\"{line}\" is no header; write NAME: VALUE."))
}
