//! Who a proxy is: what it shows is a token, and what is believed is what the controller finds out about it.

use std::future::Future;
use std::pin::Pin;

use daemun_model::names::ObjectName;

/// A proxy that has proved who it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Proxy {
    /// The Gateway that it serves, and the only one whose configuration it gets.
    pub gateway: ObjectName,
    /// What it proved that by: the uid of the account that is this Gateway's.
    pub account: String,
    /// The pod that it runs in.
    pub pod: String,
    /// That pod's uid, which tells it from an earlier one of the same name.
    pub pod_uid: String,
}

/// Finds out who shows a token.
pub trait Identify: Send + Sync + 'static {
    /// The proxy that shows this token, or a sentence that says why it is not believed.
    fn identify<'a>(
        &'a self,
        token: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Proxy, String>> + Send + 'a>>;
}
