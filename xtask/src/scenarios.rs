//! `cargo xtask scenarios`: Daemun in the lab while something is broken on purpose, or replaced, under load.
//!
//! Each scenario does one thing. Before it begins, the Gateway serves; while it runs, requests go on, and each is
//! counted; afterwards the Gateway must say `Programmed` again by itself, with all its proxies ready, and a
//! change of its route must be live. What fails says how many requests were sent and how many failed.
//!
//! With `KUBECONFIG` another cluster than the lab is played in. What stops a part of the cluster, kills a process of
//! its node or wants a second image is left out there, and named.

mod broken;
mod cloud;
mod host;
mod replaced;
mod stage;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::lab;
use crate::lab::kubectl::Kubectl;
use crate::lab::place::Place;
use crate::load::{Clients, Load, Sent};

use self::stage::Stage;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// One scenario, several times for several; all if none is named
    names: Vec<String>,
    /// For how many seconds the API server is away
    #[arg(long, default_value_t = 300)]
    away: u64,
    /// Another cluster than the lab; its nodes must have the image, and its load balancers be reached from here
    #[arg(long, env = "KUBECONFIG", requires = "image")]
    kubeconfig: Option<PathBuf>,
    /// The image to install in another cluster
    #[arg(long)]
    image: Option<String>,
}

/// The arguments as those of a program of their own, for their defaults.
#[derive(Parser)]
#[command(no_binary_name = true)]
struct Words {
    #[command(flatten)]
    arguments: Arguments,
}

/// All scenarios, in the lab and in the time that the checks have.
pub(crate) fn brief(place: &Place) -> Result<(), String> {
    let Words { arguments } = Words::parse_from(["--away", "45"]);
    in_lab(place, &arguments)
}

/// One thing that is done.
struct Scenario {
    name: &'static str,
    what: &'static str,
    run: fn(&Stage<'_>) -> Result<(), String>,
    /// Whether requests may fail: a proxy that dies takes those along that it had, and nobody can save them.
    may_lose: bool,
    /// What it takes that only the lab has; nothing, if it can be played in any cluster.
    lab: Option<&'static str>,
}

/// Parts of the cluster are stopped and started.
const PARTS: Option<&str> = Some("parts of the cluster that can be stopped");

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "proxies-rolled",
        what: "the Gateway's proxies are rolled",
        run: replaced::proxies,
        may_lose: false,
        lab: None,
    },
    Scenario {
        name: "proxies-scaled",
        what: "the Gateway has four proxies, then two",
        run: replaced::scale,
        may_lose: false,
        lab: None,
    },
    Scenario {
        name: "workload",
        what: "the Deployment becomes a DaemonSet, and one again",
        run: replaced::workload,
        may_lose: false,
        lab: None,
    },
    Scenario {
        name: "upgrade",
        what: "another image of the controller rolls it and its Gateways",
        run: replaced::controller,
        may_lose: false,
        lab: Some("a second image"),
    },
    Scenario {
        name: "namespaced",
        what: "the controller is told to look at one namespace, and at all again",
        run: replaced::namespaced,
        may_lose: false,
        lab: None,
    },
    Scenario {
        name: "controller-killed",
        what: "all replicas of the controller are killed",
        run: broken::controller,
        may_lose: false,
        lab: None,
    },
    Scenario {
        name: "leader-killed",
        what: "the replica that leads is killed",
        run: broken::leader,
        may_lose: false,
        lab: None,
    },
    Scenario {
        name: "alone",
        what: "without a controller, a proxy is killed and starts again",
        run: broken::alone,
        may_lose: true,
        lab: Some("a node whose processes can be killed"),
    },
    Scenario {
        name: "containerd",
        what: "containerd is restarted",
        run: broken::containerd,
        may_lose: false,
        lab: PARTS,
    },
    Scenario {
        name: "api-server",
        what: "the API server is away",
        run: broken::api_server,
        may_lose: false,
        lab: PARTS,
    },
    Scenario {
        name: "cloud",
        what: "the cloud has no quota, is stuck, and comes round",
        run: cloud::trouble,
        may_lose: false,
        lab: Some("a cloud that fails when it is told to"),
    },
    Scenario {
        name: "host-ports",
        what: "two other Gateways want port 80 of the node",
        run: host::ports,
        may_lose: false,
        lab: Some("a node whose port 80 is free"),
    },
];

/// Fast enough to meet what is short, slow enough to leave the node's two CPUs to the others.
const CLIENTS: Clients = Clients {
    keeping: 4,
    anew: 2,
    pause: Duration::from_millis(10),
};

/// What came of one scenario.
struct Row {
    scenario: &'static Scenario,
    sent: Sent,
    wrong: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let place = Place::find()?;
    match (&arguments.kubeconfig, &arguments.image) {
        (Some(other), Some(image)) if *other != place.kubeconfig() => {
            play_all(None, &Kubectl::with(other), image, arguments)
        }
        _ => in_lab(&place, arguments),
    }
}

/// Plays in the lab, which is started if need be.
fn in_lab(place: &Place, arguments: &Arguments) -> Result<(), String> {
    let image = lab::ready(place)?;
    play_all(Some(place), &Kubectl::of(place), &image, arguments)
}

/// Plays what is asked for, and prints what came of it.
fn play_all(
    place: Option<&Place>,
    kubectl: &Kubectl,
    image: &str,
    arguments: &Arguments,
) -> Result<(), String> {
    let known = |name: &String| SCENARIOS.iter().any(|scenario| scenario.name == name);
    if let Some(unknown) = arguments.names.iter().find(|name| !known(name)) {
        let names: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        return Err(format!(
            "There is no scenario {unknown}; there are {}.",
            names.join(", ")
        ));
    }
    let stage = Stage::set(place, kubectl, image, Duration::from_secs(arguments.away))?;
    let is_asked_for = |scenario: &&Scenario| {
        arguments.names.is_empty() || arguments.names.iter().any(|name| name == scenario.name)
    };
    let mut rows = Vec::new();
    for scenario in SCENARIOS.iter().filter(is_asked_for) {
        match scenario.lab {
            Some(takes) if place.is_none() => {
                println!(
                    "{} is left out: it takes {takes}, as the lab has.",
                    scenario.name
                );
            }
            _ => {
                println!("{}: {}.", scenario.name, scenario.what);
                rows.push(play(&stage, scenario));
            }
        }
    }
    stage.clear()?;
    println!("\n{}", table(&rows));
    if rows.iter().all(Row::has_passed) {
        return Ok(());
    }
    Err("Not every scenario passed.".to_owned())
}

impl Row {
    fn has_passed(&self) -> bool {
        self.wrong.is_none() && (self.sent.failed == 0 || self.scenario.may_lose)
    }
}

fn play(stage: &Stage<'_>, scenario: &'static Scenario) -> Row {
    let load = Load::start(stage.address, &[stage::host()], CLIENTS);
    stage::pause();
    let done = (scenario.run)(stage);
    let done = done.and_then(|()| stage.is_right_again());
    stage::pause();
    let sent = load.stop();
    let Sent {
        requests,
        failed,
        failures,
    } = &sent;
    println!("  {requests} requests were sent, {failed} failed.");
    for failure in failures {
        println!("  {failure}");
    }
    if let Err(why) = &done {
        println!("  {why}");
        // What one scenario broke must not break the next.
        stage.repair();
    }
    Row {
        scenario,
        sent,
        wrong: done.err(),
    }
}

/// What came of all, as a table.
fn table(rows: &[Row]) -> String {
    let mut text = "| scenario | what | requests | failed | afterwards |\n\
                    |---|---|--:|--:|---|\n"
        .to_owned();
    for row in rows {
        let Row {
            scenario:
                Scenario {
                    name,
                    what,
                    run: _,
                    may_lose,
                    lab: _,
                },
            sent,
            wrong,
        } = row;
        let afterwards = match wrong {
            None => "right",
            Some(_) => "WRONG",
        };
        let allowed = if *may_lose { " (may)" } else { "" };
        // A String takes everything.
        let _ = writeln!(
            text,
            "| {name} | {what} | {} | {}{allowed} | {afterwards} |",
            sent.requests, sent.failed
        );
    }
    text
}
