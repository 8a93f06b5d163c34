//! Asking a running process at its admin port.

use std::time::Duration;

use bytes::Bytes;
use daemun_base::tasks::Tasks;
use daemun_proxy::admin::{Address, Form, Question};
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks, and gives the answer as it came.
///
/// # Errors
/// A sentence: nobody answers there, or the question is none.
pub(super) fn running(
    address: &Address,
    question: &Question,
    form: Form,
) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| format!("There is no runtime: {error}."))?;
    runtime.block_on(async {
        let asked = tokio::time::timeout(PATIENCE, ask(address, question, form));
        asked.await.unwrap_or_else(|_| {
            Err(format!(
                "The admin port {address} did not answer in {PATIENCE:?}."
            ))
        })
    })
}

async fn ask(address: &Address, question: &Question, form: Form) -> Result<String, String> {
    let unreachable = |error| {
        format!(
            "The admin port {address} cannot be reached: {error}. Is daemun running, and is this its --admin address?"
        )
    };
    match address {
        Address::Tcp(to) => {
            exchange(
                TcpStream::connect(to).await.map_err(unreachable)?,
                question,
                form,
            )
            .await
        }
        Address::Unix(path) => {
            exchange(
                UnixStream::connect(path).await.map_err(unreachable)?,
                question,
                form,
            )
            .await
        }
    }
}

async fn exchange<S>(stream: S, question: &Question, form: Form) -> Result<String, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: &dyn std::fmt::Display| format!("The admin port did not answer: {error}.");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broken(&error))?;
    let tasks = Tasks::default();
    tasks.spawn(async move {
        // What goes wrong with the connection is told to who waits for the answer.
        let _ = connection.await;
    });
    let accept = match form {
        Form::Text => "text/plain",
        Form::Json => "application/json",
    };
    let request = Request::post("/explain")
        .header(HOST, "localhost")
        .header(ACCEPT, accept)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body(question).to_string())))
        .map_err(|error| broken(&error))?;
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| broken(&error))?;
    let status = response.status();
    let body = response
        .into_body()
        .collect()
        .await
        .map_err(|error| broken(&error))?
        .to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    if status == StatusCode::OK {
        Ok(text)
    } else {
        Err(text.trim_end().to_owned())
    }
}

fn body(question: &Question) -> Value {
    let Question {
        method,
        url,
        headers,
    } = question;
    let mut object = Map::new();
    for (name, value) in headers {
        let values = object.entry(name.clone()).or_insert_with(|| json!([]));
        if let Value::Array(values) = values {
            values.push(json!(value));
        }
    }
    json!({"method": method, "url": url, "headers": object})
}

#[cfg(test)]
mod tests {
    use daemun_proxy::admin::Question;
    use serde_json::json;

    #[test]
    fn a_question_travels_as_the_admin_port_reads_it() {
        let headers = [("x-a", "1"), ("x-b", "2"), ("x-a", "3")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let question = Question {
            method: "PUT".to_owned(),
            url: "http://a/".to_owned(),
            headers: headers.into(),
        };
        assert_eq!(
            super::body(&question),
            json!({"method": "PUT", "url": "http://a/", "headers": {"x-a": ["1", "3"], "x-b": ["2"]}})
        );
    }
}
