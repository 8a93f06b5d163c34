//! Making what a Gateway needs around it, and saying what became of it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use daemun_model::names::ObjectName;
use daemun_translate::infrastructure::Infrastructure;
use tokio::sync::watch;

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
    pub want: watch::Sender<Option<Wanted>>,
    /// What became of it, always the newest.
    pub provisioned: watch::Receiver<Arc<Provisioned>>,
    /// Whose ServiceAccounts there are, always the newest.
    pub accounts: watch::Receiver<Arc<Accounts>>,
}

/// The Gateways by the uid of the ServiceAccount that was made for each: who shows a token of that account is a
/// proxy of that Gateway.
pub type Accounts = BTreeMap<String, ObjectName>;

/// What became of what was made, by Gateway.
pub type Provisioned = BTreeMap<ObjectName, Place>;

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
