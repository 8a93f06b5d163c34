//! `daemun proxy`: serves one Gateway of a cluster, as its controller says over the wire.
//!
//! It puts the wire's end and the proxy together: what comes is applied, and what came of it is answered. The
//! proxy itself does not know where its configuration comes from.

mod arguments;

use std::sync::Arc;
use std::time::Duration;

use daemun_base::clock;
use daemun_base::readiness::Readiness;
use daemun_base::signals::{Signal, Signals};
use daemun_base::tasks::Tasks;
use daemun_proxy::admin::Health;
use daemun_proxy::{Applied, Proxy as Traffic, Resolver};
use daemun_wire::answer::{Phase, Refused};
use daemun_wire::client::{Client, Resolve, Resolving, Update};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

pub(crate) use arguments::Proxy;

use super::Status;
use super::process::{runtime, start_health};
use crate::output::counted;
use crate::output::style::ColourArguments;

/// How often it is looked whether the first connection has come.
const LOOK: Duration = Duration::from_secs(1);

/// Serves until it is told to stop.
pub(crate) fn proxy(arguments: &Proxy, colours: &ColourArguments) -> Status {
    if let Err(why) = arguments.process.start_logs(colours) {
        return Status::unusable(&why);
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(why) => return Status::unusable(&why),
    };
    match runtime.block_on(serve(arguments)) {
        Ok(()) => Status::Fine,
        Err(why) => Status::unusable(&why),
    }
}

async fn serve(arguments: &Proxy) -> Result<(), String> {
    let mut signals =
        Signals::new().map_err(|error| format!("Signals cannot be handled: {error}."))?;
    let tasks = Tasks::default();
    let readiness = Readiness::default();
    readiness.not_ready("configuration", "no controller has sent one yet");
    readiness.not_ready("listeners", "nothing is bound yet");

    let traffic = Traffic::start(arguments.process.proxy_settings())?;
    let metrics = Arc::clone(traffic.metrics());
    let write = move |into: &mut dyn std::fmt::Write| metrics.write(into);
    let health = Health {
        readiness: readiness.clone(),
        metrics: Arc::new(write),
    };
    let bound = start_health(health, arguments.health, &tasks).await?;
    tracing::info!("Health and metrics are at http://{bound}.");

    let mut serving = Serving {
        client: Client::start(
            arguments.wire_settings(),
            Arc::new(Names::default()),
            &tasks,
        ),
        traffic,
        readiness,
        serves: None,
        refused: Vec::new(),
        is_ready: false,
        is_reached: false,
    };
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            changed = serving.client.updates.changed() => {
                changed.map_err(|_| "The controller is not followed any more.".to_owned())?;
                serving.apply().await;
            }
            applied = serving.traffic.follow() => serving.followed(&applied),
            _ = looks.tick(), if !serving.is_reached => serving.look(),
            signal = signals.next() => match signal {
                Signal::Reload => {}
                Signal::Reopen => serving.traffic.metrics().reopen_logs(),
                Signal::Stop => break,
            },
        }
    }
    serving.stop(&mut signals).await;
    tasks.abort();
    Ok(())
}

/// The wire finds its controllers through the proxy's resolver.
#[derive(Default)]
struct Names(Resolver);

impl Resolve for Names {
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a> {
        Box::pin(self.0.addresses(name))
    }
}

struct Serving {
    client: Client,
    traffic: Traffic,
    readiness: Readiness,
    /// The configuration that is live.
    serves: Option<Update>,
    /// What the proxy could not do of it.
    refused: Vec<Refused>,
    /// Whether it was ready once: then what comes later does not take its traffic away.
    is_ready: bool,
    /// Whether a connection has come to a listener. The first is told, and then nobody looks any more.
    is_reached: bool,
}

impl Serving {
    /// Makes the newest configuration live, and answers what came of it.
    async fn apply(&mut self) {
        let Some(mut update) = self.client.updates.borrow_and_update().clone() else {
            return;
        };
        let began = clock::now();
        let mut ahead = self.client.updates.clone();
        let applied = loop {
            let configuration = Arc::clone(&update.configuration);
            // Applying may wait for names, and closing a Gateway does not.
            tokio::select! {
                biased;
                closing = closing(&mut ahead) => update = closing,
                applied = self.traffic.apply(configuration) => break applied,
            }
        };
        tracing::info!(
            took_ms = began.elapsed().as_millis(),
            "The changed configuration is live."
        );
        self.serves = Some(update);
        self.takes_note(&applied);
        self.answer();
    }

    /// What the proxy did by itself, such as binding a port that has become free.
    fn followed(&mut self, applied: &Applied) {
        let before = (self.refused.clone(), self.is_ready);
        self.takes_note(applied);
        if before != (self.refused.clone(), self.is_ready) {
            self.answer();
        }
    }

    fn takes_note(&mut self, applied: &Applied) {
        let known = std::mem::replace(&mut self.refused, refused(applied));
        let is_new = |refused: &&Refused| !known.contains(refused);
        for refused in self.refused.iter().filter(is_new) {
            tracing::error!(
                "A part of the configuration cannot be served: {}: {}.",
                refused.what,
                refused.why
            );
        }
        self.judge(applied);
    }

    fn judge(&mut self, applied: &Applied) {
        self.readiness.ready("configuration", "it is live");
        if let Some(first) = applied.not_bound.first() {
            if !self.is_ready {
                self.readiness.not_ready("listeners", first.reason.clone());
            }
            return;
        }
        self.is_ready = true;
        let bound = applied.listening.len();
        let are = if bound == 1 { "is" } else { "are" };
        let says = format!("{} {are} bound", counted(bound, "socket"));
        self.readiness.ready("listeners", says);
    }

    /// Looks whether the first connection has come. Requests know nothing of it: they are counted anyway.
    fn look(&mut self) {
        self.is_reached = self.traffic.metrics().is_reached();
        if self.is_reached {
            self.client.reached();
        }
    }

    fn answer(&self) {
        self.answer_in(if self.is_ready {
            Phase::Ready
        } else {
            Phase::Starting
        });
    }

    fn answer_in(&self, phase: Phase) {
        let refused = self.refused.clone();
        self.client.answer(phase, self.serves.as_ref(), refused);
    }

    /// Controllers hear of it first, then load balancers through `/readyz`; a second signal ends the process
    /// without waiting.
    async fn stop(self, signals: &mut Signals) {
        self.answer_in(Phase::Draining);
        self.readiness.not_ready("process", "it is stopping");
        tracing::info!(
            "Stopping: requests under way are answered first. A second signal stops at once."
        );
        // Held until the end, so that the controllers see it draining.
        let Self {
            client, traffic, ..
        } = self;
        tokio::select! {
            () = traffic.drain() => tracing::info!("Stopped."),
            () = second_stop(signals) => tracing::warn!("Stopped at once; requests under way were cut off."),
        }
        drop(client);
    }
}

async fn second_stop(signals: &mut Signals) {
    while signals.next().await != Signal::Stop {}
}

/// The next configuration that comes and has a Gateway that is closed.
async fn closing(ahead: &mut watch::Receiver<Option<Update>>) -> Update {
    let closes = |update: &Update| {
        let mut gateways = update.configuration.gateways.values();
        gateways.any(|snapshot| snapshot.gateway.closed.is_some())
    };
    loop {
        if ahead.changed().await.is_err() {
            // Nothing comes any more, which is said where it is waited for.
            return std::future::pending().await;
        }
        let next = ahead.borrow_and_update().clone();
        if let Some(next) = next.filter(closes) {
            return next;
        }
    }
}

/// What the proxy could not do, by the names of what it is about.
fn refused(applied: &Applied) -> Vec<Refused> {
    let parts = applied.report.refused.iter().map(|refused| Refused {
        what: refused.what.clone(),
        why: refused.why.clone(),
    });
    let not_bound = applied.not_bound.iter().flat_map(|port| {
        port.listeners.iter().map(|listener| Refused {
            what: format!("listener {listener}"),
            why: port.reason.clone(),
        })
    });
    parts.chain(not_bound).collect()
}
