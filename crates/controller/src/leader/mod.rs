//! Which of the replicas writes: the one that holds the Lease.
//!
//! The Lease is kept as other controllers keep theirs (client-go's leaderelection): whoever holds it renews it every
//! few seconds; one that was not renewed for long is taken over; on its way out a process gives it up.

mod election;

use std::sync::Arc;
use std::time::Duration;

use daemun_base::clock;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use daemun_base::causes::because;
use election::{Election, Move, Sight};

/// How long a Lease holds without being renewed.
const HOLDS: Duration = Duration::from_secs(15);
/// How long a holder goes on that cannot renew it: shorter, so that there are never two.
const GIVES_UP: Duration = Duration::from_secs(10);
/// How often it is renewed or looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How long the API server may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The Lease of the controllers of a name in a namespace.
pub(crate) struct Leader {
    leases: Api<Lease>,
    client: Client,
    /// The Lease's name.
    name: String,
    namespace: String,
    leads: watch::Sender<bool>,
    /// Namespaces of other installations that say they serve our classes; none before the classes are known.
    claims: watch::Receiver<Option<Arc<[String]>>>,
    election: Election,
    said: String,
    /// What was said about who claims our classes.
    claimed: String,
}

/// Gives the lead up, on the way out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resign(Arc<Notify>, Arc<Notify>);

impl Resign {
    /// Gives it up, and waits until that is done, but not for long.
    pub(crate) async fn now(&self) {
        self.0.notify_one();
        let _ = timeout(PATIENCE, self.1.notified()).await;
    }
}

impl Leader {
    /// Stands for election under a name that no other process has.
    pub(crate) fn new(
        client: &Client,
        (namespace, lease): (&str, String),
        identity: &str,
        claims: watch::Receiver<Option<Arc<[String]>>>,
    ) -> (Self, watch::Receiver<bool>) {
        let (leads, follows) = watch::channel(false);
        let leader = Self {
            leases: Api::namespaced(client.clone(), namespace),
            client: client.clone(),
            name: lease,
            namespace: namespace.to_owned(),
            leads,
            claims,
            election: Election::new(identity, HOLDS, GIVES_UP),
            said: String::new(),
            claimed: String::new(),
        };
        (leader, follows)
    }

    /// Stands for election until it is told to resign.
    pub(crate) async fn run(mut self, resign: Resign) {
        loop {
            self.look().await;
            tokio::select! {
                () = sleep(LOOK) => {}
                Ok(()) = self.claims.changed() => {}
                () = resign.0.notified() => {
                    self.resign().await;
                    resign.1.notify_one();
                    return;
                }
            }
        }
    }

    async fn look(&mut self) {
        let looked = timeout(PATIENCE, self.try_to_look()).await;
        let looked = looked.unwrap_or_else(|_| Err("the API server did not answer".to_owned()));
        let now = clock::now();
        if let Err(why) = &looked {
            if self.said != *why {
                tracing::warn!(
                    "The Lease {}/{} cannot be looked at: {why}.",
                    self.namespace,
                    self.name
                );
                self.said.clone_from(why);
            }
        } else {
            self.said.clear();
        }
        let holds = self.election.holds(now);
        let leads = holds && !self.is_claimed(holds).await;
        self.lead(leads);
    }

    fn lead(&self, leads: bool) {
        let changed = self.leads.send_if_modified(|led| {
            let changed = *led != leads;
            *led = leads;
            changed
        });
        if changed && leads {
            tracing::info!("This controller leads: it writes statuses and makes proxies.");
        } else if changed {
            tracing::warn!(
                "This controller does not lead any more: another one writes. Proxies are served as before."
            );
        }
    }

    async fn try_to_look(&mut self) -> Result<(), String> {
        let found = self.leases.get_opt(&self.name).await;
        let found = found.map_err(|error| in_words("get", &error))?;
        let now = clock::now();
        let sight = found.as_ref().map(sight);
        match self.election.decide(sight.as_ref(), now) {
            Move::Wait => Ok(()),
            Move::Create => {
                let mut lease = Lease::default();
                lease.metadata.name = Some(self.name.clone());
                lease.spec = Some(self.spec(None, true));
                let created = self.leases.create(&PostParams::default(), &lease).await;
                self.wrote(created)
            }
            Move::Renew | Move::Take => {
                let mut lease = found.unwrap_or_default();
                let is_new = sight.is_none_or(|sight| sight.holder != self.election.identity());
                lease.spec = Some(self.spec(lease.spec.as_ref(), is_new));
                let (name, parameters) = (&self.name, PostParams::default());
                // Its resourceVersion is the one that was read: of two that take it, one is refused.
                let replaced = self.leases.replace(name, &parameters, &lease).await;
                self.wrote(replaced)
            }
        }
    }

    fn wrote(&mut self, written: kube::Result<Lease>) -> Result<(), String> {
        match written {
            Ok(_) => {
                self.election.renewed(clock::now());
                Ok(())
            }
            // Another one was faster.
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
            Err(error) => Err(in_words("update", &error)),
        }
    }

    fn spec(&self, before: Option<&LeaseSpec>, is_new: bool) -> LeaseSpec {
        let micros = i64::try_from(clock::since_epoch().as_micros()).unwrap_or_default();
        let now = Timestamp::from_microsecond(micros).ok().map(MicroTime);
        let mut spec = before.cloned().unwrap_or_default();
        if is_new {
            spec.acquire_time.clone_from(&now);
            spec.lease_transitions = Some(spec.lease_transitions.map_or(0, |count| count + 1));
        }
        spec.holder_identity = Some(self.election.identity().to_owned());
        spec.lease_duration_seconds = i32::try_from(HOLDS.as_secs()).ok();
        spec.renew_time = now;
        spec
    }

    /// Whether another installation, which is alive, says that our classes are its own, or may say so.
    async fn is_claimed(&mut self, holds: bool) -> bool {
        let claims = self.claims.borrow_and_update().clone();
        let Some(claims) = claims.filter(|_| holds) else {
            return true;
        };
        for namespace in claims.iter() {
            let leases: Api<Lease> = Api::namespaced(self.client.clone(), namespace);
            let found = timeout(PATIENCE, leases.get_opt(&self.name)).await;
            // Who cannot be asked is not waited for.
            let Ok(Ok(Some(lease))) = found else {
                continue;
            };
            let seen = sight(&lease);
            if self.election.is_alive(namespace, &seen, clock::now()) {
                let why = format!(
                    "GatewayClasses of this controller's name belong to the controller in namespace {namespace} already, and {} holds its Lease. Two controllers of one name would undo each other's work, so this one writes nothing. Give one of them another name (--controller-name), or uninstall it.",
                    seen.holder
                );
                if self.claimed != why {
                    tracing::error!("{why}");
                    self.claimed = why;
                }
                return true;
            }
        }
        self.claimed.clear();
        false
    }

    async fn resign(&mut self) {
        let held = self.election.holds(clock::now());
        self.lead(false);
        if !held {
            return;
        }
        let Ok(Ok(Some(mut lease))) = timeout(PATIENCE, self.leases.get_opt(&self.name)).await
        else {
            return;
        };
        if sight(&lease).holder != self.election.identity() {
            return;
        }
        if let Some(spec) = &mut lease.spec {
            spec.holder_identity = Some(String::new());
        }
        let (name, parameters) = (&self.name, PostParams::default());
        let given_up = self.leases.replace(name, &parameters, &lease);
        if let Ok(Err(error)) = timeout(PATIENCE, given_up).await {
            tracing::warn!("The Lease could not be given up: {}.", because(&error));
        }
    }
}

fn sight(lease: &Lease) -> Sight {
    let spec = lease.spec.clone().unwrap_or_default();
    let version = lease.metadata.resource_version.clone();
    Sight {
        holder: spec.holder_identity.unwrap_or_default(),
        version: version.unwrap_or_default(),
    }
}

fn in_words(verb: &str, error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if status.is_forbidden() => {
            format!("the controller may not {verb} leases; its role lacks that right")
        }
        error => because(error),
    }
}
