//! Addresses that are asked for, that contradict, and that outlive their Gateway.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::json;

use super::super::came::Came;
use super::super::ledger;
use super::super::seen::{Seen, address};
use super::super::stage::{PATIENCE, Stage, Wanted};
use super::Tried;

/// How long a cloud may take to give an address, or to say why not.
const SOON: Duration = Duration::from_secs(40);

/// A certain address is had, or the Gateway says why not.
pub(super) async fn fixed(stage: &Stage, reach: &str) -> Tried {
    let name = format!("fixed-{}", reach.to_lowercase());
    let asked = match reach {
        "Public" => stage.cloud.public_address(),
        _ => stage.cloud.private_address(),
    };
    let exposure = json!({"reach": reach, "address": asked.to_string()});
    stage
        .gateway(&name, &Wanted::address_only(exposure))
        .await?;
    let came = had(stage, &name, asked).await;
    stage.delete(&name).await?;
    came.map(Some)
}

async fn had(stage: &Stage, name: &str, asked: Ipv4Addr) -> Result<Came, String> {
    let has = |seen: &Seen| seen.addresses().iter().any(|it| address(it) == Some(asked));
    // Before anything is made is at once; what the cloud makes of it takes its time.
    let before = |seen: &Seen| seen.refused().is_some() && seen.services.is_empty();
    let settled = |seen: &Seen| has(seen) || before(seen);
    let (seen, _) = stage.within(SOON, name, settled).await?;
    let log = stage.logged(name)?;
    let given = format!(" {asked}");
    if has(&seen) {
        return Ok(match log.iter().any(|line| line.contains(&given)) {
            true => Came::Held(format!("{asked} was asked for and had")),
            false => Came::Broken(format!(
                "the Gateway has {asked}, and the cloud's log: {log:?}"
            )),
        });
    }
    Ok(match (seen.refused(), log.first()) {
        (Some(why), None) => Came::Refused(why),
        (Some(why), Some(made)) if before(&seen) => {
            Came::Broken(format!("it is refused ({why}), and {made}"))
        }
        (Some(why), Some(_)) => Came::Refused(why),
        (None, _) => Came::Broken(format!(
            "{asked} was asked for, and nothing is said of it: {}",
            seen.everything()
        )),
    })
}

/// An address whose range contradicts the reach is refused before anything is made.
pub(super) async fn contradicting(stage: &Stage) -> Tried {
    const NAME: &str = "contradicting";
    let (reach, asked) = match stage.cloud.has_private() || stage.cloud.is_pool() {
        true => ("Private", stage.cloud.public_address()),
        false => ("Public", stage.cloud.private_address()),
    };
    let exposure = json!({"reach": reach, "address": asked.to_string()});
    stage.gateway(NAME, &Wanted::address_only(exposure)).await?;
    let what = "the Gateway says that the address cannot be used";
    let seen = stage
        .until(NAME, what, |seen| seen.refused().is_some())
        .await?;
    let why = seen.refused().unwrap_or_default();
    // What is not made at once is not made later either.
    let made = |seen: &Seen| !seen.services.is_empty();
    let (_, made) = stage.within(Duration::from_secs(2), NAME, made).await?;
    let log = stage.logged(NAME)?;
    stage.delete(NAME).await?;
    Ok(Some(match (made, log.is_empty()) {
        (false, true) => Came::Held(format!("nothing was made; {why}")),
        _ => Came::Broken(format!(
            "it is refused ({why}), and the cloud's log: {log:?}"
        )),
    }))
}

/// With `keepAddress` a public address outlives its Gateway, and without it goes along.
pub(super) async fn kept(stage: &Stage) -> Tried {
    let exposure = json!({"reach": "Public", "keepAddress": true});
    stage
        .gateway("kept", &Wanted::address_only(exposure))
        .await?;
    let attached = |name: &str| Ok::<_, String>(ledger::public(&stage.logged(name)?));
    let settled = |seen: &Seen| seen.accepted().is("False") || !seen.shown().is_empty();
    let what = "a public address is there";
    let seen = stage.until("kept", what, settled).await?;
    if seen.accepted().is("False") {
        let log = stage.logged("kept")?;
        stage.delete("kept").await?;
        return Ok(Some(match log.first() {
            None => Came::Refused(seen.accepted().message),
            Some(made) => Came::Broken(format!("it is refused, and {made}")),
        }));
    }
    let kept = attached("kept")?;
    stage.delete("kept").await?;
    let lost = Wanted::address_only(json!({"reach": "Public"}));
    stage.gateway("lost", &lost).await?;
    stage
        .until("lost", what, |seen| !seen.shown().is_empty())
        .await?;
    let lost = attached("lost")?;
    stage.delete("lost").await?;
    let last = |name: &str| Ok::<_, String>(stage.logged(name)?.pop().unwrap_or_default());
    let is = |line: &str, word: &str| line.contains(&format!("is {word}"));
    let (of_kept, of_lost) = (last("kept")?, last("lost")?);
    let (Some(kept), Some(lost)) = (kept, lost) else {
        return Err(format!(
            "no public address was attached: {of_kept} {of_lost}"
        ));
    };
    Ok(Some(
        match is(&of_kept, "kept") && is(&of_lost, "given back") {
            true => Came::Held(format!(
                "{kept} outlived its Gateway, and without keepAddress {lost} was given back"
            )),
            false => Came::Broken(format!(
                "the cloud's log, within {} s: {of_kept} And without keepAddress: {of_lost}",
                PATIENCE.as_secs()
            )),
        },
    ))
}
