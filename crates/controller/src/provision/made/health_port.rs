//! Which port of every node tells a load balancer whether the node has a proxy (`healthCheckNodePort`).
//!
//! Kubernetes would choose one, but only once the Service is there, and the load balancer's maker has to be told it in
//! the call that makes the Service. So it follows from the Gateway's name, and where it is taken another one does.

use daemun_model::names::ObjectName;

use super::names;

/// The ports of nodes that are Services' by default.
const FIRST: u16 = 30_000;
const COUNT: u16 = 2_768;
/// A step that has no divisor in common with their number, so that all come in turn.
const STEP: u16 = 1_087;

/// The first choice for a Service.
pub(super) fn first(gateway: &ObjectName, service: &str) -> u16 {
    let name = format!("{}/{}/{service}", gateway.namespace, gateway.name);
    let place = names::fnv(name.as_bytes()) % u64::from(COUNT);
    FIRST + u16::try_from(place).unwrap_or_default()
}

/// Another choice, when one is taken.
pub(in super::super) fn next(port: u16) -> u16 {
    let place = u32::from(port.saturating_sub(FIRST)) + u32::from(STEP);
    FIRST + u16::try_from(place % u32::from(COUNT)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use daemun_model::names::ObjectName;

    use super::{COUNT, FIRST, first, next};

    #[test]
    fn a_name_gives_the_same_port_and_all_others_come_in_turn() {
        let gateway = ObjectName::new("infra", "shop");
        let chosen = first(&gateway, "shop-daemun");
        assert_eq!(chosen, first(&gateway, "shop-daemun"));
        assert_ne!(chosen, first(&gateway, "shop-daemun-2"));
        let mut all = BTreeSet::new();
        let mut port = chosen;
        for _ in 0..COUNT {
            assert!((FIRST..=32_767).contains(&port));
            all.insert(port);
            port = next(port);
        }
        assert_eq!((all.len(), port), (usize::from(COUNT), chosen));
    }
}
