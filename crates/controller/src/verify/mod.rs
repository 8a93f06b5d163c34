//! `daemun verify exposure`: what Daemun promises of the way in, tried on the cluster at hand with Gateways that are
//! thrown away, and written down with what was seen and when. A document's claim about a cloud becomes evidence so.
//!
//! It sees what a person with a kubeconfig sees: objects, and whether the address answers from here. It does not see
//! into the cloud: an address that somebody attaches in its console stays unknown.

mod claims;
mod journal;
mod look;
mod stage;

use std::collections::BTreeSet;
use std::time::Duration;

use daemun_translate::exposure::provider::{
    Automatic, Provider, Rules, automatic, beginning, rules,
};
use ipnet::IpNet;
use k8s_openapi::api::core::v1::Node;
use kube::api::ListParams;
use kube::{Api, Client};
use serde::Serialize;

use daemun_base::causes::because;

pub use journal::Moment;

use stage::Stage;

/// What is to be tried.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The GatewayClass of the Gateways that are made.
    pub class: String,
    /// Who makes load balancers, as `exposure.provider` has it; none leaves it to the nodes.
    pub provider: Option<Provider>,
    /// The subnet of the load balancers, as `exposure.subnet` has it. Where naming one makes an address private, public
    /// ones do without.
    pub subnet: Option<String>,
    /// Whether public addresses may be asked for; they may cost something, and are reached from the internet.
    pub public: bool,
    /// How long a load balancer may take.
    pub patience: Duration,
    /// Ranges that are private here, as the controller was told.
    pub private_ranges: Vec<IpNet>,
    /// Ranges that are public here, as the controller was told.
    pub public_ranges: Vec<IpNet>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The API server's version.
    pub kubernetes: String,
    /// Beginnings of the nodes' `spec.providerID`; empty where they have none.
    pub nodes: Vec<String>,
    /// By whose rules.
    pub provider: &'static str,
    /// Who makes load balancers, in words.
    pub product: &'static str,
    /// When it began, in seconds since 1970.
    pub began: i64,
    /// What was promised, in the order in which it was tried.
    pub claims: Vec<Claim>,
    /// What could not be taken away again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
}

impl Report {
    /// Whether nothing that was promised was broken.
    pub fn holds(&self) -> bool {
        let broken = |claim: &Claim| matches!(claim.verdict, Verdict::Broken(_));
        !self.claims.iter().any(broken)
    }
}

/// Something that is promised.
#[derive(Clone, Debug, Serialize)]
pub struct Claim {
    /// In a word.
    pub name: &'static str,
    /// In a sentence.
    pub what: &'static str,
    /// What came of it.
    pub verdict: Verdict,
    /// What was seen.
    pub seen: Vec<Moment>,
}

/// What came of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "is", content = "why", rename_all = "camelCase")]
pub enum Verdict {
    /// It is so here, and how that was seen.
    Held(String),
    /// It is not so here, and why.
    Broken(String),
    /// Nothing was made, because this cannot be had here, and why.
    Refused(String),
    /// It could not be found out, and why.
    Unknown(String),
}

/// Tries everything, says each claim as soon as it is decided, and takes away what was made, also where `stop` came.
///
/// # Errors
/// A sentence: nothing could be tried.
pub async fn exposure(
    client: &Client,
    trial: &Trial,
    stop: impl Future<Output = ()>,
    mut tell: impl FnMut(&Claim),
) -> Result<Report, String> {
    let nodes = nodes(client).await?;
    let rules = by_rules(trial, &nodes)?;
    let version = client.apiserver_version().await;
    let version = version.map_err(|error| refused("asked for its version", &error))?;
    let stage = Stage::set(client, trial, rules).await?;
    let mut claims = Vec::new();
    let mut done = |claim: Claim| {
        tell(&claim);
        claims.push(claim);
    };
    tokio::select! {
        () = claims::all(&stage, &mut done) => {}
        () = stop => {}
    }
    let mut report = Report {
        kubernetes: version.git_version,
        nodes,
        provider: rules.name,
        product: rules.product,
        began: stage.began(),
        claims,
        left: None,
    };
    match stage.strike().await {
        Ok(claim) => {
            tell(&claim);
            report.claims.push(claim);
        }
        Err(why) => report.left = Some(why),
    }
    Ok(report)
}

/// The beginnings of the nodes' `spec.providerID`.
async fn nodes(client: &Client) -> Result<Vec<String>, String> {
    let nodes = Api::<Node>::all(client.clone());
    let nodes = nodes.list(&ListParams::default()).await;
    let nodes = nodes.map_err(|error| refused("asked for its nodes", &error))?;
    let ids = nodes.items.into_iter().filter_map(|node| {
        let id = node.spec?.provider_id?;
        Some(beginning(&id).unwrap_or(&id).to_owned())
    });
    Ok(ids.collect::<BTreeSet<_>>().into_iter().collect())
}

fn by_rules(trial: &Trial, nodes: &[String]) -> Result<&'static Rules, String> {
    match trial.provider {
        Some(provider) => Ok(rules(provider)),
        None => match automatic(nodes.iter().map(String::as_str)) {
            Automatic::Rules(rules) => Ok(rules),
            Automatic::Unknown(_) | Automatic::Several(_) | Automatic::Unseen => Err(format!(
                "The nodes ({}) do not tell who makes load balancers here. Say it with --provider.",
                nodes.join(", ")
            )),
        },
    }
}

/// What the API server answered, as a sentence.
fn refused(what: &str, error: &kube::Error) -> String {
    format!(
        "The API server was {what}, and did not: {}.",
        because(error)
    )
}
