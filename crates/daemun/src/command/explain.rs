//! `daemun explain`: what becomes of a request, by the objects in files or by what a running process has.
//!
//! What it says is in [`crate::explain`]; here is only where the configuration comes from.

mod ask;

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use daemun_controller::look_once;
use daemun_controller::publish::State;
use daemun_controller::source::files::Reason;
use daemun_proxy::admin::{Address, Form, Question};
use daemun_translate::Settings;

use super::Status;

/// Arguments of `explain`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// The request's method
    #[arg(value_name = "METHOD")]
    method: String,
    /// The request's URL, with scheme and host
    #[arg(value_name = "URL")]
    url: String,
    /// Files with objects, directories with such files, or - for standard input
    #[arg(value_name = "PATH", required_unless_present = "admin")]
    paths: Vec<PathBuf>,
    /// A header of the request; can be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Ask a running process at its admin port instead of reading files
    #[arg(long, value_name = "ADDRESS", conflicts_with = "paths")]
    admin: Option<Address>,
    /// How the answer is printed
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Explains, and prints the answer.
pub(crate) fn explain(arguments: Arguments) -> Status {
    let Arguments {
        method,
        url,
        paths,
        headers,
        admin,
        output,
    } = arguments;
    let headers = match headers.iter().map(|line| header(line)).collect() {
        Ok(headers) => headers,
        Err(sentence) => return Status::unusable(&sentence),
    };
    let question = Question {
        method,
        url,
        headers,
    };
    let form = match output {
        Output::Text => Form::Text,
        Output::Json => Form::Json,
    };
    let answered = match admin {
        Some(address) => ask::running(&address, &question, form),
        None => by_files(paths, &question, form),
    };
    match answered {
        Ok(text) => match io::stdout().write_all(text.as_bytes()) {
            // Whoever reads may stop reading.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Status::unusable(&format!("Standard output could not be written: {error}."))
            }
            Ok(()) | Err(_) => Status::Fine,
        },
        Err(sentence) => Status::unusable(&sentence),
    }
}

/// Answers by what is in force.
///
/// # Errors
/// A sentence about the question.
pub(crate) fn answer(state: &State, question: &Question, form: Form) -> Result<String, String> {
    crate::explain::answer(&state.configuration, &state.verdicts, question, form)
}

fn by_files(paths: Vec<PathBuf>, question: &Question, form: Form) -> Result<String, String> {
    let controller = look_once(paths, Settings::default());
    let state = controller.state();
    for problem in state.problems.iter() {
        eprintln!("{problem}");
    }
    let mut problems = state.problems.iter();
    if problems.any(|problem| problem.reason == Reason::Unreadable) {
        return Err("What becomes of the request cannot be told without this.".to_owned());
    }
    answer(state, question, form)
}

fn header(line: &str) -> Result<(String, String), String> {
    line.split_once(':')
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .ok_or_else(|| format!("\"{line}\" is no header; write NAME: VALUE."))
}
