//! Oracle: two kinds of load balancer with a switch each, which count at creation; a public one of the newer kind shows both addresses.

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic};

pub(super) const CLOUD: Cloud = Cloud {
    name: "OCI",
    classes: &[],
    read,
    change: Change::Ignored,
    shows: Shows::Mixed,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    let network = |key: &str| format!("oci-network-load-balancer.oraclecloud.com/{key}");
    if !seen.is("oci.oraclecloud.com/load-balancer-type", "nlb") {
        let internal = seen.exactly("service.beta.kubernetes.io/oci-load-balancer-internal");
        return Ok(Wish {
            address: seen.address.clone().filter(|_| !internal),
            ..Wish::new(internal)
        });
    }
    let internal = seen.exactly(&network("internal"));
    let private = seen.text(&network("assigned-private-ipv4"));
    Ok(Wish {
        address: if internal {
            private.map(str::to_owned)
        } else {
            seen.address.clone()
        },
        proxy: seen.exactly(&network("is-ppv2-enabled")).then_some(2),
        ..Wish::new(internal)
    })
}
