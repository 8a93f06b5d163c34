//! `daemun install`: prints what has to be applied to a cluster so that Daemun serves it. It changes nothing itself.
//!
//! `deploy/daemun.yaml` and the Helm chart say the same; tests compare them.

mod controller;
mod definitions;
mod guard;
mod object;
mod policies;
mod rights;
mod roles;

use std::io::Write as _;

use clap::{Args, ValueEnum};
use serde_json::Value;

use daemun_controller::kubernetes;

use super::Status;
use super::access::AccessArguments;
use super::process::runtime;
use definitions::Channel;

/// Arguments of `install`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// The image of the controller and, where GatewayParameters name no other, of the proxies
    #[arg(long, value_name = "IMAGE", env = "DAEMUN_IMAGE", default_value = concat!("daemun:", env!("CARGO_PKG_VERSION")))]
    image: String,
    /// When the image is pulled [default: as Kubernetes does it]
    #[arg(long, value_name = "POLICY", value_enum)]
    image_pull_policy: Option<PullPolicy>,
    /// A Secret with which the image is pulled, there and in the namespace of each Gateway; can be repeated
    #[arg(long, value_name = "SECRET")]
    pull_secret: Vec<String>,
    /// Which CRDs of the Gateway API are printed too; none if the cluster has them
    #[arg(long, value_name = "CHANNEL", value_enum, default_value = "standard")]
    gateway_api_crds: Channel,
    /// Print them without asking the cluster whether it has newer ones, or others
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    access: AccessArguments,
    /// The namespace of the controller; it is made
    #[arg(long, value_name = "NAMESPACE", default_value = "daemun-system")]
    namespace: String,
    /// Controllers; one of them leads
    #[arg(long, value_name = "NUMBER", default_value = "2", value_parser = clap::value_parser!(u16).range(1..))]
    replicas: u16,
    /// The controllerName of the GatewayClasses that are served
    #[arg(
        long,
        value_name = "NAME",
        default_value = daemun_controller::kubernetes::CONTROLLER
    )]
    controller_name: String,
    /// Look at this namespace only, with rights there and few elsewhere; can be repeated
    #[arg(long, value_name = "NAMESPACE")]
    watch_namespace: Vec<String>,
    /// Print the roles of operators and developers too; the developers' becomes part of the role edit
    #[arg(long)]
    roles: bool,
    /// Print an admission policy too; can be repeated
    #[arg(long, value_name = "POLICY", value_enum)]
    policy: Vec<policies::Guarded>,
    /// More options of daemun controller, such as --log-level=debug
    #[arg(last = true, value_name = "OPTION")]
    options: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PullPolicy {
    /// At each start of a pod
    Always,
    /// If the node does not have it
    IfNotPresent,
    /// Never: the node has it
    Never,
}

impl PullPolicy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

/// Prints what is to be applied.
pub(crate) fn install(arguments: &Arguments) -> Status {
    let channel = match channel(arguments) {
        Ok(channel) => channel,
        Err(why) => return Status::unusable(&why),
    };
    let text = match printed(arguments, channel) {
        Ok(text) => text,
        Err(why) => return Status::unusable(&why),
    };
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => Status::Fine,
        Err(error) => Status::unusable(&format!("Nothing can be written: {error}.")),
    }
}

/// The CRDs of the Gateway API that are printed: those that are asked for, or none if the cluster has its own.
fn channel(arguments: &Arguments) -> Result<Channel, String> {
    let channel = arguments.gateway_api_crds;
    if channel == Channel::None || arguments.offline {
        return Ok(channel);
    }
    let access = arguments.access.access();
    match runtime()?.block_on(kubernetes::definitions(&access)) {
        Ok(found) => Ok(match guard::objection(&found, channel) {
            Some(why) => {
                eprintln!("{why}");
                Channel::None
            }
            None => channel,
        }),
        Err(why) => {
            eprintln!(
                "{why} So it is not known whether the cluster has CRDs of the Gateway API already: if it has newer ones, or others, say --gateway-api-crds none."
            );
            Ok(channel)
        }
    }
}

fn printed(arguments: &Arguments, channel: Channel) -> Result<String, String> {
    let mut text = definitions::of_gateway_api(channel)?;
    text.push_str(&definitions::own()?);
    for object in objects(arguments) {
        let object = serde_saphyr::to_string(&object)
            .map_err(|error| format!("An object cannot be written: {error}."))?;
        text.push_str("---\n");
        text.push_str(&object);
    }
    Ok(text)
}

/// Everything but the CRDs.
fn objects(arguments: &Arguments) -> Vec<Value> {
    let mut all = vec![controller::namespace(arguments)];
    all.extend(rights::rights(arguments));
    if arguments.roles {
        all.extend(roles::operators_and_developers(arguments));
    }
    let policies = arguments.policy.iter();
    all.extend(policies.flat_map(|policy| policy.objects(arguments)));
    all.extend(controller::controller(arguments));
    all
}

#[cfg(test)]
mod tests;
