//! Metrics as OpenMetrics text, written piece by piece, so that a scrape of thousands of routes holds one
//! line at a time.

use std::fmt::{self, Write};
use std::sync::{Arc, PoisonError};

use super::counters::Counter;
use super::metrics::{Configured, Metrics, Source};
use super::series::{
    BUCKETS, BackendCounters, CLASSES, Family, ListenerCounters, Series, Traffic, labels,
};

mod streams;
mod tables;

use tables::{BACKENDS, COUNTERS, GAUGES, REASONS};

type Out<'a> = &'a mut dyn Write;
type Bytes = fn(&Traffic) -> &Counter;

/// Writes all there is.
pub(super) fn write(metrics: &Metrics, out: Out<'_>) -> fmt::Result {
    head(out, "daemun_build", "info", "The program.")?;
    writeln!(
        out,
        "daemun_build_info{{version=\"{}\"}} 1",
        env!("CARGO_PKG_VERSION")
    )?;
    daemun_base::process::write_metrics(out)?;
    let workers = &metrics.workers;
    for (name, help, value) in GAUGES {
        head(out, name, "gauge", help)?;
        writeln!(
            out,
            "{name} {}",
            workers.iter().map(|worker| value(worker)).sum::<u64>()
        )?;
    }
    for (name, help, counter) in COUNTERS {
        let sum = workers.iter().map(|worker| counter(worker).get()).sum();
        counter_line(out, (name, help), sum)?;
    }
    for (name, help, reasons, counters) in REASONS {
        head(out, name, "counter", help)?;
        for (place, reason) in reasons.iter().enumerate() {
            let sum: u64 = workers
                .iter()
                .map(|worker| counters(worker)[place].get())
                .sum();
            if sum > 0 {
                writeln!(out, "{name}_total{{reason=\"{reason}\"}} {sum}")?;
            }
        }
    }
    configured(metrics, out)?;
    let (listeners, rules, backends) = {
        let all = metrics.registry.all();
        (used(&all.listeners), used(&all.rules), used(&all.backends))
    };
    of_listeners(out, &listeners)?;
    let names = Names::of("rule", "rule of a Route");
    traffic(out, &names, &rules, |counters| counters)?;
    seconds(out, &names, &rules, |counters| counters)?;
    of_backends(out, &backends)?;
    streams::write(metrics, out)?;
    out.write_str("# EOF\n")
}

fn configured(metrics: &Metrics, out: Out<'_>) -> fmt::Result {
    if let Some(log) = &metrics.log {
        counter_line(
            out,
            (
                "daemun_access_log_dropped",
                "Lines that the access log lost because they could not be written fast enough.",
            ),
            log.dropped(),
        )?;
    }
    let Source {
        accepted,
        refused,
        problems,
    } = &*metrics
        .source
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let name = "daemun_configuration_changes";
    head(
        out,
        name,
        "counter",
        "Changes of the configuration, and whether they brought a new error.",
    )?;
    writeln!(out, "{name}_total{{result=\"accepted\"}} {accepted}")?;
    writeln!(out, "{name}_total{{result=\"refused\"}} {refused}")?;
    let name = "daemun_configuration_problems";
    head(
        out,
        name,
        "gauge",
        "What is wrong with the configuration at this moment, by reason.",
    )?;
    for (reason, count) in problems {
        let labels = labels(&[("reason", reason)]);
        writeln!(out, "{name}{{{labels}}} {count}")?;
    }
    let Configured {
        since,
        closed,
        certificates,
        endpoints,
    } = &*metrics
        .configured
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let name = "daemun_configuration_since_seconds";
    head(
        out,
        name,
        "gauge",
        "When the configuration became live, in seconds since 1970.",
    )?;
    writeln!(out, "{name} {since}")?;
    let name = "daemun_gateway_closed";
    head(
        out,
        name,
        "gauge",
        "1 while a Gateway serves nothing because its way in is not what was asked for, else 0.",
    )?;
    for (labels, is_closed) in closed {
        writeln!(out, "{name}{{{labels}}} {}", u8::from(*is_closed))?;
    }
    let name = "daemun_certificate_expiry_seconds";
    head(
        out,
        name,
        "gauge",
        "When a certificate expires, in seconds since 1970.",
    )?;
    for (labels, expiry) in certificates {
        writeln!(out, "{name}{{{labels}}} {expiry}")?;
    }
    let name = "daemun_backend_endpoints";
    head(
        out,
        name,
        "gauge",
        "Endpoints of a backend that may get requests.",
    )?;
    for (labels, count) in endpoints {
        writeln!(out, "{name}{{{labels}}} {count}")?;
    }
    Ok(())
}

type All<T> = Vec<Arc<Series<T>>>;

fn used<T: Default>(family: &Family<T>) -> All<T> {
    family
        .values()
        .filter(|series| series.used().next().is_some())
        .map(Arc::clone)
        .collect()
}

/// The names of the families that every kind of object has.
struct Names {
    requests: String,
    seconds: String,
    received: String,
    sent: String,
    what: &'static str,
}

impl Names {
    fn of(kind: &str, what: &'static str) -> Self {
        Self {
            requests: format!("daemun_{kind}_requests"),
            seconds: format!("daemun_{kind}_request_duration_seconds"),
            received: format!("daemun_{kind}_received_bytes"),
            sent: format!("daemun_{kind}_sent_bytes"),
            what,
        }
    }
}

fn of_listeners(out: Out<'_>, all: &All<ListenerCounters>) -> fmt::Result {
    let names = Names::of("listener", "listener");
    traffic(out, &names, all, |counters| &counters.traffic)?;
    let name = &names.seconds;
    head(
        out,
        name,
        "histogram",
        "How long the requests of a listener lasted, to the end of their responses.",
    )?;
    for series in all {
        let labels = &series.labels;
        let mut count = 0;
        for place in 0..=BUCKETS.len() {
            count += series.sum(|counters| &counters.buckets[place]);
            match BUCKETS.get(place) {
                Some(end) => {
                    let end = *end as f64 / 1e6;
                    writeln!(out, "{name}_bucket{{{labels},le=\"{end:?}\"}} {count}")?;
                }
                None => writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}")?,
            }
        }
        writeln!(out, "{name}_count{{{labels}}} {count}")?;
        let sum = series.sum(|counters| &counters.traffic.nanoseconds);
        writeln!(out, "{name}_sum{{{labels}}} {}", in_seconds(sum))?;
    }
    Ok(())
}

fn of_backends(out: Out<'_>, all: &All<BackendCounters>) -> fmt::Result {
    let names = Names::of("backend", "backend");
    traffic(out, &names, all, |counters| &counters.traffic)?;
    seconds(out, &names, all, |counters| &counters.traffic)?;
    for (name, help, counter) in BACKENDS {
        head(out, name, "counter", help)?;
        for series in all {
            total(out, name, &series.labels, series.sum(counter))?;
        }
    }
    Ok(())
}

fn traffic<T: Default>(
    out: Out<'_>,
    names: &Names,
    all: &All<T>,
    of: impl Fn(&T) -> &Traffic + Copy,
) -> fmt::Result {
    let name = &names.requests;
    head(
        out,
        name,
        "counter",
        &format!("Requests of a {}, by class of status.", names.what),
    )?;
    for series in all {
        for (place, class) in CLASSES.iter().enumerate() {
            let count = series.sum(|counters| &of(counters).classes[place]);
            if count > 0 {
                writeln!(
                    out,
                    "{name}_total{{{},class=\"{class}\"}} {count}",
                    series.labels
                )?;
            }
        }
    }
    let bytes: [(&str, &str, Bytes); 2] = [
        (&names.received, "request", |traffic| &traffic.received),
        (&names.sent, "response", |traffic| &traffic.sent),
    ];
    for (name, whose, count) in bytes {
        let help = format!("Bytes of {whose} bodies of a {}.", names.what);
        head(out, name, "counter", &help)?;
        for series in all {
            let sum = series.sum(|counters| count(of(counters)));
            total(out, name, &series.labels, sum)?;
        }
    }
    Ok(())
}

/// Duration as sum and count.
fn seconds<T: Default>(
    out: Out<'_>,
    names: &Names,
    all: &All<T>,
    of: impl Fn(&T) -> &Traffic + Copy,
) -> fmt::Result {
    let name = &names.seconds;
    let help = format!(
        "How long the requests of a {} lasted, to the end of their responses.",
        names.what
    );
    head(out, name, "summary", &help)?;
    for series in all {
        let labels = &series.labels;
        let count: u64 = (0..CLASSES.len())
            .map(|place| series.sum(|counters| &of(counters).classes[place]))
            .sum();
        let sum = series.sum(|counters| &of(counters).nanoseconds);
        writeln!(out, "{name}_count{{{labels}}} {count}")?;
        writeln!(out, "{name}_sum{{{labels}}} {}", in_seconds(sum))?;
    }
    Ok(())
}

fn in_seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

fn total(out: Out<'_>, name: &str, labels: &str, count: u64) -> fmt::Result {
    if count == 0 {
        return Ok(());
    }
    writeln!(out, "{name}_total{{{labels}}} {count}")
}

fn counter_line(out: Out<'_>, (name, help): (&str, &str), count: u64) -> fmt::Result {
    head(out, name, "counter", help)?;
    writeln!(out, "{name}_total {count}")
}

fn head(out: Out<'_>, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(out, "# HELP {name} {help}")?;
    writeln!(out, "# TYPE {name} {kind}")?;
    // OpenMetrics wants the unit told where the name ends in one.
    for unit in ["seconds", "bytes"] {
        if name.ends_with(&format!("_{unit}")) {
            writeln!(out, "# UNIT {name} {unit}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
