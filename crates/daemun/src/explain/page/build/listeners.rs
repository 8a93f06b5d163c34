//! The open ports, those of attached ListenerSets among them.

use daemun_model::Snapshot;
use daemun_model::names::ObjectName;
use daemun_model::shown::date;
use daemun_model::verdict::{FieldPath, Part, Place, Status, Verdict};
use daemun_objects::gateway_api::gateway::Listener as Written;

use super::{Link, Listener, Owner, Standing, State, Station, Trouble, w};
use crate::explain::page::known::{Known, condition};
use crate::explain::page::lang::Words;

/// Conditions that are bad where they do not hold; another one is bad where it does.
const WANTED: &[&str] = &["Accepted", "ResolvedRefs"];

pub(super) fn listeners(known: &Known<'_>, standing: Standing) -> Vec<Listener> {
    let Some(gateway) = known.written() else {
        return Vec::new();
    };
    let verdict = known.verdict("Gateway", known.gateway);
    let of = |listeners: &[Written], verdict: Option<&Verdict>, set: Option<&ObjectName>| {
        let all = listeners.iter().enumerate();
        let all = all.map(|(number, written)| {
            let one = One {
                known,
                written,
                path: FieldPath::of("spec.listeners").index(number),
                verdict,
                set,
            };
            one.listener(standing)
        });
        all.collect::<Vec<Listener>>()
    };
    let mut all = of(&gateway.spec.listeners, verdict, None);
    for name in sets(known) {
        if let Some(set) = known.cluster.listener_sets.get(&name) {
            let verdict = known.verdict("ListenerSet", &name);
            all.extend(of(&set.spec.listeners, verdict, Some(&name)));
        }
    }
    all
}

/// The ListenerSets that name the Gateway.
pub(super) fn sets(known: &Known<'_>) -> Vec<ObjectName> {
    let sets = known.cluster.listener_sets.iter();
    let of_gateway = sets.filter(|(name, set)| {
        let parent = &set.spec.parent_ref;
        let namespace = parent.namespace.as_ref().unwrap_or(&name.namespace);
        parent.name == known.gateway.name && *namespace == known.gateway.namespace
    });
    of_gateway.map(|(name, _)| name.clone()).collect()
}

/// A listener, as it is written and as it was judged.
struct One<'a> {
    known: &'a Known<'a>,
    written: &'a Written,
    path: FieldPath,
    /// Of the Gateway or ListenerSet.
    verdict: Option<&'a Verdict>,
    set: Option<&'a ObjectName>,
}

impl One<'_> {
    fn listener(&self, standing: Standing) -> Listener {
        let Self { known, written, .. } = *self;
        let lang = known.lang;
        let name = match self.set {
            Some(set) => format!("{set}/{}", written.name),
            None => written.name.clone(),
        };
        let mut station = Station::new(known, Link::Listener, name);
        if let Some(set) = self.set {
            station.owner = Owner::ApplicationDeveloper;
            station.say(w::LISTENER_OF_SET.say(lang, &[set]));
        }
        let parts = self.verdict.map(|it| &*it.parts).unwrap_or_default();
        let is_meant =
            |it: &&Part| matches!(&it.place, Place::Listener(name) if *name == written.name);
        let part = parts.iter().find(is_meant);
        let attached = part.and_then(|part| part.attached).unwrap_or_default();
        if attached > 0 {
            station.say(w::LISTENER_ROUTES.say(lang, &[&attached]));
        }
        match standing {
            Standing::Serving if attached == 0 => {
                station.say(without_routes(written.protocol.as_str()).plain(lang));
            }
            Standing::Serving => {}
            Standing::Closed => station.fail(State::Waiting, w::LISTENER_CLOSED.plain(lang)),
            Standing::Refused | Standing::NothingMade | Standing::ClassRefused => {
                station.fail(State::Waiting, w::LISTENER_HELD.plain(lang));
            }
        }
        if let Some(part) = part {
            self.conditions(part, &mut station);
        } else if self.set.is_some() {
            let own = parts.iter().find(|it| it.place == Place::Object);
            if let Some(own) = own {
                self.conditions(own, &mut station);
            }
        }
        if let Some(snapshot) = known.snapshot() {
            certificates(known, snapshot, written, &mut station);
        }
        let hostname = match written.hostname.as_deref() {
            None | Some("") => w::ANY_NAME.plain(lang),
            Some(name) => name.to_owned(),
        };
        let protocol = written.protocol.as_str().to_lowercase();
        let port = format!("{protocol} :{} {hostname}", written.port);
        Listener { port, station }
    }

    fn conditions(&self, part: &Part, station: &mut Station) {
        let wanted = WANTED.iter().map(|kind| (*kind, Status::False, State::Bad));
        let unwanted = [
            ("Conflicted", Status::True, State::Bad),
            ("OverlappingTLSConfig", Status::True, State::Doubtful),
        ];
        for (kind, status, state) in wanted.chain(unwanted) {
            let failing = condition(part, kind).filter(|it| it.status == status);
            let Some(failing) = failing else {
                continue;
            };
            let spot = self
                .verdict
                .and_then(|it| self.known.spot_of(it, &failing.message, &self.path));
            let said = (kind, failing.reason);
            let mut trouble = Trouble::said(self.known, said, &failing.message).at(spot);
            if failing.reason == "UnsupportedProtocol" && self.written.protocol.as_str() == "UDP" {
                trouble = trouble.with([w::LISTENER_UDP_REMEDY.remedy(self.known.lang, &[])]);
            }
            station.fail(state, trouble);
        }
    }
}

/// What becomes of what comes to a listener without Routes.
fn without_routes(protocol: &str) -> Words {
    match protocol {
        "UDP" => w::LISTENER_NO_ROUTES_UDP,
        "TCP" | "TLS" => w::LISTENER_NO_ROUTES_TLS,
        _ => w::LISTENER_NO_ROUTES,
    }
}

fn certificates(known: &Known<'_>, snapshot: &Snapshot, written: &Written, station: &mut Station) {
    let lang = known.lang;
    let mut listeners = snapshot.listeners.values();
    let running =
        listeners.find(|it| it.key.name == written.name && i32::from(it.port) == written.port);
    let Some(tls) = running.and_then(|it| it.protocol.termination()) else {
        return;
    };
    for name in &tls.certificates {
        let Some(certificate) = snapshot.certificates.get(name) else {
            continue;
        };
        let day = date(certificate.not_after);
        let value = format!("{name}, {}", w::CERTIFICATE_UNTIL.say(lang, &[&day]));
        station.fact("certificate", w::FACT_CERTIFICATE.plain(lang), value);
        if certificate.not_after <= known.cluster.now {
            let what = w::CERTIFICATE_EXPIRED.say(lang, &[name, &day]);
            station.fail(State::Bad, what);
        }
    }
}
