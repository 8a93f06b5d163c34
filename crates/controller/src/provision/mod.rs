//! Making what a Gateway needs around it, and saying what became of it.
//!
//! All replicas of the controller look; the one that leads makes. What is `made` follows purely from what is wanted;
//! a `plan` says what of it is not there yet, and `apply` does that. What becomes of it is seen by `watch`es
//! and put in words by `place`, `pods`, `ports` and `diagnosis`.

mod apply;
mod diagnosis;
mod differ;
mod kinds;
mod known;
mod looker;
mod made;
mod names;
mod place;
mod plan;
mod pods;
mod ports;
pub mod restricted;
mod rolling;
mod run;
mod seen;
mod store;
mod waiter;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use daemun_base::tasks::Tasks;
use daemun_model::names::ObjectName;
use daemun_model::persistent::Map;
use daemun_translate::infrastructure::Infrastructure;
use kube::Client;
use tokio::sync::{mpsc, watch as channel};

pub(crate) use names::GATEWAY_NAME;

/// Whom the tokens are for by which proxies say who they are: the controller, and nobody else.
pub const AUDIENCE: &str = "daemun-wire";

/// What holds for all Gateways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The `controllerName` of the GatewayClasses that are served. What was made for another one is left alone.
    pub controller: String,
    /// The proxies' image, where GatewayParameters name none.
    pub image: String,
    /// When it is pulled; none leaves it to Kubernetes.
    pub image_pull_policy: Option<String>,
    /// Secrets with which it is pulled, where GatewayParameters name none. They are looked for in the Gateway's
    /// namespace.
    pub pull_secrets: Vec<String>,
    /// Where proxies reach the controller: `daemun-controller.daemun-system.svc:9903`.
    pub wire: String,
    /// The namespaces that are looked at; none means all of them.
    pub namespaces: Option<Vec<String>>,
    /// How many Gateways may be replacing their pods at a time because of a change.
    pub rolling: usize,
}

/// What is wanted, for the one controller that makes things (the leader). The others want nothing: they watch.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// All Gateways of ours, as the newest translation has them. What was made for a Gateway that is not among
    /// them is taken away.
    pub gateways: Arc<BTreeMap<ObjectName, Arc<Infrastructure>>>,
    /// The certificates (PEM) of the authorities by which proxies know the controller.
    pub authorities: Arc<str>,
}

/// What is known and asked of provisioning.
#[derive(Debug)]
pub struct Handle {
    /// What is wanted; none as long as nothing may be made: before the first translation, and without the lead.
    pub want: channel::Sender<Option<Wanted>>,
    /// What became of it, always the newest. Empty while nothing is wanted.
    pub provisioned: channel::Receiver<Arc<Provisioned>>,
    /// Whose ServiceAccounts there are, always the newest.
    pub accounts: channel::Receiver<Arc<Accounts>>,
    /// Which pods of proxies there are, always the newest; none before all were listed once.
    pub pods: channel::Receiver<Option<Arc<Pods>>>,
}

/// Makes what Gateways need around them.
#[derive(Debug)]
pub struct Provisioner;

impl Provisioner {
    /// Starts to look at what was made, and to make what is wanted. It ends with the tasks.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn start(client: Client, settings: Settings, tasks: &Tasks) -> Handle {
        let (want, wanted) = channel::channel(None);
        let (provisioned, of_provisioned) = channel::channel(Arc::default());
        let (accounts, of_accounts) = channel::channel(Arc::default());
        let (pods, of_pods) = channel::channel(None);
        let (events, of_events) = mpsc::channel(256);
        let watches = watch::start(&client, &settings, tasks, &events);
        let store = store::Store::new(watches);
        let outlets = run::Outlets {
            provisioned,
            accounts,
            pods,
        };
        let looker = looker::Looker::start(client.clone(), tasks);
        let run = run::Run::new(client, settings, (store, outlets), looker);
        tasks.spawn(run.go(of_events, wanted));
        Handle {
            want,
            provisioned: of_provisioned,
            accounts: of_accounts,
            pods: of_pods,
        }
    }
}

/// The labels by which what was made for a Gateway is found, as a selector.
pub fn gateway_selector(gateway: &str) -> String {
    format!("{}={}", names::GATEWAY_NAME, names::label(gateway))
}

/// What would be made for a Gateway, as objects: for whoever wants to know beforehand. What only an installed
/// controller knows (its image, say) is not in it.
pub fn foresee(wanted: &Infrastructure, controller: &str) -> Vec<serde_json::Value> {
    let settings = Settings {
        controller: controller.to_owned(),
        image: String::new(),
        image_pull_policy: None,
        pull_secrets: Vec::new(),
        wire: String::new(),
        namespaces: None,
        rolling: 1,
    };
    let made = made::made(wanted, &settings, "", &[]);
    made.into_iter().map(|manifest| manifest.body).collect()
}

/// The Gateways by the uid of the ServiceAccount that was made for each: who shows a token of that account is a
/// proxy of that Gateway.
pub type Accounts = BTreeMap<String, ObjectName>;

/// The uids of the proxies' pods.
pub type Pods = BTreeSet<String>;

/// What became of what was made, by Gateway; the same `Arc` as long as nothing became of it.
pub type Provisioned = Map<ObjectName, Arc<Place>>;

/// What there is around one Gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The addresses at which the Gateway can be reached, each an IP address or a DNS name.
    pub addresses: Vec<Address>,
    /// Why it cannot be reached, or not as asked, as a reason of the Gateway's `Programmed` condition and a sentence.
    /// It outweighs what proxies say.
    pub trouble: Option<(&'static str, String)>,
    /// What is wrong with the proxies' pods, as a sentence: why none is connected, or not all of them.
    pub pods: Option<String>,
    /// What is to be said if no connection comes, though it has addresses; none where that means nothing.
    pub silence: Option<String>,
    /// Pods of the workload that are ready, and how many are wanted.
    pub ready: (u32, u32),
}

/// An address of `Gateway.status.addresses`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// `IPAddress`.
    Ip(IpAddr),
    /// `Hostname`.
    Name(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}
