//! What is said of what load balancers show: whether it is what was asked for, and what is done about it.

use std::collections::BTreeSet;

use daemun_model::verdict::{Condition, Status};

use super::class::{AddressClass, Side, in_a_word};
use super::fronts::Front;
use super::judge::{Asked, Exposure, OnViolation, ServiceKind};
use super::made::made_as_at_least;
use super::observed::{Observed, REACH_VERIFIED};
use super::shown::Shown;

/// The reason where no address is there yet.
pub(super) const PENDING: &str = "Pending";
/// The reason where what is shown was chosen by whoever writes the Service.
const UNPROVEN: &str = "Unproven";

/// What was asked for.
pub(super) struct Wish<'a> {
    pub(super) reach: Option<Asked>,
    pub(super) closes: Closes,
    /// By what it is judged, in words.
    pub(super) by: By<'a>,
}

pub(super) enum By<'a> {
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
pub(super) enum Closes {
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
    pub(super) fn of(exposure: &'a Exposure) -> Self {
        Self {
            reach: match exposure.kind {
                ServiceKind::LoadBalancer => exposure.reach,
                // Who wants it in the cluster only wants no public address.
                ServiceKind::ClusterIp => Some(Asked::Private),
                ServiceKind::NodePort | ServiceKind::HostPorts | ServiceKind::Unmanaged => None,
            },
            closes: match (exposure.on_violation, exposure.until_seen) {
                (OnViolation::Report, _) => Closes::Never,
                (OnViolation::Close, true) => Closes::UntilSeen,
                (OnViolation::Close, false) => Closes::OnPublic,
            },
            by: match exposure.kind {
                ServiceKind::LoadBalancer => By::Provider(exposure.provider),
                ServiceKind::ClusterIp
                | ServiceKind::NodePort
                | ServiceKind::HostPorts
                | ServiceKind::Unmanaged => By::None,
            },
        }
    }

    /// What Services were made as, by what stands on them; of two answers the careful one.
    pub(super) fn of_services<'s>(fronts: impl IntoIterator<Item = &'s Front<'s>>) -> Self {
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
pub(super) struct Seen {
    /// A sentence, without its full stop.
    words: String,
    nothing: bool,
    unknown: bool,
    /// Whether a name is shown that somebody chose.
    chosen: bool,
    classes: BTreeSet<AddressClass>,
}

impl Seen {
    pub(super) fn new(shown: &[Shown<'_>]) -> Self {
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
        match in_a_word(&self.classes) {
            _ if self.nothing => PENDING,
            None => "Unresolved",
            Some(_) if self.unknown => "Mixed",
            Some(word) => word,
        }
    }
}

const UNSEEN: &str = "A floating IP, or whatever else somebody attaches in the cloud's console, is not visible here.";

pub(super) fn verdict(asked: &Wish<'_>, seen: &Seen) -> Observed {
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
        others: None,
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
