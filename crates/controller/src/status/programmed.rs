//! `Programmed`, where the objects leave it to the proxies: whether at least one serves the generation, and none that
//! is ready refused something of it. Proxies that are starting, draining or silent are named, and change nothing.

use daemun_model::names::ListenerKey;
use daemun_model::verdict::{Condition, Status};
use daemun_wire::answer::{Phase, ProxyState, Refused};

use crate::provision::Place;

/// What is known about the proxies of a Gateway.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Serving<'a> {
    /// The Gateway's generation.
    pub(crate) generation: i64,
    /// Those that are connected.
    pub(crate) proxies: &'a [ProxyState],
    /// What there is around the Gateway; none as long as nobody has looked.
    pub(crate) place: Option<&'a Place>,
    /// Whether a proxy must have the newest configuration, because the object's own generation is not the Gateway's.
    pub(crate) newest: bool,
    /// Whether the object was programmed in the generation that it has.
    pub(crate) was_programmed: bool,
    /// Whether proxies may not have had the time yet to connect to this controller.
    pub(crate) early: bool,
    /// What is to be said of no connection coming to the proxies, if it is time.
    pub(crate) silence: Option<&'a str>,
}

/// The condition of a Gateway or ListenerSet, or of one of its listeners.
pub(crate) fn programmed(serving: &Serving<'_>, listener: Option<&ListenerKey>) -> Condition {
    let what = listener.map(|key| format!("listener {key}"));
    if let Some((proxy, refused)) = refusal(serving, what.as_deref()) {
        let Refused { what, why } = refused;
        return condition(
            Status::False,
            "Invalid",
            format!("Proxy {} cannot serve {what}: {why}", proxy.proxy.pod),
        );
    }
    // Addresses and pods are the Gateway's; a listener is programmed when it is bound.
    let place = serving.place.filter(|_| listener.is_none());
    if let Some((reason, why)) = place.and_then(|place| place.trouble.as_ref()) {
        return condition(Status::False, reason, why.clone());
    }
    let unknown = listener.is_none() && serving.place.is_none();
    if unknown && !serving.was_programmed {
        return condition(Status::False, "Pending", waiting(serving));
    }
    let count = serving
        .proxies
        .iter()
        .filter(|it| serves(serving, it))
        .count();
    if count == 0 && !(serving.was_programmed && (serving.early || !serving.proxies.is_empty())) {
        return condition(Status::False, "Pending", waiting(serving));
    }
    if place.is_some_and(|place| place.addresses.is_empty()) {
        return condition(
            Status::False,
            "AddressNotAssigned",
            "The Gateway has no address yet; its Service waits for one.".to_owned(),
        );
    }
    let mut text = served(serving, count);
    // What keeps new pods away is told though the old ones serve.
    if let Some(pods) = place.and_then(|place| place.pods.as_deref()) {
        text.push(' ');
        text.push_str(pods);
    }
    if let Some(silence) = serving.silence.filter(|_| listener.is_none()) {
        text.push(' ');
        text.push_str(silence);
    }
    condition(Status::True, "Programmed", text)
}

fn condition(status: Status, reason: &'static str, message: String) -> Condition {
    Condition {
        kind: "Programmed",
        status,
        reason,
        message,
    }
}

/// The first refusal of a ready proxy: of one listener, or of anything.
fn refusal<'a>(serving: &Serving<'a>, what: Option<&str>) -> Option<(&'a ProxyState, &'a Refused)> {
    let ready = serving.proxies.iter().filter(|it| it.phase == Phase::Ready);
    ready
        .flat_map(|proxy| proxy.refused.iter().map(move |refused| (proxy, refused)))
        .find(|(_, refused)| what.is_none_or(|what| refused.what == what))
}

/// Whether a proxy serves the generation. One that drains or is silent serves what it had.
fn serves(serving: &Serving<'_>, proxy: &ProxyState) -> bool {
    let generation = proxy.generation;
    let bound = match proxy.phase {
        Phase::Starting => false,
        Phase::Ready | Phase::Draining | Phase::Silent => true,
    };
    bound
        && generation.is_some_and(|generation| generation >= serving.generation)
        && (!serving.newest || proxy.current || serving.was_programmed)
}

/// `2 of 2 proxies serve generation 1.`, and what the others do.
fn served(serving: &Serving<'_>, count: usize) -> String {
    let all = serving.proxies.len().max(wanted(serving));
    let (proxies, verb) = match all {
        1 => ("proxy", "serves"),
        _ => ("proxies", if count == 1 { "serves" } else { "serve" }),
    };
    let mut text = format!(
        "{count} of {all} {proxies} {verb} generation {}.",
        serving.generation
    );
    others(serving, &mut text);
    text
}

fn waiting(serving: &Serving<'_>) -> String {
    let pods = serving.place.and_then(|place| place.pods.as_deref());
    let mut text = match (serving.proxies.is_empty(), wanted(serving)) {
        (true, _) if pods.is_some() => "No proxy is connected.".to_owned(),
        (true, 0) => "No proxy is connected yet.".to_owned(),
        (true, 1) => "No proxy is connected yet; one is being started.".to_owned(),
        (true, wanted) => format!("No proxy is connected yet; {wanted} are being started."),
        (false, _) => format!("No proxy serves generation {} yet.", serving.generation),
    };
    if let Some(pods) = pods {
        text.push(' ');
        text.push_str(pods);
    }
    others(serving, &mut text);
    text
}

fn wanted(serving: &Serving<'_>) -> usize {
    let wanted = serving.place.map_or(0, |place| place.ready.1);
    usize::try_from(wanted).unwrap_or(usize::MAX)
}

/// Names those that do not serve, and those that end; the first three of them.
fn others(serving: &Serving<'_>, text: &mut String) {
    const NAMED: usize = 3;
    let mut rest = serving.proxies.iter().filter_map(|proxy| {
        if let Some(why) = &proxy.foreign {
            return Some(format!(" {} is not spoken with: {why}.", proxy.proxy.pod));
        }
        let does = match (proxy.phase, serves(serving, proxy)) {
            (Phase::Starting, _) => match proxy.refused.first() {
                None => "is starting".to_owned(),
                Some(Refused { what, why }) => {
                    let why = why.trim_end_matches('.');
                    format!("is starting, and cannot serve {what}: {why}")
                }
            },
            (Phase::Draining, _) => "is draining".to_owned(),
            (Phase::Silent, _) => "does not answer".to_owned(),
            (Phase::Ready, true) => return None,
            (Phase::Ready, false) => match proxy.generation {
                Some(generation) => format!("still serves generation {generation}"),
                None => "has no configuration yet".to_owned(),
            },
        };
        Some(format!(" {} {does}.", proxy.proxy.pod))
    });
    for named in rest.by_ref().take(NAMED) {
        text.push_str(&named);
    }
    match rest.count() {
        0 => {}
        more => text.push_str(&format!(" And {more} more.")),
    }
}
