//! The lab's cloud as a process of its own: `lab-cloud --kubeconfig PATH`.
//!
//! It is started and ended by `cargo xtask lab`, and waits for the API server if that is not there yet.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use daemun_base::logs;
use daemun_testkit::cloud::{self, Settings, Stand};
use kube::config::{KubeConfigOptions, Kubeconfig};

/// Gives Services of type LoadBalancer their addresses.
#[derive(Parser)]
#[command(name = "lab-cloud")]
struct Arguments {
    /// Whom to serve.
    #[arg(long)]
    kubeconfig: PathBuf,
    /// How long it takes to make a load balancer, in milliseconds.
    #[arg(long, default_value_t = 300)]
    delay_ms: u64,
    /// Which cloud is played, such as NHN, AWS or MetalLB.
    #[arg(long, default_value = "NHN")]
    provider: String,
    /// Carry the traffic of load balancers that are proxies: their addresses are put on this device.
    #[arg(long, requires_all = ["gateway", "inside"])]
    device: Option<String>,
    /// The address of the device, by which the nodes reach it.
    #[arg(long, requires = "device")]
    gateway: Option<Ipv4Addr>,
    /// The network namespace of the nodes.
    #[arg(long, requires = "device")]
    inside: Option<String>,
}

impl Arguments {
    fn stand(&self) -> Option<Stand> {
        Some(Stand {
            device: self.device.clone()?,
            gateway: self.gateway?,
            inside: self.inside.clone()?,
        })
    }
}

fn main() -> Result<(), String> {
    let arguments = Arguments::parse();
    logs::start("info", logs::Format::Text, false)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("The runtime cannot be started: {error}."))?;
    runtime.block_on(serve(&arguments))
}

async fn serve(arguments: &Arguments) -> Result<(), String> {
    let file = arguments.kubeconfig.display();
    let read = Kubeconfig::read_from(&arguments.kubeconfig)
        .map_err(|error| format!("{file} cannot be read: {error}."))?;
    let config = kube::Config::from_custom_kubeconfig(read, &KubeConfigOptions::default())
        .await
        .map_err(|error| format!("{file} does not say how to reach a cluster: {error}."))?;
    let client = kube::Client::try_from(config)
        .map_err(|error| format!("No client can be made from {file}: {error}."))?;
    let played = cloud::provider::named(&arguments.provider);
    let settings = Settings {
        ranges: cloud::addresses::Ranges::default(),
        delay: Duration::from_millis(arguments.delay_ms),
        played: played
            .ok_or_else(|| format!("No cloud called {} is known.", arguments.provider))?,
        stand: arguments.stand(),
    };
    cloud::run(client, settings)
        .await
        .map_err(|error| format!("The Services cannot be listed: {error}."))
}
