//! What stands between a load balancer and the proxies: the security rule that is probably missing when no connection
//! comes.
//!
//! The words are data, in both languages of the pages, since consoles name such rules each in its own way. Whether
//! a rule is there cannot be seen from inside of a cluster.

/// How a load balancer that reaches the proxies by the nodes' NodePorts is let through to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// What has to be let through, as a sentence without its full stop.
    pub rule: &'static str,
    /// The same in Korean.
    pub rule_ko: &'static str,
    /// The network of pods with which the proxies' own ports have to be let through as well, if there is one.
    pub pods_with: Option<&'static str>,
    /// Whether its health check connects to the proxies, so that none that comes is no matter of nobody calling.
    pub checks: bool,
}

/// The network of pods that takes a node's port for the pod's own before any rule looks at it.
const EBPF: Option<&str> = Some("Calico-eBPF");

impl Gate {
    /// A load balancer that is known to reach nodes by NodePorts.
    pub(super) const NODE_PORTS: Self = Self {
        rule: "let TCP 30000-32767, the NodePorts by which the load balancer reaches the nodes, in to them and out of them",
        rule_ko: "로드 밸런서가 노드에 접속하는 NodePort인 TCP 30000-32767의 수신과 송신을 허용하세요",
        pods_with: EBPF,
        checks: false,
    };

    /// The nodes' security group keeps it out.
    pub(super) const SECURITY_GROUP: Self = Self {
        rule: "in the nodes' security group, let TCP 30000-32767, the NodePorts by which the load balancer reaches them, in and out",
        rule_ko: "노드의 보안 그룹에서, 로드 밸런서가 노드에 접속하는 NodePort인 TCP 30000-32767의 수신과 송신을 허용하세요",
        ..Self::NODE_PORTS
    };

    /// The sources that were read do not tell how it reaches nodes.
    pub(super) const NOT_KNOWN: Self = Self {
        rule: "where load balancers reach nodes by NodePorts, let TCP 30000-32767 in to the nodes and out of them",
        rule_ko: "로드 밸런서가 NodePort로 노드에 접속하는 환경이라면 노드의 TCP 30000-32767 수신과 송신을 허용하세요",
        ..Self::NODE_PORTS
    };
}
