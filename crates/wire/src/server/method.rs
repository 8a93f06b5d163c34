//! The one method: finds out who calls, and begins its stream.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use daemun_base::tasks::Tasks;
use futures_util::Stream;
use futures_util::stream;
use tokio::sync::{Semaphore, mpsc};
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tonic::server::Grpc;
use tonic::{Request, Response, Status, Streaming};
use tower_service::Service;

use super::metrics::Counts;
use super::peers::Guest;
use super::{Publisher, Serving, Times};
use crate::codec::{LARGEST, PATH, Raw};
use crate::identity::{Identify, Proxy};

/// Callers at a time of whom it is not known yet who they are. Most of them wait: how much is asked at a time, whoever finds
/// out decides.
const STRANGERS: usize = 512;

/// Frames that wait to be sent.
const WAITING: usize = 4;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Serves calls.
#[derive(Clone)]
pub(super) struct Method(Arc<Inner>);

struct Inner {
    publisher: Publisher,
    identify: Arc<dyn Identify>,
    times: Times,
    strangers: Semaphore,
    tasks: Tasks,
}

impl Method {
    /// For calls of one server.
    pub(super) fn new(serving: &Serving, tasks: &Tasks) -> Self {
        Self(Arc::new(Inner {
            publisher: serving.publisher.clone(),
            identify: Arc::clone(&serving.identify),
            times: serving.times,
            strangers: Semaphore::new(STRANGERS),
            tasks: tasks.clone(),
        }))
    }
}

impl Service<http::Request<Body>> for Method {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Boxed<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = self.clone();
        Box::pin(async move {
            if request.uri().path() != PATH {
                let status = Status::unimplemented("there is no such method");
                return Ok(status.into_http());
            }
            let mut grpc = Grpc::new(Raw).max_decoding_message_size(LARGEST);
            Ok(grpc.streaming(method, request).await)
        })
    }
}

type Frames = Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>;

impl Service<Request<Streaming<Bytes>>> for Method {
    type Response = Response<Frames>;
    type Error = Status;
    type Future = Boxed<Result<Response<Frames>, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let guest = request.extensions().get::<Arc<Guest>>().cloned();
            let guest = guest.ok_or_else(|| Status::internal("a connection has no address"))?;
            let proxy = inner.who(&guest, request.metadata()).await?;
            let streaming = guest.streams();
            let (sender, mut receiver) = mpsc::channel(WAITING);
            let (publisher, times) = (inner.publisher.clone(), inner.times);
            let stream = super::stream::run(publisher, proxy, times, request.into_inner(), sender);
            inner.tasks.spawn(async move {
                stream.await;
                drop(streaming);
            });
            let frames = stream::poll_fn(move |context| receiver.poll_recv(context));
            Ok(Response::new(Box::pin(frames) as Frames))
        })
    }
}

impl Inner {
    async fn who(&self, guest: &Guest, metadata: &MetadataMap) -> Result<Proxy, Status> {
        let _asking = guest.ask().map_err(Status::resource_exhausted)?;
        let Ok(_place) = self.strangers.try_acquire() else {
            return Err(Status::resource_exhausted(
                "too many are asking at once who they are; try again later",
            ));
        };
        let token = metadata
            .get("authorization")
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            .ok_or_else(|| {
                guest.refused();
                Status::unauthenticated("no token was shown")
            })?;
        self.identify.identify(token).await.map_err(|why| {
            Counts::add(&self.publisher.0.counts.disbelieved, 1);
            if guest.refused() {
                tracing::warn!("A proxy is not believed: {why}.");
            } else {
                tracing::debug!("A proxy is not believed: {why}.");
            }
            Status::unauthenticated(why)
        })
    }
}
