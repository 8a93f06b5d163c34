//! Whether the cluster's Kubernetes is one that Daemun works with.

use kube::Client;

/// The oldest version that works: the API as it is described there is what is asked for.
pub const OLDEST: (u32, u32) = (1, 33);

/// Tells in the log if the cluster is older. It is tried all the same.
pub(super) async fn tell(client: Client) {
    // Who cannot be asked shows that in other ways.
    let Ok(version) = client.apiserver_version().await else {
        return;
    };
    if let Some(objection) = objection(&version.major, &version.minor) {
        tracing::error!("{objection}");
    }
}

/// What is to be said of a version; nothing if it is new enough, or cannot be read.
fn objection(major: &str, minor: &str) -> Option<String> {
    // Some clouds write 33+.
    let number = |text: &str| text.trim_end_matches('+').parse::<u32>().ok();
    let version = (number(major)?, number(minor)?);
    (version < OLDEST).then(|| {
        format!(
            "The cluster has Kubernetes {major}.{minor}, and Daemun works with {}.{} or newer. What it makes around Gateways may be refused, or work in another way than said. Upgrade the cluster.",
            OLDEST.0, OLDEST.1
        )
    })
}

#[cfg(test)]
mod tests {
    use super::objection;

    #[test]
    fn older_versions_are_told_of() {
        for (major, minor, is_older) in [
            ("1", "33", false),
            ("1", "35+", false),
            ("2", "0", false),
            ("1", "32", true),
            ("1", "9+", true),
            ("", "", false),
        ] {
            assert_eq!(
                objection(major, minor).is_some(),
                is_older,
                "{major}.{minor}"
            );
        }
    }
}
