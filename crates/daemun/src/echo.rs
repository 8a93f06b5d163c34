//! The built-in echo backend: answers with the request that it saw, as JSON.
//!
//! It is a backend like any other. For `daemun run` it listens on a loopback port of its own, to which the
//! embedded default configuration refers with a `Backend` object; for `daemun echo` it listens where it is
//! told. The proxy does not know of it. It keeps a few KiB of a request's body and counts the rest, so
//! that what it needs does not grow with what it is sent.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use daemun_base::tasks::Tasks;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::{Serialize, Serializer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Bytes of a request's body that are shown.
const SHOWN_BODY: usize = 4 * 1024;

/// Connections at a time; further ones wait. More than the workers' pools keep open.
const CONNECTIONS: usize = 4096;

/// What every answer says about itself.
const NOTE: &str =
    "This is Daemun's built-in echo backend, which answers with the request that it saw.";

/// Starts the backend on a loopback port that is free, and tells which.
///
/// # Errors
/// The system's, if no port of the loopback interface can be bound.
pub(crate) async fn start(tasks: &Tasks) -> io::Result<SocketAddr> {
    start_at((Ipv4Addr::LOCALHOST, 0).into(), tasks).await
}

/// Starts the backend at an address, and tells which it is: port 0 gives any.
///
/// # Errors
/// The system's, if the address cannot be bound.
pub(crate) async fn start_at(address: SocketAddr, tasks: &Tasks) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    tasks.spawn(accept(listener));
    Ok(address)
}

async fn accept(listener: TcpListener) {
    // Connections end with this task.
    let connections = Tasks::default();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    // The semaphore is never closed.
    while let Ok(place) = Arc::clone(&room).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(async move {
                    serve(stream).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!("The echo backend could not accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let here = stream.local_addr().ok();
    let service = service_fn(|request| answer(request, here));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A client that went away in the middle of a request is no news.
    let _ = connection.await;
}

async fn answer(
    request: Request<Incoming>,
    here: Option<SocketAddr>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (parts, mut incoming) = request.into_parts();
    let mut body = Body::default();
    while let Some(frame) = incoming.frame().await {
        if let Ok(data) = frame?.into_data() {
            body.take(&data);
        }
    }
    let host = parts.headers.get(HOST).map(text);
    let seen = Seen {
        note: NOTE,
        endpoint: here,
        method: parts.method.as_str(),
        host: host.or_else(|| parts.uri.authority().map(ToString::to_string)),
        path: parts.uri.path(),
        query: parts.uri.query(),
        version: format!("{:?}", parts.version),
        headers: &parts.headers,
        body_bytes: body.bytes,
        body: body.shown(),
    };
    Ok(response(&seen))
}

fn response(seen: &Seen<'_>) -> Response<Full<Bytes>> {
    // Strings and numbers are all there is; they always become JSON.
    let mut json = serde_json::to_vec_pretty(seen).unwrap_or_default();
    json.push(b'\n');
    let mut response = Response::new(Full::new(Bytes::from(json)));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The request, in the order in which it is shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Seen<'a> {
    note: &'static str,
    /// Where the backend took it, which tells one of several from the others.
    endpoint: Option<SocketAddr>,
    method: &'a str,
    host: Option<String>,
    path: &'a str,
    query: Option<&'a str>,
    version: String,
    #[serde(serialize_with = "as_object")]
    headers: &'a HeaderMap,
    body_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
}

/// Headers in the order in which they came; one that came several times has a list.
fn as_object<S: Serializer>(headers: &HeaderMap, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(headers.keys().map(|name| {
        let values: Vec<String> = headers.get_all(name).iter().map(text).collect();
        (name.as_str(), OneOrMore(values))
    }))
}

struct OneOrMore(Vec<String>);

impl Serialize for OneOrMore {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// A request's body: its beginning, and how long it is.
#[derive(Default)]
struct Body {
    kept: Vec<u8>,
    bytes: u64,
}

impl Body {
    fn take(&mut self, data: &[u8]) {
        self.bytes += data.len() as u64;
        let room = SHOWN_BODY - self.kept.len();
        self.kept.extend_from_slice(&data[..data.len().min(room)]);
    }

    /// The whole body, if it is short and text.
    fn shown(&self) -> Option<&str> {
        let whole = self.kept.len() as u64 == self.bytes && self.bytes > 0;
        whole
            .then(|| std::str::from_utf8(&self.kept).ok())
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use daemun_base::tasks::Tasks;
    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    async fn ask(request: &[u8]) -> (String, Value) {
        let tasks = Tasks::default();
        let address = super::start(&tasks).await.unwrap();
        assert!(address.ip().is_loopback());
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), serde_json::from_str(body).unwrap())
    }

    #[tokio::test]
    async fn an_answer_tells_what_was_asked() {
        let request = b"POST /hello?a=1&b HTTP/1.1\r\nHost: example.com:8080\r\nX-B: 1\r\nX-A: 2\r\nX-B: 3\r\n\
            Content-Length: 5\r\nConnection: close\r\n\r\nh\xc3\xa9ll";
        let (head, seen) = ask(request).await;
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
        assert!(head.contains("content-type: application/json"), "{head}");
        assert!(
            seen["endpoint"].as_str().unwrap().starts_with("127.0.0.1:"),
            "{seen}"
        );
        assert_eq!(seen["method"], "POST");
        assert_eq!(seen["host"], "example.com:8080");
        assert_eq!(seen["path"], "/hello");
        assert_eq!(seen["query"], "a=1&b");
        assert_eq!(seen["version"], "HTTP/1.1");
        assert_eq!(seen["headers"]["x-b"], json!(["1", "3"]));
        assert_eq!(seen["headers"]["x-a"], "2");
        assert_eq!(seen["body"], "héll");
        assert_eq!(seen["bodyBytes"], 5);
    }

    #[tokio::test]
    async fn a_long_body_is_counted_and_not_kept() {
        let mut request =
            b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n"
                .to_vec();
        request.resize(request.len() + 100_000, b'x');
        let (_, seen) = ask(&request).await;
        assert_eq!(seen["bodyBytes"], 100_000);
        assert_eq!(seen.get("body"), None);
        assert_eq!(seen["query"], Value::Null);
    }

    #[tokio::test]
    async fn a_body_that_is_no_text_is_counted() {
        let request =
            b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n\xff\xfe";
        let (_, seen) = ask(request).await;
        assert_eq!(seen["bodyBytes"], 2);
        assert_eq!(seen.get("body"), None);
    }
}
