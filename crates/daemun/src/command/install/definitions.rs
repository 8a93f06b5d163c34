//! The CustomResourceDefinitions that the program carries: those of our own kinds, and those of the Gateway API as they
//! were published, both channels.

use clap::ValueEnum;

/// A channel of the Gateway API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Channel {
    /// What will stay
    Standard,
    /// What is being tried out, and may change, beside that
    Experimental,
    /// No CRDs of the Gateway API
    None,
}

/// The release of the Gateway API that is carried.
pub(super) const RELEASE: &str = "v1.6.1";

const STANDARD: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/standard.z"));
const EXPERIMENTAL: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/experimental.z"));
const OWN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/own.z"));

impl Channel {
    /// As the CRDs' annotation has it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Experimental => "experimental",
            Self::None => "none",
        }
    }
}

/// Those of the Gateway API, as YAML.
pub(super) fn of_gateway_api(channel: Channel) -> Result<String, String> {
    match channel {
        Channel::Standard => unpacked(STANDARD),
        Channel::Experimental => unpacked(EXPERIMENTAL),
        Channel::None => Ok(String::new()),
    }
}

/// Those of our own kinds, as YAML.
pub(super) fn own() -> Result<String, String> {
    unpacked(OWN)
}

fn unpacked(packed: &[u8]) -> Result<String, String> {
    let damaged = || "The program is damaged: its CRDs cannot be unpacked.".to_owned();
    let bytes = miniz_oxide::inflate::decompress_to_vec(packed).map_err(|_| damaged())?;
    String::from_utf8(bytes).map_err(|_| damaged())
}
