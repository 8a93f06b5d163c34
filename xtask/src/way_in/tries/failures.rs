//! A cloud in trouble: the Gateway says in a sentence what the cloud says, and goes on when the trouble is over.

use daemun_translate::exposure::ALLOW_RECREATION;
use daemun_translate::exposure::provider::{Aspect, Change};
use serde_json::{Map, json};

use super::super::came::Came;
use super::super::seen::Seen;
use super::super::stage::{Stage, Wanted};
use super::{Tried, with_trouble};

/// No load balancer more may be made.
pub(super) async fn quota(stage: &Stage) -> Tried {
    over(stage, "quota", "quota", &["Quota exceeded"]).await
}

/// It is being made, and never done.
pub(super) async fn stuck(stage: &Stage) -> Tried {
    over(stage, "stuck", "stuck", &["waited for longer than"]).await
}

/// A Gateway says what is wrong, and has its address when the trouble is over.
async fn over(stage: &Stage, name: &str, trouble: &str, words: &[&str]) -> Tried {
    let usual = stage.cloud.any();
    let wanted = Wanted::address_only(with_trouble(&usual, trouble));
    stage.gateway(name, &wanted).await?;
    let what = format!("the Gateway says: {}", words.join(" or "));
    let seen = stage
        .until(name, &what, |seen| seen.says(words).is_some())
        .await?;
    let said = seen.says(words).unwrap_or_default();
    let none = Wanted::address_only(with_trouble(&usual, "none"));
    stage.parameters(name, &none).await?;
    let what = "an address is there when the trouble is over";
    let has = |seen: &Seen| !seen.addresses().is_empty();
    stage.until(name, what, has).await?;
    stage.delete(name).await?;
    Ok(Some(Came::Held(said)))
}

/// A public address is asked for, and none is to be had: no floating network, or nothing left.
pub(super) async fn no_public(stage: &Stage) -> Tried {
    const NAME: &str = "no-public";
    const WORDS: &[&str] = &[
        "no more IP addresses",
        "connected to an internet gateway",
        "No floating network",
    ];
    if stage.cloud.is_pool() {
        // The pool is the one that there is.
        return Ok(None);
    }
    let public = json!({"reach": "Public"});
    // It serves where the cloud falls back to a private address: else its pods would be what the Gateway speaks of.
    let wanted = Wanted::serving(with_trouble(&public, "no-public"));
    stage.gateway(NAME, &wanted).await?;
    let told = |seen: &Seen| seen.accepted().is("False") || seen.says(WORDS).is_some();
    let what = "the Gateway says that there is no public address";
    let seen = stage.until(NAME, what, told).await?;
    if seen.accepted().is("False") {
        stage.delete(NAME).await?;
        return Ok(Some(Came::Refused(seen.accepted().message)));
    }
    let said = seen.says(WORDS).unwrap_or_default();
    let none = Wanted::serving(with_trouble(&public, "none"));
    stage.parameters(NAME, &none).await?;
    let what = "a public address is there when the trouble is over";
    stage
        .until(NAME, what, |seen| seen.reach().is("True"))
        .await?;
    stage.delete(NAME).await?;
    Ok(Some(Came::Held(said)))
}

/// A load balancer whose place another one takes is deleted, and does not go. Where a change of mind comes through on
/// the one that is there, none goes while its Gateway is there.
pub(super) async fn undeletable(stage: &Stage) -> Tried {
    const NAME: &str = "undeletable";
    let cloud = stage.cloud;
    let live = cloud.rules.change(Aspect::Reach) == Change::Live;
    if live || !cloud.has_private() || !cloud.has_public() {
        return Ok(None);
    }
    stage.gateway(NAME, &Wanted::serving(cloud.any())).await?;
    let serves = |seen: &Seen| seen.programmed().is("True");
    let seen = stage.until(NAME, "the Gateway serves", serves).await?;
    let old = seen.service().unwrap_or_default().to_owned();
    let public = Wanted::serving(with_trouble(&json!({"reach": "Public"}), "undeletable"));
    stage.parameters(NAME, &public).await?;
    let waits = |seen: &Seen| seen.reach().message.contains(ALLOW_RECREATION);
    stage
        .until(NAME, "the change waits until it is allowed", waits)
        .await?;
    stage.annotate(NAME, ALLOW_RECREATION, &old).await?;
    let words = ["was deleted."];
    let told = |seen: &Seen| {
        let said = seen.says(&words);
        said.is_some_and(|said| said.contains("immutable status"))
    };
    let what = "the Gateway says that the load balancer does not go";
    let told = stage.until(NAME, what, told).await;
    // Whatever came of it, the cloud lets go again.
    let none = [("cloud.lab/trouble".to_owned(), json!("none"))];
    let none: Map<_, _> = none.into_iter().collect();
    stage
        .parameters(
            NAME,
            &Wanted::serving(with_trouble(&json!({"reach": "Public"}), "none")),
        )
        .await?;
    stage.tell_service(&old, &none).await?;
    let seen = told?;
    let said = seen.says(&words).unwrap_or_default();
    let what = "the old load balancer goes";
    let alone = |seen: &Seen| seen.services.len() == 1 && seen.programmed().is("True");
    stage.until(NAME, what, alone).await?;
    stage.delete(NAME).await?;
    Ok(Some(Came::Held(said)))
}
