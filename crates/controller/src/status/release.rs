//! Which Gateway API the cluster has: its release and its channel, as its CRDs say themselves.

use std::collections::BTreeMap;

use daemun_model::verdict::{Condition, Status};
use daemun_translate::features::{self, Channel};

/// The annotation of a CRD that says of which release it is.
const BUNDLE: &str = "gateway.networking.k8s.io/bundle-version";
/// The annotation of a CRD that says of which channel it is.
const CHANNEL: &str = "gateway.networking.k8s.io/channel";
/// The CRD that is asked.
const ASKED: &str = "gatewayclasses.gateway.networking.k8s.io";
/// The newest release that is known here.
const KNOWN: (u32, u32) = (1, 6);
/// The oldest one with which all is tested.
const OLDEST: (u32, u32) = (1, 5);

/// The release and the channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Release {
    /// `v1.6.1`; none if that is not known.
    bundle: Option<String>,
    /// Whether the CRDs are those of the experimental channel.
    experimental: bool,
    /// CRDs of another release or channel than that one: their names, and what they are of.
    others: Vec<(String, String)>,
}

impl Release {
    /// Reads the annotations of CRDs, by the CRDs' names.
    pub(crate) fn of(definitions: &BTreeMap<String, BTreeMap<String, String>>) -> Self {
        let asked = definitions.get(ASKED);
        let bundle = asked
            .and_then(|annotations| annotations.get(BUNDLE))
            .cloned();
        let channel = asked.and_then(|annotations| annotations.get(CHANNEL));
        let others = definitions.iter().filter_map(|(name, annotations)| {
            let (release, of) = (annotations.get(BUNDLE)?, annotations.get(CHANNEL));
            let is_same = Some(release) == bundle.as_ref() && of == channel;
            (name.ends_with(".gateway.networking.k8s.io") && !is_same).then(|| {
                let of = of.map_or("an unknown", |of| of.as_str());
                (name.clone(), format!("{release}, {of} channel"))
            })
        });
        Self {
            others: others.collect(),
            experimental: channel.is_some_and(|channel| channel == "experimental"),
            bundle,
        }
    }

    /// `SupportedVersion` of a GatewayClass: True or False, since the API knows nothing between.
    pub(crate) fn condition(&self) -> Condition {
        let (status, reason, message) = match &self.bundle {
            None => (
                Status::False,
                "UnsupportedVersion",
                "The CRDs of the Gateway API do not say of which release they are, or the controller may not read them. What they have is served, and not tested."
                    .to_owned(),
            ),
            Some(bundle) => self.judge(bundle),
        };
        Condition {
            kind: "SupportedVersion",
            status,
            reason,
            message,
        }
    }

    fn judge(&self, bundle: &str) -> (Status, &'static str, String) {
        if let Some((name, other)) = self.others.first() {
            let more = match self.others.len() {
                1 => String::new(),
                count => format!(" (and {} more)", count - 1),
            };
            return (
                Status::False,
                "UnsupportedVersion",
                format!(
                    "The CRDs of the Gateway API do not belong together: {ASKED} is {bundle}, {channel} channel, and {name}{more} is {other}. Install all of one release and channel: `daemun install --gateway-api-crds {channel} | kubectl apply --server-side -f -`.",
                    channel = self.channel()
                ),
            );
        }
        let version = major_minor(bundle);
        match version {
            Some(version) if (OLDEST..=KNOWN).contains(&version) => (
                Status::True,
                "SupportedVersion",
                format!(
                    "The CRDs of the Gateway API are {bundle}, {} channel.",
                    self.channel()
                ),
            ),
            Some(version) if version < OLDEST => (
                Status::False,
                "UnsupportedVersion",
                format!(
                    "The CRDs of the Gateway API are {bundle}, which is older than v{}.{}. What they have is served, and not tested. `daemun install --gateway-api-crds {}` prints newer ones.",
                    OLDEST.0,
                    OLDEST.1,
                    self.channel()
                ),
            ),
            Some(_) | None => (
                Status::False,
                "UnsupportedVersion",
                format!(
                    "The CRDs of the Gateway API are {bundle}; this version of Daemun knows v{}.{}. What it knows of them is served; what is new in them is not.",
                    KNOWN.0, KNOWN.1
                ),
            ),
        }
    }

    /// `standard` or `experimental`.
    pub(crate) fn channel(&self) -> &'static str {
        if self.experimental {
            "experimental"
        } else {
            "standard"
        }
    }

    /// What is served of what this channel has.
    pub(crate) fn features(&self) -> Vec<&'static str> {
        features::supported(if self.experimental {
            Channel::Experimental
        } else {
            Channel::Standard
        })
    }
}

/// `v1.6.1` → 1 and 6.
fn major_minor(bundle: &str) -> Option<(u32, u32)> {
    let mut parts = bundle.strip_prefix('v')?.split(['.', '-']);
    let major = parts.next()?.parse().ok()?;
    Some((major, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use daemun_model::verdict::Status;

    use super::Release;

    fn release(bundles: &[(&str, &str)]) -> Release {
        let definition = |(name, bundle): &(&str, &str)| {
            let annotation = |key: &str, value: &str| {
                (format!("gateway.networking.k8s.io/{key}"), value.to_owned())
            };
            let annotations = [
                annotation("bundle-version", bundle),
                annotation("channel", "experimental"),
            ];
            (
                format!("{name}.gateway.networking.k8s.io"),
                BTreeMap::from(annotations),
            )
        };
        Release::of(&bundles.iter().map(definition).collect())
    }

    #[test]
    fn a_release_is_supported_if_it_is_known_and_whole() {
        for (bundle, status) in [
            ("v1.6.1", Status::True),
            ("v1.5.0", Status::True),
            ("v1.4.2", Status::False),
            ("v1.7.0-rc.1", Status::False),
            ("v0.0.0-dev", Status::False),
            ("banana", Status::False),
        ] {
            let release = release(&[("gatewayclasses", bundle), ("httproutes", bundle)]);
            assert_eq!(release.condition().status, status, "{bundle}");
        }
        let mixed = release(&[("gatewayclasses", "v1.6.1"), ("httproutes", "v1.5.0")]);
        let condition = mixed.condition();
        assert_eq!(condition.status, Status::False);
        assert!(
            condition
                .message
                .contains("httproutes.gateway.networking.k8s.io is v1.5.0, experimental channel")
        );
        let unknown = Release::default().condition();
        assert_eq!(
            (unknown.status, unknown.reason),
            (Status::False, "UnsupportedVersion")
        );
        assert_eq!(mixed.channel(), "experimental");
        assert_eq!(Release::default().channel(), "standard");
    }
}
