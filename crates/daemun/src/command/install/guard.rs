//! Whether the CRDs of the Gateway API may be applied to a cluster: never over newer ones, or over those of another
//! channel or of nobody known. Others may use them, and what they have stored in them could be lost.

use daemun_controller::kubernetes::Definition;

use super::definitions::{Channel, RELEASE};

/// Why they may not; none if they may.
pub(super) fn objection(found: &[Definition], channel: Channel) -> Option<String> {
    let kept = |why: String| {
        Some(format!(
            "{why} CRDs of the Gateway API are left out of what is printed, so that those of the cluster stay as they are."
        ))
    };
    for Definition {
        name,
        release,
        channel: of,
    } in found
    {
        let (Some(release), Some(of)) = (release, of) else {
            return kept(format!(
                "The cluster has {name}, which does not say of which release and channel it is."
            ));
        };
        if of != channel.as_str() {
            return kept(format!(
                "The cluster has {name} of the {of} channel ({release}), and the {} channel was asked for.",
                channel.as_str()
            ));
        }
        match (version(release), version(RELEASE)) {
            (Some(there), Some(ours)) if there <= ours => {}
            (Some(_), _) => {
                return kept(format!(
                    "The cluster has {name} of {release}, which is newer than {RELEASE}."
                ));
            }
            (None, _) => {
                return kept(format!(
                    "The cluster has {name} of release \"{release}\", which is not known here."
                ));
            }
        }
    }
    None
}

/// `v1.6.1`, as numbers; none for anything else, pre-releases included.
fn version(release: &str) -> Option<[u32; 3]> {
    let mut numbers = release.strip_prefix('v')?.split('.');
    let mut next = || numbers.next()?.parse().ok();
    let version = [next()?, next()?, next()?];
    numbers.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use daemun_controller::kubernetes::Definition;

    use super::super::definitions::Channel;
    use super::objection;

    #[test]
    fn newer_and_foreign_definitions_stay_as_they_are() {
        let found = |release: Option<&str>, channel: Option<&str>| Definition {
            name: "gateways.gateway.networking.k8s.io".to_owned(),
            release: release.map(str::to_owned),
            channel: channel.map(str::to_owned),
        };
        let standard = Some("standard");
        for (definitions, word) in [
            (vec![], None),
            (vec![found(Some("v1.6.1"), standard)], None),
            (vec![found(Some("v1.4.0"), standard)], None),
            (
                vec![
                    found(Some("v1.6.1"), standard),
                    found(Some("v1.7.0"), standard),
                ],
                Some("newer than v1.6.1"),
            ),
            (vec![found(Some("v1.10.0"), standard)], Some("newer")),
            (
                vec![found(Some("v1.7.0-rc.1"), standard)],
                Some("not known"),
            ),
            (vec![found(Some("v0.0.0-dev"), standard)], Some("not known")),
            (
                vec![found(Some("v1.6.1"), Some("experimental"))],
                Some("of the experimental channel"),
            ),
            (vec![found(None, None)], Some("does not say")),
        ] {
            let why = objection(&definitions, Channel::Standard);
            match word {
                None => assert_eq!(why, None, "{definitions:?}"),
                Some(word) => assert!(why.as_ref().unwrap().contains(word), "{why:?}"),
            }
        }
    }
}
