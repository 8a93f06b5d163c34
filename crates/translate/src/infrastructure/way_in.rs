//! The way in as it is written, read: what of it cannot be meant, whoever makes load balancers, is refused here. What
//! is to be made of it depends on the load balancer's maker, and is judged elsewhere (`exposure::judge`).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use daemun_model::verdict::FieldPath;
use daemun_objects::Duration as WrittenDuration;
use daemun_objects::Open;
use daemun_objects::own::exposure::{
    ExposureSettings, ExternalTrafficPolicy, HealthCheck, HostPort, HostProtocol, OnViolation,
    Reach,
};
use ipnet::IpNet;

use super::{Port, Transport, bind_port};
use crate::cluster::Home;
use crate::exposure::provider::{Provider, listener_key};
use crate::value::{self, known, unknown};
use crate::verdict::Refusal;

/// What is written of the way in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WayIn {
    /// Who may reach the Gateway; none where nothing is written.
    pub reach: Option<Reach>,
    /// What the class lets Gateways ask for beside its own; empty where it says nothing of it.
    pub allowed: Vec<Reach>,
    /// The ports of the nodes that the proxies take, each once.
    pub host_ports: Vec<Port>,
    /// Who makes load balancers; none means that the nodes tell.
    pub provider: Option<Provider>,
    /// The address that is asked for.
    pub address: Option<IpAddr>,
    /// Whether the address outlives the Gateway.
    pub keep_address: bool,
    /// The subnet of the address.
    pub subnet: Option<String>,
    /// From where it may be called; none means from anywhere.
    pub source_ranges: Option<Vec<IpNet>>,
    /// Whether only nodes with a proxy take traffic; none leaves it to Kubernetes.
    pub local: Option<bool>,
    /// Whether the load balancer sends PROXY headers.
    pub proxy_protocol: bool,
    /// Whose PROXY headers are believed.
    pub trusted: Option<Vec<IpNet>>,
    /// The health check.
    pub health: Health,
    /// `loadBalancerClass`.
    pub class: Option<String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// Annotations about one listener, with the listener before the key (`TCP-443.`).
    pub listener_annotations: BTreeMap<String, String>,
    /// Whether an address that is not what was asked for is only told.
    pub report: bool,
}

/// What is written of the health check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Between two checks, in seconds.
    pub delay: Option<u32>,
    /// For an answer, in seconds.
    pub timeout: Option<u32>,
    /// Until a node is out.
    pub tries: Option<u32>,
}

/// Reads what is written. The path is the one of `exposure`.
pub(crate) fn read(written: &ExposureSettings, path: &FieldPath) -> Result<WayIn, Refusal> {
    let ExposureSettings {
        reach,
        allowed_reach,
        host_ports,
        provider,
        address,
        keep_address,
        subnet,
        source_ranges,
        external_traffic_policy,
        proxy_protocol,
        trusted_ranges,
        health_check,
        load_balancer_class,
        annotations,
        listener_annotations,
        on_violation,
    } = written;
    let policy = known(
        external_traffic_policy.as_ref(),
        &path.field("externalTrafficPolicy"),
        "policy",
    )?;
    let violation = known(on_violation.as_ref(), &path.field("onViolation"), "value")?;
    Ok(WayIn {
        reach: known(reach.as_ref(), &path.field("reach"), "reach")?,
        allowed: allowed(allowed_reach.as_deref(), &path.field("allowedReach"))?,
        host_ports: read_host_ports(host_ports.as_deref(), &path.field("hostPorts"))?,
        provider: read_provider(provider.as_deref(), &path.field("provider"))?,
        address: read_address(address.as_deref(), &path.field("address"))?,
        keep_address: keep_address.unwrap_or(false),
        subnet: subnet.clone().filter(|subnet| !subnet.is_empty()),
        source_ranges: ranges(source_ranges.as_deref(), &path.field("sourceRanges"))?,
        local: policy.map(|policy| policy == ExternalTrafficPolicy::Local),
        proxy_protocol: proxy_protocol.unwrap_or(false),
        trusted: ranges(trusted_ranges.as_deref(), &path.field("trustedRanges"))?,
        health: health(health_check.as_ref(), &path.field("healthCheck"))?,
        class: load_balancer_class.clone(),
        annotations: annotations.clone().unwrap_or_default(),
        listener_annotations: of_listeners(
            listener_annotations.as_ref(),
            &path.field("listenerAnnotations"),
        )?,
        report: violation == Some(OnViolation::Report),
    })
}

/// What of it counts while it cannot be had as a whole: what decides whom listeners let in and believe, each field that
/// can be read. Nothing of it opens what is closed: of ranges those that can be read are all, and a reach that
/// cannot be read counts as the one with which nobody but the listeners keeps callers out.
pub(crate) fn read_in_doubt(written: &ExposureSettings) -> WayIn {
    let ExposureSettings {
        reach,
        allowed_reach,
        host_ports,
        provider,
        subnet,
        source_ranges,
        external_traffic_policy,
        proxy_protocol,
        trusted_ranges,
        on_violation,
        // What these say is the Service's.
        address: _,
        keep_address: _,
        health_check: _,
        load_balancer_class: _,
        annotations: _,
        listener_annotations: _,
    } = written;
    let path = &FieldPath::root();
    let each = allowed_reach.iter().flatten();
    let each = each.filter_map(|one| known(Some(one), path, "reach").ok().flatten());
    let ports = host_ports.iter().flatten().map(std::slice::from_ref);
    let ports = ports.filter_map(|one| read_host_ports(Some(one), path).ok());
    let policy = known(external_traffic_policy.as_ref(), path, "policy");
    let policy = policy.ok().flatten();
    let violation = known(on_violation.as_ref(), path, "value").ok().flatten();
    WayIn {
        reach: known(reach.as_ref(), path, "reach").unwrap_or(Some(Reach::Cluster)),
        allowed: each.collect(),
        host_ports: ports.flatten().collect(),
        provider: provider.as_deref().and_then(Provider::named),
        subnet: subnet.clone().filter(|subnet| !subnet.is_empty()),
        source_ranges: source_ranges.as_deref().map(readable),
        // What comes by a port of a node is seen as it comes, whether or not it can be read which port that is.
        local: match host_ports.as_deref() {
            Some([_, ..]) => Some(true),
            Some([]) | None => policy.map(|policy| policy == ExternalTrafficPolicy::Local),
        },
        proxy_protocol: proxy_protocol.unwrap_or(false),
        trusted: trusted_ranges.as_deref().map(readable),
        report: violation == Some(OnViolation::Report),
        ..WayIn::default()
    }
}

/// The ranges that can be read.
fn readable(written: &[String]) -> Vec<IpNet> {
    let path = &FieldPath::root();
    let each = written.iter().map(std::slice::from_ref);
    each.filter_map(|one| value::ranges(one, path).ok())
        .flatten()
        .collect()
}

fn allowed(written: Option<&[Open<Reach>]>, path: &FieldPath) -> Result<Vec<Reach>, Refusal> {
    let each = written.unwrap_or_default().iter().enumerate();
    let each =
        each.filter_map(|(index, one)| known(Some(one), &path.index(index), "reach").transpose());
    each.collect()
}

/// The ports of the nodes. Two of them never meet in the pod, where they have to be moved.
fn read_host_ports(written: Option<&[HostPort]>, path: &FieldPath) -> Result<Vec<Port>, Refusal> {
    let mut ports: Vec<Port> = Vec::new();
    for (index, HostPort { port, protocol }) in written.into_iter().flatten().enumerate() {
        let path = path.index(index);
        let number = value::port(*port).ok_or_else(|| {
            Refusal::unsupported(
                path.field("port"),
                format!("{port} is not a port; ports are 1 to 65535."),
            )
        })?;
        let protocol = known(protocol.as_ref(), &path.field("protocol"), "protocol")?;
        let port = Port {
            port: number,
            bind: bind_port(Home::Kubernetes, number),
            transport: match protocol {
                None | Some(HostProtocol::Tcp) => Transport::Tcp,
                Some(HostProtocol::Udp) => Transport::Udp,
            },
        };
        let met = ports
            .iter()
            .find(|other| (other.bind, other.transport) == (port.bind, port.transport));
        match met {
            None => ports.push(port),
            Some(same) if same.port == number => {
                return Err(Refusal::unsupported(
                    path,
                    format!("Port {number} is there twice; write it once."),
                ));
            }
            Some(other) => {
                return Err(Refusal::unsupported(
                    path,
                    format!(
                        "Port {number} cannot be had beside port {}: proxies would need port {} of their pods for both. Take one of them out.",
                        other.port, port.bind
                    ),
                ));
            }
        }
    }
    Ok(ports)
}

fn read_provider(written: Option<&str>, path: &FieldPath) -> Result<Option<Provider>, Refusal> {
    match written {
        None | Some("" | "Auto") => Ok(None),
        Some(name) => match Provider::named(name) {
            Some(provider) => Ok(Some(provider)),
            None => {
                let known = Provider::ALL.iter().map(|provider| provider.name());
                let known: Vec<&str> = ["Auto"].into_iter().chain(known).collect();
                Err(unknown(path, "provider", name, &known))
            }
        },
    }
}

fn read_address(written: Option<&str>, path: &FieldPath) -> Result<Option<IpAddr>, Refusal> {
    let Some(text) = written.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let address = text.parse().map_err(|_| {
        Refusal::unsupported(
            path.clone(),
            format!("\"{text}\" is not an IP address, such as 10.0.3.7 or 2001:db8::7."),
        )
    });
    address.map(Some)
}

/// Ranges of addresses. A list without any would mean nobody, which nobody means.
fn ranges(written: Option<&[String]>, path: &FieldPath) -> Result<Option<Vec<IpNet>>, Refusal> {
    match written {
        None => Ok(None),
        Some([]) => Err(Refusal::unsupported(
            path.clone(),
            "The list is empty, so that nobody would be meant; write a range, or leave it out.",
        )),
        Some(written) => value::ranges(written, path).map(Some),
    }
}

fn health(written: Option<&HealthCheck>, path: &FieldPath) -> Result<Health, Refusal> {
    let HealthCheck {
        delay,
        timeout,
        tries,
    } = written.cloned().unwrap_or_default();
    let health = Health {
        delay: seconds(delay.as_ref(), &path.field("delay"))?,
        timeout: seconds(timeout.as_ref(), &path.field("timeout"))?,
        tries,
    };
    if tries == Some(0) {
        return Err(Refusal::unsupported(
            path.field("tries"),
            "A node is out after at least one failure; tries is at least 1.",
        ));
    }
    if let Health {
        delay: Some(delay),
        timeout: Some(timeout),
        ..
    } = health
        && timeout >= delay
    {
        return Err(Refusal::unsupported(
            path.field("timeout"),
            format!(
                "An answer may take {timeout} s (timeout), and every {delay} s (delay) it is asked again; timeout is less than delay."
            ),
        ));
    }
    Ok(health)
}

/// Whole seconds, at least one.
fn seconds(written: Option<&WrittenDuration>, path: &FieldPath) -> Result<Option<u32>, Refusal> {
    let Some(written) = written else {
        return Ok(None);
    };
    let duration = written
        .parse()
        .map_err(|why| Refusal::unsupported(path.clone(), format!("{why}.")))?;
    let seconds = u32::try_from(duration.as_secs()).unwrap_or(0);
    if seconds == 0 || Duration::from_secs(seconds.into()) != duration {
        return Err(Refusal::unsupported(
            path.clone(),
            format!(
                "{} is not a whole number of seconds from 1 on, which is what load balancers take; write for example 5s.",
                written.0
            ),
        ));
    }
    Ok(Some(seconds))
}

fn of_listeners(
    written: Option<&BTreeMap<String, BTreeMap<String, String>>>,
    path: &FieldPath,
) -> Result<BTreeMap<String, String>, Refusal> {
    let mut all = BTreeMap::new();
    for (listener, annotations) in written.into_iter().flatten() {
        if listener_key(&format!("{listener}.x")).is_none() {
            return Err(Refusal::unsupported(
                path.key(listener),
                format!(
                    "\"{listener}\" is no listener: write its protocol below HTTP and TLS, and its port, such as TCP-443."
                ),
            ));
        }
        let keys = annotations.iter();
        all.extend(keys.map(|(key, value)| (format!("{listener}.{key}"), value.clone())));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use daemun_model::verdict::FieldPath;
    use daemun_objects::own::exposure::{ExposureSettings, Reach};

    use super::{WayIn, read, read_in_doubt};

    fn way_in(yaml: &str) -> Result<WayIn, String> {
        let written: ExposureSettings = serde_saphyr::from_str(yaml).unwrap();
        read(&written, &FieldPath::of("spec.exposure"))
            .map_err(|refusal| format!("{}: {}", refusal.path, refusal.message))
    }

    #[test]
    fn what_is_written_is_read() {
        let read = way_in(
            "{reach: Private, allowedReach: [Cluster], provider: NHN, address: 10.0.3.7, keepAddress: true, subnet: s, sourceRanges: [10.1.2.3/8, 192.0.2.7], proxyProtocol: true, healthCheck: {delay: 5s, timeout: 3s, tries: 3}, listenerAnnotations: {TCP-443: {a/b: x}}, onViolation: Report}",
        )
        .unwrap();
        assert_eq!(read.reach, Some(Reach::Private));
        assert_eq!(read.allowed, [Reach::Cluster]);
        assert_eq!(read.address, Some([10, 0, 3, 7].into()));
        let ranges = read.source_ranges.unwrap();
        assert_eq!(ranges[0].to_string(), "10.0.0.0/8");
        assert_eq!(ranges[1].to_string(), "192.0.2.7/32");
        assert_eq!(read.health.delay, Some(5));
        assert_eq!(read.listener_annotations["TCP-443.a/b"], "x");
        assert!(read.keep_address && read.proxy_protocol && read.report);
        assert_eq!(way_in("{}").unwrap(), WayIn::default());
        assert_eq!(way_in("{provider: Auto}").unwrap(), WayIn::default());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_at_its_field() {
        for (yaml, path) in [
            ("{reach: Everybody}", "reach"),
            ("{allowedReach: [Private, Sometimes]}", "allowedReach[1]"),
            ("{provider: nhn}", "provider"),
            ("{address: lb.example.com}", "address"),
            ("{sourceRanges: []}", "sourceRanges"),
            ("{sourceRanges: [10.0.0.0/8, here]}", "sourceRanges[1]"),
            ("{healthCheck: {delay: 500ms}}", "healthCheck.delay"),
            ("{healthCheck: {delay: 0s}}", "healthCheck.delay"),
            ("{healthCheck: {tries: 0}}", "healthCheck.tries"),
            (
                "{healthCheck: {delay: 3s, timeout: 3s}}",
                "healthCheck.timeout",
            ),
            (
                "{listenerAnnotations: {https: {a: b}}}",
                "listenerAnnotations.https",
            ),
            ("{onViolation: Ignore}", "onViolation"),
        ] {
            let why = way_in(yaml).unwrap_err();
            let path = format!("spec.exposure.{path}: ");
            assert!(why.starts_with(&path), "{yaml}: {why}");
        }
    }

    #[test]
    fn in_doubt_each_field_that_can_be_read_counts_and_nothing_opens() {
        let in_doubt = |yaml: &str| read_in_doubt(&serde_saphyr::from_str(yaml).unwrap());
        let read = in_doubt(
            "{reach: Node, address: nowhere, externalTrafficPolicy: Local, sourceRanges: [here, 10.0.0.0/8], trustedRanges: [192.0.2.7], proxyProtocol: true}",
        );
        assert_eq!((read.reach, read.local), (Some(Reach::Node), Some(true)));
        let ranges = read.source_ranges.unwrap();
        assert_eq!(ranges, ["10.0.0.0/8".parse().unwrap()]);
        assert_eq!(read.trusted.unwrap().len(), 1);
        assert!(read.proxy_protocol && read.address.is_none());
        // Ranges of which none can be read let nobody in, and with what cannot be read it is the listeners that see to it.
        let read = in_doubt("{reach: Clustr, sourceRanges: [here]}");
        assert_eq!(
            (read.reach, read.source_ranges),
            (Some(Reach::Cluster), Some(vec![]))
        );
        assert_eq!(in_doubt("{}"), WayIn::default());
    }
}
