//! Private unless asked otherwise, seen from the cloud's side: its log has every address that was ever attached, also
//! one that was there for a moment only and that no Service showed.

use std::time::Duration;

use serde_json::json;

use super::super::came::Came;
use super::super::ledger::was_public;
use super::super::seen::Seen;
use super::super::stage::{Stage, Wanted};
use super::{Tried, with};

/// A Gateway of which nothing is said never has a public address, from its first moment until it is gone.
pub(super) async fn never_public(stage: &Stage) -> Tried {
    const NAME: &str = "quiet";
    let exposure = match stage.cloud.has_private() {
        true => json!({}),
        // Without a word it is what it is there.
        false => json!({"reach": "Private"}),
    };
    stage.gateway(NAME, &Wanted::address_only(exposure)).await?;
    never(stage, NAME, &stage.name).await.map(Some)
}

/// The same, of one that has no parameters, and whose class has none.
pub(super) async fn without_parameters(stage: &Stage) -> Tried {
    const NAME: &str = "bare";
    stage.bare_gateway(NAME, "way-in").await?;
    never(stage, NAME, "way-in").await.map(Some)
}

async fn never(stage: &Stage, name: &str, class: &str) -> Result<Came, String> {
    let settled = |seen: &Seen| seen.accepted().is("False") || seen.reach().is("True");
    let seen = stage
        .until(name, "a private address is seen", settled)
        .await?;
    if let Some(why) = seen.refused() {
        return Ok(match stage.logged_of_class(name, class)?.first() {
            None => Came::Refused(why),
            Some(line) => Came::Broken(format!("it is refused, and {line}")),
        });
    }
    let shown = seen.in_words();
    stage.delete(name).await?;
    let log = stage.logged_of_class(name, class)?;
    // The cloud may have to try more than once: what it says of that stands between.
    let says = |what: &str| log.iter().any(|line| line.contains(what));
    let made = says("no public one");
    let gone = says("is given back");
    Ok(match made && gone && !was_public(&log) {
        true => Came::Held(format!(
            "the Service showed {shown}; the cloud's log: {}",
            log.join(" Then: ")
        )),
        false => Came::Broken(format!("the cloud's log: {}", log.join(" Then: "))),
    })
}

/// Where a pool decides and nothing is said, the Gateway serves, and says what came.
pub(super) async fn pool_is_told(stage: &Stage) -> Tried {
    let mut told = Vec::new();
    for (name, pool) in [("inner", "Private"), ("outer", "Public")] {
        let annotations = json!({"cloud.lab/pool": pool.to_lowercase()});
        let wanted = Wanted::address_only(with(&json!({}), &annotations));
        stage.gateway(name, &wanted).await?;
        let is_told = |seen: &Seen| {
            let reach = seen.reach();
            reach.is("Unknown") && reach.reason == pool && !seen.addresses().is_empty()
        };
        let what = format!("the {pool} address is told");
        let seen = stage.until(name, &what, is_told).await?;
        told.push(format!("{} is told as {pool}", seen.in_words()));
        stage.delete(name).await?;
    }
    Ok(Some(Came::Held(told.join(", "))))
}

/// Where a pool decides, a reach that is written is verified all the same: private on a public pool serves nothing.
pub(super) async fn pool_is_verified(stage: &Stage) -> Tried {
    let mut verified = Vec::new();
    for (name, reach, pool) in [
        ("private", "Private", "private"),
        ("closed", "Private", "public"),
        ("public", "Public", "public"),
    ] {
        let annotations = json!({"cloud.lab/pool": pool});
        let wanted = Wanted::address_only(with(&json!({"reach": reach}), &annotations));
        stage.gateway(name, &wanted).await?;
        let agrees = reach.eq_ignore_ascii_case(pool);
        let is_judged = |seen: &Seen| match agrees {
            true => seen.reach().is("True") && !seen.addresses().is_empty(),
            false => {
                let closed = seen.programmed().reason == "AddressNotUsable";
                seen.reach().is("False") && closed && seen.addresses().is_empty()
            }
        };
        let what = format!("{reach} on a {pool} pool is judged");
        let seen = stage.until(name, &what, is_judged).await?;
        if !agrees {
            // It stays so.
            let opens = |seen: &Seen| !is_judged(seen);
            let (seen, opened) = stage.within(Duration::from_secs(3), name, opens).await?;
            if opened {
                return Err(format!("it opened again: {}", seen.everything()));
            }
        }
        let word = if agrees { "agrees" } else { "serves nothing" };
        verified.push(format!("{reach} with {} {word}", seen.in_words()));
        stage.delete(name).await?;
    }
    Ok(Some(Came::Held(verified.join(", "))))
}
