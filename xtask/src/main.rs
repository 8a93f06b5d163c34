//! The project's own tasks: `cargo xtask TASK`.
//!
//! Here is only the choice of the task; each task is a file of its own with a `run`. A task ends with
//! `Ok` or with one message that says what is wrong; the exit status follows from that.

mod bench;
mod bindings;
mod chart;
mod conformance;
mod crds;
mod exposure;
mod http;
mod lab;
mod layers;
mod load;
mod personas;
mod repository;
mod rights;
mod scenarios;
mod sizes;
mod source;
mod test;
mod way_in;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Daemun's own tasks")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run every check there is: formatting, lints, layers, sizes, bindings and all tests
    Test(test::Arguments),
    /// Compare the crates' dependencies with the table of layers, and look for module cycles
    Layers,
    /// Compare the bindings of the Gateway API with its published CRDs
    Bindings,
    /// Compare the Helm chart with what daemun install prints
    Chart,
    /// Write the CRDs of our own kinds, and copy those of the Gateway API
    Crds,
    /// Write the tables of providers of load balancers into the documents
    Exposure,
    /// Measure Daemun beside nginx, HAProxy, Envoy and the floor
    Bench(Box<bench::Arguments>),
    /// A one-node Kubernetes on this machine, with Daemun's image and a cloud in it
    Lab(lab::Arguments),
    /// Run the Gateway API's conformance suite against Daemun, in the lab or in another cluster
    Conformance(conformance::Arguments),
    /// Compare what the controller may do in a cluster with what it did in the lab
    Rights,
    /// Try, in the lab or in another cluster, what the people around a gateway may do and may not
    Personas(personas::Arguments),
    /// Break or replace something under load, in the lab, and count the requests that fail
    Scenarios(scenarios::Arguments),
    /// Try the promises of the way in, in the lab, on each cloud that it plays
    WayIn(way_in::Arguments),
    /// Measure files, functions and the rest against the limits
    Sizes,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Test(arguments) => test::run(&arguments),
        Task::Layers => layers::run(),
        Task::Bindings => bindings::run(),
        Task::Chart => chart::run(),
        Task::Crds => crds::run(),
        Task::Exposure => exposure::run(),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Lab(arguments) => lab::run(&arguments),
        Task::Conformance(arguments) => conformance::run(&arguments),
        Task::Rights => rights::run(),
        Task::Personas(arguments) => personas::run(&arguments),
        Task::Scenarios(arguments) => scenarios::run(&arguments),
        Task::WayIn(arguments) => way_in::run(&arguments),
        Task::Sizes => sizes::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests;
