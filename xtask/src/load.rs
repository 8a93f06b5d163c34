//! Requests that go on while something is done to what answers them: how many were sent, and how many failed.
//!
//! Some clients keep their connection, as browsers and other gateways do, and some make one for each request, as
//! scripts do. A request fails if its answer is not 200 or does not come; nothing is tried twice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use crate::http::client::Client;

/// Who sends, and how fast.
#[derive(Clone, Copy)]
pub(crate) struct Clients {
    /// Those that keep their connection.
    pub(crate) keeping: usize,
    /// Those that make one for each request.
    pub(crate) anew: usize,
    /// Between two requests of a client.
    pub(crate) pause: Duration,
}

/// What was sent, and what came of it.
pub(crate) struct Sent {
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    /// The first few failures, in words.
    pub(crate) failures: Vec<String>,
}

/// How many failures are told in words.
const TOLD: usize = 5;

/// Requests that go on.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    requests: Arc<AtomicU64>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    /// Starts clients; each asks for one of the hosts.
    pub(crate) fn start(gateway: SocketAddr, hosts: &[String], clients: Clients) -> Self {
        let (stop, requests) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let Clients {
            keeping,
            anew,
            pause,
        } = clients;
        let clients = (0..keeping + anew).map(|number| {
            let (stop, requests) = (Arc::clone(&stop), Arc::clone(&requests));
            let host = hosts[number % hosts.len()].clone();
            std::thread::spawn(move || {
                let mut client = Client::new(gateway);
                let mut failures = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    requests.fetch_add(1, Ordering::Relaxed);
                    match client.get(&host, "/") {
                        Ok(200) => {}
                        Ok(status) => failures.push(format!("{host} answered {status}")),
                        Err(why) => failures.push(why),
                    }
                    if number >= keeping {
                        client = Client::new(gateway);
                    }
                    sleep(pause);
                }
                failures
            })
        });
        let clients = clients.collect();
        Self {
            stop,
            requests,
            clients,
        }
    }

    /// Ends the clients, and tells what came of it.
    pub(crate) fn stop(self) -> Sent {
        self.stop.store(true, Ordering::Relaxed);
        let mut failures = Vec::new();
        for client in self.clients {
            match client.join() {
                Ok(of_client) => failures.extend(of_client),
                Err(_) => failures.push("A client ended with a panic.".to_owned()),
            }
        }
        let failed = failures.len() as u64;
        failures.truncate(TOLD);
        Sent {
            requests: self.requests.load(Ordering::Relaxed),
            failed,
            failures,
        }
    }
}
