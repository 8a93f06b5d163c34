//! What the way in means for a Gateway's listeners: who in front of them may send PROXY protocol, and from where
//! clients may come. Both follow from how the Gateway is exposed, and hold for each of its listeners.

use daemun_model::names::Transport;
use daemun_model::policy::forwarding::{Forwarding, ProxyProtocol};
use daemun_model::policy::sources::SourceRanges;
use ipnet::IpNet;

use crate::listener::{Entry, Protocol};

/// What the way in says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrivals {
    /// Those in front whose PROXY protocol headers are believed. None: PROXY protocol is off.
    pub(crate) proxies: Option<Vec<IpNet>>,
    /// The addresses that clients may have, where nobody in front sees to it. None: any.
    pub(crate) sources: Option<Vec<IpNet>>,
}

/// Gives listeners what the way in says. To be called when policies have had their say: whom a ListenerPolicy
/// believes is believed beside those in front.
pub(crate) fn apply<'e>(arrivals: &Arrivals, entries: impl Iterator<Item = &'e mut Entry>) {
    let Arrivals { proxies, sources } = arrivals;
    let sources = sources.as_ref().map(|allowed| SourceRanges {
        allowed: allowed.clone(),
    });
    for entry in entries {
        entry.sources.clone_from(&sources);
        let over_tcp = entry.protocol.map(Protocol::transport) == Some(Transport::Tcp);
        if let Some(proxies) = proxies.as_ref().filter(|_| over_tcp) {
            believe(&mut entry.forwarding, proxies);
        }
    }
}

fn believe(forwarding: &mut Forwarding, proxies: &[IpNet]) {
    let protocol = forwarding.proxy_protocol.get_or_insert(ProxyProtocol {
        trusted: Vec::new(),
    });
    for range in proxies {
        if !protocol.trusted.contains(range) {
            protocol.trusted.push(*range);
        }
    }
}

#[cfg(test)]
mod tests {
    use daemun_model::policy::forwarding::{Forwarding, ProxyProtocol, TrustedProxies};
    use daemun_objects::Any;
    use ipnet::IpNet;

    use super::{Arrivals, apply, believe};
    use crate::cluster::Cluster;
    use crate::exposure::fronts::Fronts;
    use crate::memo::Judgements;
    use crate::read::gateway::read_gateways;

    fn ranges(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn all_listeners_get_what_the_way_in_says() {
        let gateway = serde_json::json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
            "metadata": {"name": "gw", "namespace": "default"},
            "spec": {"gatewayClassName": "daemun", "listeners": [
                {"name": "http", "port": 80, "protocol": "HTTP"},
                {"name": "tcp", "port": 81, "protocol": "TCP"},
                {"name": "tls", "port": 82, "protocol": "TLS", "tls": {"mode": "Passthrough"}},
                {"name": "udp", "port": 83, "protocol": "UDP"},
            ]},
        });
        let gateway = Any::deserialize("gateway.networking.k8s.io/v1", "Gateway", gateway);
        let mut cluster = Cluster::default();
        cluster.insert(gateway.unwrap().unwrap());
        let (fronts, last) = (Fronts::default(), Default::default());
        let mut read = read_gateways(&cluster, &mut Judgements::default(), &fronts, &last);
        let (proxies, sources) = (ranges(&["10.0.0.0/8"]), ranges(&["192.0.2.0/24"]));
        let arrivals = Arrivals {
            proxies: Some(proxies.clone()),
            sources: Some(sources.clone()),
        };
        let gateway = &mut read.ours[0];
        apply(&arrivals, gateway.all_entries_mut());
        for entry in gateway.all_entries() {
            let believed = entry.forwarding.proxy_protocol.as_ref();
            let expected = (entry.port != 83).then_some(&proxies);
            assert_eq!(believed.map(|it| &it.trusted), expected, "{}", entry.port);
            assert_eq!(entry.sources.as_ref().unwrap().allowed, sources);
        }
        apply(&Arrivals::default(), gateway.all_entries_mut());
        assert!(gateway.all_entries().all(|entry| entry.sources.is_none()));
    }

    #[test]
    fn those_in_front_are_believed_beside_those_of_a_policy_and_change_nothing_else() {
        let mut forwarding = Forwarding {
            trusted: TrustedProxies::Hops(1),
            forwarded: true,
            proxy_protocol: Some(ProxyProtocol {
                trusted: ranges(&["10.0.0.0/8"]),
            }),
        };
        believe(&mut forwarding, &ranges(&["192.168.7.0/24", "10.0.0.0/8"]));
        let expected = ranges(&["10.0.0.0/8", "192.168.7.0/24"]);
        assert_eq!(forwarding.proxy_protocol.unwrap().trusted, expected);
        assert_eq!(
            (forwarding.trusted, forwarding.forwarded),
            (TrustedProxies::Hops(1), true)
        );

        let mut forwarding = Forwarding::default();
        believe(&mut forwarding, &[]);
        // Nobody is believed: a header is refused where it can be told from a request.
        assert!(forwarding.proxy_protocol.unwrap().trusted.is_empty());
    }
}
