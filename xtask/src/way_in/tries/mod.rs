//! What is tried on each cloud beside what `daemun verify exposure` tries: what costs too much where load balancers are
//! real, or needs to look into the cloud or to make it fail.

mod addresses;
mod failures;
mod headers;
mod private;
mod traffic;

use daemun_translate::exposure::provider::Provider;
use serde_json::{Value, json};

use super::came::{Came, Row};
use super::stage::Stage;
use crate::lab::place::Place;

/// What came of a try; nothing where there is nothing to be tried.
type Tried = Result<Option<Came>, String>;

/// Tries all beside each other, each with Gateways of its own.
pub(super) async fn all(stage: &Stage, place: &Place) -> Vec<Row> {
    let (private, addresses, failures, carried) = tokio::join!(
        of_private(stage),
        of_addresses(stage),
        of_failures(stage),
        of_traffic(stage, place),
    );
    let rows = private.into_iter().chain(addresses);
    rows.chain(failures).chain(carried).collect()
}

async fn of_private(stage: &Stage) -> Vec<Row> {
    let cloud = stage.cloud.name();
    let mut rows = Vec::new();
    let mut put = |claim: &str, tried: Tried| {
        rows.extend(tried.transpose().map(|came| Row::new(cloud, claim, came)));
    };
    if stage.cloud.is_pool() {
        let (told, written) = tokio::join!(
            private::pool_is_told(stage),
            private::pool_is_verified(stage)
        );
        put("a pool's address is told", told);
        put("a written reach is verified", written);
        return rows;
    }
    put(
        "never public, by the cloud's log",
        private::never_public(stage).await,
    );
    if stage.cloud.rules.provider == Provider::Nhn {
        put(
            "private without any parameters",
            private::without_parameters(stage).await,
        );
    }
    rows
}

async fn of_addresses(stage: &Stage) -> Vec<Row> {
    let cloud = stage.cloud.name();
    let mut rows = Vec::new();
    let mut put = |claim: &str, tried: Tried| {
        rows.extend(tried.transpose().map(|came| Row::new(cloud, claim, came)));
    };
    let (private, public, contradicting, kept) = tokio::join!(
        addresses::fixed(stage, "Private"),
        addresses::fixed(stage, "Public"),
        addresses::contradicting(stage),
        addresses::kept(stage),
    );
    put("a private address that is asked for", private);
    put("a public address that is asked for", public);
    put("an address that contradicts the reach", contradicting);
    put("a kept address", kept);
    rows
}

async fn of_failures(stage: &Stage) -> Vec<Row> {
    let cloud = stage.cloud.name();
    let mut rows = Vec::new();
    let mut put = |claim: &str, tried: Tried| {
        rows.extend(tried.transpose().map(|came| Row::new(cloud, claim, came)));
    };
    let (quota, stuck, no_public, undeletable) = tokio::join!(
        failures::quota(stage),
        failures::stuck(stage),
        failures::no_public(stage),
        failures::undeletable(stage),
    );
    put("no quota", quota);
    put("pending for long", stuck);
    put("no public address to be had", no_public);
    put("a load balancer that does not go", undeletable);
    rows
}

async fn of_traffic(stage: &Stage, place: &Place) -> Vec<Row> {
    let cloud = stage.cloud.name();
    let mut rows = Vec::new();
    let mut put = |claim: &str, tried: Tried| {
        rows.extend(tried.transpose().map(|came| Row::new(cloud, claim, came)));
    };
    let (udp, shut, headers, through_nodes) = tokio::join!(
        traffic::udp(stage),
        traffic::shut(stage),
        headers::from_ranges(stage, place),
        headers::through_nodes(stage, place),
    );
    put("UDP", udp);
    put("the nodes' ports shut", shut);
    put("PROXY headers", headers);
    put("PROXY headers through the nodes", through_nodes);
    rows
}

/// What is written, and that the cloud is in trouble.
fn with_trouble(exposure: &Value, trouble: &str) -> Value {
    with(exposure, &json!({"cloud.lab/trouble": trouble}))
}

/// What is written, with more annotations.
fn with(exposure: &Value, annotations: &Value) -> Value {
    let mut exposure = exposure.clone();
    exposure["annotations"] = annotations.clone();
    exposure
}
