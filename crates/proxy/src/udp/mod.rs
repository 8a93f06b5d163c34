//! UDP, for UDPRoutes: datagrams come in at a door, and each client's go through a flow of its own.
//!
//! A flow is remembered until nothing has passed for some time, and goes to the same endpoint as long as that is
//! part of the configuration: there is no connection that a change could break, so a flow follows the
//! configuration where it would otherwise send into the void. All is dropped that cannot be passed on at once.

mod flow;
mod flows;
mod packet;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use daemun_model::policy::limits::ClientLimits;
use tokio::net::UdpSocket;
use tokio::sync::Notify;

use crate::live::{Carries, InFlight, ListenerLive, Live, PortId};
use crate::observe::counters::Dropped;
use crate::observe::ends::End;
use crate::observe::passage::{self, Origin, Passage};
use crate::stream;
use crate::worker::Worker;
use flow::{Flow, Key, Made, NoWay};
use flows::Flows;
use packet::{Datagram, Heads, Room};

/// Batches of datagrams that are taken before others have their turn.
const BATCHES_AT_ONCE: usize = 4;

/// A socket that datagrams come in at.
pub(crate) struct Door {
    worker: Rc<Worker>,
    port: PortId,
    socket: UdpSocket,
    heads: Heads,
    room: Rc<Room>,
    flows: RefCell<Flows>,
    /// The tick at which a datagram last passed, either way.
    moved: Cell<Option<u32>>,
    closing: Cell<bool>,
    wake: Notify,
    full: Rc<Cell<bool>>,
}

/// The doors of a worker.
#[derive(Default)]
pub(crate) struct Doors {
    open: RefCell<HashMap<PortId, Vec<Rc<Door>>>>,
    room: Rc<Room>,
    /// Whether there are no new flows any more.
    full: Rc<Cell<bool>>,
}

impl Doors {
    /// Opens a door.
    ///
    /// # Errors
    /// The system's, if the socket cannot be watched.
    pub(crate) fn open(
        &self,
        worker: &Rc<Worker>,
        port: PortId,
        socket: std::net::UdpSocket,
    ) -> std::io::Result<()> {
        socket.set_nonblocking(true)?;
        let door = Rc::new(Door {
            worker: Rc::clone(worker),
            port,
            socket: UdpSocket::from_std(socket)?,
            heads: Heads::new(),
            room: Rc::clone(&self.room),
            flows: RefCell::default(),
            moved: Cell::new(None),
            closing: Cell::new(false),
            wake: Notify::new(),
            full: Rc::clone(&self.full),
        });
        worker.tasks.spawn(Rc::clone(&door).run());
        self.open.borrow_mut().entry(port).or_default().push(door);
        Ok(())
    }

    /// Passes on what has come to a port, and closes its doors; their flows end.
    pub(crate) fn close(&self, port: PortId) {
        let doors = self.open.borrow_mut().remove(&port).unwrap_or_default();
        doors.iter().for_each(|door| door.close());
    }

    /// From now on no flow begins.
    pub(crate) fn let_nobody_in(&self) {
        self.full.set(true);
    }

    /// Closes all of them.
    pub(crate) fn close_all(&self) {
        let doors = std::mem::take(&mut *self.open.borrow_mut());
        doors.values().flatten().for_each(|door| door.close());
    }

    /// Whether datagrams have passed within the last two seconds.
    pub(crate) fn is_busy(&self, now: u32) -> bool {
        let doors = self.open.borrow();
        let mut doors = doors.values().flatten();
        doors.any(|door| door.moved.get().is_some_and(|moved| moved + 2 > now))
    }

    /// Ends the flows that have rested for too long. To be called once a second, with the tick.
    pub(crate) fn sweep(&self, now: u32) {
        let doors: Vec<_> = self.open.borrow().values().flatten().cloned().collect();
        doors.iter().for_each(|door| door.sweep(now));
    }
}

impl Door {
    async fn run(self: Rc<Self>) {
        while !self.closing.get() {
            tokio::select! {
                biased;
                ready = self.socket.readable() => if ready.is_err() { return },
                () = self.wake.notified() => {}
            }
            self.receive();
        }
        let flows = self.flows.borrow_mut().take();
        let end = if self.worker.live().cut.contains(&self.port) {
            End::GatewayClosed
        } else if self.worker.draining.get() {
            End::Drained
        } else {
            End::Reconfigured
        };
        flows.iter().for_each(|flow| flow.close(end));
    }

    fn close(&self) {
        self.closing.set(true);
        self.wake.notify_one();
    }

    fn receive(self: &Rc<Self>) {
        for _ in 0..BATCHES_AT_ONCE {
            let received = packet::receive(&self.socket, &self.heads, &self.room, |datagram| {
                self.take(&datagram);
            });
            match received {
                Ok(count) if count > 0 => {}
                // Nothing, or something that concerns an answer which was sent before.
                _ => return,
            }
        }
    }

    fn take(self: &Rc<Self>, datagram: &Datagram<'_>) {
        let key = Key {
            client: datagram.from,
            local: datagram.to,
        };
        let live = self.worker.live();
        let port = live.port(self.port);
        if port.is_some_and(|port| !port.allows(key.client.ip())) {
            return self.drop_one(Dropped::SourceNotAllowed);
        }
        let Some(listener) = self.listener(&live) else {
            return self.drop_one(Dropped::Unserved);
        };
        let known = self.flows.borrow().get(&key);
        if let Some(flow) = known {
            if flow.may_stay(self.worker.generation(), &live, listener) {
                return flow.forward(self, datagram.bytes);
            }
            self.end(&flow, End::Reconfigured);
        }
        if let Some(flow) = self.begin(key, &live, listener) {
            flow.forward(self, datagram.bytes);
        }
    }

    fn listener<'a>(&self, live: &'a Live) -> Option<&'a Arc<ListenerLive>> {
        let listeners = &live.port(self.port)?.listeners;
        listeners
            .iter()
            .find(|listener| listener.carries == Carries::Datagrams)
    }

    fn begin(
        self: &Rc<Self>,
        key: Key,
        live: &Live,
        listener: &Arc<ListenerLive>,
    ) -> Option<Rc<Flow>> {
        let stream = match stream::route(listener, None) {
            Ok(stream) => stream,
            Err(refusal) => return self.refuse(listener, &refusal),
        };
        let target = stream::target(live, stream, &mut self.worker.random.borrow_mut(), true);
        let backend = match target {
            Ok(backend) => backend,
            Err(refusal) => return self.refuse(listener, &refusal),
        };
        let Some(open) = self.room_for_one(live) else {
            self.drop_one(Dropped::NoFlow);
            return None;
        };
        let origin = Origin {
            peer: SocketAddr::new(key.client.ip().to_canonical(), key.client.port()),
            protocol: "UDP",
            name: None,
        };
        let random = || self.worker.random.borrow_mut().next_u64();
        let mut passage = Passage::begin(&self.worker.metrics, listener, origin, random);
        passage.through(stream);
        passage.goes_to(&backend);
        let made = Made {
            key,
            passage,
            stream: Arc::clone(stream),
            backend,
            open,
        };
        let flow = Flow::new(self, made);
        match flow.find_way(self) {
            Ok(()) => {
                self.flows.borrow_mut().insert(key, Rc::clone(&flow));
                Some(flow)
            }
            Err(NoWay::Refused) => {
                flow.close(End::Refused);
                self.drop_one(Dropped::Unreachable);
                None
            }
            Err(NoWay::NoSocket(error)) => {
                tracing::debug!(%error, "A UDP flow has no socket.");
                flow.close(End::ConnectFailed);
                self.drop_one(Dropped::NoSocket);
                // Who asks again finds one.
                self.evict();
                None
            }
        }
    }

    /// Counts one more flow. Where there are as many as there may be, the one that has rested longest goes.
    fn room_for_one(&self, live: &Live) -> Option<InFlight> {
        let port = live.port(self.port).filter(|_| !self.full.get())?;
        let count = || InFlight::within(&port.open, port.limits.connections);
        count().or_else(|| if self.evict() { count() } else { None })
    }

    fn evict(&self) -> bool {
        let evicted = self.flows.borrow_mut().longest_resting();
        evicted.inspect(|flow| flow.close(End::Evicted)).is_some()
    }

    fn refuse(&self, listener: &ListenerLive, refusal: &stream::Refusal) -> Option<Rc<Flow>> {
        self.drop_one(Dropped::Unserved);
        let what = format_args!("A datagram was dropped on listener {}", listener.key);
        let tick = self.worker.tick();
        let end = (refusal.end(), &what as _);
        passage::tell(&self.worker.metrics, end, &refusal.to_string(), tick);
        None
    }

    fn drop_one(&self, why: Dropped) {
        self.worker.metrics.datagrams_dropped(why, 1);
    }

    /// Ends a flow.
    fn end(&self, flow: &Rc<Flow>, end: End) {
        self.flows.borrow_mut().remove(&flow.key);
        flow.close(end);
    }

    fn sweep(&self, now: u32) {
        let live = self.worker.live();
        let limit = self.listener(&live).and_then(|it| it.limits.stream_idle);
        let idle = limit.unwrap_or(ClientLimits::FLOW_IDLE);
        // A tick is up to a second long: what moved in it may have moved just before the next.
        if let Some(since) = now.checked_sub(seconds(idle) + 1) {
            loop {
                let rested = self.flows.borrow_mut().rested_until(since);
                let Some(flow) = rested else { break };
                flow.close(End::Idle);
            }
        }
        self.end_what_is_not_allowed(&live);
        self.flows.borrow().each(|flow| flow.passage.count_bytes());
    }
}

impl Door {
    /// Ends the flows of clients that may not come from there any more: what they send is dropped at once, but a
    /// backend may go on sending.
    fn end_what_is_not_allowed(&self, live: &Live) {
        let port = live.port(self.port);
        let Some(port) = port.filter(|port| !port.sources.is_empty()) else {
            return;
        };
        let mut ends = Vec::new();
        self.flows.borrow().each(|flow| {
            if !port.allows(flow.key.client.ip()) {
                ends.push(Rc::clone(flow));
            }
        });
        ends.iter()
            .for_each(|flow| self.end(flow, End::SourceNotAllowed));
    }
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs().max(1)).unwrap_or(u32::MAX - 1)
}
