//! `cargo xtask conformance`: the Gateway API's own suite against Daemun, in a cluster.
//!
//! By default that is the lab, with an image of the working tree; with `KUBECONFIG` it is another cluster. All
//! five profiles of gateways are run, with every feature that the GatewayClass claims and nothing left out. The
//! suite's report of v1.6.1 counts tests that have not finished, so the verdict is the exit status of its
//! process and what that printed; the report is kept for whom it concerns.

mod follow;
mod profiles;
mod report;
mod suite;

use std::path::PathBuf;

use clap::Parser;

use crate::lab::install;
use crate::lab::kubectl::Kubectl;
use crate::lab::place::{self, Place};
use crate::lab::{self, Channel, build};
use crate::repository;

use self::profiles::PROFILES;

/// The suite has UDP listeners, which the lab's cloud refuses while it plays NHN Cloud.
const CARRIES_UDP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lab-cloud, namespace: kube-system}\ndata: {provider: OpenStack}\n";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A profile, several times for several; all five of gateways if none is named
    #[arg(long = "profile", value_parser = PROFILES.to_vec())]
    profiles: Vec<String>,
    /// The channel of the CRDs of the Gateway API
    #[arg(long, value_enum, default_value = "standard")]
    channel: Channel,
    /// How often
    #[arg(long, default_value_t = 1)]
    repeat: u32,
    /// One test alone, whichever features are claimed
    #[arg(long)]
    run_test: Option<String>,
    /// The profile of cargo that Daemun is built with
    #[arg(long, default_value = build::PROFILE)]
    build: String,
    /// Another cluster than the lab; its nodes must have the image
    #[arg(long, env = "KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// The image to install in another cluster; what is installed there is used if none is named
    #[arg(long)]
    image: Option<String>,
    /// An address that load balancers of the cluster may have
    #[arg(long, default_value = "198.18.128.200")]
    usable_address: String,
    /// An address that they may not have
    #[arg(long, default_value = "198.51.100.9")]
    unusable_address: String,
}

/// One run of everything, in the lab.
pub(crate) fn once(channel: Channel) -> Result<(), String> {
    let none: [&str; 0] = [];
    let mut arguments = Words::parse_from(none).arguments;
    arguments.channel = channel;
    arguments.kubeconfig = None;
    run(&arguments)
}

/// What runs print and write, and with every run anew.
fn logs() -> PathBuf {
    repository::root().join("target/conformance")
}

/// The arguments as those of a program of their own, for their defaults.
#[derive(Parser)]
#[command(no_binary_name = true)]
struct Words {
    #[command(flatten)]
    arguments: Arguments,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let place = Place::find()?;
    let kubectl = prepare(&place, arguments)?;
    let tests = profiles::list(&place)?;
    let mut runs = Vec::new();
    for number in 1..=arguments.repeat {
        if arguments.repeat > 1 {
            println!("Run {number} of {}.", arguments.repeat);
        }
        suite::clean(&kubectl)?;
        let run = suite::run(&place, &kubectl, arguments, number)?;
        print!("{}", report::summary(&run, &tests, arguments));
        runs.push(run);
    }
    let failed: Vec<String> = runs
        .iter()
        .filter(|run| !report::has_passed(run, &tests, arguments))
        .map(|run| run.log.display().to_string())
        .collect();
    if failed.is_empty() {
        if arguments.is_whole() {
            let kept = report::keep(&runs, &tests, arguments)?;
            println!("The report and the counts are in {}.", kept.display());
        }
        println!("Conformant: {} of {} runs passed.", runs.len(), runs.len());
        return Ok(());
    }
    Err(format!(
        "Not conformant: {} of {} runs failed. The logs: {}.",
        failed.len(),
        runs.len(),
        failed.join(", ")
    ))
}

impl Arguments {
    /// The profiles that are run.
    fn profiles(&self) -> Vec<&str> {
        if self.profiles.is_empty() {
            return PROFILES.to_vec();
        }
        self.profiles.iter().map(String::as_str).collect()
    }

    /// The name of a file that tells of what is run.
    fn file_name(&self, of: &str) -> String {
        let channel = self.channel.name();
        format!("{channel}-v{}-{of}", env!("CARGO_PKG_VERSION"))
    }

    /// Whether everything is run that a report must have.
    fn is_whole(&self) -> bool {
        self.run_test.is_none() && self.profiles().len() == PROFILES.len()
    }
}

/// Makes the cluster ready: Daemun, and the class that the suite uses.
fn prepare(place: &Place, arguments: &Arguments) -> Result<Kubectl, String> {
    let kubectl = match &arguments.kubeconfig {
        Some(other) if *other != place.kubeconfig() => {
            let kubectl = Kubectl::with(other);
            if let Some(image) = &arguments.image {
                install::install(&kubectl, &arguments.build, image)?;
            }
            kubectl
        }
        Some(_) | None => {
            lab::up(place, arguments.channel)?;
            let kubectl = Kubectl::of(place);
            let image = lab::image(place, &arguments.build)?;
            install::install(&kubectl, &arguments.build, &image)?;
            kubectl.apply(CARRIES_UDP)?;
            kubectl
        }
    };
    kubectl.apply(&place::read("conformance/class.yaml".as_ref())?)?;
    Ok(kubectl)
}
