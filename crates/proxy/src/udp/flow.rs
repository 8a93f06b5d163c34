//! A flow: what one client sends to one of the gateway's addresses, and what comes back.
//!
//! It has a socket of its own towards an endpoint, so that answers find their way back and the network's refusals
//! are heard. When an endpoint refuses, the flow moves to another one.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;

use smallvec::SmallVec;
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;

use super::packet::Local;
use super::{Door, packet};
use crate::live::{BackendLive, EndpointLive, InFlight, ListenerLive, Live, StreamLive, Target};
use crate::observe::counters::Dropped;
use crate::observe::ends::End;
use crate::observe::passage::Passage;
use crate::stream;

/// Datagrams that a flow passes on before others have their turn.
const AT_ONCE: usize = 32;
/// Bytes of a datagram that is kept until an answer comes, so that a second endpoint can get it.
const KEPT: usize = 2048;

/// Who a flow is of: the client, and the address that it asks.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) client: SocketAddr,
    pub(super) local: Local,
}

/// A flow.
pub(super) struct Flow {
    pub(super) key: Key,
    pub(super) passage: Passage,
    /// The tick at which a datagram last passed.
    pub(super) moved: Cell<u32>,
    stream: Arc<StreamLive>,
    backend: RefCell<Arc<BackendLive>>,
    via: RefCell<Option<Via>>,
    /// Those that were tried since the last answer.
    tried: RefCell<SmallVec<[SocketAddr; 4]>>,
    /// The first datagram, until there is an answer.
    unanswered: RefCell<Option<Box<[u8]>>>,
    /// Which of the worker's configurations it was last compared with.
    generation: Cell<u32>,
    open: RefCell<Option<InFlight>>,
}

/// The way to an endpoint.
struct Via {
    endpoint: SocketAddr,
    socket: Rc<UdpSocket>,
    listening: AbortHandle,
    _in_flight: InFlight,
}

impl Drop for Via {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Why a flow has no way to an endpoint.
pub(super) enum NoWay {
    /// Each has refused.
    Refused,
    /// The system gives no socket.
    NoSocket(io::Error),
}

/// What a flow is made of.
pub(super) struct Made {
    pub(super) key: Key,
    pub(super) passage: Passage,
    pub(super) stream: Arc<StreamLive>,
    pub(super) backend: Arc<BackendLive>,
    pub(super) open: InFlight,
}

impl Flow {
    pub(super) fn new(door: &Door, made: Made) -> Rc<Self> {
        let Made {
            key,
            passage,
            stream,
            backend,
            open,
        } = made;
        Rc::new(Self {
            key,
            passage,
            moved: Cell::new(door.worker.tick()),
            stream,
            backend: RefCell::new(backend),
            via: RefCell::default(),
            tried: RefCell::default(),
            unanswered: RefCell::default(),
            generation: Cell::new(door.worker.generation()),
            open: RefCell::new(Some(open)),
        })
    }

    /// Goes to one of the endpoints that were not tried since the last answer.
    pub(super) fn find_way(self: &Rc<Self>, door: &Rc<Door>) -> Result<(), NoWay> {
        let backend = Arc::clone(&self.backend.borrow());
        let key = stream::client_key(&backend.balance, self.passage.origin.peer.ip());
        loop {
            let tried = self.tried.borrow();
            let picked = backend.balancer.pick(
                &backend.endpoints,
                &mut door.worker.random.borrow_mut(),
                key,
                &|index| tried.contains(&backend.endpoints[index].address),
            );
            drop(tried);
            let Some(index) = picked else {
                self.via.borrow_mut().take();
                return Err(NoWay::Refused);
            };
            let endpoint = &backend.endpoints[index];
            self.passage.tries(endpoint);
            door.worker.metrics.upstream_connecting(&backend.series);
            match open(endpoint.address) {
                Ok(socket) => {
                    self.go(door, endpoint, Rc::new(socket));
                    return Ok(());
                }
                Err(error) => {
                    door.worker.metrics.upstream_connect_failed(&backend.series);
                    if !is_refusal(&error) {
                        return Err(NoWay::NoSocket(error));
                    }
                    self.tried.borrow_mut().push(endpoint.address);
                }
            }
        }
    }

    fn go(self: &Rc<Self>, door: &Rc<Door>, endpoint: &EndpointLive, socket: Rc<UdpSocket>) {
        let listening = listen(Rc::clone(door), Rc::clone(self), Rc::clone(&socket));
        let via = Via {
            endpoint: endpoint.address,
            socket,
            listening: door.worker.tasks.spawn(listening),
            _in_flight: InFlight::new(&endpoint.in_flight),
        };
        self.via.replace(Some(via));
    }

    /// Passes on a client's datagram. When the endpoint refuses, another one gets it.
    pub(super) fn forward(self: &Rc<Self>, door: &Rc<Door>, bytes: &[u8]) {
        self.passage.received(bytes.len());
        self.moves(door);
        loop {
            let Some((socket, endpoint)) = self.way() else {
                return;
            };
            let Err(error) = packet::forward(&socket, bytes) else {
                let first = self.passage.is_unanswered() && bytes.len() <= KEPT;
                if first && self.unanswered.borrow().is_none() {
                    self.unanswered.replace(Some(bytes.into()));
                }
                return;
            };
            if !is_refusal(&error) {
                let why = match error.kind() {
                    io::ErrorKind::WouldBlock => Dropped::BackendBusy,
                    _ if error.raw_os_error() == Some(nix::libc::ENOBUFS) => Dropped::BackendBusy,
                    _ => Dropped::Unreachable,
                };
                return door.worker.metrics.datagrams_dropped(why, 1);
            }
            if !self.goes_elsewhere(door, endpoint) {
                return door
                    .worker
                    .metrics
                    .datagrams_dropped(Dropped::Unreachable, 1);
            }
        }
    }

    fn way(&self) -> Option<(Rc<UdpSocket>, SocketAddr)> {
        let via = self.via.borrow();
        via.as_ref()
            .map(|via| (Rc::clone(&via.socket), via.endpoint))
    }

    fn moves(&self, door: &Door) {
        let tick = door.worker.tick();
        self.moved.set(tick);
        door.moved.set(Some(tick));
    }

    /// An endpoint has refused. False: so have all, and the flow has ended.
    fn goes_elsewhere(self: &Rc<Self>, door: &Rc<Door>, refused: SocketAddr) -> bool {
        self.tried.borrow_mut().push(refused);
        match self.find_way(door) {
            Ok(()) => true,
            Err(NoWay::Refused) => {
                door.end(self, End::Refused);
                false
            }
            Err(NoWay::NoSocket(error)) => {
                tracing::debug!(%error, "A UDP flow has no socket for another endpoint.");
                door.end(self, End::Refused);
                false
            }
        }
    }

    /// Passes an endpoint's answer back.
    fn answer(&self, door: &Door, bytes: &[u8]) {
        self.moves(door);
        self.unanswered.borrow_mut().take();
        self.tried.borrow_mut().clear();
        let ends = (self.key.local, self.key.client);
        match packet::answer(&door.socket, ends, bytes) {
            Ok(()) => self.passage.sent(bytes.len()),
            Err(error) => {
                let why = match error.kind() {
                    io::ErrorKind::WouldBlock => Dropped::ClientBusy,
                    _ => Dropped::Unreachable,
                };
                door.worker.metrics.datagrams_dropped(why, 1);
            }
        }
    }

    /// Whether the flow may stay as it is: its Route still takes the listener's datagrams, still sends some of them
    /// to its backend, and the endpoint is still there. Looked at once for each configuration.
    pub(super) fn may_stay(&self, generation: u32, live: &Live, listener: &ListenerLive) -> bool {
        if self.generation.replace(generation) == generation {
            return true;
        }
        let Ok(stream) = stream::route(listener, None) else {
            return false;
        };
        let own = Arc::clone(&self.backend.borrow());
        let weighted = stream.targets.iter().zip(&stream.route.backends);
        let mut backends = weighted.filter_map(|(target, share)| match target {
            Target::Backend(id) if share.weight > 0 => live.backend(*id),
            Target::Backend(_) | Target::Invalid { .. } => None,
        });
        let Some(backend) = backends.find(|backend| backend.key == own.key) else {
            return false;
        };
        let endpoint = self.way().map(|(_, endpoint)| endpoint);
        let there = |one: &Arc<EndpointLive>| Some(one.address) == endpoint;
        let stays = stream.route.key == self.stream.route.key
            && backend.refused.is_none()
            && backend.endpoints.iter().any(there);
        self.backend.replace(Arc::clone(backend));
        stays
    }

    /// Closes its way, and makes room for another flow.
    pub(super) fn close(&self, end: End) {
        self.passage.ends(end);
        self.via.borrow_mut().take();
        self.open.borrow_mut().take();
    }
}

/// Passes on what an endpoint sends, until the flow goes another way or ends.
async fn listen(door: Rc<Door>, flow: Rc<Flow>, socket: Rc<UdpSocket>) {
    loop {
        let Ok(ready) = socket.ready(Interest::READABLE | Interest::ERROR).await else {
            return;
        };
        let refused = ready.is_error() && is_refused(&socket);
        if !refused {
            pass_answers(&door, &flow, &socket);
            continue;
        }
        let (unanswered, way) = (flow.unanswered.borrow_mut().take(), flow.way());
        // This task ends with the way that it belongs to.
        if let Some((_, endpoint)) = way
            && flow.goes_elsewhere(&door, endpoint)
            && let (Some(bytes), Some((socket, _))) = (unanswered, flow.way())
        {
            // If that is refused too, the client has to ask again.
            let _ = packet::forward(&socket, &bytes);
        }
        return;
    }
}

/// Whether the network has told that the endpoint is not there. What else it has told concerns one datagram only.
fn is_refused(socket: &UdpSocket) -> bool {
    let told = socket.try_io(Interest::ERROR, || {
        let told = socket.take_error()?;
        told.ok_or_else(|| io::ErrorKind::WouldBlock.into())
    });
    told.is_ok_and(|error| is_refusal(&error))
}

/// Passes on the answers that there are.
fn pass_answers(door: &Door, flow: &Flow, socket: &UdpSocket) {
    let mut buffer = door.worker.buffer.borrow();
    for _ in 0..AT_ONCE {
        match socket.try_recv(&mut buffer) {
            Ok(bytes) => flow.answer(door, &buffer[..bytes]),
            Err(_) => return,
        }
    }
}

/// Whether an error says that an endpoint is not there, or cannot be reached.
fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
    matches!(
        error.kind(),
        ConnectionRefused | HostUnreachable | NetworkUnreachable
    )
}

fn open(endpoint: SocketAddr) -> io::Result<UdpSocket> {
    let any = match endpoint {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = std::net::UdpSocket::bind(any)?;
    socket.set_nonblocking(true)?;
    socket.connect(endpoint)?;
    UdpSocket::from_std(socket)
}
