//! From the moment at which the API server has accepted a new HTTPRoute to the first answer of its backend.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::cluster::Routes;
use super::objects;
use crate::bench::process::now;
use crate::http::client::Client;

/// Between two requests that ask whether the route is there.
const LOOK: Duration = Duration::from_micros(500);
/// A route that takes longer counts as not live.
const LONGEST: Duration = Duration::from_secs(10);
/// Longer than the controller gathers changes, so that each one is the first after quiet.
const QUIET: Duration = Duration::from_millis(100);

/// What was measured.
#[derive(Serialize)]
pub(super) struct Live {
    /// How many other routes there were at the start.
    pub(super) others: usize,
    /// Milliseconds, one for each route, ascending.
    pub(super) milliseconds: Vec<f64>,
}

impl Live {
    /// The value below which so many of a hundred are.
    pub(super) fn percentile(&self, percent: usize) -> f64 {
        let last = self.milliseconds.len().saturating_sub(1);
        let place = (self.milliseconds.len() * percent).div_ceil(100);
        let place = place.saturating_sub(1).min(last);
        self.milliseconds.get(place).copied().unwrap_or(f64::NAN)
    }
}

/// Adds routes, one at a time.
pub(super) fn measure(routes: &mut Routes<'_>, samples: usize) -> Result<Live, String> {
    let others = routes.count();
    let mut milliseconds = Vec::with_capacity(samples);
    for _ in 0..samples {
        milliseconds.push(one(routes)?.as_secs_f64() * 1e3);
        std::thread::sleep(QUIET);
    }
    milliseconds.sort_by(f64::total_cmp);
    Ok(Live {
        others,
        milliseconds,
    })
}

/// Adds a route; it is asked for from before it is made, so that the first answer is not missed.
pub(super) fn one(routes: &mut Routes<'_>) -> Result<Duration, String> {
    let host = objects::host(routes.count());
    let gateway = routes.gateway;
    let (answered, answers) = mpsc::channel();
    let asking = std::thread::spawn(move || {
        // Whoever waits has gone if that fails.
        let _ = answered.send(first_answer(&mut Client::new(gateway), &host));
    });
    let accepted = routes.add_one();
    let answer = answers
        .recv()
        .map_err(|_| "The asking thread has ended.".to_owned());
    asking.join().map_err(|_| "The asking thread panicked.")?;
    Ok(answer??.saturating_duration_since(accepted?))
}

fn first_answer(client: &mut Client, host: &str) -> Result<Instant, String> {
    let end = now() + LONGEST;
    loop {
        match client.get(host, "/")? {
            200 => return Ok(now()),
            404 if now() < end => std::thread::sleep(LOOK),
            status => {
                return Err(format!(
                    "The new route {host} answers {status} instead of 200."
                ));
            }
        }
    }
}
