//! A Service that is not what is asked for: what it lacks, who changed it, why it stays as it is, and how a new one comes
//! in its place.

use std::net::IpAddr;

use daemun_model::names::ObjectName;
use daemun_translate::exposure::provider::{Aspect, Change};
use daemun_translate::exposure::{ALLOW_RECREATION, Fate, Held};

use super::address::{is_violated, word_of};
use super::{Remedy, State, Station, Trouble, w};
use crate::explain::page::known::Known;
use crate::explain::page::origin::last_foreign_change;
use crate::explain::page::quoted;
use crate::explain::page::seen::Seen;

/// Says what is not on a Service as it is asked for, and what becomes of it.
pub(super) fn judge(known: &Known<'_>, service: Seen<'_>, station: &mut Station) {
    // Whose mind has changed is told what stays as it is; whose address is not private, why.
    if is_violated(known) {
        lacking(known, service, State::Bad, station);
    }
    becomes(known, service, station);
    lacking(known, service, State::Doubtful, station);
}

fn lacking(known: &Known<'_>, service: Seen<'_>, state: State, station: &mut Station) {
    if let Some(what) = lacks(known, service) {
        let trouble = Trouble::from(what).with(anew(known, service));
        station.fail(state, trouble);
    }
}

/// What becomes of a Service that cannot become what is asked for.
fn becomes(known: &Known<'_>, service: Seen<'_>, station: &mut Station) {
    let lang = known.lang;
    let Some(fate) = fate(known, service) else {
        return;
    };
    match fate {
        Fate::Held(held) if !held.needed.is_empty() => {
            let trouble = Trouble::from(held_back(known, held)).with(anew(known, service));
            station.fail(State::Doubtful, trouble);
        }
        Fate::Held(_) => station.fail(State::Waiting, w::FATE_KEEPS.plain(lang)),
        // It is what is asked for, and the condition tells what comes with the next one.
        Fate::Lacks(_) => {}
        Fate::Migrating => station.fail(State::Waiting, w::FATE_MIGRATES.plain(lang)),
        Fate::Goes | Fate::GoesFirst => station.fail(State::Waiting, w::FATE_GOES.plain(lang)),
    }
}

/// What to do so that a Service of Daemun's is made anew, the gentlest first.
pub(in crate::explain::page) fn anew(known: &Known<'_>, service: Seen<'_>) -> Vec<Remedy> {
    let lang = known.lang;
    let name = service.whole_name();
    let of_service: [&dyn std::fmt::Display; 2] = [&name.namespace, &name.name];
    match fate(known, service) {
        Some(Fate::Held(held)) if !held.needed.is_empty() => {
            let ObjectName { namespace, name } = known.gateway;
            let is_address = held.needed.parse::<IpAddr>().is_ok();
            let instead = known
                .infrastructure()
                .map(|it| it.exposure.instead.as_ref());
            let allow = if instead.flatten().is_some() {
                w::ANEW_ALLOW_NONE
            } else if is_address {
                w::ANEW_ALLOW_FIXED
            } else {
                w::ANEW_ALLOW
            };
            let annotation = match &held.needed {
                // A shell would take it apart.
                several if several.contains(' ') => format!("{ALLOW_RECREATION}=\"{several}\""),
                one => format!("{ALLOW_RECREATION}={one}"),
            };
            vec![
                allow.remedy(lang, &[namespace, name, &annotation]),
                w::ANEW_OR_DELETE.remedy(lang, &of_service),
            ]
        }
        // It goes already.
        Some(Fate::Held(_) | Fate::Migrating | Fate::Goes | Fate::GoesFirst) => Vec::new(),
        Some(Fate::Lacks(_)) | None => vec![w::ANEW_DELETE.remedy(lang, &of_service)],
    }
}

/// The annotation that makes the address what was asked for, if it is not on the Service, and who was the last to change
/// that.
pub(in crate::explain::page) fn lacks(known: &Known<'_>, service: Seen<'_>) -> Option<String> {
    let lang = known.lang;
    let exposure = known.infrastructure().map(|it| &it.exposure)?;
    let written = service.annotations();
    let rules = known.rules();
    let decides = |key: &str| rules.is_some_and(|rules| rules.decides_reach(key));
    let mut switch = exposure.switch.iter().filter(|(key, _)| decides(key));
    let missing = switch.find(|(key, value)| written.get(key.as_str()) != Some(&value.as_str()));
    let (key, value) = missing?;
    let asked = word_of(exposure.reach).plain(lang);
    let what = w::SERVICE_LACKS.say(lang, &[&service.whole_name(), key, &quoted(value), &asked]);
    let changed = last_foreign_change(service);
    Some(match changed {
        Some((manager, when)) => {
            let changed = w::SERVICE_CHANGED_BY.say(lang, &[&manager, &when]);
            format!("{what} {changed}")
        }
        None => what,
    })
}

fn fate<'a>(known: &Known<'a>, service: Seen<'_>) -> Option<&'a Fate> {
    known.infrastructure()?.fates.get(service.name())
}

/// Why a Service stays as it is: what is asked for that would not come through.
fn held_back(known: &Known<'_>, held: &Held) -> String {
    let lang = known.lang;
    if held.unasked {
        return w::FATE_UNASKED.plain(lang);
    }
    let exposure = known.infrastructure().map(|it| &it.exposure);
    let mut aspects = Vec::new();
    let mut certain = true;
    let rules = known.rules();
    if let Some(asked) = exposure.and_then(|it| it.reach)
        && held.reach.is_some_and(|made| made != asked)
    {
        certain &= rules.is_some_and(|it| it.change(Aspect::Reach) == Change::CreateOnly);
        aspects.push(format!("reach ({})", asked.as_str()));
    }
    let decides = |key: &str| rules.is_some_and(|it| it.decides_reach(key));
    for key in held.annotations.keys().filter(|key| !decides(key)) {
        let known = rules.and_then(|it| it.known(key));
        certain &= known.is_some_and(|it| it.change == Change::CreateOnly);
        aspects.push(key.clone());
    }
    let class = exposure.and_then(|it| it.class.as_ref());
    if class.is_some() && class != held.class.as_ref() {
        aspects.push("loadBalancerClass".to_owned());
    }
    let product = known.product();
    let aspects = aspects.join(", ");
    let held = if certain {
        w::FATE_HELD
    } else {
        w::FATE_HELD_MAYBE
    };
    held.say(lang, &[&aspects, &product])
}
