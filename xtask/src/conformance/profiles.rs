//! Which tests there are, and which profile counts which.
//!
//! The suite knows it; the list is what its binary prints (`TestProfiles` in `lab/conformance`).

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::lab::Channel;
use crate::lab::place::Place;

/// The profiles of gateways.
pub(crate) const PROFILES: [&str; 5] = [
    "GATEWAY-HTTP",
    "GATEWAY-GRPC",
    "GATEWAY-TLS",
    "GATEWAY-TCP",
    "GATEWAY-UDP",
];

/// What the suite has no profile for, though it is tested.
pub(super) const NONE: &str = "NONE";

/// The features for which the standard channel has no fields, so that nobody can claim them there.
const ONLY_EXPERIMENTAL: [&str; 2] = ["HTTPRouteRetry", "HTTPRouteDestinationPortMatching"];

/// How many tests the suite v1.6.1 has for each profile, in the standard channel and in the experimental one. A suite
/// that lost some would pass without them.
const COUNTS: [(&str, usize, usize); 5] = [
    ("GATEWAY-HTTP", 92, 94),
    ("GATEWAY-GRPC", 25, 25),
    ("GATEWAY-TLS", 35, 35),
    ("GATEWAY-TCP", 29, 29),
    ("GATEWAY-UDP", 30, 30),
];

/// The tests of the suite.
#[derive(Default)]
pub(super) struct Tests {
    /// By profile; tests of meshes are in none.
    by_profile: BTreeMap<String, BTreeSet<String>>,
    /// Those whose features the standard channel does not have.
    experimental: BTreeSet<String>,
}

impl Tests {
    /// The tests that a profile counts in a channel.
    pub(super) fn of(&self, profile: &str, channel: Channel) -> BTreeSet<&str> {
        let tests = self.by_profile.get(profile).into_iter().flatten();
        tests
            .map(String::as_str)
            .filter(|test| channel == Channel::Experimental || !self.experimental.contains(*test))
            .collect()
    }

    /// Whether they are as many as they should be.
    ///
    /// # Errors
    /// A sentence: which profile has another number.
    fn are_complete(&self) -> Result<(), String> {
        for (profile, standard, experimental) in COUNTS {
            for (channel, expected) in [
                (Channel::Standard, standard),
                (Channel::Experimental, experimental),
            ] {
                let found = self.of(profile, channel).len();
                if found != expected {
                    return Err(format!(
                        "The suite has {found} tests of {profile} in the {} channel, and v1.6.1 has {expected}. cargo xtask lab up compiles it anew; if the suite is another one, the counts are in xtask/src/conformance/profiles.rs.",
                        channel.name()
                    ));
                }
            }
        }
        Ok(())
    }

    /// All tests that must run in a channel: those of the profiles, and those that none counts.
    pub(super) fn all(&self, profiles: &[&str], channel: Channel) -> BTreeSet<&str> {
        profiles
            .iter()
            .copied()
            .chain([NONE])
            .flat_map(|profile| self.of(profile, channel))
            .collect()
    }
}

/// Asks the suite.
pub(super) fn list(place: &Place) -> Result<Tests, String> {
    let program = place.program("conformance.test");
    let output = Command::new(&program)
        .args(["-test.run", "^TestProfiles$"])
        .output()
        .map_err(|error| format!("{} cannot be run: {error}.", program.display()))?;
    let tests = read(&String::from_utf8_lossy(&output.stdout));
    if tests.by_profile.is_empty() {
        return Err(format!(
            "{} lists no tests; cargo xtask lab up compiles it anew.",
            program.display()
        ));
    }
    tests.are_complete()?;
    Ok(tests)
}

/// Reads lines `belongs PROFILE TEST FEATURE…`.
fn read(text: &str) -> Tests {
    let mut tests = Tests::default();
    for line in text.lines() {
        let mut words = line.split(' ');
        let (Some("belongs"), Some(profile), Some(test)) =
            (words.next(), words.next(), words.next())
        else {
            continue;
        };
        if profile == "MESH" {
            continue;
        }
        let profile = tests.by_profile.entry(profile.to_owned()).or_default();
        profile.insert(test.to_owned());
        if words.any(|feature| ONLY_EXPERIMENTAL.contains(&feature)) {
            tests.experimental.insert(test.to_owned());
        }
    }
    tests
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_that_lost_tests_is_told() {
        let mut text = String::new();
        for (profile, standard, experimental) in COUNTS {
            for number in 0..experimental {
                let feature = if number < standard {
                    ""
                } else {
                    " HTTPRouteRetry"
                };
                text.push_str(&format!("belongs {profile} Test{number}{feature}\n"));
            }
        }
        assert_eq!(read(&text).are_complete(), Ok(()));
        let fewer = text.replace("belongs GATEWAY-TCP Test7\n", "");
        let why = read(&fewer).are_complete().unwrap_err();
        assert!(
            why.starts_with(
                "The suite has 28 tests of GATEWAY-TCP in the standard channel, and v1.6.1 has 29."
            ),
            "{why}"
        );
    }

    #[test]
    fn the_standard_channel_lacks_what_it_has_no_fields_for() {
        let tests = read(
            "belongs GATEWAY-HTTP Simple\n\
             belongs GATEWAY-HTTP Retry HTTPRouteRetry\n\
             belongs GATEWAY-TLS Mixed TLSRouteModeMixed\n\
             belongs NONE NamedRule\n\
             belongs MESH Mesh\n\
             PASS\n",
        );
        let of = |profile, channel| tests.of(profile, channel).into_iter().collect::<Vec<_>>();
        assert_eq!(of("GATEWAY-HTTP", Channel::Standard), ["Simple"]);
        assert_eq!(
            of("GATEWAY-HTTP", Channel::Experimental),
            ["Retry", "Simple"]
        );
        assert_eq!(of("GATEWAY-TLS", Channel::Standard), ["Mixed"]);
        let all = tests.all(&PROFILES, Channel::Standard);
        assert_eq!(
            all.into_iter().collect::<Vec<_>>(),
            ["Mixed", "NamedRule", "Simple"]
        );
    }
}
