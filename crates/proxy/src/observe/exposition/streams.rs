//! Connections below HTTP, and flows of datagrams: the same four families for listeners, rules and backends.

use std::fmt;

use super::super::ends::ENDS;
use super::super::metrics::Metrics;
use super::super::series::StreamCounters;
use super::{All, Out, head, in_seconds, total, used};

/// Writes all families.
pub(super) fn write(metrics: &Metrics, out: Out<'_>) -> fmt::Result {
    let (listeners, rules, backends) = {
        let all = metrics.registry.all();
        (
            used(&all.stream_listeners),
            used(&all.stream_rules),
            used(&all.stream_backends),
        )
    };
    open(out, &listeners)?;
    for (kind, what, all) in [
        ("listener", "listener", listeners),
        ("rule", "rule of a Route below HTTP", rules),
        ("backend", "backend", backends),
    ] {
        ended(out, (kind, what), &all)?;
        seconds(out, (kind, what), &all)?;
        bytes(out, (kind, what), &all)?;
    }
    Ok(())
}

fn open(out: Out<'_>, all: &All<StreamCounters>) -> fmt::Result {
    let name = "daemun_listener_connections_open";
    head(
        out,
        name,
        "gauge",
        "Connections below HTTP and UDP flows of a listener that are open.",
    )?;
    for series in all {
        let ended: u64 = (0..ENDS.len())
            .map(|place| series.sum(|counters| &counters.ends[place]))
            .sum();
        let open = series.sum(|counters| &counters.begun).saturating_sub(ended);
        writeln!(out, "{name}{{{}}} {open}", series.labels)?;
    }
    Ok(())
}

fn ended(out: Out<'_>, (kind, what): (&str, &str), all: &All<StreamCounters>) -> fmt::Result {
    let name = format!("daemun_{kind}_connections");
    let help = format!("Connections below HTTP and UDP flows of a {what} that have ended, by why.");
    head(out, &name, "counter", &help)?;
    for series in all {
        for (place, reason) in ENDS.iter().enumerate() {
            let labels = format!("{},reason=\"{reason}\"", series.labels);
            let count = series.sum(|counters| &counters.ends[place]);
            total(out, &name, &labels, count)?;
        }
    }
    Ok(())
}

fn seconds(out: Out<'_>, (kind, what): (&str, &str), all: &All<StreamCounters>) -> fmt::Result {
    let name = format!("daemun_{kind}_connection_duration_seconds");
    let help = format!("How long the connections below HTTP and UDP flows of a {what} lasted.");
    head(out, &name, "summary", &help)?;
    for series in all {
        let labels = &series.labels;
        let count: u64 = (0..ENDS.len())
            .map(|place| series.sum(|counters| &counters.ends[place]))
            .sum();
        let sum = series.sum(|counters| &counters.nanoseconds);
        writeln!(out, "{name}_count{{{labels}}} {count}")?;
        writeln!(out, "{name}_sum{{{labels}}} {}", in_seconds(sum))?;
    }
    Ok(())
}

fn bytes(out: Out<'_>, (kind, what): (&str, &str), all: &All<StreamCounters>) -> fmt::Result {
    for (direction, whose) in [("received", "from"), ("sent", "to")] {
        let name = format!("daemun_{kind}_connection_{direction}_bytes");
        let help = format!("Bytes {whose} clients on connections below HTTP of a {what}.");
        head(out, &name, "counter", &help)?;
        for series in all {
            let sum = series.sum(|counters| match direction {
                "received" => &counters.received,
                _ => &counters.sent,
            });
            total(out, &name, &series.labels, sum)?;
        }
    }
    Ok(())
}
