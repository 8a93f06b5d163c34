//! What is said of a Gateway that has an address, and to whose proxies no connection comes: which security rule is
//! probably missing.
//!
//! Here are the words and what they need of the Gateway. Whether connections come, the proxies know, and the
//! controller says it when it is time.

use super::judge::{Exposure, ServiceKind};
use super::provider::Gate;
use crate::infrastructure::{Port, Transport};

/// How the sentence begins by which it is told from what else a condition says.
pub const NOBODY_CAME: &str = "No connection has come to any of its proxies";

/// For how many seconds none may come to a Gateway that is programmed, before that is said.
pub const PATIENCE: i64 = 180;

/// What is said when no connection comes. None where no load balancer leads to the proxies by NodePorts, and where
/// there is no TCP that could be counted as a connection.
pub fn in_words(exposure: &Exposure, ports: &[Port]) -> Option<String> {
    if exposure.kind != ServiceKind::LoadBalancer {
        return None;
    }
    let Gate {
        rule,
        rule_ko: _,
        pods_with,
        checks,
    } = exposure.gate?;
    let ports = pod_ports(ports);
    if ports.is_empty() {
        return None;
    }
    let since = format!(
        "{NOBODY_CAME}, though it has had an address for more than {} minutes",
        PATIENCE / 60
    );
    let begins = if checks {
        ", and its load balancer should check them all the time. A security rule is probably missing"
    } else {
        ". If somebody has called it, a security rule is probably missing"
    };
    let pods = pods_with.map_or_else(String::new, |network| {
        format!(
            "; with {network} also TCP {}, which the proxies' pods listen on",
            ports.join(", ")
        )
    });
    Some(format!("{since}{begins}: {rule}{pods}."))
}

/// The ports of TCP on which the proxies' pods listen.
pub fn pod_ports(ports: &[Port]) -> Vec<String> {
    let tcp = ports.iter().filter(|port| port.transport == Transport::Tcp);
    tcp.map(|port| port.bind.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::in_words;
    use crate::exposure::provider::{Provider, rules};
    use crate::exposure::{Exposure, ServiceKind};
    use crate::infrastructure::{Port, Transport};

    fn exposure(provider: Provider, local: bool) -> Exposure {
        Exposure {
            gate: rules(provider).gate(local),
            ..Exposure::default()
        }
    }

    fn ports(transport: Transport) -> Vec<Port> {
        let ports = [(80, 20080), (8443, 8443)];
        let ports = ports.map(|(port, bind)| Port {
            port,
            bind,
            transport,
        });
        ports.to_vec()
    }

    fn said(provider: Provider, local: bool) -> Option<String> {
        in_words(&exposure(provider, local), &ports(Transport::Tcp))
    }

    #[test]
    fn the_rule_that_is_probably_missing_is_named_in_the_words_of_the_cloud() {
        assert_eq!(
            said(Provider::Nhn, false).unwrap(),
            "No connection has come to any of its proxies, though it has had an address for more than 3 minutes, and its load balancer should check them all the time. A security rule is probably missing: in the security group of the worker nodes, let TCP 30000-32767, the NodePorts by which the load balancer reaches them, in and out (with enhanced security rules, 강화된 보안 규칙, NKS makes no such rule); with Calico-eBPF also TCP 20080, 8443, which the proxies' pods listen on."
        );
        // Then the nodes are asked for the proxies' health, and that nobody calls is not wrong.
        let local = said(Provider::Nhn, true).unwrap();
        assert!(local.contains("minutes. If somebody has called it, a security rule"));
        let not_known = said(Provider::Generic, false).unwrap();
        assert!(not_known.contains("where load balancers reach nodes by NodePorts, let TCP"));
    }

    #[test]
    fn nothing_is_said_where_no_connection_can_be_missed() {
        for provider in [
            Provider::MetalLb,
            Provider::KubeVip,
            Provider::Cilium,
            Provider::K3s,
            Provider::Kind,
        ] {
            assert_eq!(said(provider, false), None, "{provider:?}");
        }
        let nhn = exposure(Provider::Nhn, false);
        assert_eq!(in_words(&nhn, &ports(Transport::Udp)), None);
        for kind in [
            ServiceKind::ClusterIp,
            ServiceKind::NodePort,
            ServiceKind::Unmanaged,
        ] {
            let exposure = Exposure {
                kind,
                ..nhn.clone()
            };
            assert_eq!(in_words(&exposure, &ports(Transport::Tcp)), None);
        }
    }
}
