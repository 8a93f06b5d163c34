//! The admin port: what the gateway does right now, in full, and the few things about it that can be
//! changed while it runs.

use std::sync::Arc;

use bytes::Bytes;
use daemun_base::logs::Level;
use daemun_base::tasks::{self, Tasks};
use daemun_model::Configuration;
use http::header::ACCEPT;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde_json::Value;

use super::guard;
use super::listen::{self, Address, StartError, is_loopback};
use super::page::{self, Page};

/// Bytes of a request's body.
const BODY: usize = 64 * 1024;

const INDEX: &str = "\
This is the admin port of Daemun. It is for this host only.
/config           the configuration that is live, as JSON. Secrets are shown as digests.
/problems         what is wrong with the configuration, as JSON.
/log              GET shows the log level; PUT sets it: error, warn, info, debug, trace, or module=level,…
/explain          POST {\"method\": \"GET\", \"url\": \"http://…\", \"headers\": {…}} tells what becomes of such a request;
                  with Accept: text/plain for people, else as JSON.
";

/// Says what becomes of a request, or a sentence about what is wrong with the question.
pub type Explain = dyn Fn(&Question, Form) -> Result<String, String> + Send + Sync;

/// What the admin port shows and changes.
#[derive(Clone)]
pub struct Admin {
    /// The configuration that is live.
    pub configuration: Arc<dyn Fn() -> Arc<Configuration> + Send + Sync>,
    /// What is wrong, as JSON.
    pub problems: Arc<dyn Fn() -> Value + Send + Sync>,
    /// What becomes of a request. It may take a while: it runs on a thread of its own.
    pub explain: Arc<Explain>,
    /// The log's level.
    pub log: Level,
}

/// A request about which is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The method.
    pub method: String,
    /// The URL, with scheme and host.
    pub url: String,
    /// Names and values of headers, in order.
    pub headers: Vec<(String, String)>,
}

/// How an answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Admin {
    /// Listens, and tells where.
    ///
    /// # Errors
    /// The address is not this host's own, or cannot be bound.
    pub async fn start(self, address: &Address, tasks: &Tasks) -> Result<Address, StartError> {
        let over_tcp = matches!(address, Address::Tcp(_));
        let handler = move |request: Request<Incoming>| {
            let admin = self.clone();
            async move { admin.answer(request, over_tcp).await }
        };
        match address {
            Address::Tcp(address) if !is_loopback(address.ip()) => {
                Err(StartError::NotLoopback(*address))
            }
            Address::Tcp(address) => listen::tcp(*address, tasks, handler)
                .await
                .map(Address::Tcp),
            Address::Unix(path) => {
                listen::unix(path, tasks, handler).map(|()| Address::Unix(path.clone()))
            }
        }
    }

    async fn answer(&self, request: Request<Incoming>, over_tcp: bool) -> Response<Page> {
        if let Some(reason) = guard::refuse(request.uri(), request.headers(), over_tcp) {
            return page::say(StatusCode::FORBIDDEN, reason);
        }
        let path = request.uri().path().to_owned();
        let method = request.method().clone();
        match (path.as_str(), &method) {
            ("/", &Method::GET) => page::whole(StatusCode::OK, page::TEXT, INDEX),
            ("/config", &Method::GET) => self.config(),
            ("/problems", &Method::GET) => page::whole(
                StatusCode::OK,
                page::JSON,
                format!("{:#}\n", (self.problems)()),
            ),
            ("/log", &Method::GET) => page::say(StatusCode::OK, self.log.get()),
            ("/log", &Method::PUT) => self.set_log(request).await,
            ("/explain", &Method::POST) => self.explain(request).await,
            ("/" | "/config" | "/problems", _) => page::not_allowed("GET"),
            ("/log", _) => page::not_allowed("GET, PUT"),
            ("/explain", _) => page::not_allowed("POST"),
            _ => page::say(
                StatusCode::NOT_FOUND,
                "There is nothing here; / says what there is.",
            ),
        }
    }

    fn config(&self) -> Response<Page> {
        let configuration = (self.configuration)();
        page::pieces(page::JSON, move |out| {
            serde_json::to_writer_pretty(&mut *out, &*configuration)?;
            std::io::Write::write_all(out, b"\n")
        })
    }

    async fn set_log(&self, request: Request<Incoming>) -> Response<Page> {
        let body = match body(request).await {
            Ok(body) => body,
            Err(response) => return response,
        };
        let filter = String::from_utf8_lossy(&body);
        let filter = filter.trim().trim_matches('"');
        if filter.is_empty() {
            let sentence =
                "The body says which level: error, warn, info, debug or trace, or module=level,…";
            return page::say(StatusCode::BAD_REQUEST, sentence);
        }
        let before = self.log.get();
        match self.log.set(filter) {
            Ok(()) => {
                tracing::info!(
                    "The log level was changed from {before} to {filter} through the admin port."
                );
                page::say(StatusCode::OK, self.log.get())
            }
            Err(sentence) => page::say(StatusCode::BAD_REQUEST, sentence),
        }
    }

    async fn explain(&self, request: Request<Incoming>) -> Response<Page> {
        let accept = request
            .headers()
            .get(ACCEPT)
            .and_then(|accept| accept.to_str().ok());
        let form = match accept {
            Some(accept) if accept.contains("text/plain") => Form::Text,
            _ => Form::Json,
        };
        let question = match body(request).await.map(|body| Question::read(&body)) {
            Ok(Ok(question)) => question,
            Ok(Err(sentence)) => return page::say(StatusCode::BAD_REQUEST, sentence),
            Err(response) => return response,
        };
        let explain = Arc::clone(&self.explain);
        match tasks::blocking(move || explain(&question, form)).await {
            Ok(Ok(answer)) => {
                let kind = match form {
                    Form::Text => page::TEXT,
                    Form::Json => page::JSON,
                };
                page::whole(StatusCode::OK, kind, answer)
            }
            Ok(Err(sentence)) => page::say(StatusCode::BAD_REQUEST, sentence),
            Err(_) => page::say(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The question could not be answered because of a fault in Daemun; the log has more.",
            ),
        }
    }
}

impl Question {
    fn read(body: &[u8]) -> Result<Self, String> {
        let wrong = |what: &str| {
            format!(
                "{what}; the body is JSON: {{\"method\": \"GET\", \"url\": \"http://…\", \"headers\": {{…}}}}."
            )
        };
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| wrong(&format!("The body cannot be read ({error})")))?;
        let url = value
            .get("url")
            .and_then(Value::as_str)
            .ok_or_else(|| wrong("The url is missing"))?;
        let method = match value.get("method") {
            None => "GET",
            Some(method) => method
                .as_str()
                .ok_or_else(|| wrong("The method is no string"))?,
        };
        let mut headers = Vec::new();
        match value.get("headers") {
            None | Some(Value::Null) => {}
            Some(Value::Object(object)) => {
                for (name, value) in object {
                    let values = value
                        .as_array()
                        .map_or(std::slice::from_ref(value), Vec::as_slice);
                    for value in values {
                        let value = value
                            .as_str()
                            .ok_or_else(|| wrong(&format!("The header {name} is no string")))?;
                        headers.push((name.clone(), value.to_owned()));
                    }
                }
            }
            Some(_) => return Err(wrong("The headers are no object")),
        }
        Ok(Self {
            method: method.to_owned(),
            url: url.to_owned(),
            headers,
        })
    }
}

async fn body(request: Request<Incoming>) -> Result<Bytes, Response<Page>> {
    let read = Limited::new(request.into_body(), BODY).collect().await;
    read.map(http_body_util::Collected::to_bytes).map_err(|_| {
        let sentence = format!("The body could not be read, or is longer than {BODY} bytes.");
        page::say(StatusCode::PAYLOAD_TOO_LARGE, sentence)
    })
}
