//! What one request has gone through: filled on the way, counted and logged when its response has ended.
//!
//! The calls on the way only remember. A [`Trip`] becomes [`Finished`] when the head of the response is
//! settled; whichever of the two is dropped with the record in it counts the request, so that one whose
//! client went away is counted too.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use daemun_model::listener::ProxyStatus;
use http::{HeaderValue, Request, StatusCode};

use super::access_log::{Entry, Subject, Told};
use super::answers::ANSWERS;
use super::counters::WorkerMetrics;
use super::series::Ended;
use crate::live::{BackendLive, ListenerLive, RuleLive};

/// What knows how many bytes of a request's body have come.
pub(crate) trait Counted {
    /// How many, until now.
    fn counted(&self) -> u64;
}

/// An answer of the gateway's own.
pub(crate) struct OwnAnswer<'a> {
    /// Its place in [`ANSWERS`].
    pub(crate) number: usize,
    /// What the client hears.
    pub(crate) status: StatusCode,
    /// What is wrong, for the log.
    pub(crate) text: &'a dyn std::fmt::Display,
    /// What operators may know beyond the reason.
    pub(crate) details: Option<String>,
    /// The worker's coarse clock, now.
    pub(crate) tick: u32,
}

/// Why a response did not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BrokenBy {
    /// The backend broke off.
    Backend,
    /// The request's time was over.
    Timeout,
}

/// A request on its way.
pub(crate) struct Trip {
    record: Record,
    id: Option<HeaderValue>,
}

/// A request whose response is on its way to the client.
pub(crate) struct Finished(Record);

/// What is counted and logged at the end.
struct Record {
    started: Instant,
    /// Whose counters are written. None for what is not counted, and once the record was moved on.
    worker: Option<Arc<WorkerMetrics>>,
    listener: Option<Arc<ListenerLive>>,
    rule: Option<Arc<RuleLive>>,
    backend: Option<Arc<BackendLive>>,
    /// The request's body, which knows how much of it has come.
    body: Option<Rc<dyn Counted>>,
    /// Bytes of the request that are counted elsewhere: those of a tunnel.
    received: u64,
    sent: u64,
    tries: u32,
    /// 0 while there is no answer.
    status: u16,
    outcome: Outcome,
    /// Only if there is an access log.
    entry: Option<Box<Entry>>,
}

/// Who answered, and how it ended, as far as it is not said by the status.
#[derive(Clone, Copy)]
enum Outcome {
    Passed,
    /// An answer of the gateway's own, by its number.
    Own(u8),
    BrokenByBackend,
    TimedOut,
}

impl Trip {
    /// A request begins on a connection from `peer`, over TLS or not. `random` gives any 64 random bits.
    pub(crate) fn begin<B>(
        worker: &Arc<WorkerMetrics>,
        request: &Request<B>,
        (peer, tls): (SocketAddr, bool),
        random: impl FnOnce() -> u64,
    ) -> Self {
        worker.requests_begun.add(1);
        let mut record = Record::uncounted(daemun_base::clock::now());
        record.worker = Some(Arc::clone(worker));
        record.entry = worker.log.as_ref().map(|log| {
            let sampled = log.sample(random());
            Box::new(Entry::of(request, peer, tls, sampled))
        });
        Self { record, id: None }
    }

    /// What is sent beside a request (a copy of it, a question about it), and is neither counted nor logged as
    /// one.
    pub(crate) fn aside() -> Self {
        Self {
            record: Record::uncounted(daemun_base::clock::now()),
            id: None,
        }
    }

    /// When the request began.
    pub(crate) fn started(&self) -> Instant {
        self.record.started
    }

    /// The listener is known.
    pub(crate) fn at(&mut self, listener: &Arc<ListenerLive>) {
        self.record.listener = Some(Arc::clone(listener));
    }

    /// The rule is known.
    pub(crate) fn matched(&mut self, rule: &Arc<RuleLive>) {
        self.record.rule = Some(Arc::clone(rule));
    }

    /// It is known who sent the request.
    pub(crate) fn client(&mut self, address: IpAddr) {
        if let Some(entry) = &mut self.record.entry {
            entry.client = Some(address);
        }
    }

    /// The backend is chosen.
    pub(crate) fn goes_to(&mut self, backend: &Arc<BackendLive>) {
        self.record.backend = Some(Arc::clone(backend));
    }

    /// The request is about to be sent to an endpoint.
    pub(crate) fn tries(&mut self, endpoint: SocketAddr) {
        self.record.tries += 1;
        if let Some(entry) = &mut self.record.entry {
            entry.endpoint = Some(endpoint);
        }
    }

    /// A try was in vain, and there will be another one.
    pub(crate) fn retries(&mut self, worker: &WorkerMetrics) {
        worker.retries.add(1);
        let backend = self.record.backend.as_ref();
        if let Some(counters) = backend.and_then(|it| it.series.of(worker.worker)) {
            counters.retries.add(1);
        }
    }

    /// The request has its id.
    pub(crate) fn has_id(&mut self, id: HeaderValue) {
        if let Some(entry) = &mut self.record.entry {
            entry.id = Some(id.clone());
        }
        self.id = Some(id);
    }

    /// Its id, once it has one.
    pub(crate) fn id(&self) -> Option<&HeaderValue> {
        self.id.as_ref()
    }

    /// The request has a body, or none.
    pub(crate) fn has_body(&mut self, body: Option<Rc<dyn Counted>>) {
        self.record.body = body;
    }

    /// What an answer of the gateway's own may tell, as far as the listener is known.
    pub(crate) fn proxy_status(&self) -> ProxyStatus {
        let listener = self.record.listener.as_ref();
        listener.map(|one| one.proxy_status).unwrap_or_default()
    }

    /// How far the request came: the rule, perhaps with the backend, or the listener.
    pub(crate) fn place(&self) -> Option<String> {
        let Record {
            listener,
            rule,
            backend,
            ..
        } = &self.record;
        let Some(rule) = rule else {
            return listener.as_ref().map(|one| format!("listener {}", one.key));
        };
        let place = format!("{}, rule {}", rule.route(), rule.meant().index + 1);
        Some(match backend {
            Some(backend) => format!("{place}, for {}", backend.key),
            None => place,
        })
    }

    /// The gateway answers by itself.
    pub(crate) fn own(&mut self, answer: OwnAnswer<'_>) {
        self.record.outcome = Outcome::Own(u8::try_from(answer.number).unwrap_or(u8::MAX));
        if let Some(worker) = &self.record.worker {
            worker.own_answers[answer.number].add(1);
            self.tell(&answer, worker);
        }
        if let Some(entry) = &mut self.record.entry {
            entry.details = answer.details;
        }
    }

    /// Tells operators of answers that are theirs to prevent, but of a flood of them only now and then.
    fn tell(&self, answer: &OwnAnswer<'_>, worker: &WorkerMetrics) {
        if !answer.status.is_server_error() {
            return;
        }
        let Some(untold) = worker.to_be_told(answer.number, answer.tick) else {
            return;
        };
        let place = match (&self.record.rule, self.place()) {
            (_, None) => String::new(),
            (Some(_), Some(place)) => format!(" by {place}"),
            (None, Some(place)) => format!(" on {place}"),
        };
        let more = match untold {
            0 => String::new(),
            untold => {
                format!(" There were {untold} more of this kind since the last line about it.")
            }
        };
        let id = self
            .id
            .as_ref()
            .and_then(|id| id.to_str().ok())
            .unwrap_or_default();
        tracing::warn!(
            request_id = id,
            "A request was answered {}{place}: {}.{more}",
            answer.status.as_u16(),
            answer.text
        );
    }

    /// The head of the response is settled. A second call gives what counts nothing.
    pub(crate) fn answered(&mut self, status: StatusCode) -> Finished {
        let started = self.record.started;
        let mut record = std::mem::replace(&mut self.record, Record::uncounted(started));
        record.status = status.as_u16();
        Finished(record)
    }
}

impl Finished {
    /// Bytes of the response's body went to the client.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.0.sent += bytes as u64;
    }

    /// The response's body was broken off.
    pub(crate) fn broken(&mut self, by: BrokenBy) {
        self.0.outcome = match by {
            BrokenBy::Backend => Outcome::BrokenByBackend,
            BrokenBy::Timeout => Outcome::TimedOut,
        };
    }

    /// A tunnel has ended.
    pub(crate) fn tunnelled(&mut self, from_client: u64, from_backend: u64) {
        self.0.received += from_client;
        self.0.sent += from_backend;
    }
}

impl Record {
    fn uncounted(started: Instant) -> Self {
        Self {
            started,
            worker: None,
            listener: None,
            rule: None,
            backend: None,
            body: None,
            received: 0,
            sent: 0,
            tries: 0,
            status: 0,
            outcome: Outcome::Passed,
            entry: None,
        }
    }

    fn count(&self, metrics: &WorkerMetrics) {
        let ended = Ended {
            status: self.status,
            lasted: daemun_base::clock::now().saturating_duration_since(self.started),
            received: self.received + self.body.as_ref().map_or(0, |body| body.counted()),
            sent: self.sent,
        };
        metrics.requests_ended.add(1);
        if let Some(counters) = self
            .listener
            .as_ref()
            .and_then(|it| it.series.of(metrics.worker))
        {
            counters.count(&ended);
        }
        if let Some(counters) = self
            .rule
            .as_ref()
            .and_then(|it| it.series.of(metrics.worker))
        {
            counters.count(&ended);
        }
        if let Some(counters) = self
            .backend
            .as_ref()
            .and_then(|it| it.series.of(metrics.worker))
        {
            counters.traffic.count(&ended);
        }
        match self.outcome {
            Outcome::BrokenByBackend => metrics.broken_responses.add(1),
            Outcome::TimedOut => metrics.responses_timed_out.add(1),
            Outcome::Passed | Outcome::Own(_) => {}
        }
        self.log(metrics, &ended);
    }

    fn log(&self, metrics: &WorkerMetrics, ended: &Ended) {
        let (Some(log), Some(entry)) = (&metrics.log, &self.entry) else {
            return;
        };
        let (by, reason) = match self.outcome {
            _ if self.status == 0 => ("nobody", Some("client_gone")),
            Outcome::Own(number) => ("gateway", ANSWERS.get(usize::from(number)).copied()),
            Outcome::BrokenByBackend => ("backend", Some("response_broken")),
            Outcome::TimedOut => ("backend", Some("response_timed_out")),
            Outcome::Passed if self.tries == 0 => ("filter", None),
            Outcome::Passed => ("backend", None),
        };
        let rule = self.rule.as_ref();
        let name = rule.map(|rule| match &rule.meant().name {
            Some(name) => name.clone(),
            None => (rule.meant().index + 1).to_string(),
        });
        log.write(&Told {
            subject: Subject::Request(entry),
            status: self.status,
            lasted: ended.lasted,
            received: ended.received,
            sent: ended.sent,
            tries: self.tries,
            by,
            reason,
            listener: self.listener.as_ref().map(|listener| &listener.key as _),
            route: rule.map(|rule| rule.route() as _),
            rule: name.as_ref().map(|name| name as _),
            backend: self.backend.as_ref().map(|backend| &backend.key as _),
        });
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            self.count(&worker);
        }
    }
}
