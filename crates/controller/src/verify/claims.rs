//! What is promised, one function each.

use std::time::Duration;

use daemun_translate::exposure::ALLOW_RECREATION;
use daemun_translate::exposure::provider::{Key, Switch};
use serde_json::json;

use super::journal::Journal;
use super::look::Look;
use super::stage::Stage;
use super::{Claim, Verdict};

/// The Gateway of which nothing is said.
const UNSAID: &str = "unsaid";
/// How soon a Gateway is closed that is reached by whom it may not be reached.
const SOON: Duration = Duration::from_secs(2);
/// How long a cloud has to make something of what was changed by hand.
const BY_HAND: Duration = Duration::from_secs(30);
/// An address that is routed on the internet and leads into a black hole (AS112, RFC 7534).
const ROUTED: &str = "192.175.48.1";

/// Tries all.
pub(super) async fn all(stage: &Stage<'_>, done: &mut impl FnMut(Claim)) {
    let (unsaid, seen) = decide(
        "private unless asked otherwise",
        "A Gateway of which nothing is said gets a private address, by what its Service says from its first moment on, and no public one at any time.",
        Look::default(),
        async |journal| unsaid(stage, journal).await,
    )
    .await;
    let has_address = matches!(unsaid.verdict, Verdict::Held(_));
    done(unsaid);
    if has_address {
        let (appears, seen) = decide(
            "closed when it is wrong",
            "When a public address appears in front of it, the Gateway serves nothing within 2 seconds and says why; when it is gone, it serves again.",
            seen,
            async |journal| appears(stage, journal).await,
        )
        .await;
        done(appears);
        let (by_hand, seen) = decide(
            "a hand on the switch",
            "Who takes the switch off the Service by hand opens nothing.",
            seen,
            async |journal| by_hand(stage, journal).await,
        )
        .await;
        done(by_hand);
        let (mind, _) = decide(
            "a change of mind",
            "Public, written on a private Gateway that serves, comes through where the cloud can change that, and else waits until the Gateway allows a new load balancer.",
            seen,
            async |journal| mind(stage, journal).await,
        )
        .await;
        done(mind);
    }
    let (public, _) = decide(
        "public when asked",
        "A Gateway of which it is written that it is public gets a public address.",
        Look::default(),
        async |journal| public(stage, journal).await,
    )
    .await;
    done(public);
}

/// Tries one; what cannot be tried is not known.
async fn decide(
    name: &'static str,
    what: &'static str,
    before: Look,
    attempt: impl AsyncFnOnce(&mut Journal) -> Result<Verdict, String>,
) -> (Claim, Look) {
    let mut journal = Journal::after(before);
    let verdict = attempt(&mut journal).await;
    let (seen, last) = journal.end();
    let claim = Claim {
        name,
        what,
        verdict: verdict.unwrap_or_else(Verdict::Unknown),
        seen,
    };
    (claim, last)
}

async fn unsaid(stage: &Stage<'_>, journal: &mut Journal) -> Result<Verdict, String> {
    stage.gateway(UNSAID, None).await?;
    let first = stage.watch(UNSAID, journal, Duration::from_secs(30), |look| {
        !look.services.is_empty() || look.accepted.is("False")
    });
    let first = first.await?;
    if !first.came {
        return Ok(Verdict::Unknown(format!(
            "No Service was made for Gateway {}/{UNSAID} within 30 s; does Daemun serve GatewayClass {}? {}",
            stage.namespace(),
            stage.trial.class,
            first.look.programmed.message
        )));
    }
    if first.look.accepted.is("False") {
        return Ok(Verdict::Refused(first.look.accepted.message));
    }
    let missing = missing(stage.rules.private.keys(), &first.look);
    if !missing.is_empty() {
        return Ok(Verdict::Broken(format!(
            "the Service was there without {}",
            missing.join(", ")
        )));
    }
    let settled = |look: &Look| !look.shown.is_empty() && !look.reach.is("Unknown");
    let after = stage.watch(UNSAID, journal, stage.trial.patience, settled);
    let after = after.await?;
    let seen = after.look.addresses_in_words();
    if after.was_public || first.was_public {
        return Ok(match stage.rules.private {
            Switch::Keys(_) | Switch::Default => Verdict::Broken(format!(
                "the Service shows {seen}, although it says that it is private; the Gateway says: {}",
                after.look.reach.message
            )),
            _ => Verdict::Unknown(format!(
                "nothing on a Service decides it here, and the Service shows {seen}"
            )),
        });
    }
    if after.look.shown.is_empty() {
        return Ok(Verdict::Unknown(format!(
            "no address came within {} s; {}",
            stage.trial.patience.as_secs(),
            after.look.programmed.message
        )));
    }
    if after.look.reach.is("True") {
        return Ok(Verdict::Held(format!("the Service shows {seen}")));
    }
    Ok(Verdict::Unknown(format!(
        "the Service shows {seen}; {}",
        after.look.reach.message
    )))
}

/// Those keys that a Service does not have as they should be.
fn missing(keys: &[Key], look: &Look) -> Vec<String> {
    let is_said = |key: &&Key| {
        let mut services = look.services.values();
        services.any(|has| key.is_in(has.get(key.key).map(String::as_str)))
    };
    let missing = keys.iter().filter(|key| !is_said(key));
    missing.map(|key| key.key.to_owned()).collect()
}

async fn appears(stage: &Stage<'_>, journal: &mut Journal) -> Result<Verdict, String> {
    let serves = |look: &Look| look.programmed.is("True");
    let before = stage.watch(UNSAID, journal, stage.trial.patience, serves);
    let before = before.await?;
    let Some(service) = before.look.services.keys().next().filter(|_| before.came) else {
        return Ok(Verdict::Unknown(format!(
            "the Gateway does not serve: {}",
            before.look.programmed.message
        )));
    };
    let address = before.look.shown.iter().map(|it| it.address.clone()).next();
    let address = address.unwrap_or_default();
    let from_here = stage.comes_to_answer(&address).await;
    journal.note(if from_here {
        format!("{address} answers from here.")
    } else {
        format!("{address} does not answer from here, so only what the Gateway says is looked at.")
    });
    let usual = stage.shown(service).await?;
    let mut wrong = usual.as_array().cloned().unwrap_or_default();
    // kube-proxy is not to lead the cluster's own traffic to that address hither.
    wrong.push(json!({"ip": ROUTED, "ipMode": "Proxy"}));
    journal.note(format!(
        "Written into the Service's status, as a cloud would: {ROUTED}."
    ));
    let written = journal.elapsed();
    let patience = Duration::from_secs(20);
    let (front, wrong) = ((UNSAID, service.as_str()), json!(wrong));
    let closed = stage.show_until_closed(front, &wrong, journal, patience);
    let closed = closed.await;
    let took = journal.elapsed().saturating_sub(written);
    let silent = !from_here || !stage.answers(&address).await;
    if from_here && silent {
        journal.note(format!("{address} does not answer any more."));
    }
    // Whatever came of it, it is put right again.
    let restored = stage.show(service, &usual).await;
    journal.note("The Service's status was written back.".to_owned());
    let closed = closed?;
    restored?;
    let opened = stage
        .watch(UNSAID, journal, stage.trial.patience, serves)
        .await?;
    let took_in_words = format!("{:.1} s", took.as_secs_f64());
    Ok(if !closed.came {
        Verdict::Broken(format!(
            "the Gateway was not closed within {} s: {}",
            patience.as_secs(),
            closed.look.programmed.message
        ))
    } else if !silent {
        Verdict::Broken(format!(
            "the Gateway says that it is closed, and {address} answers"
        ))
    } else if closed.look.addresses.contains(ROUTED) {
        Verdict::Broken("the address is among the Gateway's addresses".to_owned())
    } else if took > SOON {
        Verdict::Broken(format!("it was closed after {took_in_words} only"))
    } else if !opened.came {
        Verdict::Broken(format!(
            "it was closed after {took_in_words} and does not open again: {}",
            opened.look.programmed.message
        ))
    } else if from_here && !stage.comes_to_answer(&address).await {
        Verdict::Broken(format!(
            "it says that it serves again, and {address} does not answer"
        ))
    } else {
        Verdict::Held(format!("closed after {took_in_words}"))
    })
}

async fn by_hand(stage: &Stage<'_>, journal: &mut Journal) -> Result<Verdict, String> {
    let keys: Vec<&str> = stage.rules.private.keys().iter().map(|it| it.key).collect();
    if keys.is_empty() {
        return Ok(Verdict::Unknown(
            "nothing on a Service decides here who may reach it".to_owned(),
        ));
    }
    if !stage.trial.public {
        return Ok(Verdict::Unknown(
            "not tried, because it may make a public address; --public tries it".to_owned(),
        ));
    }
    let before = stage.look(UNSAID).await?;
    let Some(service) = before.services.keys().next() else {
        return Ok(Verdict::Unknown("there is no Service".to_owned()));
    };
    stage.take_off(service, &keys).await?;
    journal.note(format!(
        "Taken off the Service by hand: {}.",
        keys.join(", ")
    ));
    let back = |look: &Look| missing(stage.rules.private.keys(), look).is_empty();
    let restored = stage.watch(UNSAID, journal, BY_HAND, back).await?;
    // A cloud that makes something of it may take its time.
    let after = stage.watch(UNSAID, journal, Duration::from_secs(10), |_| false);
    let after = after.await?;
    let open_for = restored.open_for.max(after.open_for);
    let public = restored.was_public || after.was_public;
    Ok(if open_for > SOON {
        Verdict::Broken(format!(
            "a public address was shown for {:.1} s while the Gateway served",
            open_for.as_secs_f64()
        ))
    } else if !restored.came {
        Verdict::Broken(format!(
            "the switch was not put back within {} s",
            BY_HAND.as_secs()
        ))
    } else if public {
        Verdict::Held("a public address came and the Gateway was closed meanwhile".to_owned())
    } else {
        Verdict::Held("the switch was put back, and no public address came".to_owned())
    })
}

async fn mind(stage: &Stage<'_>, journal: &mut Journal) -> Result<Verdict, String> {
    if !stage.trial.public {
        return Ok(Verdict::Unknown(
            "not tried, because it makes a public address; --public tries it".to_owned(),
        ));
    }
    let before = stage.look(UNSAID).await?;
    let public = json!({"reach": "Public"});
    stage.gateway(UNSAID, Some(public)).await?;
    journal.note("Written into its parameters: reach: Public.");
    let has_changed = |look: &Look| {
        look.reach.is("True") && matches!(look.reach.reason.as_str(), "Public" | "Mixed")
    };
    let waits = |look: &Look| look.reach.message.contains(ALLOW_RECREATION);
    let told = |look: &Look| has_changed(look) || waits(look) || look.accepted.is("False");
    let after = stage.watch(UNSAID, journal, BY_HAND, told).await?;
    let seen = after.look.addresses_in_words();
    if after.look.accepted.is("False") {
        return Ok(Verdict::Refused(after.look.accepted.message));
    }
    if has_changed(&after.look) {
        return Ok(Verdict::Held(format!(
            "it came through on the load balancer that was there: {seen}"
        )));
    }
    if !after.came {
        return Ok(Verdict::Broken(format!(
            "nothing was said of it: {}",
            after.look.reach.message
        )));
    }
    if after.look.shown != before.shown {
        return Ok(Verdict::Broken(format!(
            "it was not allowed, and the Service shows {seen}"
        )));
    }
    let Some(service) = before.services.keys().next() else {
        return Ok(Verdict::Unknown("there is no Service".to_owned()));
    };
    stage.allow_recreation(UNSAID, service).await?;
    journal.note(format!("Annotated: {ALLOW_RECREATION}: {service}."));
    let after = stage.watch(UNSAID, journal, stage.trial.patience, has_changed);
    let after = after.await?;
    let seen = after.look.addresses_in_words();
    Ok(if after.came {
        Verdict::Held(format!("it waited until it was allowed; then {seen} came"))
    } else {
        Verdict::Broken(format!(
            "it was allowed, and {seen} is there: {}",
            after.look.reach.message
        ))
    })
}

async fn public(stage: &Stage<'_>, journal: &mut Journal) -> Result<Verdict, String> {
    const NAME: &str = "public";
    if !stage.trial.public {
        return Ok(Verdict::Unknown(
            "not tried, because it makes a public address; --public tries it".to_owned(),
        ));
    }
    stage
        .gateway(NAME, Some(json!({"reach": "Public"})))
        .await?;
    let settled = |look: &Look| {
        look.accepted.is("False") || (!look.shown.is_empty() && !look.reach.is("Unknown"))
    };
    let after = stage
        .watch(NAME, journal, stage.trial.patience, settled)
        .await?;
    let seen = after.look.addresses_in_words();
    Ok(if after.look.accepted.is("False") {
        Verdict::Refused(after.look.accepted.message)
    } else if after.look.reach.is("True") {
        Verdict::Held(format!("the Service shows {seen}"))
    } else if after.look.shown.is_empty() {
        Verdict::Unknown(format!(
            "no address came within {} s; {}",
            stage.trial.patience.as_secs(),
            after.look.programmed.message
        ))
    } else {
        let why = format!("the Service shows {seen}; {}", after.look.reach.message);
        match stage.rules.public {
            Switch::Keys(_) | Switch::Default => Verdict::Broken(why),
            // A pool or the nodes decide, and what is asked for is only looked at.
            _ => Verdict::Unknown(why),
        }
    })
}
