//! Connections that are passed on as they come: which TLSRoute or TCPRoute takes one, and where it leads. What is in
//! the connection is not looked at, so no rule for requests counts.

use daemun_model::Snapshot;
use daemun_model::listener::{Listener, ListenerProtocol, TlsListener};
use daemun_model::stream::StreamRoute;
use daemun_route::hosts::Hosts;

use super::Outcome;
use crate::output::serving;

/// What becomes of a connection.
pub(super) struct Passed {
    /// The Route that takes it.
    pub(super) route: Option<String>,
    /// In words.
    pub(super) outcome: Outcome,
}

/// What becomes of a connection at a listener, if it is one that passes connections on. The name is the one that the
/// client asks for (SNI); empty if it asks for none.
pub(super) fn passed_on(snapshot: &Snapshot, listener: &Listener, name: &str) -> Option<Passed> {
    let (how, kinds) = match &listener.protocol {
        ListenerProtocol::Tls(TlsListener::Passthrough) => {
            ("the connection is passed on as it is", "TLSRoute")
        }
        ListenerProtocol::Tls(TlsListener::Terminate(_)) => (
            "TLS ends here, and what comes out of it is passed on",
            "TLSRoute or TCPRoute",
        ),
        ListenerProtocol::Tcp => ("the connection is passed on as it is", "TCPRoute"),
        ListenerProtocol::Http | ListenerProtocol::Https(_) | ListenerProtocol::Udp => return None,
    };
    if let Some(reason) = &listener.refused {
        let message = format!("the connection is closed, since the listener is: {reason}");
        return Some(closed(message));
    }
    let routes = by_name(snapshot, listener);
    let Some(route) = routes.find(name) else {
        let asked = match (&listener.protocol, name) {
            (ListenerProtocol::Tcp, _) => String::new(),
            (_, "") => " that takes connections without a name".to_owned(),
            (_, name) => format!(" that takes \"{name}\""),
        };
        return Some(closed(format!(
            "the connection is closed: the listener has no {kinds}{asked}"
        )));
    };
    let to = serving::stream_target(route, snapshot);
    Some(Passed {
        route: Some(route.key.to_string()),
        outcome: Outcome::none(format!(
            "{how}, by {} to {to}; what is in it is not looked at, so no HTTPRoute counts",
            route.key
        )),
    })
}

fn closed(why: String) -> Passed {
    Passed {
        route: None,
        outcome: Outcome::none(why),
    }
}

/// A listener's Routes by the names that they have there; of equal names the oldest Route's, as in the proxy.
fn by_name<'a>(snapshot: &'a Snapshot, listener: &Listener) -> Hosts<&'a StreamRoute> {
    let mut routes: Vec<&StreamRoute> = snapshot.streams.values().map(|it| &**it).collect();
    // Of equal names the last one stays.
    routes.sort_by(|one, two| {
        let by_name = || {
            two.key
                .name
                .alphabetical()
                .cmp(&one.key.name.alphabetical())
        };
        two.created.cmp(&one.created).then_with(by_name)
    });
    let entries = routes.into_iter().flat_map(|route| {
        let attachments = route.attachments.iter();
        let here = attachments.filter(|attachment| attachment.listener == listener.key);
        let names = here.flat_map(|attachment| &attachment.hostnames);
        names.map(move |name| (name.clone(), route))
    });
    entries.collect()
}
