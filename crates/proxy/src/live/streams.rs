//! What runs of listeners and Routes below HTTP: how connections begin, and who takes them.

use std::sync::Arc;

use daemun_model::hostname::HostPattern;
use daemun_model::listener::{ListenerProtocol, TlsListener};
use daemun_model::stream::StreamRoute;
use daemun_route::hosts::Hosts;

use super::Target;
use crate::balance::Weighted;
use crate::observe::series::StreamSeries;

/// How connections on a port begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// With HTTP, or HTTP/2's preface.
    Http,
    /// With TLS, and HTTP is inside.
    Https,
    /// With TLS, which the gateway looks at before anybody answers: who does, follows from it.
    Tls,
    /// With whatever the backend speaks; it may speak first.
    Tcp,
    /// There are none: datagrams come one by one.
    Udp,
}

impl Opening {
    /// How connections begin on a port that these protocols share. Which ones may do so is decided in
    /// translation; here the least that all of them can be told apart by counts.
    pub(crate) fn of<'a>(protocols: impl Iterator<Item = &'a ListenerProtocol>) -> Self {
        let each = protocols.map(|protocol| match protocol {
            ListenerProtocol::Http => Self::Http,
            ListenerProtocol::Https(_) => Self::Https,
            ListenerProtocol::Tls(_) => Self::Tls,
            ListenerProtocol::Tcp => Self::Tcp,
            ListenerProtocol::Udp => Self::Udp,
        });
        each.reduce(|one, two| match (one, two) {
            (Self::Udp, _) | (_, Self::Udp) => Self::Udp,
            (Self::Tcp, _) | (_, Self::Tcp) => Self::Tcp,
            (Self::Tls, _) | (_, Self::Tls) => Self::Tls,
            (Self::Https, _) | (_, Self::Https) => Self::Https,
            (Self::Http, Self::Http) => Self::Http,
        })
        .unwrap_or(Self::Http)
    }
}

/// What goes through a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carries {
    /// HTTP, within TLS or not.
    Requests,
    /// TLS as it comes.
    Sealed,
    /// Bytes: of TCP, or what was inside TLS.
    Bytes,
    /// Datagrams.
    Datagrams,
}

impl From<&ListenerProtocol> for Carries {
    fn from(protocol: &ListenerProtocol) -> Self {
        match protocol {
            ListenerProtocol::Http | ListenerProtocol::Https(_) => Self::Requests,
            ListenerProtocol::Tls(TlsListener::Passthrough) => Self::Sealed,
            ListenerProtocol::Tls(TlsListener::Terminate(_)) | ListenerProtocol::Tcp => Self::Bytes,
            ListenerProtocol::Udp => Self::Datagrams,
        }
    }
}

/// A TLSRoute, TCPRoute or UDPRoute.
pub(crate) struct StreamLive {
    pub(crate) route: Arc<StreamRoute>,
    pub(crate) series: StreamSeries,
    pub(crate) targets: Box<[Target]>,
    pub(crate) weights: Weighted,
}

/// The Routes below HTTP of a listener: which of them takes a connection.
#[derive(Clone, Default)]
pub(crate) struct StreamTable(Arc<Table>);

#[derive(Default)]
struct Table {
    /// What it was made of, the Route that gives way first.
    made_of: Vec<Arc<StreamLive>>,
    by_name: Hosts<Arc<StreamLive>>,
}

impl StreamTable {
    /// A table of a listener's Routes, each with the names that it has on this listener. What was made of the same
    /// Routes before is taken as it is.
    pub(crate) fn build(
        mut attached: Vec<(&Arc<StreamLive>, &[HostPattern])>,
        previous: Option<&Self>,
    ) -> Self {
        // The older Route wins, then the one whose name comes first; of equal hosts the last one stays.
        attached.sort_by(|(one, _), (two, _)| {
            let (one, two) = (&one.route, &two.route);
            let by_name = || {
                two.key
                    .name
                    .alphabetical()
                    .cmp(&one.key.name.alphabetical())
            };
            two.created.cmp(&one.created).then_with(by_name)
        });
        let made_of: Vec<_> = attached.iter().map(|(live, _)| Arc::clone(live)).collect();
        let is_same = |previous: &&Self| {
            let before = &previous.0.made_of;
            before.len() == made_of.len()
                && before
                    .iter()
                    .zip(&made_of)
                    .all(|(one, two)| Arc::ptr_eq(one, two))
        };
        if let Some(previous) = previous.filter(is_same) {
            return previous.clone();
        }
        let entries = attached.into_iter().flat_map(|(live, names)| {
            names
                .iter()
                .map(move |name| (name.clone(), Arc::clone(live)))
        });
        Self(Arc::new(Table {
            by_name: entries.collect(),
            made_of,
        }))
    }

    /// The Route for a connection that asks for a name (lower case), or for none.
    pub(crate) fn find(&self, name: Option<&str>) -> Option<&Arc<StreamLive>> {
        // The empty name is in no pattern but the one for all names.
        self.0.by_name.find(name.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use daemun_model::listener::{ListenerProtocol, TlsListener};

    use super::Opening;

    #[test]
    fn a_shared_port_begins_with_what_all_are_told_apart_by() {
        let tls = ListenerProtocol::Tls(TlsListener::Passthrough);
        for (protocols, opening) in [
            (vec![&ListenerProtocol::Http], Opening::Http),
            (vec![&tls], Opening::Tls),
            (vec![&ListenerProtocol::Tcp], Opening::Tcp),
            (vec![&ListenerProtocol::Udp], Opening::Udp),
            (vec![], Opening::Http),
        ] {
            assert_eq!(Opening::of(protocols.into_iter()), opening);
        }
    }
}
