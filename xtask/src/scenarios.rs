//! `cargo xtask scenarios`: Daemun in the lab while something is broken on purpose, or replaced, under load.
//!
//! Each scenario does one thing. Before it begins, the Gateway serves; while it runs, requests go on, and each is
//! counted; afterwards the Gateway must say `Programmed` again by itself, with all its proxies ready, and a
//! change of its route must be live. What fails says how many requests were sent and how many failed.

mod broken;
mod cloud;
mod replaced;
mod stage;

use std::fmt::Write as _;
use std::time::Duration;

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
}

impl Arguments {
    /// All of them, in the time that the checks have.
    pub(crate) fn brief() -> Self {
        Self {
            names: Vec::new(),
            away: 45,
        }
    }
}

/// One thing that is done.
struct Scenario {
    name: &'static str,
    what: &'static str,
    run: fn(&Stage<'_>) -> Result<(), String>,
    /// Whether requests may fail: a proxy that dies takes those along that it had, and nobody can save them.
    may_lose: bool,
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "proxies-rolled",
        what: "the Gateway's proxies are rolled",
        run: replaced::proxies,
        may_lose: false,
    },
    Scenario {
        name: "proxies-scaled",
        what: "the Gateway has four proxies, then two",
        run: replaced::scale,
        may_lose: false,
    },
    Scenario {
        name: "workload",
        what: "the Deployment becomes a DaemonSet, and one again",
        run: replaced::workload,
        may_lose: false,
    },
    Scenario {
        name: "upgrade",
        what: "another image of the controller rolls it and its Gateways",
        run: replaced::controller,
        may_lose: false,
    },
    Scenario {
        name: "controller-killed",
        what: "all replicas of the controller are killed",
        run: broken::controller,
        may_lose: false,
    },
    Scenario {
        name: "leader-killed",
        what: "the replica that leads is killed",
        run: broken::leader,
        may_lose: false,
    },
    Scenario {
        name: "alone",
        what: "without a controller, a proxy is killed and starts again",
        run: broken::alone,
        may_lose: true,
    },
    Scenario {
        name: "containerd",
        what: "containerd is restarted",
        run: broken::containerd,
        may_lose: false,
    },
    Scenario {
        name: "api-server",
        what: "the API server is away",
        run: broken::api_server,
        may_lose: false,
    },
    Scenario {
        name: "cloud",
        what: "the cloud has no quota, is stuck, and comes round",
        run: cloud::trouble,
        may_lose: false,
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
    in_lab(&Place::find()?, arguments)
}

/// Plays in the lab, which is started if need be.
pub(crate) fn in_lab(place: &Place, arguments: &Arguments) -> Result<(), String> {
    let known = |name: &String| SCENARIOS.iter().any(|scenario| scenario.name == name);
    if let Some(unknown) = arguments.names.iter().find(|name| !known(name)) {
        let names: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        return Err(format!(
            "There is no scenario {unknown}; there are {}.",
            names.join(", ")
        ));
    }
    let image = lab::ready(place)?;
    let kubectl = Kubectl::of(place);
    let stage = Stage::set(place, &kubectl, &image, Duration::from_secs(arguments.away))?;
    let mut rows = Vec::new();
    for scenario in SCENARIOS {
        if arguments.names.is_empty() || arguments.names.iter().any(|name| name == scenario.name) {
            println!("{}: {}.", scenario.name, scenario.what);
            rows.push(play(&stage, scenario));
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
