//! Amazon: two controllers, each blind to the other's switch. A class or the type "external" chooses the newer one.

use super::{Change, Cloud, EXHAUSTED, Seen, Shows, Wish, WithoutPublic};

pub(super) const CLOUD: Cloud = Cloud {
    name: "AWS",
    classes: &["service.k8s.aws/nlb"],
    read,
    change: Change::Ignored,
    shows: Shows::Hostname,
    without_public: WithoutPublic::Fails(EXHAUSTED),
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    if seen.address.is_some() {
        return Err("LoadBalancerIP cannot be specified for AWS ELB".to_owned());
    }
    let own = |key: &str| format!("service.beta.kubernetes.io/aws-load-balancer-{key}");
    let kind = seen.text(&own("type"));
    let proxy = seen.is(&own("proxy-protocol"), "*");
    if seen.class.is_some() || matches!(kind, Some("external" | "nlb-ip")) {
        // The AWS Load Balancer Controller.
        let internal = !seen.is(&own("scheme"), "internet-facing");
        let address = seen.text(&own("private-ipv4-addresses"));
        return Ok(Wish {
            address: address.filter(|_| internal).map(str::to_owned),
            proxy: proxy.then_some(2),
            ..Wish::new(internal)
        });
    }
    let internal = seen.text(&own("internal")).is_some_and(|it| it != "false");
    Ok(Wish {
        proxy: (proxy && kind != Some("nlb")).then_some(1),
        ..Wish::new(internal)
    })
}
