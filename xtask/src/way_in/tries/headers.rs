//! PROXY headers: who calls through the load balancer is seen by the address in the header. A pod that calls the load
//! balancer's address is answered by the cluster itself where that address is said to lead straight to the proxies;
//! then there is no header, and it gets its answer all the same.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use daemun_translate::exposure::provider::{Provider, Way};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::super::came::Came;
use super::super::seen::Seen;
use super::super::stage::{Stage, Wanted};
use super::traffic::serves;
use super::{Tried, with};
use crate::http;
use crate::lab::place::Place;

/// The caller outside: an address that nobody else calls from.
const CALLER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 7);
/// Where the lab's load balancers come from.
const BALANCERS: &str = "198.18.0.254/32";
/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// `Local`: headers are believed from the load balancer alone, and nobody stands between it and the proxies, so that
/// a pod is seen by its own address.
pub(super) async fn from_ranges(stage: &Stage, place: &Place) -> Tried {
    let exposure = json!({
        "proxyProtocol": true,
        "externalTrafficPolicy": "Local",
        "trustedRanges": [BALANCERS],
    });
    let called = match called(stage, place, "headers", &exposure).await? {
        Ok(called) => called,
        Err(refused) => return Ok(Some(refused)),
    };
    let Called {
        at,
        outside,
        pod,
        inside,
    } = &called;
    Ok(Some(
        match *outside == IpAddr::V4(CALLER) && inside == pod {
            true => Came::Held(format!(
                "through {at} {CALLER} is seen as {outside}, and the pod {pod} as {inside}"
            )),
            false => Came::Broken(format!(
                "through {at} {CALLER} is seen as {outside}, and the pod {pod} as {inside}"
            )),
        },
    ))
}

/// `Cluster`: headers are believed from the nodes, through which also a pod may come.
pub(super) async fn through_nodes(stage: &Stage, place: &Place) -> Tried {
    if stage.cloud.rules.provider != Provider::Nhn {
        return Ok(None);
    }
    let exposure = json!({"proxyProtocol": true, "externalTrafficPolicy": "Cluster"});
    let called = match called(stage, place, "nodes", &exposure).await? {
        Ok(called) => called,
        Err(refused) => return Ok(Some(refused)),
    };
    let Called {
        at,
        outside,
        pod,
        inside,
    } = &called;
    Ok(Some(match *outside == IpAddr::V4(CALLER) {
        true => Came::Held(format!(
            "through {at} {CALLER} is seen as {outside}, and the pod {pod}, which comes by its node, as {inside}"
        )),
        false => Came::Broken(format!("through {at} {CALLER} is seen as {outside}")),
    }))
}

/// As whom callers are seen.
struct Called {
    at: SocketAddr,
    outside: IpAddr,
    /// The pod's own address.
    pod: IpAddr,
    inside: IpAddr,
}

/// Calls a Gateway from outside and from a pod; else why it cannot be.
async fn called(
    stage: &Stage,
    place: &Place,
    name: &str,
    exposure: &Value,
) -> Result<Result<Called, Came>, String> {
    let mut wanted = with(exposure, &json!(stage.cloud.of_headers()));
    for (key, value) in stage.cloud.any().as_object().into_iter().flatten() {
        wanted[key] = value.clone();
    }
    stage.gateway(name, &Wanted::serving(wanted)).await?;
    let settled = |seen: &Seen| {
        let said = seen.accepted();
        said.is("False") || said.is("True")
    };
    let seen = stage.until(name, "it is judged", settled).await?;
    if seen.accepted().is("False") {
        stage.delete(name).await?;
        let why = seen.accepted().message;
        return Ok(Err(match stage.cloud.rules.proxy_protocol {
            Way::Is(_) => Came::Broken(why),
            Way::No(_) | Way::NotKnown => Came::Refused(why),
        }));
    }
    let host = format!("{name}.{}.example.com", stage.name);
    stage.route(name, &host).await?;
    let at = serves(stage, name).await?;
    let (outside, _) = comes(async || from_outside(at, &host).await).await?;
    let (inside, pod) = comes(async || from_pod(at, &host, place).await).await?;
    stage.delete(name).await?;
    Ok(Ok(Called {
        at,
        outside,
        pod,
        inside,
    }))
}

/// Tries until there is an answer: a route takes a moment.
async fn comes(
    call: impl AsyncFn() -> Result<(IpAddr, IpAddr), String>,
) -> Result<(IpAddr, IpAddr), String> {
    let mut last = String::new();
    for _ in 0..60 {
        match call().await {
            Ok(answer) => return Ok(answer),
            Err(why) => last = why,
        }
        sleep(Duration::from_millis(500)).await;
    }
    Err(last)
}

/// As whom a caller outside of the cluster is seen, and who it is.
async fn from_outside(at: SocketAddr, host: &str) -> Result<(IpAddr, IpAddr), String> {
    let failed = |error: std::io::Error| format!("{at} cannot be called from {CALLER}: {error}");
    let socket = TcpSocket::new_v4().map_err(failed)?;
    socket.bind((CALLER, 0).into()).map_err(failed)?;
    let connected = timeout(PATIENCE, socket.connect(at)).await;
    let stream = connected.map_err(|late| failed(late.into()))?;
    let stream = stream
        .and_then(tokio::net::TcpStream::into_std)
        .map_err(failed)?;
    stream.set_nonblocking(false).map_err(failed)?;
    let host = host.to_owned();
    let answer = spawn_blocking(move || http::get_over(stream, &host, "/"));
    let (status, body) = answer.await.map_err(|error| error.to_string())??;
    Ok((seen_as(status, &body)?, CALLER.into()))
}

/// As whom a pod is seen, and which address it has. The call is made in the pod's network.
async fn from_pod(at: SocketAddr, host: &str, place: &Place) -> Result<(IpAddr, IpAddr), String> {
    let network = network_of(place, "way-in")?;
    let host = host.to_owned();
    let called = spawn_blocking(move || {
        // A thread of its own, since it stays in the pod's network.
        let call = std::thread::spawn(move || {
            let failed =
                |error: std::io::Error| format!("{at} cannot be called from a pod: {error}");
            let network = File::open(&network).map_err(failed)?;
            move_into_link_name_space(
                std::os::fd::AsFd::as_fd(&network),
                Some(LinkNameSpaceType::Network),
            )
            .map_err(|error| failed(error.into()))?;
            let stream = std::net::TcpStream::connect_timeout(&at, PATIENCE).map_err(failed)?;
            let own = stream.local_addr().map_err(failed)?.ip();
            let (status, body) = http::get_over(stream, &host, "/")?;
            Ok((seen_as(status, &body)?, own))
        });
        call.join()
            .map_err(|_| "the call from a pod panicked".to_owned())?
    });
    called.await.map_err(|error| error.to_string())?
}

/// The client's address, as the echo server was told it.
fn seen_as(status: u16, body: &str) -> Result<IpAddr, String> {
    let echoed: Value =
        serde_json::from_str(body).map_err(|_| format!("the answer is {status}: {body}"))?;
    let header = echoed.pointer("/headers/X-Forwarded-For/0");
    let told = header.and_then(Value::as_str).unwrap_or_default();
    told.parse()
        .map_err(|_| format!("the caller is told as {told:?}: {body}"))
}

/// The network namespace of the first pod of a namespace, as containerd has it.
fn network_of(place: &Place, namespace: &str) -> Result<PathBuf, String> {
    let state = place.run().join("containerd/state");
    let failed = |error: std::io::Error| format!("{} cannot be read: {error}", state.display());
    for runtime in std::fs::read_dir(&state).map_err(failed)? {
        let tasks = runtime.map_err(failed)?.path().join("k8s.io");
        for task in std::fs::read_dir(&tasks).into_iter().flatten() {
            let file = task.map_err(failed)?.path().join("config.json");
            // One that ends meanwhile is not it.
            let Ok(text) = std::fs::read(&file) else {
                continue;
            };
            let Ok(config) = serde_json::from_slice::<Value>(&text) else {
                continue;
            };
            if config["annotations"]["io.kubernetes.cri.sandbox-namespace"] != namespace {
                continue;
            }
            let spaces = config["linux"]["namespaces"].as_array();
            let mut spaces = spaces.into_iter().flatten();
            let network = spaces.find(|space| space["type"] == "network");
            let path = network.and_then(|network| network["path"].as_str());
            if let Some(path) = path {
                return Ok(path.into());
            }
        }
    }
    Err(format!("no pod of {namespace} runs"))
}

#[cfg(test)]
mod tests {
    use super::seen_as;

    #[test]
    fn the_echo_server_tells_as_whom_a_caller_is_seen() {
        let body = r#"{"path": "/", "headers": {"X-Forwarded-For": ["127.0.0.7"]}}"#;
        assert_eq!(seen_as(200, body), Ok("127.0.0.7".parse().unwrap()));
        assert!(seen_as(404, "no route").is_err());
        assert!(seen_as(200, r#"{"headers": {}}"#).is_err());
    }
}
