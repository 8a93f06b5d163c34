//! What comes through: protocols that are not carried, and nodes that let nothing in.

use std::net::SocketAddr;
use std::time::Duration;

use daemun_translate::exposure::provider::Way;
use serde_json::json;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::super::came::Came;
use super::super::seen::{Seen, address};
use super::super::stage::{Stage, Wanted};
use super::{Tried, with};
use crate::http;

/// A UDP listener beside another one: where the cloud carries none it is refused, and the other one works.
pub(super) async fn udp(stage: &Stage) -> Tried {
    const NAME: &str = "udp";
    let wanted = Wanted {
        listeners: json!([
            {"name": "http", "port": 80, "protocol": "HTTP"},
            {"name": "udp", "port": 5300, "protocol": "UDP"},
        ]),
        ..Wanted::serving(stage.cloud.any())
    };
    stage.gateway(NAME, &wanted).await?;
    let at = serves(stage, NAME).await?;
    let seen = stage.look(NAME).await?;
    let said = seen.listener("udp", "Accepted");
    let ports = seen
        .services
        .first()
        .and_then(|it| it.spec.as_ref()?.ports.clone());
    let mut ports = ports.unwrap_or_default().into_iter();
    let has_port = ports.any(|port| port.protocol.as_deref() == Some("UDP"));
    let answers = comes_to_answer(at).await;
    stage.delete(NAME).await?;
    let refused = said.is("False") && said.reason == "UnsupportedProtocol";
    Ok(Some(match (stage.cloud.rules.udp, refused, has_port) {
        _ if !answers => Came::Broken(format!("{at} does not answer HTTP")),
        (Way::No(_), true, false) => Came::Refused(format!(
            "{} The other listener answers at {at}",
            said.message
        )),
        (Way::Is(()) | Way::NotKnown, false, true) => Came::Held(format!(
            "the Service has the port, and HTTP answers at {at}"
        )),
        (_, _, has_port) => Came::Broken(format!(
            "the listener is {}/{}, and whether the Service has its port is {has_port}",
            said.status, said.reason
        )),
    }))
}

/// Nodes whose ports are shut: nothing comes through until they are open. What the Gateway says of it after a while is
/// not looked at here.
pub(super) async fn shut(stage: &Stage) -> Tried {
    const NAME: &str = "shut";
    let usual = stage.cloud.any();
    let wanted = Wanted::serving(with(&usual, &json!({"cloud.lab/node-ports": "shut"})));
    stage.gateway(NAME, &wanted).await?;
    let at = serves(stage, NAME).await?;
    for _ in 0..3 {
        if answers(at).await {
            return Err(format!("{at} answers while the nodes' ports are shut"));
        }
        sleep(Duration::from_secs(1)).await;
    }
    let open = Wanted::serving(with(&usual, &json!({"cloud.lab/node-ports": "open"})));
    stage.parameters(NAME, &open).await?;
    let answers = comes_to_answer(at).await;
    stage.delete(NAME).await?;
    Ok(Some(match answers {
        true => Came::Held(format!(
            "{at} answered nothing while they were shut, and answered when they were open"
        )),
        false => Came::Broken(format!(
            "{at} does not answer although the nodes' ports are open"
        )),
    }))
}

/// Waits until a Gateway serves, and tells where.
pub(super) async fn serves(stage: &Stage, name: &str) -> Result<SocketAddr, String> {
    let what = "the Gateway serves and has an address";
    let at = |seen: &Seen| seen.addresses().iter().rev().find_map(|it| address(it));
    let serves = |seen: &Seen| seen.programmed().is("True") && at(seen).is_some();
    let seen = stage.until(name, what, serves).await?;
    let at = at(&seen).ok_or("the Gateway has no address")?;
    Ok((at, 80).into())
}

async fn comes_to_answer(at: SocketAddr) -> bool {
    for _ in 0..60 {
        if answers(at).await {
            return true;
        }
        sleep(Duration::from_millis(500)).await;
    }
    false
}

/// Whether it answers, whatever it says.
async fn answers(at: SocketAddr) -> bool {
    let asked = spawn_blocking(move || http::get_from(at, "way-in.example.com", "/"));
    asked.await.is_ok_and(|answer| answer.is_ok())
}
