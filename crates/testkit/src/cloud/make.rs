//! A load balancer as it is made, from what a Service says and what the cloud has: pure, but for the addresses that are
//! given out.

use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::LoadBalancerIngress;

use super::addresses::{Addresses, Given};
use super::provider::{Change, Cloud, Seen, Shows, Wish, WithoutPublic, Written};
use super::trouble::{Expect, Trouble};

/// A load balancer that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    /// Its addresses.
    pub(super) given: Given,
    /// The version of PROXY headers, if it sends them.
    pub(super) header: Option<u8>,
    /// Whether the status says that behind its address is a proxy.
    pub(super) as_proxy: bool,
    /// Whether it was to be public, and no public address could be had.
    pub(super) forced: bool,
}

/// Makes a load balancer, changes it, or says why not. One that is there is not touched by trouble.
pub(super) fn ensure(
    addresses: &mut Addresses,
    owner: &str,
    seen: &Seen,
    expect: Expect,
) -> Result<Made, String> {
    let had = addresses.of(owner).map(|given| given.public.is_none());
    match expect.trouble {
        Some(Trouble::Quota) if had.is_none() => {
            return Err(
                "error creating loadbalancer: 409 Conflict: Quota exceeded for resources: ['loadbalancer']"
                    .to_owned(),
            );
        }
        Some(Trouble::Error) if had.is_none() => {
            return Err(format!("loadbalancer {owner} has gone into ERROR state"));
        }
        _ => {}
    }
    let wish = (expect.cloud.read)(seen)?;
    let mut internal = is_internal(&wish, had, expect)?;
    let mut asked = match wish.address.as_deref().map(str::parse::<Ipv4Addr>) {
        Some(Ok(address)) => Some(address),
        Some(Err(_)) => {
            let address = wish.address.unwrap_or_default();
            return Err(format!("{address} is no IPv4 address"));
        }
        None => None,
    };
    let lacks = !internal && had != Some(false) && expect.trouble == Some(Trouble::NoPublic);
    match expect.cloud.without_public {
        WithoutPublic::Fails(why) if lacks => return Err(why.to_owned()),
        WithoutPublic::Private if lacks => (internal, asked) = (true, None),
        WithoutPublic::Fails(_) | WithoutPublic::Private => {}
    }
    let given = addresses.give(owner, internal, asked);
    Ok(Made {
        given: given.map_err(|refused| refused.to_string())?,
        header: wish.proxy,
        as_proxy: wish.as_proxy || expect.cloud.shows == Shows::Proxy,
        forced: lacks,
    })
}

/// Whether it has to do without a public address.
fn is_internal(wish: &Wish, had: Option<bool>, expect: Expect) -> Result<bool, String> {
    Ok(match (expect.trouble, had) {
        // Somebody attaches a public address by hand.
        (Some(Trouble::Exposed), _) => false,
        (_, Some(had)) if had != wish.internal && wish.address.is_none() => {
            match expect.cloud.change {
                Change::Live => wish.internal,
                Change::Ignored => had,
                Change::Refused(why) => return Err(why.to_owned()),
            }
        }
        (_, Some(had)) if expect.cloud.change != Change::Live => had,
        _ => wish.internal,
    })
}

/// Takes a load balancer away; a public address that is to be kept is given to nobody who does not ask for it. What it
/// had, and whether that is kept.
pub(super) fn release(
    addresses: &mut Addresses,
    owner: &str,
    seen: &Seen,
    cloud: &Cloud,
) -> Option<(Given, bool)> {
    let keep = (cloud.read)(seen).is_ok_and(|wish| wish.keep);
    Some((addresses.release(owner, keep)?, keep))
}

/// What the status shows. Where the nodes' ports are shut, nothing carries traffic there: kube-proxy leaves an
/// address alone that is said to be a proxy's.
pub(super) fn shown(cloud: &Cloud, made: &Made, shut: bool) -> Vec<LoadBalancerIngress> {
    let mode = if shut || made.as_proxy {
        "Proxy"
    } else {
        "VIP"
    };
    let given = &made.given;
    let by_address = |address: Ipv4Addr| LoadBalancerIngress {
        ip: Some(address.to_string()),
        ip_mode: Some(mode.to_owned()),
        ..LoadBalancerIngress::default()
    };
    match (cloud.shows, given.public) {
        (Shows::Hostname, _) => vec![LoadBalancerIngress {
            hostname: Some(name(given.shown())),
            ..LoadBalancerIngress::default()
        }],
        (Shows::Mixed, Some(public)) => vec![by_address(given.private), by_address(public)],
        _ => vec![by_address(given.shown())],
    }
}

/// What is written back on the Service.
pub(super) fn written(cloud: &Cloud, id: &str, given: &Given) -> Vec<(&'static str, String)> {
    let value = |what: &Written| match what {
        Written::Id => id.to_owned(),
        Written::Address => given.shown().to_string(),
    };
    let written = cloud.written.iter();
    written.map(|(key, what)| (*key, value(what))).collect()
}

/// The zone of load balancers' names, which the lab's DNS answers for.
const ZONE: &str = ".lab-cloud.test";

/// A load balancer's name. Whether it is private is not to be seen from it.
pub(super) fn name(address: Ipv4Addr) -> String {
    format!("lb-{}{ZONE}", address.to_string().replace('.', "-"))
}

/// The address of a load balancer's name.
pub fn resolve(name: &str) -> Option<Ipv4Addr> {
    let address = name.strip_prefix("lb-")?.strip_suffix(ZONE)?;
    address.replace('-', ".").parse().ok()
}
