//! `limits` of a ListenerPolicy: what a client may use at most.

use std::time::Duration;

use daemun_model::policy::limits::ClientLimits;
use daemun_model::verdict::FieldPath;
use daemun_objects::Duration as WrittenDuration;
use daemun_objects::own::listener_policy::Limits;

use super::timeouts::duration;
use crate::verdict::Refusal;

/// The smallest head of a request that anything useful fits in.
const SMALLEST_HEAD: u32 = 256;

/// Reads the limits; what is not written is the default.
pub(crate) fn read(written: &Limits, path: &FieldPath) -> Result<ClientLimits, Refusal> {
    let Limits {
        header_bytes,
        header_count,
        target_bytes,
        body_bytes,
        header_read,
        idle,
        tunnel_idle,
        stall,
        handshake,
        concurrent_streams,
        pending_resets,
        connections,
        requests,
    } = written;
    let default = ClientLimits::default();
    let at_least = |value: Option<u32>, least: u32, default: u32, field: &str| match value {
        None => Ok(default),
        Some(value) if value >= least => Ok(value),
        Some(value) => Err(Refusal::unsupported(
            path.field(field),
            format!(
                "{field} is {value}, with which no request could be served; it is at least {least}."
            ),
        )),
    };
    let time = |value: &Option<WrittenDuration>, default: Duration, field: &str| {
        positive(value.as_ref(), default, path, field)
    };
    let count = at_least(
        header_count.map(u32::from),
        1,
        u32::from(default.header_count),
        "headerCount",
    )?;
    Ok(ClientLimits {
        header_bytes: at_least(
            *header_bytes,
            SMALLEST_HEAD,
            default.header_bytes,
            "headerBytes",
        )?,
        header_count: u16::try_from(count).unwrap_or(default.header_count),
        target_bytes: at_least(*target_bytes, 1, default.target_bytes, "targetBytes")?,
        body_bytes: *body_bytes,
        header_read: time(header_read, default.header_read, "headerRead")?,
        idle: time(idle, default.idle, "idle")?,
        // Below HTTP the default is the protocol's, and what is written counts everywhere.
        stream_idle: match idle {
            None => None,
            Some(_) => Some(time(idle, default.idle, "idle")?),
        },
        tunnel_idle: match tunnel_idle {
            None => None,
            Some(_) => Some(time(tunnel_idle, ClientLimits::TUNNEL_IDLE, "tunnelIdle")?),
        },
        stall: time(stall, default.stall, "stall")?,
        handshake: time(handshake, default.handshake, "handshake")?,
        concurrent_streams: at_least(
            *concurrent_streams,
            1,
            default.concurrent_streams,
            "concurrentStreams",
        )?,
        pending_resets: at_least(*pending_resets, 1, default.pending_resets, "pendingResets")?,
        connections: at_least(*connections, 1, default.connections, "connections")?,
        requests: at_least(*requests, 1, default.requests, "requests")?,
    })
}

/// Reads a time that protects, and so cannot be switched off with `0s`.
pub(crate) fn positive(
    written: Option<&WrittenDuration>,
    default: Duration,
    path: &FieldPath,
    field: &str,
) -> Result<Duration, Refusal> {
    let Some(written) = written else {
        return Ok(default);
    };
    let path = path.field(field);
    let time = duration(written, &path)?;
    if time.is_zero() {
        return Err(Refusal::unsupported(
            path,
            format!(
                "{field} is 0s; it is at least 1ms, and may be as long as you like, such as 24h."
            ),
        ));
    }
    Ok(time)
}
