//! `forwarding` of a ListenerPolicy: who is believed about where a request comes from.

use std::net::IpAddr;

use daemun_model::policy::forwarding::{Forwarding, ProxyProtocol, TrustedProxies};
use daemun_model::verdict::FieldPath;
use daemun_objects::own::listener_policy::{
    Forwarding as Written, TrustedProxies as WrittenProxies,
};
use ipnet::IpNet;

use crate::verdict::Refusal;

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
                    trusted: read_ranges(&protocol.trusted, &path)?,
                })
            }
        },
    })
}

fn read_proxies(written: &WrittenProxies, path: &FieldPath) -> Result<TrustedProxies, Refusal> {
    let WrittenProxies { ranges, hops } = written;
    match (ranges.is_empty(), hops) {
        (false, None) => read_ranges(ranges, &path.field("ranges")).map(TrustedProxies::Ranges),
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

fn read_ranges(written: &[String], path: &FieldPath) -> Result<Vec<IpNet>, Refusal> {
    let mut ranges: Vec<IpNet> = Vec::with_capacity(written.len());
    for (index, text) in written.iter().enumerate() {
        let range = text
            .parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
            .map_err(|_| {
                Refusal::unsupported(
                    path.index(index),
                    format!("\"{text}\" is neither an address nor a range of addresses, such as 10.0.0.0/8 or 2001:db8::/32."),
                )
            })?
            .trunc();
        if !ranges.contains(&range) {
            ranges.push(range);
        }
    }
    Ok(ranges)
}
