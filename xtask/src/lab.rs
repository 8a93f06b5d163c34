//! `cargo xtask lab`: a one-node Kubernetes on this machine, with Daemun's image and a cloud in it.
//!
//! `lab/lab` starts and stops the cluster; here is what it is given: the programs that are built with cargo, the
//! images, and Daemun itself. What is kept lies in the user's cache, so that only the first start compiles.

pub(crate) mod archive;
pub(crate) mod build;
pub(crate) mod install;
pub(crate) mod kubectl;
pub(crate) mod place;
pub(crate) mod playground;
mod quickstart;
pub(crate) mod smoke;

use std::process::Command;

use self::kubectl::Kubectl;
use self::place::Place;

/// The CRDs of the Gateway API that are installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Channel {
    /// What is stable.
    Standard,
    /// What may still change, too.
    Experimental,
}

impl Channel {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Experimental => "experimental",
        }
    }
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(clap::Subcommand)]
enum Task {
    /// Start the cluster, with its cloud; the first time, compile it
    Up {
        /// Of which channel the CRDs of the Gateway API are
        #[arg(long, value_enum, default_value = "standard")]
        channel: Channel,
    },
    /// Stop the cluster; what was compiled stays
    Down,
    /// Build Daemun's image from the working tree and load it into the node
    Image {
        /// The profile of cargo that it is built with
        #[arg(long, default_value = build::PROFILE)]
        profile: String,
    },
    /// Build and load the image, and install Daemun with it
    Install {
        /// The profile of cargo that it is built with
        #[arg(long, default_value = build::PROFILE)]
        profile: String,
    },
    /// Install Daemun, send a request through a Gateway, change its route, take all away again
    Smoke {
        /// The profile of cargo that it is built with
        #[arg(long, default_value = build::PROFILE)]
        profile: String,
    },
    /// Say what runs
    Status,
    /// Print the path of the kubeconfig: export KUBECONFIG=$(cargo xtask lab kubeconfig)
    Kubeconfig,
    /// Stop one part, to see what the rest makes of it
    Stop {
        /// etcd, apiserver, controllers, scheduler, kubelet, kube-proxy, containerd or cloud
        part: String,
    },
    /// Start a part again
    Start {
        /// etcd, apiserver, controllers, scheduler, kubelet, kube-proxy, containerd or cloud
        part: String,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let place = Place::find()?;
    match &arguments.task {
        Task::Up { channel } => {
            up(&place, *channel)?;
            println!("export KUBECONFIG={}", place.kubeconfig().display());
            Ok(())
        }
        Task::Down => script(&place, &["down"]),
        Task::Image { profile } => {
            println!("{}", image(&place, profile)?);
            Ok(())
        }
        Task::Install { profile } => {
            let image = image(&place, profile)?;
            install::install(&Kubectl::of(&place), profile, &image)
        }
        Task::Smoke { profile } => {
            let image = image(&place, profile)?;
            smoke::run(&Kubectl::of(&place), profile, &image)
        }
        Task::Status => status(&place),
        Task::Kubeconfig => {
            println!("{}", place.kubeconfig().display());
            Ok(())
        }
        Task::Stop { part } => script(&place, &["stop", part]),
        Task::Start { part } => script(&place, &["start", part]),
    }
}

/// Starts the lab, in whichever channel it may already run, and loads Daemun's image. The image's name.
pub(crate) fn ready(place: &Place) -> Result<String, String> {
    up_as_it_is(place)?;
    image(place, build::PROFILE)
}

/// Starts the lab, in whichever channel it may already run.
pub(crate) fn up_as_it_is(place: &Place) -> Result<(), String> {
    let channel = match place.channel().as_deref() {
        Some("experimental") => Channel::Experimental,
        Some(_) | None => Channel::Standard,
    };
    up(place, channel)
}

/// Starts the lab, or leaves it as it is if it already runs as asked.
pub(crate) fn up(place: &Place, channel: Channel) -> Result<(), String> {
    if let Some(other) = place.channel()
        && other != channel.name()
    {
        println!("The lab has the CRDs of the {other} channel; it is made anew.");
        script(place, &["down"])?;
    }
    script(place, &["build"])?;
    build::images_of_others(place)?;
    if build::cloud(place)? {
        script(place, &["stop", "cloud"])?;
    }
    let mut command = place.script(&["up"]);
    command.env("CHANNEL", channel.name());
    done(command)
}

/// Builds Daemun's image and loads it into the node. The image's name.
pub(crate) fn image(place: &Place, profile: &str) -> Result<String, String> {
    let image = build::image(place, profile)?;
    if place.channel().is_none() {
        return Err(format!(
            "{} was built, but the lab does not run; start it with cargo xtask lab up.",
            image.name
        ));
    }
    let archive = image.archive.display().to_string();
    script(place, &["load", &archive])?;
    Ok(image.name)
}

fn status(place: &Place) -> Result<(), String> {
    let Some(channel) = place.channel() else {
        println!("The lab does not run; start it with cargo xtask lab up.");
        return Ok(());
    };
    println!("The lab runs with the CRDs of the {channel} channel.");
    println!("export KUBECONFIG={}", place.kubeconfig().display());
    let kubectl = Kubectl::of(place);
    print!("{}", kubectl.output(&["get", "nodes,gatewayclasses"])?);
    print!("{}", kubectl.output(&["get", "pods,gateways", "-A"])?);
    Ok(())
}

/// Runs the script of the lab.
pub(crate) fn script(place: &Place, arguments: &[&str]) -> Result<(), String> {
    done(place.script(arguments))
}

fn done(mut command: Command) -> Result<(), String> {
    let status = command
        .status()
        .map_err(|error| format!("lab/lab cannot be run: {error}."))?;
    if status.success() {
        return Ok(());
    }
    let arguments: Vec<_> = command
        .get_args()
        .map(|argument| argument.to_string_lossy())
        .collect();
    Err(format!(
        "lab/lab {} failed ({status}).",
        arguments.join(" ")
    ))
}
