//! Sends requests at a fixed rate, or as fast as they are answered, and reports the latencies.
//!
//! At a fixed rate it is an open loop: requests fall due at random moments (Poisson) whether or not
//! earlier ones were answered, and a latency counts from the moment the request fell due, not from the
//! moment a connection was free to carry it. A proxy that stalls is therefore charged for everything
//! that waited, which a closed loop hides. As fast as they are answered it is a closed loop, in which
//! thousands of different requests cost the generator no more than one. HTTP/1.1, plain or over TLS,
//! one request at a time per connection.

mod connection;
mod latencies;

use std::collections::VecDeque;
use std::fs;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::fd::OwnedFd;
use rustix::thread::set_current_timer_slack;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use rustls::ClientConfig;

use crate::Failure;
use connection::{Answer, Connection};
use latencies::Latencies;

/// What is sent, where, how fast and for how long.
#[derive(clap::Args)]
pub(crate) struct Plan {
    /// The proxy.
    #[arg(long)]
    address: SocketAddr,
    /// A file with one request per line: host, path and any headers, separated by tabs.
    #[arg(long)]
    requests: PathBuf,
    /// Requests per second; without it, as many as are answered.
    #[arg(long)]
    rate: Option<f64>,
    /// How many connections are kept open.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// How long latencies are recorded.
    #[arg(long)]
    seconds: f64,
    /// How long requests are sent before that.
    #[arg(long, default_value_t = 0.5)]
    warm_up: f64,
    /// TLS, trusting the certificate in this file (DER).
    #[arg(long)]
    tls: Option<PathBuf>,
}

/// The key of the timer, beside those of the connections.
const TIMER: u64 = u64::MAX;

/// Runs the plan and prints the outcome as one line of JSON.
pub(crate) fn run(plan: &Plan) -> Result<(), Failure> {
    // Waits are otherwise up to 50 us late, which would be counted as the proxy's.
    set_current_timer_slack(NonZeroU64::new(1))?;
    let tls = plan.tls.as_deref().map(connection::tls).transpose()?;
    let mut load = Load::connect(plan, tls.as_ref())?;
    let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
    epoll::add(
        &load.epoll,
        &timer,
        epoll::EventData::new_u64(TIMER),
        epoll::EventFlags::IN,
    )?;
    let begin = now();
    let record = begin + Duration::from_secs_f64(plan.warm_up);
    let end = record + Duration::from_secs_f64(plan.seconds);
    let mut pace = Pace::new(plan, begin);
    if let Pace::Answers = pace {
        load.waiting.extend((0..plan.connections).map(|_| begin));
    }
    let (mut armed, mut buffer) = (None, vec![0; 64 * 1024]);
    let mut events = Vec::with_capacity(256);
    loop {
        let at = now();
        if at >= end {
            break;
        }
        let wake = pace.fill(&mut load.waiting, at).unwrap_or(end);
        load.send_waiting()?;
        if armed != Some(wake) {
            wake_after(&timer, wake.saturating_duration_since(now()))?;
            armed = Some(wake);
        }
        epoll::wait(&load.epoll, spare_capacity(&mut events), None)?;
        for event in events.drain(..).filter(|event| event.data.u64() != TIMER) {
            let answered = load.receive(event.data.u64(), record, &mut buffer)?;
            if answered && let Pace::Answers = pace {
                load.waiting.push_back(now());
            }
            load.send_waiting()?;
        }
    }
    println!(
        "{}",
        load.latencies
            .report(plan.seconds, load.refused, load.waiting.len())
    );
    Ok(())
}

/// Wakes `epoll` once, after `wait`. A timer, since `epoll_wait` itself counts whole milliseconds.
/// Setting it anew also takes back an expiry that nobody read.
fn wake_after(timer: &OwnedFd, wait: Duration) -> rustix::io::Result<()> {
    // Zero would disarm it.
    let wait = wait.max(Duration::from_nanos(1));
    let once = Timespec {
        tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: wait.subsec_nanos().into(),
    };
    let never = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let value = Itimerspec {
        it_interval: never,
        it_value: once,
    };
    timerfd_settime(timer, TimerfdTimerFlags::empty(), &value).map(drop)
}

struct Load {
    epoll: OwnedFd,
    connections: Vec<Connection>,
    idle: Vec<usize>,
    /// When each request fell due that no connection has carried yet.
    waiting: VecDeque<Instant>,
    requests: Vec<Vec<u8>>,
    next: usize,
    latencies: Latencies,
    refused: u64,
}

impl Load {
    fn connect(plan: &Plan, tls: Option<&Arc<ClientConfig>>) -> Result<Self, Failure> {
        let requests: Vec<Vec<u8>> = fs::read_to_string(&plan.requests)?
            .lines()
            .filter_map(head)
            .collect();
        if requests.is_empty() {
            return Err(format!("{} names no request.", plan.requests.display()).into());
        }
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut connections = Vec::with_capacity(plan.connections);
        for key in 0..plan.connections {
            let connection = Connection::open(plan.address, tls)?;
            let key = epoll::EventData::new_u64(key as u64);
            epoll::add(&epoll, connection.socket(), key, epoll::EventFlags::IN)?;
            connections.push(connection);
        }
        Ok(Self {
            epoll,
            idle: (0..connections.len()).collect(),
            connections,
            waiting: VecDeque::new(),
            requests,
            next: 0,
            latencies: Latencies::default(),
            refused: 0,
        })
    }

    fn send_waiting(&mut self) -> Result<(), Failure> {
        while !self.idle.is_empty()
            && let Some(due) = self.waiting.pop_front()
            && let Some(index) = self.idle.pop()
        {
            self.connections[index].send(&self.requests[self.next], due)?;
            self.next = (self.next + 1) % self.requests.len();
        }
        Ok(())
    }

    /// Takes what a connection has received; whether that was the end of an answer.
    fn receive(&mut self, key: u64, record: Instant, buffer: &mut [u8]) -> Result<bool, Failure> {
        let index = usize::try_from(key)?;
        let Some(Answer { due, status }) = self.connections[index].receive(buffer)? else {
            return Ok(false);
        };
        self.idle.push(index);
        if status != 200 {
            self.refused += 1;
        }
        if due >= record {
            self.latencies.add(now() - due);
        }
        Ok(true)
    }
}

/// When requests fall due.
enum Pace {
    Rate(Arrivals),
    /// With each answer.
    Answers,
}

impl Pace {
    fn new(plan: &Plan, begin: Instant) -> Self {
        plan.rate.map_or(Pace::Answers, |rate| {
            Pace::Rate(Arrivals {
                due: begin,
                mean: 1.0 / rate,
                state: 0x9e37_79b9_7f4a_7c15,
            })
        })
    }

    /// Adds the requests that have fallen due by `at`; when the next one does.
    fn fill(&mut self, waiting: &mut VecDeque<Instant>, at: Instant) -> Option<Instant> {
        let Pace::Rate(arrivals) = self else {
            return None;
        };
        while arrivals.due <= at {
            waiting.push_back(arrivals.due);
            arrivals.next();
        }
        Some(arrivals.due)
    }
}

/// The moments at which requests fall due: exponential gaps from a fixed seed, the same for every proxy.
struct Arrivals {
    due: Instant,
    mean: f64,
    state: u64,
}

impl Arrivals {
    fn next(&mut self) {
        // xorshift64*: short, and good enough for gaps.
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let random = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
        let uniform = (random as f64 + 1.0) / (1u64 << 53) as f64;
        self.due += Duration::from_secs_f64(-uniform.ln() * self.mean);
    }
}

fn head(line: &str) -> Option<Vec<u8>> {
    let mut parts = line.split('\t');
    let (host, path) = (parts.next()?, parts.next()?);
    let mut head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n");
    for header in parts {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    Some(head.into_bytes())
}

#[expect(
    clippy::disallowed_methods,
    reason = "this program measures others from outside; Daemun's own clock is not in it"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_becomes_a_request() {
        let request = head("a.test\t/x?y=1\tx-tenant: 3").unwrap();
        assert_eq!(
            request,
            b"GET /x?y=1 HTTP/1.1\r\nHost: a.test\r\nx-tenant: 3\r\n\r\n"
        );
        assert_eq!(head("only-a-host"), None);
    }

    #[test]
    fn arrivals_keep_the_mean_rate() {
        let begin = now();
        let mut arrivals = Arrivals {
            due: begin,
            mean: 0.001,
            state: 7,
        };
        for _ in 0..100_000 {
            arrivals.next();
        }
        let seconds = (arrivals.due - begin).as_secs_f64();
        assert!((99.0..101.0).contains(&seconds), "{seconds}");
    }
}
