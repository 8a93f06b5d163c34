//! `cargo xtask bench`: what a request costs in Daemun, beside nginx, HAProxy, Envoy and the floor.
//!
//! Everything happens on this machine's loopback address and ends with this process. How it measures,
//! and what it leaves out, is in `bench/README.md`.

mod control;
mod goals;
mod load;
mod measure;
mod process;
mod reload;
mod report;
mod results;
mod rivals;
mod routes;
mod scenario;
mod stage;
mod tools;

use std::path::PathBuf;
use std::thread::available_parallelism;

use measure::Effort;
use results::{Machine, Measurements, Results};
use rivals::Rival;
use scenario::{SCENARIOS, Scenario};
use tools::Source;

/// The name under which `--scenario` knows the reload.
const RELOAD: &str = "reload";

/// What to measure.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    other: Option<Other>,
    /// Short rounds, for a first look; the results go to target/bench, not to bench/results
    #[arg(long)]
    quick: bool,
    /// Only this scenario (repeatable): one-route, 5000-routes, 1000-rules, 16k, tls, http2, handshakes, reload
    #[arg(long = "scenario", value_name = "NAME")]
    scenarios: Vec<String>,
    /// Only these proxies
    #[arg(long, value_enum, value_delimiter = ',')]
    rivals: Vec<Rival>,
    /// How many interleaved rounds
    #[arg(long)]
    rounds: Option<usize>,
    /// How long a round is measured
    #[arg(long)]
    seconds: Option<f64>,
    /// Daemun's build profile: dist, or release in a quick run, where not set
    #[arg(long)]
    profile: Option<String>,
    /// Measure this binary of Daemun instead of building one
    #[arg(long, value_name = "FILE", conflicts_with = "profile")]
    binary: Option<PathBuf>,
    /// Where the results go
    #[arg(long, value_name = "DIRECTORY")]
    out: Option<PathBuf>,
}

/// What else can be measured.
#[derive(clap::Subcommand)]
enum Other {
    /// How fast a change in Kubernetes is live, and what many Routes cost (needs a cluster with Daemun in it)
    Control(control::Arguments),
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    if let Some(Other::Control(arguments)) = &arguments.other {
        return control::run(arguments);
    }
    if available_parallelism().is_ok_and(|cpus| cpus.get() < 2) {
        return Err(
            "The bench needs two CPUs: one for the proxy, one for all around it.".to_owned(),
        );
    }
    let chosen = chosen(&arguments.scenarios)?;
    let effort = Effort {
        rounds: arguments
            .rounds
            .unwrap_or(if arguments.quick { 2 } else { 5 })
            .max(1),
        seconds: arguments
            .seconds
            .unwrap_or(if arguments.quick { 1.0 } else { 2.0 })
            .clamp(0.2, 30.0),
    };
    let daemun = match (&arguments.binary, &arguments.profile) {
        (Some(binary), _) => Source::Binary(binary.clone()),
        (None, Some(profile)) => Source::Profile(profile.clone()),
        (None, None) => {
            Source::Profile(if arguments.quick { "release" } else { "dist" }.to_owned())
        }
    };
    let wanted = if arguments.rivals.is_empty() {
        &Rival::ALL[..]
    } else {
        &arguments.rivals
    };
    let root = crate::repository::root();
    let tools = tools::gather(&root, wanted, &daemun)?;
    for (rival, why) in &tools.missing {
        eprintln!("{} is not measured: {why}", rival.title());
    }
    let stage = stage::Stage::new()?;
    let mut results = Results {
        machine: Machine::describe(&tools, effort, &daemun),
        scenarios: Vec::new(),
        reload: Vec::new(),
    };
    for scenario in chosen {
        let measured = measure::scenario(&stage, &tools, scenario, effort)?;
        let measured = Measurements {
            name: scenario.name,
            title: scenario.title,
            measured,
        };
        let mut table = String::new();
        measured.write(&mut table);
        println!("{table}");
        results.scenarios.push(measured);
    }
    if wants(&arguments.scenarios, RELOAD) && tools.rivals.contains_key(&Rival::Daemun) {
        results.reload = reload::measure(&stage, &tools, 4 * effort.rounds)?;
    }
    let directory = match &arguments.out {
        Some(directory) => directory.clone(),
        None if arguments.quick => root.join("target/bench"),
        None => root.join("bench/results"),
    };
    let path = results.save(&directory, &results.name())?;
    println!("The results are in {}.", path.display());
    Ok(())
}

fn wants(names: &[String], name: &str) -> bool {
    names.is_empty() || names.iter().any(|wanted| wanted == name)
}

fn chosen(names: &[String]) -> Result<Vec<&'static Scenario>, String> {
    let known = |name: &String| name == RELOAD || SCENARIOS.iter().any(|one| one.name == name);
    if let Some(name) = names.iter().find(|name| !known(name)) {
        let all: Vec<&str> = SCENARIOS.iter().map(|one| one.name).collect();
        return Err(format!(
            "There is no scenario {name}. There are {} and {RELOAD}.",
            all.join(", ")
        ));
    }
    Ok(SCENARIOS
        .iter()
        .filter(|one| wants(names, one.name))
        .collect())
}
