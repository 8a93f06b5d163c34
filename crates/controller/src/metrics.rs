//! What the controller counts, as OpenMetrics text.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use daemun_model::names::ObjectName;

/// Counters of a controller in Kubernetes.
#[derive(Debug, Default)]
pub struct Metrics {
    steps: AtomicU64,
    step_micros: AtomicU64,
    faults: AtomicU64,
    published: AtomicU64,
    written: AtomicU64,
    conflicts: AtomicU64,
    failed: AtomicU64,
    leads: AtomicBool,
    troubles: AtomicU64,
    proxies: AtomicU64,
    reach: Mutex<Arc<[Reach]>>,
}

/// Who reaches a Gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) gateway: ObjectName,
    /// The status of its condition `ReachVerified`.
    pub(crate) verified: &'static str,
    /// The class that was seen.
    pub(crate) class: &'static str,
    /// Whether nothing is served because of it.
    pub(crate) closed: bool,
}

/// How a write into an object ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// It is done.
    Done,
    /// Somebody else was faster.
    Conflict,
    /// It failed.
    Failed,
}

impl Metrics {
    /// The objects were translated, in this time.
    pub(crate) fn stepped(&self, took: Duration, fault: bool) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.steps.fetch_add(1, Ordering::Relaxed);
        self.step_micros.fetch_add(micros, Ordering::Relaxed);
        self.faults.fetch_add(u64::from(fault), Ordering::Relaxed);
    }

    /// Proxies have something new to do.
    pub(crate) fn published(&self) {
        self.published.fetch_add(1, Ordering::Relaxed);
    }

    /// Something was written into an object.
    pub(crate) fn wrote(&self, how: Outcome) {
        let counter = match how {
            Outcome::Done => &self.written,
            Outcome::Conflict => &self.conflicts,
            Outcome::Failed => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether this controller leads.
    pub(crate) fn leads(&self, leads: bool) {
        self.leads.store(leads, Ordering::Relaxed);
    }

    /// How many things stand in the way of watching.
    pub(crate) fn troubles(&self, count: usize) {
        self.troubles.store(count as u64, Ordering::Relaxed);
    }

    /// How many proxies are connected.
    pub(crate) fn proxies(&self, count: usize) {
        self.proxies.store(count as u64, Ordering::Relaxed);
    }

    /// Who reaches Gateways.
    pub(crate) fn reach(&self, reach: Vec<Reach>) {
        *self.reach.lock().unwrap_or_else(PoisonError::into_inner) = reach.into();
    }

    /// Writes all of it, without the end of the exposition.
    ///
    /// # Errors
    /// The writer's.
    pub fn write(&self, out: &mut dyn Write) -> fmt::Result {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let seconds = Duration::from_micros(count(&self.step_micros)).as_secs_f64();
        writeln!(
            out,
            "# HELP daemun_controller_translation_seconds How long translations of the objects took.\n\
             # TYPE daemun_controller_translation_seconds summary\n\
             # UNIT daemun_controller_translation_seconds seconds\n\
             daemun_controller_translation_seconds_count {}\n\
             daemun_controller_translation_seconds_sum {seconds}",
            count(&self.steps)
        )?;
        counter(
            out,
            "faults",
            "Translations that failed because of a fault in Daemun.",
            count(&self.faults),
        )?;
        counter(
            out,
            "publications",
            "Configurations that were given to proxies.",
            count(&self.published),
        )?;
        let name = "daemun_controller_writes";
        writeln!(
            out,
            "# HELP {name} Writes into objects, by how they ended.\n# TYPE {name} counter"
        )?;
        for (result, counter) in [
            ("done", &self.written),
            ("conflict", &self.conflicts),
            ("failed", &self.failed),
        ] {
            writeln!(
                out,
                "{name}_total{{result=\"{result}\"}} {}",
                count(counter)
            )?;
        }
        let leads = u64::from(self.leads.load(Ordering::Relaxed));
        gauge(out, "leads", "Whether this controller leads.", leads)?;
        gauge(
            out,
            "troubles",
            "Things that stand in the way of watching.",
            count(&self.troubles),
        )?;
        gauge(
            out,
            "proxies",
            "Proxies that are connected.",
            count(&self.proxies),
        )?;
        let reach = self.reach.lock().unwrap_or_else(PoisonError::into_inner);
        let reach = Arc::clone(&reach);
        write_reach(out, &reach)
    }
}

/// Names of Gateways need no quoting: Kubernetes allows letters, digits, dots and dashes.
fn write_reach(out: &mut dyn Write, all: &[Reach]) -> fmt::Result {
    let name = "daemun_gateway_reach";
    writeln!(
        out,
        "# HELP {name} Gateways by what is seen of their reach: whether it is verified (condition ReachVerified), and the class of the addresses.\n# TYPE {name} gauge"
    )?;
    for Reach {
        gateway: ObjectName {
            namespace,
            name: gateway,
        },
        verified,
        class,
        closed: _,
    } in all
    {
        writeln!(
            out,
            "{name}{{namespace=\"{namespace}\",gateway=\"{gateway}\",verified=\"{verified}\",class=\"{class}\"}} 1"
        )?;
    }
    let name = "daemun_gateway_closed";
    writeln!(
        out,
        "# HELP {name} Whether nothing is served of a Gateway because of its addresses.\n# TYPE {name} gauge"
    )?;
    for Reach {
        gateway, closed, ..
    } in all
    {
        writeln!(
            out,
            "{name}{{namespace=\"{}\",gateway=\"{}\"}} {}",
            gateway.namespace,
            gateway.name,
            u8::from(*closed)
        )?;
    }
    Ok(())
}

fn counter(out: &mut dyn Write, name: &str, help: &str, value: u64) -> fmt::Result {
    let name = format!("daemun_controller_{name}");
    writeln!(
        out,
        "# HELP {name} {help}\n# TYPE {name} counter\n{name}_total {value}"
    )
}

fn gauge(out: &mut dyn Write, name: &str, help: &str, value: u64) -> fmt::Result {
    let name = format!("daemun_controller_{name}");
    writeln!(
        out,
        "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}"
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Metrics, Outcome};

    #[test]
    fn what_was_counted_is_written() {
        let metrics = Metrics::default();
        metrics.stepped(Duration::from_millis(250), false);
        metrics.stepped(Duration::from_millis(250), true);
        metrics.published();
        metrics.wrote(Outcome::Conflict);
        metrics.leads(true);
        let mut text = String::new();
        metrics.write(&mut text).unwrap();
        for line in [
            "daemun_controller_translation_seconds_count 2",
            "daemun_controller_translation_seconds_sum 0.5",
            "daemun_controller_faults_total 1",
            "daemun_controller_publications_total 1",
            "daemun_controller_writes_total{result=\"conflict\"} 1",
            "daemun_controller_leads 1",
        ] {
            assert!(
                text.lines().any(|written| written == line),
                "{line} in {text}"
            );
        }
    }
}
