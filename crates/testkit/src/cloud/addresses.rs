//! The addresses of the cloud: which there are, and who has which.
//!
//! As in OpenStack, a load balancer always has an address in a private network, and a public one on top
//! if it may be reached from outside. Who asks for a certain address gets it, or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Instant;

/// The first and the last address of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range(pub Ipv4Addr, pub Ipv4Addr);

impl Range {
    fn has(self, address: Ipv4Addr) -> bool {
        (self.0..=self.1).contains(&address)
    }
}

/// The addresses that a cloud has.
#[derive(Clone, Copy, Debug)]
pub struct Ranges {
    /// Those that are reached from within.
    pub private: Range,
    /// Those that are reached from everywhere.
    pub public: Range,
}

impl Default for Ranges {
    fn default() -> Self {
        let range = |first, last| Range(Ipv4Addr::from_octets(first), Ipv4Addr::from_octets(last));
        Self {
            private: range([198, 18, 128, 0], [198, 18, 191, 255]),
            public: range([198, 18, 192, 0], [198, 18, 255, 255]),
        }
    }
}

/// How many addresses at the start of a range go only to who asks for them.
const ASKED_FOR: u32 = 512;

/// The addresses of one load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// Its address in the private network.
    pub(crate) private: Ipv4Addr,
    /// Its public address, if it has one.
    pub(crate) public: Option<Ipv4Addr>,
}

impl Given {
    /// The one that a Service's status has.
    pub(crate) fn shown(&self) -> Ipv4Addr {
        self.public.unwrap_or(self.private)
    }
}

/// Why there is no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The cloud does not have it, or not in the range that it was asked for.
    NotOurs(Ipv4Addr),
    /// Another load balancer has it.
    Taken(Ipv4Addr),
    /// None is left.
    Exhausted,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotOurs(address) => write!(
                f,
                "{address} is no address of this cloud that this load balancer could have"
            ),
            Self::Taken(address) => write!(f, "floating IP {address} is not available"),
            Self::Exhausted => f.write_str("no more IP addresses available on network"),
        }
    }
}

/// Who has which address.
pub(crate) struct Addresses {
    ranges: Ranges,
    taken: BTreeSet<Ipv4Addr>,
    next: [u32; 2],
    given: BTreeMap<String, Given>,
    /// Public addresses that outlived their load balancers.
    kept: BTreeSet<Ipv4Addr>,
    asked: BTreeMap<String, Instant>,
}

impl Addresses {
    pub(crate) fn new(ranges: Ranges) -> Self {
        Self {
            ranges,
            taken: BTreeSet::new(),
            next: [ASKED_FOR, ASKED_FOR],
            given: BTreeMap::new(),
            kept: BTreeSet::new(),
            asked: BTreeMap::new(),
        }
    }

    /// Since when a load balancer is asked for.
    pub(crate) fn asked(&mut self, owner: &str, now: Instant) -> Instant {
        *self.asked.entry(owner.to_owned()).or_insert(now)
    }

    /// What a load balancer has.
    pub(crate) fn of(&self, owner: &str) -> Option<&Given> {
        self.given.get(owner)
    }

    /// Gives a load balancer its addresses, or leaves it those that it has: an address that is asked for
    /// later is not honoured, and only the public one comes and goes.
    pub(crate) fn give(
        &mut self,
        owner: &str,
        internal: bool,
        asked: Option<Ipv4Addr>,
    ) -> Result<Given, Refused> {
        let had = self.given.get(owner).cloned();
        let given = match (had, internal) {
            (Some(had), true) => {
                had.public.map(|public| self.taken.remove(&public));
                Given {
                    public: None,
                    ..had
                }
            }
            (Some(had), false) if had.public.is_some() || asked == Some(had.private) => had,
            (Some(had), false) => Given {
                public: Some(self.take(false, asked)?),
                ..had
            },
            (None, true) => Given {
                private: self.take(true, asked)?,
                public: None,
            },
            (None, false) => self.both(asked)?,
        };
        self.given.insert(owner.to_owned(), given.clone());
        Ok(given)
    }

    /// The addresses of a new load balancer that may be public. A real cloud wants the floating IP that is
    /// asked for to be allocated before; here each one counts as allocated, and a private address that is
    /// asked for is given without a public one, so that tests need one address that works, not two.
    fn both(&mut self, asked: Option<Ipv4Addr>) -> Result<Given, Refused> {
        match asked {
            Some(address) if self.ranges.private.has(address) => Ok(Given {
                private: self.take(true, asked)?,
                public: None,
            }),
            _ => {
                let public = self.take(false, asked)?;
                Ok(Given {
                    private: self.take(true, None)?,
                    public: Some(public),
                })
            }
        }
    }

    /// Takes back what a load balancer has; its public address, unless that is to be kept.
    pub(crate) fn release(&mut self, owner: &str, keep: bool) -> Option<Given> {
        self.asked.remove(owner);
        let given = self.given.remove(owner)?;
        self.taken.remove(&given.private);
        given.public.map(|public| self.taken.remove(&public));
        self.kept.extend(given.public.filter(|_| keep));
        Some(given)
    }

    /// Whether a public address outlived its load balancer.
    #[cfg(test)]
    pub(crate) fn is_kept(&self, address: Ipv4Addr) -> bool {
        self.kept.contains(&address)
    }

    /// What a load balancer already had before this cloud was started, as its Service shows it.
    pub(crate) fn keep(&mut self, owner: &str, shown: &[Ipv4Addr]) {
        for address in shown {
            let internal = self.ranges.private.has(*address);
            // An address of others, or one that two have, is not ours to keep.
            let _ = self.give(owner, internal, Some(*address));
        }
    }

    fn take(&mut self, private: bool, asked: Option<Ipv4Addr>) -> Result<Ipv4Addr, Refused> {
        let range = if private {
            self.ranges.private
        } else {
            self.ranges.public
        };
        let address = match asked {
            Some(address) if !range.has(address) => return Err(Refused::NotOurs(address)),
            Some(address) if self.taken.contains(&address) => return Err(Refused::Taken(address)),
            Some(address) => address,
            None => self.free(range, usize::from(private))?,
        };
        self.kept.remove(&address);
        self.taken.insert(address);
        Ok(address)
    }

    /// The next free one in turn, so that an address that was given back is not soon given again.
    fn free(&mut self, range: Range, turn: usize) -> Result<Ipv4Addr, Refused> {
        let first = u32::from(range.0);
        let last = u32::from(range.1) - first;
        let next = &mut self.next[turn];
        for _ in ASKED_FOR..=last {
            let address = Ipv4Addr::from(first + *next);
            *next = if *next >= last { ASKED_FOR } else { *next + 1 };
            if !self.taken.contains(&address) && !self.kept.contains(&address) {
                return Ok(address);
            }
        }
        Err(Refused::Exhausted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USABLE: Ipv4Addr = Ipv4Addr::new(198, 18, 128, 200);
    const FLOATING: Ipv4Addr = Ipv4Addr::new(198, 18, 192, 7);
    const FOREIGN: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);

    fn addresses() -> Addresses {
        Addresses::new(Ranges::default())
    }

    #[test]
    fn each_load_balancer_has_addresses_of_its_own() {
        let mut addresses = addresses();
        let ranges = addresses.ranges;
        let open = addresses.give("open", false, None).unwrap();
        let inner = addresses.give("inner", true, None).unwrap();
        assert!(ranges.public.has(open.shown()));
        assert!(ranges.private.has(open.private));
        assert!(ranges.private.has(inner.shown()));
        assert_ne!(open.private, inner.private);
        assert_eq!(addresses.give("open", false, None), Ok(open));
    }

    #[test]
    fn the_address_that_is_asked_for_is_given_or_none() {
        let mut addresses = addresses();
        let given = addresses.give("a", false, Some(USABLE)).unwrap();
        assert_eq!((given.shown(), given.public), (USABLE, None));
        let given = addresses.give("b", false, Some(FLOATING)).unwrap();
        assert_eq!(given.shown(), FLOATING);
        let refused = [
            (true, USABLE, Refused::Taken(USABLE)),
            (true, FLOATING, Refused::NotOurs(FLOATING)),
            (false, FLOATING, Refused::Taken(FLOATING)),
            (false, FOREIGN, Refused::NotOurs(FOREIGN)),
        ];
        for (internal, asked, why) in refused {
            assert_eq!(addresses.give("c", internal, Some(asked)), Err(why));
        }
        assert_eq!(addresses.of("c"), None);
        addresses.release("a", false);
        assert!(addresses.give("c", true, Some(USABLE)).is_ok());
    }

    #[test]
    fn only_the_public_address_comes_and_goes() {
        let mut addresses = addresses();
        let open = addresses.give("a", false, None).unwrap();
        let closed = addresses.give("a", true, Some(USABLE)).unwrap();
        assert_eq!((closed.private, closed.public), (open.private, None));
        let again = addresses.give("a", false, None).unwrap();
        assert_eq!(again.private, open.private);
        assert_ne!(again.public, open.public);
    }

    #[test]
    fn what_was_given_before_a_restart_stays_given() {
        let mut addresses = addresses();
        addresses.keep("a", &[USABLE]);
        addresses.keep("b", &[FLOATING]);
        addresses.keep("c", &[FOREIGN]);
        assert_eq!(addresses.give("a", true, None).unwrap().shown(), USABLE);
        assert_eq!(addresses.give("b", false, None).unwrap().shown(), FLOATING);
        assert_eq!(addresses.of("c"), None);
    }

    #[test]
    fn addresses_end() {
        let range = |first: [u8; 4], last: [u8; 4]| Range(first.into(), last.into());
        let mut addresses = Addresses::new(Ranges {
            private: range([198, 18, 128, 0], [198, 18, 130, 0]),
            public: range([198, 18, 192, 0], [198, 18, 194, 0]),
        });
        assert!(addresses.give("a", true, None).is_ok());
        assert_eq!(addresses.give("b", true, None), Err(Refused::Exhausted));
        addresses.release("a", false);
        assert!(addresses.give("b", true, None).is_ok());
    }
}
