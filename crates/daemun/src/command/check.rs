//! `daemun check`: what would become of the objects in files or in a cluster, without serving anything.
//!
//! It is the controller's one step and nothing else: what `check` refuses, `run` refuses, with the same
//! words.

mod kubernetes;
mod lost;
mod permitted;
mod recorded;
mod report;
mod shown;
mod words;

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use daemun_controller::look_once;
use daemun_controller::source::files::Reason;
use daemun_translate::Settings;

use super::Status;
use super::cluster::ClusterArguments;
use super::explain::providers;
use crate::output::Format;
use crate::output::style::ColourArguments;
use crate::roles::persona::Persona;
use report::Report;

/// Arguments of `check`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// Files with objects, directories with such files, or - for standard input; without any, the cluster is read
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    cluster: ClusterArguments,
    /// Say of each object whether somebody of this role could apply it, by the roles and policies of daemun install
    #[arg(long = "as", value_name = "ROLE", value_enum, requires = "paths")]
    persona: Option<Persona>,
    /// Judge files as for Kubernetes, with load balancers that this one makes where GatewayParameters and nodes do not tell
    #[arg(long, value_name = "NAME", value_parser = providers(), requires = "paths")]
    provider: Option<String>,
    /// Look at all namespaces of a cluster
    #[arg(short = 'A', long, conflicts_with_all = ["paths", "namespace"])]
    all_namespaces: bool,
    /// How the result is printed
    #[arg(
        short,
        long,
        env = "DAEMUN_OUTPUT",
        value_enum,
        value_name = "FORMAT",
        default_value = "table"
    )]
    output: Format,
}

/// Checks, and prints what was found.
pub(crate) fn check(arguments: Arguments, colours: &ColourArguments) -> Status {
    let Arguments {
        paths,
        cluster,
        persona,
        provider,
        all_namespaces,
        output,
    } = arguments;
    let report = if paths.is_empty() {
        match cluster.look(all_namespaces) {
            Ok(seen) => Report::of_cluster(&seen),
            Err(why) => return Status::unusable(&why),
        }
    } else {
        if let Some(namespace) = cluster.namespace() {
            return Status::unusable(&format!(
                "Files are checked with all namespaces that are in them; leave out --namespace {namespace}."
            ));
        }
        let looked = look_once(paths, Settings::default());
        let mut report = match kubernetes::judged(&looked, provider.as_deref()) {
            Some(state) => Report::of_kubernetes(&state),
            None => Report::of(looked.state()),
        };
        if let Some(persona) = persona {
            permitted::add(&mut report, persona, &looked);
        }
        report
    };
    let printed = match output {
        Format::Table | Format::Wide => {
            let style = colours.style(&io::stdout());
            Ok(shown::text(&report, output == Format::Wide, style))
        }
        Format::Json => serde_json::to_string_pretty(&report)
            .map(|json| json + "\n")
            .map_err(|error| error.to_string()),
        Format::Yaml => serde_saphyr::to_string(&report).map_err(|error| error.to_string()),
    };
    match printed {
        Ok(text) => match io::stdout().write_all(text.as_bytes()) {
            // Whoever reads may stop reading (`daemun check … | head`).
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                return Status::unusable(&format!(
                    "Standard output could not be written: {error}."
                ));
            }
            Ok(()) | Err(_) => {}
        },
        Err(error) => {
            return Status::unusable(&format!("The result could not be written: {error}."));
        }
    }
    status(&report)
}

fn status(report: &Report) -> Status {
    let unreadable = |reason| reason == Reason::Unreadable;
    if report
        .problems
        .iter()
        .any(|problem| unreadable(problem.reason))
    {
        Status::Unusable
    } else if report.summary.refused + report.summary.file_errors > 0 {
        Status::Refused
    } else {
        Status::Fine
    }
}
