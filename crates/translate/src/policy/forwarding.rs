//! `forwarding` of a ListenerPolicy: who is believed about where a request comes from.

use crate::value;
use crate::verdict::Refusal;
use daemun_model::policy::forwarding::{Forwarding, ProxyProtocol, TrustedProxies};
use daemun_model::verdict::FieldPath;
use daemun_objects::own::listener_policy::{
    Forwarding as Written, TrustedProxies as WrittenProxies,
};

/// Reads the settings.
pub(crate) fn read(written: &Written, path: &FieldPath) -> Result<Forwarding, Refusal> {
    let Written {
        trusted_proxies,
        forwarded,
        proxy_protocol,
    } = written;
    Ok(Forwarding {
        trusted: match trusted_proxies {
            None => TrustedProxies::None,
            Some(proxies) => read_proxies(proxies, &path.field("trustedProxies"))?,
        },
        forwarded: forwarded.unwrap_or_default(),
        proxy_protocol: match proxy_protocol {
            None => None,
            Some(protocol) => {
                let path = path.field("proxyProtocol.trusted");
                if protocol.trusted.is_empty() {
                    return Err(Refusal::unsupported(
                        path,
                        "proxyProtocol.trusted is empty: nobody could send PROXY protocol. Name the ranges of those who do, or take proxyProtocol out.",
                    ));
                }
                Some(ProxyProtocol {
                    trusted: value::ranges(&protocol.trusted, &path)?,
                })
            }
        },
    })
}

fn read_proxies(written: &WrittenProxies, path: &FieldPath) -> Result<TrustedProxies, Refusal> {
    let WrittenProxies { ranges, hops } = written;
    match (ranges.is_empty(), hops) {
        (false, None) => value::ranges(ranges, &path.field("ranges")).map(TrustedProxies::Ranges),
        (true, Some(hops)) if *hops > 0 => Ok(TrustedProxies::Hops(*hops)),
        (true, Some(_)) => Err(Refusal::unsupported(
            path.field("hops"),
            "hops is 0; it counts the proxies in front, the peer as the first, and is at least 1. Leave trustedProxies out to believe none.",
        )),
        (false, Some(_)) => Err(Refusal::unsupported(
            path.clone(),
            "trustedProxies has ranges or hops, not both; take one of them out.",
        )),
        (true, None) => Err(Refusal::unsupported(
            path.clone(),
            "trustedProxies has neither ranges nor hops; write one of them, or leave trustedProxies out to believe none.",
        )),
    }
}
