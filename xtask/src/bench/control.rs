//! `cargo xtask bench control`: how fast a change in Kubernetes is live, what changes do to requests under way, and
//! what thousands of Routes cost the controller and a proxy.
//!
//! It needs a cluster with Daemun in it (`KUBECONFIG`; `cargo xtask conformance` leaves one in the lab) and works
//! in a namespace of its own, which it deletes. Requests go to the Gateway's address from this machine. Figures
//! are this cluster's: compare them only with others that were measured in the same one.

mod churn;
mod cluster;
mod live;
mod objects;
mod report;
mod size;

use cluster::Cluster;
use report::{Report, Setting};

/// What to measure, and where.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Routes that exist while single ones are added
    #[arg(long, default_value_t = 1_000)]
    others: usize,
    /// Routes that are added one at a time
    #[arg(long, default_value_t = 200)]
    samples: usize,
    /// Routes for the measurement of size
    #[arg(long, default_value_t = 5_000)]
    many: usize,
    /// Seconds of changes under load
    #[arg(long, default_value_t = 60)]
    churn: u64,
    /// The GatewayClass
    #[arg(long, default_value = "daemun")]
    class: String,
    /// Where the controller runs
    #[arg(long, default_value = "daemun-system")]
    controller_namespace: String,
    /// An HTTP server on port 3000 that every node has or can fetch
    #[arg(long, default_value = "registry.k8s.io/gateway-api/echo-basic:v1.5.1")]
    backend_image: String,
}

/// The namespace of everything that is made here.
const NAMESPACE: &str = "daemun-bench";

pub(super) fn run(arguments: &Arguments) -> Result<(), String> {
    let cluster = Cluster::connect(NAMESPACE)?;
    let done = measure(&cluster, arguments);
    // What was made goes, whatever came of it.
    let cleaned = cluster.delete_namespace();
    let report = done?;
    cleaned?;
    println!("{}", report.markdown());
    let root = crate::repository::root();
    let path = report.save(&root.join("bench/results"))?;
    println!("The results are in {}.", path.display());
    Ok(())
}

fn measure(cluster: &Cluster, arguments: &Arguments) -> Result<Report, String> {
    let Arguments {
        others,
        samples,
        many,
        churn,
        class,
        controller_namespace,
        backend_image,
    } = arguments;
    let mut report = Report::new(Setting::describe(cluster)?);
    cluster.create_namespace()?;
    cluster.create(&objects::backend(backend_image))?;
    cluster.create(&objects::service())?;
    cluster.create(&objects::gateway(class))?;
    let gateway = cluster.wait_for_gateway()?;
    let mut routes = cluster.routes(gateway);
    routes.grow_to(*others)?;
    routes.wait_for_last()?;
    // Until then the controller is still telling their owners that they are accepted.
    routes.wait_for_statuses()?;
    report.live = Some(live::measure(&mut routes, *samples)?);
    if *churn > 0 {
        report.churn = Some(churn::measure(&mut routes, *churn)?);
    }
    if *many > 0 {
        routes.grow_to(*many)?;
        routes.wait_for_last()?;
        report.size = Some(size::measure(&mut routes, controller_namespace)?);
    }
    Ok(report)
}
