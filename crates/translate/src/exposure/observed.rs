//! What became of the way in: the addresses that a Gateway's Services show, by their class, and whether they are what
//! was asked for. Where a private address was asked for, nothing is served until one is there, and nothing any more
//! as soon as a public one is.
//!
//! Only what Services show can be seen. An address that somebody attaches in a cloud's console is not there.

use daemun_model::names::ObjectName;
use daemun_model::verdict::{Condition, FieldPath, Finding, Status};
use daemun_objects::core::service::Service;
use daemun_objects::seconds_since_epoch;

use super::at_nodes;
use super::change::{ALLOW_RECREATION, Changes, Fate};
use super::fronts::{Front, Fronts, Selector, is_load_balancer, leads_outside};
use super::judge::{Asked, Exposure, ServiceKind};
use super::shown::Shown;
use super::verdict::{By, Closes, PENDING, Seen, Wish, verdict};
use crate::cluster::Cluster;
use crate::nearest::list_all;
use crate::verdict::warning;

/// The condition of a Gateway that says whether it is reached by whom it may be reached.
pub const REACH_VERIFIED: &str = "gateway.daemun.dev/ReachVerified";
/// The reason while a new load balancer takes an old one's place.
const MIGRATING: &str = "Migrating";
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
    pub(super) way_round: Option<String>,
    /// What is not changed, and what would allow it.
    pub(super) refused: Option<String>,
    /// What comes with the next load balancer only.
    pub(super) lacks: Option<String>,
    /// What else leads to the proxies.
    pub(super) others: Option<String>,
}

impl Observed {
    /// Of a Gateway that is reached by its nodes: it is said, and nothing is done.
    fn at_nodes(cluster: &Cluster, exposure: &Exposure) -> Self {
        let (class, message) = at_nodes::said(cluster, exposure);
        Self {
            condition: Condition {
                kind: REACH_VERIFIED,
                status: Status::Unknown,
                reason: class.unwrap_or(PENDING),
                message,
            },
            closed: None,
            violated: false,
            unusable: false,
            way_round: None,
            refused: None,
            lacks: None,
            others: None,
        }
    }

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
        let others = self.others.as_ref();
        let others = others.map(|what| warning(path(), "ReachedOtherwise", what.clone()));
        violated
            .into_iter()
            .chain(round)
            .chain(refused)
            .chain(lacks)
            .chain(others)
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
    /// Whether it is written who may reach it.
    pub(crate) written: bool,
    /// Whether a selector is one of its proxies.
    pub(crate) selects: &'a dyn Fn(&Selector) -> bool,
}

/// Looks at the Services of a Gateway, or at its nodes. Nothing is to be said where it is reached in another way.
pub(crate) fn observe(cluster: &Cluster, fronts: &Fronts, whose: Whose<'_>) -> Option<Observed> {
    let Whose {
        gateway,
        uid,
        exposure,
        changes,
        written,
        selects,
    } = whose;
    let mut all: Vec<Front<'_>> = fronts.load_balancers(cluster, gateway, uid).collect();
    let is_private = exposure
        .is_some_and(|it| it.kind == ServiceKind::ClusterIp || it.reach == Some(Asked::Private));
    let others = is_private.then(|| fronts.others(gateway, uid, selects));
    let others: Vec<Front<'_>> = others.into_iter().flatten().collect();
    if written {
        // Who wrote that wants it whatever leads there.
        let shows = |front: &&Front<'_>| leads_outside(front.service);
        all.extend(others.iter().filter(shows));
    }
    let asked = match exposure {
        // A load balancer that is still there, or that somebody put there, is looked at whatever is asked for.
        Some(exposure) if all.is_empty() => match exposure.kind {
            ServiceKind::LoadBalancer => Wish::of(exposure),
            ServiceKind::NodePort | ServiceKind::HostPorts => {
                return Some(Observed::at_nodes(cluster, exposure));
            }
            ServiceKind::ClusterIp | ServiceKind::Unmanaged => return None,
        },
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
        if let Some(round) = &observed.way_round {
            observed.condition.message = format!("{} {round}", observed.condition.message);
        }
    }
    observed.others = elsewhere(&others);
    Some(observed)
}

/// What else leads from outside of the cluster to a Gateway's proxies, in words.
fn elsewhere(others: &[Front<'_>]) -> Option<String> {
    let names = others.iter().map(|front| front.name.to_string());
    let names: Vec<String> = names.collect();
    let (what, they) = match names.len() {
        0 => return None,
        1 => ("Service", "was not made by Daemun and leads"),
        _ => ("Services", "were not made by Daemun and lead"),
    };
    Some(format!(
        "{what} {} {they} to the Gateway's proxies from outside of the cluster (by type or by externalIPs), so that others may reach it than are meant to. Delete what is not needed, or have exposure.reach say what is wanted.",
        list_all(&names)
    ))
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
        None if none_asked && front.made && is_load_balancer(front.service) => Stands::AsMade,
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
