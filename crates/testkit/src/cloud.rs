//! A cloud that gives Services of type `LoadBalancer` their addresses, as far as a cluster can see one.
//!
//! It is a controller like those that clouds run: it watches Services, answers after a while, writes back
//! what it made, and can be told to fail (`trouble`). What is common to such controllers is in
//! `balancer`; what one provider makes of a Service has a file of its own (`provider`). Once an address is in a
//! Service's status, kube-proxy does the rest; the traffic of a load balancer that is a proxy or that has a name it
//! carries itself, where it is told on which device (`carrier`).

pub mod addresses;
mod balancer;
mod carrier;
mod ledger;
pub mod make;
pub mod provider;
mod told;
pub mod trouble;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use k8s_openapi::api::core::v1::Service;
use kube::runtime::Controller;
use kube::runtime::controller::Action;
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::watcher;
use kube::{Api, Client, ResourceExt as _};

use self::addresses::{Addresses, Ranges};
use self::carrier::Carrier;
pub use self::carrier::Stand;

/// What the cloud is asked to be.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The addresses that it has.
    pub ranges: Ranges,
    /// How long it takes to make a load balancer, unless it is told otherwise while it runs.
    pub delay: Duration,
    /// Which cloud it is, unless it is told otherwise while it runs.
    pub played: &'static provider::Cloud,
    /// Where its load balancers stand that are proxies; nowhere, and they carry nothing.
    pub stand: Option<Stand>,
}

/// The cloud: what it has, and whom it speaks to.
pub(crate) struct Cloud {
    client: Client,
    recorder: Recorder,
    addresses: Mutex<Addresses>,
    settled: Mutex<BTreeMap<String, balancer::Settled>>,
    delay: Duration,
    played: &'static provider::Cloud,
    carrier: Option<Carrier>,
}

impl Cloud {
    /// Looks at the addresses, and changes who has which.
    fn addresses<R>(&self, with: impl FnOnce(&mut Addresses) -> R) -> R {
        with(
            &mut self
                .addresses
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// What Services said and were answered last.
    fn settled<R>(&self, with: impl FnOnce(&mut BTreeMap<String, balancer::Settled>) -> R) -> R {
        with(&mut self.settled.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Serves a cluster until the API server ends the watch for good, which it does not.
///
/// # Errors
/// If the Services that are there cannot be listed.
pub async fn run(client: Client, settings: Settings) -> Result<(), kube::Error> {
    let services: Api<Service> = Api::all(client.clone());
    let mut addresses = Addresses::new(settings.ranges);
    // A cloud outlives the controller: what was given out before it started stays given out.
    for service in services.list(&Default::default()).await? {
        addresses.keep(&uid(&service), &told::addresses(&service));
    }
    let cloud = Cloud {
        recorder: Recorder::new(
            client.clone(),
            Reporter {
                controller: "service-controller".to_owned(),
                instance: None,
            },
        ),
        client,
        addresses: Mutex::new(addresses),
        settled: Mutex::default(),
        delay: settings.delay,
        played: settings.played,
        carrier: settings.stand.map(Carrier::new),
    };
    Controller::new(services, watcher::Config::default())
        .run(balancer::reconcile, later, Arc::new(cloud))
        .for_each(|done| async move {
            if let Err(error) = done {
                tracing::debug!("A Service is looked at again later: {error}.");
            }
        })
        .await;
    Ok(())
}

/// What the API server refused is tried again soon: mostly, another wrote in between.
#[expect(clippy::needless_pass_by_value, reason = "the signature is kube's")]
fn later(service: Arc<Service>, error: &kube::Error, _: Arc<Cloud>) -> Action {
    tracing::info!("{}: {error}.", told::name(&service));
    Action::requeue(Duration::from_millis(500))
}

fn uid(service: &Service) -> String {
    service.uid().unwrap_or_default()
}
