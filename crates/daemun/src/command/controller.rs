//! `daemun controller`: the controller in Kubernetes. This file puts its parts together and takes them apart in order.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use daemun_base::process;
use daemun_base::readiness::Readiness;
use daemun_base::signals::{Signal, Signals};
use daemun_base::tasks::Tasks;
use daemun_controller::exposure::Lookup;
use daemun_controller::kubernetes::{self, Parts};
use daemun_controller::provision::{self, Provisioner};
use daemun_controller::{Metrics, wire};
use daemun_proxy::Resolver;
use daemun_proxy::admin::Health;
use daemun_wire::server::Publisher;

use super::Status;
use super::access::{AccessArguments, RangeArguments};
use super::process::{LogArguments, runtime, start_health};
use crate::output::style::ColourArguments;

/// Arguments of `controller`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// The controllerName of the GatewayClasses that are served
    #[arg(
        long,
        value_name = "NAME",
        env = "DAEMUN_CONTROLLER_NAME",
        default_value = kubernetes::CONTROLLER
    )]
    controller_name: String,
    /// The controller's own namespace
    #[arg(
        long,
        value_name = "NAMESPACE",
        env = "POD_NAMESPACE",
        default_value = "daemun-system"
    )]
    namespace: String,
    /// The name of the pod that this process runs in
    #[arg(long, value_name = "NAME", env = "POD_NAME")]
    pod_name: Option<String>,
    /// Namespaces that are watched [default: all]
    #[arg(
        long,
        value_name = "NAMESPACE,…",
        env = "DAEMUN_WATCH_NAMESPACES",
        value_delimiter = ','
    )]
    watch_namespaces: Vec<String>,
    #[command(flatten)]
    access: AccessArguments,
    /// The image of the proxies, where GatewayParameters name none
    #[arg(long, value_name = "IMAGE", env = "DAEMUN_PROXY_IMAGE", default_value = concat!("daemun:", env!("CARGO_PKG_VERSION")))]
    proxy_image: String,
    /// When that image is pulled: Always, IfNotPresent or Never [default: as Kubernetes does it]
    #[arg(long, value_name = "POLICY", env = "DAEMUN_PROXY_IMAGE_PULL_POLICY", value_parser = ["Always", "IfNotPresent", "Never"])]
    proxy_image_pull_policy: Option<String>,
    /// A Secret in each Gateway's namespace with which that image is pulled (repeatable)
    #[arg(long = "proxy-pull-secret", value_name = "NAME")]
    proxy_pull_secrets: Vec<String>,
    /// Gateways whose pods are replaced at a time when a new version of the controller asks for it
    #[arg(
        long,
        value_name = "NUMBER",
        env = "DAEMUN_ROLLING",
        default_value = "3"
    )]
    rolling: usize,
    #[command(flatten)]
    ranges: RangeArguments,
    /// Where proxies connect to
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "DAEMUN_WIRE",
        default_value = "[::]:9903"
    )]
    wire: SocketAddr,
    /// The name and port by which proxies find all replicas of the controller
    /// [default: daemun-controller.NAMESPACE.svc and the port of --wire]
    #[arg(long, value_name = "HOST:PORT", env = "DAEMUN_WIRE_SERVICE")]
    wire_service: Option<String>,
    /// Health and metrics: /healthz, /readyz, /metrics
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "DAEMUN_HEALTH",
        default_value = "[::]:9901"
    )]
    health: SocketAddr,
    #[command(flatten)]
    log: LogArguments,
}

/// Runs the controller until it is told to stop.
pub(crate) fn controller(arguments: &Arguments, colours: &ColourArguments) -> Status {
    if let Err(why) = arguments.log.start(colours) {
        return Status::unusable(&why);
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(why) => return Status::unusable(&why),
    };
    match runtime.block_on(serve(arguments)) {
        Ok(()) => Status::Fine,
        Err(why) => Status::unusable(&why),
    }
}

async fn serve(arguments: &Arguments) -> Result<(), String> {
    let mut signals =
        Signals::new().map_err(|error| format!("Signals cannot be handled: {error}."))?;
    let tasks = Tasks::default();
    let readiness = Readiness::default();
    let access = arguments.access.access();
    let client = access.connect().await?;
    let publisher = Publisher::default();
    let metrics = Arc::new(Metrics::default());
    let provision = Provisioner::start(client.clone(), arguments.provision(), &tasks);
    let wire = wire::Settings {
        address: arguments.wire,
        namespace: arguments.namespace.clone(),
        accounts: provision.accounts.clone(),
        pods: provision.pods.clone(),
    };
    let wire = wire::start(&client, wire, &publisher, &tasks).await?;
    let running = kubernetes::start(
        &arguments.settings(),
        Parts {
            client: &client,
            publisher: &publisher,
            authorities: wire.authorities,
            lookup: lookup(),
            provision,
            readiness: &readiness,
            metrics: &metrics,
            tasks: &tasks,
        },
    );
    let health = Health {
        readiness: readiness.clone(),
        metrics: Arc::new(move |into: &mut dyn std::fmt::Write| write(&metrics, &publisher, into)),
    };
    let health = start_health(health, arguments.health, &tasks).await?;
    tracing::info!(
        controller = arguments.controller_name,
        %health,
        wire = %wire.address,
        "Daemun {} watches the cluster.",
        env!("CARGO_PKG_VERSION")
    );
    while signals.next().await != Signal::Stop {}
    readiness.not_ready("process", "it is stopping");
    tracing::info!("Stopping: another replica may lead now. A second signal stops at once.");
    tokio::select! {
        () = running.resign() => {}
        () = second_stop(&mut signals) => {}
    }
    tasks.abort();
    Ok(())
}

/// Names of load balancers are whole: no search domain of the pod's is put behind them.
fn lookup() -> Lookup {
    let resolver = Resolver::default();
    Lookup::new(move |name| {
        let resolver = resolver.clone();
        async move {
            resolver
                .addresses_if_any(&format!("{}.", name.trim_end_matches('.')))
                .await
        }
    })
}

async fn second_stop(signals: &mut Signals) {
    while signals.next().await != Signal::Stop {}
}

/// All metrics, as OpenMetrics text.
fn write(
    metrics: &Metrics,
    publisher: &Publisher,
    into: &mut dyn std::fmt::Write,
) -> std::fmt::Result {
    metrics.write(into)?;
    publisher.write_metrics(into)?;
    process::write_metrics(into)?;
    into.write_str("# EOF\n")
}

impl Arguments {
    fn provision(&self) -> provision::Settings {
        provision::Settings {
            controller: self.controller_name.clone(),
            image: self.proxy_image.clone(),
            image_pull_policy: self.proxy_image_pull_policy.clone(),
            pull_secrets: self.proxy_pull_secrets.clone(),
            wire: match &self.wire_service {
                Some(service) => service.clone(),
                None => format!(
                    "daemun-controller.{}.svc:{}",
                    self.namespace,
                    self.wire.port()
                ),
            },
            namespaces: (!self.watch_namespaces.is_empty()).then(|| self.watch_namespaces.clone()),
            rolling: self.rolling,
        }
    }

    fn settings(&self) -> kubernetes::Settings {
        kubernetes::Settings {
            controller: self.controller_name.clone(),
            namespace: self.namespace.clone(),
            identity: self.identity(),
            namespaces: self.watch_namespaces.clone(),
            private_ranges: self.ranges.private_ranges.clone(),
            public_ranges: self.ranges.public_ranges.clone(),
        }
    }

    /// A name that no other replica has: its pod's, or outside of pods one of this process.
    fn identity(&self) -> String {
        let pod = self.pod_name.clone();
        pod.unwrap_or_else(|| format!("process-{}", std::process::id()))
    }
}
