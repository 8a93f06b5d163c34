//! What became of the way in: the addresses that a Gateway's Services show, by their class, and whether they are what
//! was asked for. Where a private address was asked for, nothing is served until one is there, and nothing any more
//! as soon as a public one is.
//!
//! Only what Services show can be seen. An address that somebody attaches in a cloud's console is not there.

use std::collections::BTreeSet;

use daemun_model::names::ObjectName;
use daemun_model::verdict::{Condition, FieldPath, Finding, Status};
use daemun_objects::core::service::Service;
use daemun_objects::seconds_since_epoch;

use super::change::{ALLOW_RECREATION, Changes, Fate};
use super::class::{AddressClass, Side};
use super::fronts::{Front, Fronts};
use super::judge::{Asked, Exposure, OnViolation, ServiceKind};
use super::made::made_as_at_least;
use super::shown::Shown;
use crate::cluster::Cluster;
use crate::verdict::warning;

/// The condition of a Gateway that says whether it is reached by whom it may be reached.
pub const REACH_VERIFIED: &str = "gateway.daemun.dev/ReachVerified";
/// The reason where no address is there yet.
const PENDING: &str = "Pending";
/// The reason while a new load balancer takes an old one's place.
const MIGRATING: &str = "Migrating";
/// The reason where what is shown was chosen by whoever writes the Service.
const UNPROVEN: &str = "Unproven";
/// As many seconds as a load balancer may take to go, before its addresses count again.
const LONGEST_DELETION: i64 = 300;

/// What is to be said and done about what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Observed {
    /// `ReachVerified`.
    pub(crate) condition: Condition,
    /// Why nothing is served, if nothing is.
    pub(crate) closed: Option<String>,
    /// Whether more people have a way in than was asked for.
    pub(crate) violated: bool,
    /// Whether an address is there that may not be used.
    pub(crate) unusable: bool,
    /// How the load balancer can be gone round, if it can.
    way_round: Option<String>,
    /// What is not changed, and what would allow it.
    refused: Option<String>,
    /// What comes with the next load balancer only.
    lacks: Option<String>,
}

impl Observed {
    /// Of several, what is worst. One that shows nothing has nothing to say beside one that does.
    fn worst(all: impl IntoIterator<Item = Self>) -> Option<Self> {
        let grave = |it: &Self| {
            (
                it.condition.reason != PENDING,
                it.closed.is_some(),
                it.violated,
                it.condition.status == Status::False,
                it.condition.status == Status::Unknown,
            )
        };
        all.into_iter().max_by_key(grave)
    }

    /// What a person should notice.
    pub(crate) fn findings(&self) -> impl Iterator<Item = Finding> {
        let path = || FieldPath::of("status.addresses");
        let violated = self.violated.then_some(&self.condition.message);
        let violated = violated.map(|why| warning(path(), "ReachViolated", why.clone()));
        let round = self.way_round.as_ref();
        let round = round.map(|how| warning(path(), "NodesReachable", how.clone()));
        let refused = self.refused.as_ref();
        let refused = refused.map(|why| {
            let path = FieldPath::of("metadata.annotations").key(ALLOW_RECREATION);
            warning(path, "RecreationNotAllowed", why.clone())
        });
        let lacks = self.lacks.as_ref();
        let lacks = lacks.map(|what| {
            let path = FieldPath::of("spec.infrastructure.parametersRef");
            warning(path, "NextLoadBalancer", what.clone())
        });
        violated
            .into_iter()
            .chain(round)
            .chain(refused)
            .chain(lacks)
    }
}

/// The Gateway whose Services are looked at.
#[derive(Clone, Copy)]
pub(crate) struct Whose<'a> {
    pub(crate) gateway: &'a ObjectName,
    pub(crate) uid: &'a str,
    /// What its Service is to be; none if that cannot be said.
    pub(crate) exposure: Option<&'a Exposure>,
    /// What becomes of its Services that cannot become that.
    pub(crate) changes: &'a Changes,
}

/// Looks at the Services of a Gateway. Nothing is to be said where there is no load balancer.
pub(crate) fn observe(cluster: &Cluster, fronts: &Fronts, whose: Whose<'_>) -> Option<Observed> {
    let Whose {
        gateway,
        uid,
        exposure,
        changes,
    } = whose;
    let all: Vec<Front<'_>> = fronts.load_balancers(cluster, gateway, uid).collect();
    let asked = match exposure {
        // A load balancer that is still there, or that somebody put there, is looked at whatever is asked for.
        Some(exposure) if exposure.kind != ServiceKind::LoadBalancer && all.is_empty() => {
            return None;
        }
        Some(exposure) => Wish::of(exposure),
        // It cannot be said what the Service is to be; it goes on as what it was made.
        None if all.is_empty() => return None,
        None => Wish::of_services(all.iter().filter(|front| front.made)),
    };
    let mut observed = together(cluster, &all, (&asked, exposure, changes));
    if exposure.is_some_and(|it| it.instead.is_some()) {
        // None is asked for, and there is one.
        observed.condition.status = Status::False;
    }
    for said in [&changes.refused, &changes.under_way].into_iter().flatten() {
        observed.condition.message = format!("{said} {}", observed.condition.message);
    }
    if let Some(lacks) = &changes.lacks {
        observed.condition.message = format!("{} {lacks}", observed.condition.message);
    }
    observed.refused.clone_from(&changes.refused);
    observed.lacks.clone_from(&changes.lacks);
    if asked.reach == Some(Asked::Private) {
        observed.way_round = fronts.way_round(gateway, uid).map(|nodes| {
            format!(
                "The load balancer can be gone round: {nodes}, and the Service has a port on every node (NodePort). Unless a security rule keeps it shut, the Gateway is reached there from outside of the network."
            )
        });
    }
    Some(observed)
}

/// What all load balancers say together: the worst of it.
fn together(
    cluster: &Cluster,
    all: &[Front<'_>],
    (asked, exposure, changes): (&Wish<'_>, Option<&Exposure>, &Changes),
) -> Observed {
    let of = |fronts: &[Front<'_>], wish: &Wish<'_>| {
        let shown = fronts.iter().map(|front| Shown::read(cluster, front));
        verdict(wish, &Seen::new(&shown.collect::<Vec<_>>()))
    };
    let as_made = |front: &Front<'_>| {
        let wish = Wish {
            closes: asked.closes.min(Closes::OnDoubt),
            by: match changes.fates.get(&front.name.name) {
                Some(Fate::Goes | Fate::GoesFirst) => By::Going,
                _ => By::Held,
            },
            ..Wish::of_services([front])
        };
        (of(&[*front], &wish), wish.reach)
    };
    let none_asked = exposure.is_some_and(|it| it.kind != ServiceKind::LoadBalancer);
    let stands = |front: &Front<'_>| match changes.fates.get(&front.name.name) {
        _ if is_stuck(cluster, front.service) => Stands::AsAsked,
        Some(Fate::Migrating) => Stands::Leaves,
        Some(Fate::Goes | Fate::GoesFirst)
            if front.service.metadata.deletion_timestamp.is_some() =>
        {
            Stands::Leaves
        }
        // Until it is being deleted, it is not known that it goes.
        Some(Fate::Held(_) | Fate::Goes | Fate::GoesFirst) => Stands::AsMade,
        None if none_asked && front.made => Stands::AsMade,
        Some(Fate::Lacks(_)) | None => Stands::AsAsked,
    };
    let which = |it: Stands| {
        let all = all.iter().copied();
        all.filter(move |front| stands(front) == it)
    };
    // What is refused does not count yet: what was made for more reach has as much as before. Each counts for itself,
    // so that none opens another.
    let made: Vec<Front<'_>> = which(Stands::AsMade).collect();
    let made = made.iter().map(|front| {
        let (mut observed, reach) = as_made(front);
        let nobody_cares = none_asked && asked.reach.is_none();
        if reach != asked.reach && !nobody_cares {
            observed.condition.status = Status::False;
        }
        observed
    });
    let mut said: Vec<Observed> = made.collect();
    let others: Vec<Front<'_>> = which(Stands::AsAsked).collect();
    if !others.is_empty() || said.is_empty() {
        said.push(of(&others, asked));
    }
    let Some(observed) = Observed::worst(said) else {
        return of(&[], asked);
    };
    if observed.condition.reason != PENDING {
        return observed;
    }
    // Until the new one serves, the old one does, as what it was made.
    let old = which(Stands::Leaves).map(|front| as_made(&front).0);
    match Observed::worst(old) {
        None => observed,
        Some(old) if old.closed.is_some() => old,
        Some(old) => Observed {
            closed: None,
            condition: Condition {
                reason: MIGRATING,
                message: old.condition.message,
                ..observed.condition
            },
            ..observed
        },
    }
}

/// What a load balancer is judged as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// What is asked for.
    AsAsked,
    /// What it was made, since it does not become what is asked for.
    AsMade,
    /// Nothing, once others serve.
    Leaves,
}

/// Whether a Service should be gone for long: then what it shows counts again.
fn is_stuck(cluster: &Cluster, service: &Service) -> bool {
    let deleted = service.metadata.deletion_timestamp.as_deref();
    let deleted = deleted.and_then(seconds_since_epoch);
    deleted.is_some_and(|deleted| deleted + LONGEST_DELETION < cluster.now)
}

/// What was asked for.
struct Wish<'a> {
    reach: Option<Asked>,
    closes: Closes,
    /// By what it is judged, in words.
    by: By<'a>,
}

enum By<'a> {
    Provider(&'a str),
    Services,
    Held,
    Going,
    None,
}

impl std::fmt::Display for By<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Provider(name) => write!(f, "provider {name}"),
            Self::Held => f.write_str("that is what the Service was made for"),
            Self::Going => f.write_str("that is what the Service was made for, which is to go"),
            Self::None => f.write_str("there is to be no load balancer any more"),
            Self::Services => f.write_str(
                "that is what the Service was made for, since the Gateway itself cannot be judged",
            ),
        }
    }
}

/// When a private Gateway is closed: the later ones also when the earlier ones are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Closes {
    /// Never: it is told.
    Never,
    /// When a public address is seen.
    OnPublic,
    /// When an address is seen of which it is not known that it is private.
    OnDoubt,
    /// As long as none is seen.
    UntilSeen,
}

impl<'a> Wish<'a> {
    fn of(exposure: &'a Exposure) -> Self {
        Self {
            reach: match exposure.kind {
                ServiceKind::LoadBalancer => exposure.reach,
                // Who wants it in the cluster only wants no public address.
                ServiceKind::ClusterIp => Some(Asked::Private),
                ServiceKind::NodePort | ServiceKind::Unmanaged => None,
            },
            closes: match (exposure.on_violation, exposure.until_seen) {
                (OnViolation::Report, _) => Closes::Never,
                (OnViolation::Close, true) => Closes::UntilSeen,
                (OnViolation::Close, false) => Closes::OnPublic,
            },
            by: match exposure.kind {
                ServiceKind::LoadBalancer => By::Provider(exposure.provider),
                ServiceKind::ClusterIp | ServiceKind::NodePort | ServiceKind::Unmanaged => By::None,
            },
        }
    }

    /// What Services were made as, by what stands on them; of two answers the careful one.
    fn of_services<'s>(fronts: impl IntoIterator<Item = &'s Front<'s>>) -> Self {
        let services = fronts.into_iter().map(|front| front.service);
        let reach: BTreeSet<Asked> = services.filter_map(made_as_at_least).collect();
        Self {
            reach: reach.first().copied(),
            closes: Closes::OnDoubt,
            by: By::Services,
        }
    }
}

/// What all Services show together.
struct Seen {
    /// A sentence, without its full stop.
    words: String,
    nothing: bool,
    unknown: bool,
    /// Whether a name is shown that somebody chose.
    chosen: bool,
    classes: BTreeSet<AddressClass>,
}

impl Seen {
    fn new(shown: &[Shown<'_>]) -> Self {
        let words: Vec<String> = shown.iter().map(Shown::sentence).collect();
        Self {
            words: match words.as_slice() {
                [] => "No Service of the Gateway is there yet".to_owned(),
                _ => words.join("; "),
            },
            nothing: shown.iter().all(Shown::is_empty),
            unknown: shown.iter().any(Shown::has_unknown),
            chosen: shown.iter().any(Shown::proves_nothing),
            classes: shown.iter().flat_map(Shown::classes).collect(),
        }
    }

    fn has(&self, side: Side) -> bool {
        self.classes.iter().any(|class| class.side() == side)
    }

    /// The class, in a word.
    fn reason(&self) -> &'static str {
        let sides = [Side::Inside, Side::Neither, Side::Outside];
        let sides = sides.into_iter().filter(|side| self.has(*side)).count();
        match self.classes.last() {
            _ if self.nothing => PENDING,
            None => "Unresolved",
            Some(_) if sides > 1 || self.unknown => "Mixed",
            Some(class) => class.as_str(),
        }
    }
}

const UNSEEN: &str = "A floating IP, or whatever else somebody attaches in the cloud's console, is not visible here.";

fn verdict(asked: &Wish<'_>, seen: &Seen) -> Observed {
    let said = match asked.reach {
        _ if seen.nothing => pending(asked, seen),
        Some(Asked::Private) => private(asked, seen),
        Some(Asked::Public) => public(asked, seen),
        None => Said::open(
            Status::Unknown,
            format!(
                "{}; {}. Nobody said who may reach it, and the Service does not decide it. {UNSEEN}",
                seen.words, asked.by
            ),
        ),
    };
    let Said {
        status,
        message,
        closed,
    } = said;
    Observed {
        violated: asked.reach == Some(Asked::Private) && status == Status::False,
        unusable: closed && !seen.nothing,
        way_round: None,
        refused: None,
        lacks: None,
        closed: closed.then(|| message.clone()),
        condition: Condition {
            kind: REACH_VERIFIED,
            status,
            reason: match asked.reach {
                Some(Asked::Private) if seen.chosen && status == Status::Unknown => UNPROVEN,
                _ => seen.reason(),
            },
            message,
        },
    }
}

struct Said {
    status: Status,
    message: String,
    closed: bool,
}

impl Said {
    fn open(status: Status, message: String) -> Self {
        Self {
            status,
            message,
            closed: false,
        }
    }
}

fn pending(asked: &Wish<'_>, seen: &Seen) -> Said {
    let closed = asked.reach == Some(Asked::Private) && asked.closes >= Closes::UntilSeen;
    let then = match closed {
        true => " A private address was asked for, and nothing is served before it is there.",
        false => "",
    };
    Said {
        status: Status::Unknown,
        message: format!("{}; {}.{then}", seen.words, asked.by),
        closed,
    }
}

/// A private address was asked for.
fn private(asked: &Wish<'_>, seen: &Seen) -> Said {
    let words = format!(
        "A private address was asked for, and {}; {}.",
        seen.words, asked.by
    );
    if seen.has(Side::Outside) {
        let closed = asked.closes >= Closes::OnPublic;
        let then = match closed {
            true => {
                "Nothing is served, so that nobody reaches from the internet what is meant for the inside."
            }
            false => "It is served all the same, because exposure.onViolation is Report.",
        };
        return Said {
            status: Status::False,
            message: format!(
                "{words} {then} If the address is right, write exposure.reach: Public; if the network uses that range inside, name it in --private-ranges of the controller; else take the address away from the Service."
            ),
            closed,
        };
    }
    if seen.unknown || seen.chosen || seen.has(Side::Neither) {
        let closed = asked.closes >= Closes::OnDoubt;
        let then = match (closed, asked.closes) {
            (true, _) => ", and nothing is served before it is",
            (false, Closes::Never) => "",
            (false, _) => "; as soon as it shows to be public, nothing is served any more",
        };
        let remedy = match seen.has(Side::Neither) {
            true => {
                " A range that the network uses inside is named in --private-ranges of the controller, and one that leads to the internet in --public-ranges."
            }
            false => "",
        };
        return Said {
            status: Status::Unknown,
            message: format!("{words} It is not known whether that is private{then}.{remedy}"),
            closed,
        };
    }
    let shared = match seen.classes.contains(&AddressClass::SharedRange) {
        true => {
            " A shared range (100.64.0.0/10) is not routed on the internet, but others than this network may use it."
        }
        false => "",
    };
    Said::open(Status::True, format!("{words}{shared} {UNSEEN}"))
}

/// A public address was asked for. Too little reach is told, and closes nothing.
fn public(asked: &Wish<'_>, seen: &Seen) -> Said {
    let words = format!(
        "A public address was asked for, and {}; {}.",
        seen.words, asked.by
    );
    if seen.has(Side::Outside) {
        return Said::open(Status::True, words);
    }
    if seen.unknown || seen.has(Side::Neither) {
        return Said::open(
            Status::Unknown,
            format!("{words} It is not known whether that is public."),
        );
    }
    Said::open(
        Status::False,
        format!(
            "{words} It may be reached from outside of the network by another address that is not visible here, or not at all."
        ),
    )
}
