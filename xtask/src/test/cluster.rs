//! The checks that want a cluster. They start the lab where it does not run, and leave it as they found it.

use std::process::Command;

use rustix::process::getuid;

use super::commands::{answers, cargo};
use super::outcome::Outcome;
use super::plan::Plan;
use crate::lab::kubectl::Kubectl;
use crate::lab::place::Place;
use crate::lab::{self, Channel, build, smoke};
use crate::{conformance, personas, rights, scenarios, way_in};

/// Minutes that compiling the lab takes, from nothing and on two cores.
const COMPILING: u64 = 14;
/// Minutes that Daemun's image and the cloud take, from nothing.
const BUILDING: u64 = 8;
/// Minutes of all scenarios.
const SCENARIOS: u64 = 12;
/// Minutes of the suite in one channel.
const SUITE: u64 = 15;

/// Installs Daemun, sends a request through it, takes it away again. A machine on which the lab does not start is
/// one on which this cannot be tried: whether Daemun works there is another question.
pub(super) fn smoke(plan: &Plan) -> Outcome {
    let place = match possible(plan, 2) {
        Ok(place) => place,
        Err(why) => return Outcome::Skipped(why),
    };
    leaving_it_as_it_was(&place, || {
        if let Err(message) = lab::up_as_it_is(&place) {
            return Outcome::Skipped(format!("the lab does not start here: {message}"));
        }
        let smoke = |image: String| smoke::run(&Kubectl::of(&place), build::PROFILE, &image);
        told(&lab::image(&place, build::PROFILE).and_then(smoke))
    })
}

/// Runs the tests of provisioning against the lab's API server and cloud.
pub(super) fn provisioning(plan: &Plan) -> Outcome {
    with_lab(plan, 2, |place| {
        lab::up_as_it_is(place)?;
        let mut tests = cargo(&["test", "--locked", "--package", "daemun-controller"]);
        tests.args(["--test", "provision", "--", "--ignored"]);
        tests.env("KUBECONFIG", place.kubeconfig());
        match tests.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err("The tests of provisioning fail.".to_owned()),
            Err(error) => Err(format!("cargo cannot be run: {error}.")),
        }
    })
}

/// Tries the promises of the way in on clouds of three kinds: one whose Services show addresses, one of names, and a
/// pool. All of them take too long here.
pub(super) fn way_in(plan: &Plan) -> Outcome {
    with_lab(plan, 5, |place| {
        way_in::in_lab(place, &["NHN", "AWS", "MetalLB"])
    })
}

/// Lets the people around a gateway try what they may, and may not.
pub(super) fn personas(plan: &Plan) -> Outcome {
    with_lab(plan, 2, |place| {
        lab::up_as_it_is(place)?;
        personas::check(&Kubectl::of(place))
    })
}

/// Breaks and replaces things under load.
pub(super) fn scenarios(plan: &Plan) -> Outcome {
    with_lab(plan, SCENARIOS, scenarios::brief)
}

/// Runs the conformance suite once.
pub(super) fn conformance(plan: &Plan, channel: Channel) -> Outcome {
    with_lab(plan, SUITE, |place| {
        conformance::once(channel)?;
        rights::check(place)
    })
}

fn with_lab(
    plan: &Plan,
    minutes: u64,
    check: impl FnOnce(&Place) -> Result<(), String>,
) -> Outcome {
    let place = match possible(plan, minutes) {
        Ok(place) => place,
        Err(why) => return Outcome::Skipped(why),
    };
    leaving_it_as_it_was(&place, || told(&check(&place)))
}

/// Stops the lab afterwards if it did not run before.
fn leaving_it_as_it_was(place: &Place, check: impl FnOnce() -> Outcome) -> Outcome {
    let ran_before = place.channel().is_some();
    let outcome = check();
    if !ran_before && let Err(message) = lab::script(place, &["down"]) {
        println!("{message}");
    }
    outcome
}

fn told(done: &Result<(), String>) -> Outcome {
    if let Err(message) = done {
        println!("{message}");
    }
    Outcome::one(done.is_ok())
}

/// Whether the lab can run here, and whether there is time for it.
fn possible(plan: &Plan, minutes: u64) -> Result<Place, String> {
    if !getuid().is_root() {
        return Err("the lab needs root.".to_owned());
    }
    let mut go = Command::new("go");
    go.arg("version");
    if !answers(go) {
        return Err("the lab needs Go.".to_owned());
    }
    let mut namespaces = Command::new("unshare");
    namespaces.args(["--net", "--mount", "true"]);
    if !answers(namespaces) {
        return Err("the lab needs namespaces, which cannot be made here.".to_owned());
    }
    let place = Place::find()?;
    let compiling = if place.program("conformance.test").exists() {
        0
    } else {
        COMPILING
    };
    plan.has_time_for(compiling + BUILDING + minutes)?;
    Ok(place)
}
