//! How long it takes until one changed route among 5,000 is live in Daemun.
//!
//! The last route's path is changed in its file (written beside it and renamed, as editors do), and
//! the new path is asked for until it no longer answers 404. Measured with all routes in one file, and
//! with ten in each of 500 files.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use serde::Serialize;

use super::measure::Backend;
use super::process::{PROXY, Running, free_port, now};
use super::rivals::{Rival, Setup, change_route, split_routes};
use super::routes::Routing;
use super::scenario::Traffic;
use super::stage::Stage;
use super::tools::Tools;
use crate::http;

/// What was measured with one layout of the files.
#[derive(Serialize)]
pub(crate) struct Reload {
    pub(crate) layout: &'static str,
    /// From the start of the process until it accepts connections, in milliseconds.
    pub(crate) start_ms: f64,
    /// One value for each change.
    pub(crate) live_ms: Vec<f64>,
    pub(crate) failure: Option<String>,
}

/// Measures both layouts, with `changes` changes each.
pub(crate) fn measure(stage: &Stage, tools: &Tools, changes: usize) -> Result<Vec<Reload>, String> {
    let backend = Backend::start(stage, tools, 512)?;
    let measured = [true, false].map(|split| {
        let layout = if split {
            "500 files of 10 routes"
        } else {
            "one file of 5,000 routes"
        };
        let mut reload = Reload {
            layout,
            start_ms: 0.0,
            live_ms: Vec::new(),
            failure: None,
        };
        let live = Live::start(stage, tools, &backend, split);
        reload.failure = live
            .and_then(|live| live.change(changes, &mut reload))
            .err();
        reload
    });
    Ok(measured.into())
}

/// Daemun with 5,000 routes.
struct Live {
    _running: Running,
    started: Duration,
    port: u16,
    objects: PathBuf,
    split: bool,
}

impl Live {
    fn start(stage: &Stage, tools: &Tools, backend: &Backend, split: bool) -> Result<Self, String> {
        let program = tools
            .rivals
            .get(&Rival::Daemun)
            .ok_or("Daemun was not built.")?;
        let setup = Setup {
            directory: stage.directory(if split { "reload-split" } else { "reload" })?,
            port: free_port()?,
            metrics: free_port()?,
            backend: backend.port,
            rules: &Routing::Hosts.rules(),
            traffic: Traffic::Plain,
            certificate: &stage.certificate,
        };
        let command = Rival::Daemun.configure(&program.path, &setup)?;
        let objects = setup.directory.join("objects");
        if split {
            split_routes(&objects)?;
        }
        let begin = now();
        let log = setup.directory.join("log");
        let mut running = Running::start(&tools.rig, PROXY, &command, log)?;
        running.wait_for(setup.port)?;
        Ok(Self {
            _running: running,
            started: begin.elapsed(),
            port: setup.port,
            objects,
            split,
        })
    }

    fn change(&self, changes: usize, reload: &mut Reload) -> Result<(), String> {
        reload.start_ms = self.started.as_secs_f64() * 1e3;
        for change in 0..changes {
            // Longer than anything that gathers changes waits.
            sleep(Duration::from_millis(400));
            let path = format!("/changed{change}");
            let (text, host) = change_route(&path, self.split);
            let name = if self.split {
                "routes499.yaml"
            } else {
                "routes.yaml"
            };
            let (file, beside) = (self.objects.join(name), self.objects.join(".new"));
            fs::write(&beside, text)
                .map_err(|error| format!("{} cannot be written: {error}.", beside.display()))?;
            let begin = now();
            fs::rename(&beside, &file)
                .map_err(|error| format!("{} cannot be replaced: {error}.", file.display()))?;
            while http::get(self.port, &host, &path)?.0 != 200 {
                if begin.elapsed() > Duration::from_secs(10) {
                    return Err(format!(
                        "The changed route did not answer within 10 s ({path})."
                    ));
                }
                sleep(Duration::from_micros(500));
            }
            reload.live_ms.push(begin.elapsed().as_secs_f64() * 1e3);
        }
        Ok(())
    }
}
