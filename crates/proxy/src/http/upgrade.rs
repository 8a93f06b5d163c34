//! Upgrades: WebSocket and others over HTTP/1.1 (RFC 9110, section 7.8), and WebSocket over HTTP/2 by
//! extended CONNECT (RFC 8441).
//!
//! Once both sides have agreed, bytes pass both ways until one side ends. A tunnel holds on to its
//! counts, not to a configuration.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::ext::Protocol;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::http::body::Held;
use crate::http::connection::Busy;
use crate::live::InFlight;
use crate::observe::trip::Finished;
use crate::upstream::received::Received;
use crate::worker::Worker;

/// A worker's clock has whole seconds.
const LOOK: Duration = Duration::from_secs(1);

/// A client's wish to change the protocol.
pub(crate) struct Upgrade {
    /// What it wants, as it is sent to the backend.
    pub(crate) protocol: HeaderValue,
    client: OnUpgrade,
    /// The client asked by extended CONNECT: 200 is what 101 is for others.
    connect: bool,
}

impl Upgrade {
    /// Takes the wish out of a request, if it has one.
    pub(crate) fn take(request: &mut Request<Incoming>) -> Option<Self> {
        if request.version() == Version::HTTP_2 {
            if request.method() != Method::CONNECT {
                return None;
            }
            let protocol = request.extensions_mut().remove::<Protocol>()?;
            let protocol = HeaderValue::from_str(protocol.as_str()).ok()?;
            return Some(Self {
                protocol,
                client: hyper::upgrade::on(request),
                connect: true,
            });
        }
        let headers = request.headers();
        let protocol = headers.get(UPGRADE)?.clone();
        let asked = headers.get_all(CONNECTION).iter().any(names_upgrade);
        if !asked || request.version() != Version::HTTP_11 {
            return None;
        }
        if !is_one_that_passes(&protocol) {
            return None;
        }
        Some(Self {
            protocol,
            client: hyper::upgrade::on(request),
            connect: false,
        })
    }

    /// Whether the client asked by extended CONNECT. Towards the backend it becomes a GET.
    pub(crate) fn is_connect(&self) -> bool {
        self.connect
    }

    /// Writes the wish into a request for an HTTP/1.1 backend, whose hop-by-hop headers were removed.
    pub(crate) fn ask(&self, headers: &mut HeaderMap, random: [u64; 2]) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, self.protocol.clone());
        if self.connect && !headers.contains_key(SEC_WEBSOCKET_KEY) {
            headers.insert(SEC_WEBSOCKET_KEY, websocket_key(random));
        }
    }

    /// Ties both sides together, after the backend has answered 101. Gives the answer for the client.
    pub(crate) fn tie(self, mut response: Response<Received>, tunnel: Tunnel) -> Response<()> {
        let backend = hyper::upgrade::on(&mut response);
        let (mut head, _) = response.into_parts();
        let worker = Rc::clone(&tunnel.worker);
        let client = self.client;
        let accepted = tunnel.held.busy.as_ref().map(Busy::accepted).map(Rc::clone);
        let task = worker
            .tunnels
            .spawn(async move { tunnel.run(client, backend).await });
        if let Some(accepted) = accepted {
            accepted.runs_in(task);
        }
        if self.connect {
            head.status = StatusCode::OK;
            for name in [CONNECTION, UPGRADE, SEC_WEBSOCKET_ACCEPT] {
                head.headers.remove(name);
            }
        }
        head.version = Version::default();
        Response::from_parts(head, ())
    }
}

/// Whether a backend may be asked for this. A backend that spoke HTTP/2 or another HTTP behind the gateway's
/// back would take requests that no rule has seen; HTTP/2 by upgrade is obsolete anyway (RFC 9113,
/// section 3.1). Of a list the backend could choose any part, so a list does not pass. A request that may
/// not ask goes on as one that does not.
fn is_one_that_passes(protocol: &HeaderValue) -> bool {
    let protocol = protocol.as_bytes();
    let begins = |name: &[u8]| {
        let start = protocol.get(..name.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    !protocol.is_empty()
        && !protocol.contains(&b',')
        && !begins(b"h2")
        && !begins(b"h3")
        && !begins(b"http")
        && !begins(b"tls")
}

fn names_upgrade(value: &HeaderValue) -> bool {
    value
        .as_bytes()
        .split(|byte| *byte == b',')
        .any(|token| token.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
}

/// 16 random bytes in base64 (RFC 6455, section 4.1). HTTP/2 has no such header; an HTTP/1.1 backend
/// wants it.
fn websocket_key(random: [u64; 2]) -> HeaderValue {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let number = u128::from(random[0]) << 64 | u128::from(random[1]);
    let mut text = [b'='; 24];
    for (position, byte) in text.iter_mut().take(22).enumerate() {
        let shifted = if position < 21 {
            number >> (122 - 6 * position)
        } else {
            number << 4
        };
        *byte = ALPHABET[(shifted & 0x3f) as usize];
    }
    HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("ZGFlbXVuZGFlbXVuZGFlbQ=="))
}

/// What a tunnel holds while it lasts.
pub(crate) struct Tunnel {
    pub(crate) worker: Rc<Worker>,
    pub(crate) held: Held,
    pub(crate) in_flight: InFlight,
    pub(crate) trip: Option<Finished>,
    /// How long it may stay without a byte.
    pub(crate) idle: Duration,
}

impl Tunnel {
    async fn run(self, client: OnUpgrade, backend: OnUpgrade) {
        let Self {
            worker,
            held,
            in_flight,
            mut trip,
            idle,
        } = self;
        let passed = Passed::new(&worker);
        let tied = match tokio::try_join!(client, backend) {
            Ok((client, backend)) => {
                let mut client = Counted {
                    io: TokioIo::new(client),
                    passed: &passed,
                };
                let mut backend = TokioIo::new(backend);
                worker.metrics.tunnel_opened();
                let result = tokio::select! {
                    result = tokio::io::copy_bidirectional(&mut client, &mut backend) => {
                        result.map(drop).map_err(|error| error.to_string())
                    }
                    () = passed.stands_still(idle) => {
                        Err(format!("nothing passed for {} s", idle.as_secs_f64()))
                    }
                };
                worker.metrics.tunnel_closed();
                result
            }
            Err(error) => Err(error.to_string()),
        };
        if let Some(trip) = &mut trip {
            trip.tunnelled(passed.from_client.get(), passed.from_backend.get());
        }
        if let Err(error) = tied {
            tracing::debug!("A tunnel ended: {error}.");
        }
        drop((held, in_flight, trip));
    }
}

/// What has passed through a tunnel, and when last.
struct Passed<'a> {
    worker: &'a Worker,
    from_client: Cell<u64>,
    from_backend: Cell<u64>,
    /// The tick of the last byte.
    last: Cell<u32>,
}

impl<'a> Passed<'a> {
    fn new(worker: &'a Worker) -> Self {
        Self {
            worker,
            from_client: Cell::new(0),
            from_backend: Cell::new(0),
            last: Cell::new(worker.tick()),
        }
    }

    fn note(&self, counter: &Cell<u64>, bytes: usize) {
        if bytes > 0 {
            counter.set(counter.get() + bytes as u64);
            self.last.set(self.worker.tick());
        }
    }

    /// Ends once nothing has passed for so long.
    async fn stands_still(&self, idle: Duration) {
        loop {
            let still = self.worker.tick().saturating_sub(self.last.get());
            let left = idle.saturating_sub(Duration::from_secs(still.into()));
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.max(LOOK)).await;
        }
    }
}

/// The client's side: every byte of a tunnel passes it, one way or the other.
struct Counted<'a> {
    io: TokioIo<Upgraded>,
    passed: &'a Passed<'a>,
}

impl AsyncRead for Counted<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.io).poll_read(context, into);
        let bytes = into.filled().len() - before;
        self.passed.note(&self.passed.from_client, bytes);
        read
    }
}

impl AsyncWrite for Counted<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, from);
        if let Poll::Ready(Ok(bytes)) = written {
            self.passed.note(&self.passed.from_backend, bytes);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::{is_one_that_passes, websocket_key};

    #[test]
    fn no_other_http_is_spoken_behind_the_gateways_back() {
        for (protocol, passes) in [
            ("websocket", true),
            ("WebSocket", true),
            ("docker/1.0", true),
            ("SPDY/3.1", true),
            ("", false),
            ("h2c", false),
            ("H2C", false),
            ("h2c,", false),
            (",h2c", false),
            ("websocket, h2c", false),
            ("h2c-14", false),
            ("h2", false),
            ("h3", false),
            ("HTTP/2.0", false),
            ("TLS/1.2", false),
        ] {
            let value = HeaderValue::from_static(protocol);
            assert_eq!(is_one_that_passes(&value), passes, "{protocol}");
        }
    }

    #[test]
    fn a_websocket_key_is_sixteen_bytes_in_base64() {
        let key = websocket_key([0x0001_0203_0405_0607, 0x0809_0a0b_0c0d_0e0f]);
        assert_eq!(key, "AAECAwQFBgcICQoLDA0ODw==");
    }
}
