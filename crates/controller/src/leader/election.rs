//! Who leads, as a function of what was seen of the Lease and when. Times are this process's own: clocks of others
//! are not believed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What a Lease says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sight {
    /// Who holds it; empty if nobody does.
    pub(super) holder: String,
    /// Changes with every renewal.
    pub(super) version: String,
}

/// What is to be done about the Lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// There is none.
    Create,
    /// It is ours.
    Renew,
    /// Nobody holds it, or its holder is gone.
    Take,
    /// Another one holds it.
    Wait,
}

/// One who stands for election.
#[derive(Debug)]
pub(super) struct Election {
    identity: String,
    holds_for: Duration,
    gives_up_after: Duration,
    /// The last version that was seen, and since when.
    seen: Option<(String, Instant)>,
    renewed: Option<Instant>,
    /// The same of Leases of others, by their namespaces.
    others: BTreeMap<String, (String, Instant)>,
}

impl Election {
    /// Under a name, with the time for which a Lease holds and the shorter one after which its holder gives up.
    pub(super) fn new(identity: &str, holds_for: Duration, gives_up_after: Duration) -> Self {
        Self {
            identity: identity.to_owned(),
            holds_for,
            gives_up_after,
            seen: None,
            renewed: None,
            others: BTreeMap::new(),
        }
    }

    /// The name.
    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    /// What to do about what is seen.
    pub(super) fn decide(&mut self, sight: Option<&Sight>, now: Instant) -> Move {
        let Some(Sight { holder, version }) = sight else {
            return Move::Create;
        };
        let since = match &self.seen {
            Some((known, since)) if known == version => *since,
            _ => {
                self.seen = Some((version.clone(), now));
                now
            }
        };
        if *holder == self.identity {
            return Move::Renew;
        }
        // Whatever was renewed before: it is another one's now.
        self.renewed = None;
        if holder.is_empty() || now.saturating_duration_since(since) > self.holds_for {
            Move::Take
        } else {
            Move::Wait
        }
    }

    /// It was created, renewed or taken.
    pub(super) fn renewed(&mut self, now: Instant) {
        self.renewed = Some(now);
    }

    /// Whether it is ours, and was renewed not too long ago.
    pub(super) fn holds(&self, now: Instant) -> bool {
        self.renewed
            .is_some_and(|renewed| now.saturating_duration_since(renewed) < self.gives_up_after)
    }

    /// Whether the Lease of another installation is being renewed. One that is seen for the first time is, until it
    /// has stood still for as long as Leases hold.
    pub(super) fn is_alive(&mut self, namespace: &str, sight: &Sight, now: Instant) -> bool {
        if sight.holder.is_empty() {
            self.others.remove(namespace);
            return false;
        }
        let known = self.others.entry(namespace.to_owned());
        let (version, since) = known.or_insert_with(|| (sight.version.clone(), now));
        if *version != sight.version {
            version.clone_from(&sight.version);
            *since = now;
        }
        now.saturating_duration_since(*since) <= self.holds_for
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use daemun_base::clock;

    use super::{Election, Move, Sight};

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn sight(holder: &str, version: &str) -> Sight {
        Sight {
            holder: holder.to_owned(),
            version: version.to_owned(),
        }
    }

    #[test]
    fn a_lease_that_nobody_renews_is_taken_after_it_has_stood_still() {
        let (start, mut us) = (clock::now(), Election::new("us", seconds(15), seconds(10)));
        assert_eq!(us.decide(None, start), Move::Create);
        let mut look =
            |version, after| us.decide(Some(&sight("them", version)), start + seconds(after));
        assert_eq!(look("1", 0), Move::Wait);
        assert_eq!(look("1", 14), Move::Wait);
        assert_eq!(look("2", 15), Move::Wait, "it was renewed");
        assert_eq!(look("2", 30), Move::Wait);
        assert_eq!(look("2", 31), Move::Take);
        assert_eq!(us.decide(Some(&sight("", "3")), start), Move::Take);
    }

    #[test]
    fn a_holder_that_cannot_renew_stops_leading_before_another_one_may_begin() {
        let (start, mut us) = (clock::now(), Election::new("us", seconds(15), seconds(10)));
        assert!(!us.holds(start));
        us.renewed(start);
        assert!(us.holds(start + seconds(9)));
        assert!(!us.holds(start + seconds(10)));
        assert_eq!(us.decide(Some(&sight("us", "1")), start), Move::Renew);
        us.renewed(start);
        assert_eq!(us.decide(Some(&sight("them", "2")), start), Move::Wait);
        assert!(!us.holds(start), "another one has it");
    }

    #[test]
    fn another_installation_is_alive_while_its_lease_is_renewed() {
        let (start, mut us) = (clock::now(), Election::new("us", seconds(15), seconds(10)));
        let mut look = |holder, version, after| {
            us.is_alive("other", &sight(holder, version), start + seconds(after))
        };
        assert!(look("them", "1", 0));
        assert!(look("them", "2", 14));
        assert!(look("them", "2", 29));
        assert!(!look("them", "2", 30));
        assert!(look("them", "3", 31));
        assert!(!look("", "4", 32), "it was given up");
    }
}
