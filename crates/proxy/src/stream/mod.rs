//! Connections below HTTP: TCP, and TLS that is passed on or ended at the gateway, for TCPRoutes and TLSRoutes.
//!
//! A connection looks at the configuration once, when it begins, and then holds on to its backend only: a change
//! never ends it. What cannot be served is refused by a reset, before a byte was answered, so that nobody takes
//! it for an empty answer. How TLS begins is `listen`'s; datagrams are `udp`'s.

mod choose;
mod connect;
mod relay;
mod side;

use std::rc::Rc;
use std::sync::Arc;

use daemun_model::policy::limits::ClientLimits;
use tokio::net::TcpStream;

use crate::accepted::Open;
use crate::live::ListenerLive;
use crate::observe::ends::End;
use crate::observe::passage::{Origin, Passage};
use crate::running;
use crate::worker::Worker;

pub(crate) use choose::{Chosen, Refusal, alpn, client_key, route, target};
pub(crate) use connect::Wrap;
pub(crate) use side::Side;

/// A connection whose listener is known.
pub(crate) struct Incoming {
    pub(crate) worker: Rc<Worker>,
    pub(crate) listener: Arc<ListenerLive>,
    pub(crate) origin: Origin,
    pub(crate) open: Open,
}

/// Ends a connection so that its client sees that it was refused.
pub(crate) fn refuse(client: &TcpStream) {
    // If it does not work, the connection is closed in the ordinary way.
    let _ = client.set_zero_linger();
}

/// Passes on a connection from its first byte; `read` are those that were read already.
pub(crate) async fn pass(incoming: Incoming, client: TcpStream, wrap: Wrap, read: Vec<u8>) {
    let mut passing = Passing::begin(incoming);
    match passing.choose(matches!(wrap, Wrap::Never)) {
        Some(backend) => {
            passing
                .run(Side::Plain(client), (backend, wrap), read)
                .await
        }
        None => refuse(&client),
    }
}

/// A connection that is being opened.
pub(crate) struct Passing {
    worker: Rc<Worker>,
    listener: Arc<ListenerLive>,
    passage: Passage,
    open: Open,
    _counted: running::Counted,
}

impl Passing {
    pub(crate) fn begin(incoming: Incoming) -> Self {
        let Incoming {
            worker,
            listener,
            origin,
            open,
        } = incoming;
        open.accepted.asks();
        let random = || worker.random.borrow_mut().next_u64();
        let passage = Passage::begin(&worker.metrics, &listener, origin, random);
        Self {
            _counted: worker.streams.enter(),
            worker,
            listener,
            passage,
            open,
        }
    }

    /// Waits for something before bytes are passed on. None: the connection is to end, which is counted.
    pub(crate) async fn unless_ended<T>(&self, waiting: impl Future<Output = T>) -> Option<T> {
        let done = self.open.accepted.unless_ended(waiting).await;
        done.inspect_err(|end| self.passage.ends(*end)).ok()
    }

    /// The backend that gets the connection. None: nobody does, which is counted. The configuration is looked at
    /// here, and not again. `as_it_is`: what comes is TLS already, and is passed on so.
    pub(crate) fn choose(&mut self, as_it_is: bool) -> Option<Chosen> {
        let live = self.worker.live();
        let listener = Arc::clone(&self.listener);
        let stream = route(&listener, self.passage.origin.name.as_deref());
        let chosen = stream.and_then(|stream| {
            self.passage.through(stream);
            let random = &mut self.worker.random.borrow_mut();
            target(&live, stream, random, as_it_is)
        });
        match chosen {
            Ok(backend) => {
                self.passage.goes_to(&backend);
                Some(backend)
            }
            Err(refusal) => {
                self.refused(&refusal);
                None
            }
        }
    }

    fn refused(&mut self, refusal: &Refusal) {
        self.fails(refusal.end(), refusal.to_string());
    }

    /// It comes to nothing.
    pub(crate) fn fails(&mut self, end: End, why: String) {
        self.passage.fails(end, why, self.worker.tick());
    }

    /// Connects, and passes bytes both ways until both sides are done.
    pub(crate) async fn run(
        mut self,
        client: Side,
        (backend, wrap): (Chosen, Wrap),
        read: Vec<u8>,
    ) {
        let key = client_key(&backend.balance, self.passage.origin.peer.ip());
        let connecting = connect::any(&self.worker, &backend, (key, wrap), &self.passage);
        let (backend, in_flight) = match self.unless_ended(connecting).await {
            Some(Ok(connected)) => connected,
            None => return client.reset(),
            Some(Err(refusal)) => {
                self.refused(&refusal);
                return client.reset();
            }
        };
        let Self {
            worker,
            listener,
            passage,
            open,
            _counted,
        } = self;
        let limit = listener.limits.stream_idle;
        let idle = limit.unwrap_or(ClientLimits::STREAM_IDLE);
        // What follows may last for days, and the configuration need not.
        drop(listener);
        let running = worker
            .streams
            .run((passage, &open.accepted), idle, worker.tick());
        let end = relay::relay(&worker, &running, (client, backend), read).await;
        running.passage.ends(end);
        drop(in_flight);
    }
}
