//! What a client of a listener may use at most. Every limit has a default and can be set.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Limits of a listener, and the times after which it gives up on a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientLimits {
    /// Bytes of a request's head: request line and headers. 431 beyond it.
    pub header_bytes: u32,
    /// Headers in a request. 431 beyond it.
    pub header_count: u16,
    /// Bytes of the request target. 414 beyond it.
    pub target_bytes: u32,
    /// Bytes of a request's body; none means no limit. 413 beyond it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_bytes: Option<u64>,
    /// From a connection's first byte (or the previous response) to the end of a request's head.
    #[serde(with = "crate::carried::duration")]
    pub header_read: Duration,
    /// How long a connection may stay without a request.
    #[serde(with = "crate::carried::duration")]
    pub idle: Duration,
    /// How long a connection below HTTP, or a flow of datagrams, may stay without a byte in either direction.
    /// None: as long as its protocol's default says, [`Self::STREAM_IDLE`] or [`Self::FLOW_IDLE`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::carried::duration_option"
    )]
    pub stream_idle: Option<Duration>,
    /// How long a tunnel (WebSocket, and others by upgrade) may stay without a byte in either direction; none:
    /// [`Self::TUNNEL_IDLE`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::carried::duration_option"
    )]
    pub tunnel_idle: Option<Duration>,
    /// How long a request's body or a response may stand still.
    #[serde(with = "crate::carried::duration")]
    pub stall: Duration,
    /// How long a TLS handshake may take.
    #[serde(with = "crate::carried::duration")]
    pub handshake: Duration,
    /// HTTP/2 streams at a time on one connection.
    pub concurrent_streams: u32,
    /// HTTP/2 streams that a client may reset before they were answered, on one connection.
    pub pending_resets: u32,
    /// Connections at a time on the listener's port.
    pub connections: u32,
    /// Requests at a time on the listener; beyond it 503 with `Retry-After`.
    pub requests: u32,
}

impl ClientLimits {
    /// How long a TCP connection, or TLS for a TLSRoute, may stay without a byte: who keeps connections for
    /// later (pools of databases, subscribers of messages) is seldom silent for longer.
    pub const STREAM_IDLE: Duration = Duration::from_secs(3600);
    /// How long a tunnel may stay without a byte.
    pub const TUNNEL_IDLE: Duration = Duration::from_secs(3600);
    /// How long a UDP flow is remembered after its last datagram.
    pub const FLOW_IDLE: Duration = Duration::from_secs(60);

    /// Of each limit the smaller one: what holds while it is not yet known which of two listeners a
    /// connection is for.
    pub fn strictest(&self, other: &Self) -> Self {
        let Self {
            header_bytes,
            header_count,
            target_bytes,
            body_bytes,
            header_read,
            idle,
            stream_idle,
            tunnel_idle,
            stall,
            handshake,
            concurrent_streams,
            pending_resets,
            connections,
            requests,
        } = other;
        let least = |one: Option<Duration>, other: Option<Duration>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self {
            header_bytes: self.header_bytes.min(*header_bytes),
            header_count: self.header_count.min(*header_count),
            target_bytes: self.target_bytes.min(*target_bytes),
            body_bytes: match (self.body_bytes, *body_bytes) {
                (Some(one), Some(two)) => Some(one.min(two)),
                (one, two) => one.or(two),
            },
            header_read: self.header_read.min(*header_read),
            idle: self.idle.min(*idle),
            stream_idle: least(self.stream_idle, *stream_idle),
            tunnel_idle: least(self.tunnel_idle, *tunnel_idle),
            stall: self.stall.min(*stall),
            handshake: self.handshake.min(*handshake),
            concurrent_streams: self.concurrent_streams.min(*concurrent_streams),
            pending_resets: self.pending_resets.min(*pending_resets),
            connections: self.connections.min(*connections),
            requests: self.requests.min(*requests),
        }
    }
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            header_bytes: 64 * 1024,
            header_count: 100,
            target_bytes: 16 * 1024,
            body_bytes: None,
            header_read: Duration::from_secs(15),
            idle: Duration::from_secs(60),
            stream_idle: None,
            tunnel_idle: None,
            stall: Duration::from_secs(60),
            handshake: Duration::from_secs(10),
            concurrent_streams: 100,
            pending_resets: 50,
            connections: 50_000,
            requests: 50_000,
        }
    }
}
