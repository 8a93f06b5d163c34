//! The controller's end of the wire: it publishes what YAML says, and believes tokens that name a pod.

use std::fs;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use daemun_base::tasks::Tasks;
use daemun_model::Snapshot;
use daemun_model::names::ObjectName;
use daemun_wire::answer::{Proxies, ProxyState};
use daemun_wire::client::{Resolve, Resolving, Settings};
use daemun_wire::identity::{Identify, Proxy};
use daemun_wire::server::{self, Publisher, Serving, Times};
use daemun_wire::tls;
use tokio::sync::watch;

use crate::gateway::{Objects, changed};
use crate::{Authority, within};

/// Believes `NAMESPACE/GATEWAY/POD`, and nothing else.
pub struct Tokens;

impl Identify for Tokens {
    fn identify<'a>(
        &'a self,
        token: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Proxy, String>> + Send + 'a>> {
        let parts: Vec<&str> = token.split('/').collect();
        let proxy = match parts[..] {
            [namespace, gateway, pod] => Ok(Proxy {
                gateway: ObjectName::new(namespace, gateway),
                account: format!("account of {gateway}"),
                pod: pod.to_owned(),
                pod_uid: format!("uid of {pod}"),
            }),
            _ => Err(format!("the token {token} is nobody's")),
        };
        Box::pin(std::future::ready(proxy))
    }
}

/// Every name is this host's.
pub struct Localhost;

impl Resolve for Localhost {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        Box::pin(std::future::ready(Ok(vec![Ipv4Addr::LOCALHOST.into()])))
    }
}

/// Files that a proxy has: the authority and its token.
#[derive(Clone, Debug)]
pub struct Files(PathBuf);

impl Files {
    /// In a directory, for a token.
    ///
    /// # Panics
    /// If they cannot be written.
    pub fn write(directory: &Path, authority: &Authority, token: &str) -> Self {
        fs::create_dir_all(directory).expect("a directory");
        fs::write(directory.join("ca.crt"), authority.pem()).expect("a file");
        let files = Self(directory.to_owned());
        files.set_token(token);
        files
    }

    /// Another token.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn set_token(&self, token: &str) {
        fs::write(self.token(), token).expect("a file");
    }

    /// The authority's certificate.
    pub fn authority(&self) -> PathBuf {
        self.0.join("ca.crt")
    }

    /// The token.
    pub fn token(&self) -> PathBuf {
        self.0.join("token")
    }

    /// Where a proxy keeps its configuration.
    pub fn state(&self) -> PathBuf {
        self.0.clone()
    }

    /// A client's settings, for a controller at an address.
    pub fn settings(&self, address: SocketAddr) -> Settings {
        Settings {
            controller: address.to_string().parse().expect("an address"),
            authorities: self.authority(),
            token: self.token(),
            state: None,
            patience: Duration::from_secs(3),
            resolve: Duration::from_secs(5),
        }
    }
}

/// One replica of a controller.
pub struct Controller {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it publishes.
    pub publisher: Publisher,
    objects: Objects,
    tasks: Tasks,
    _tls: watch::Sender<Option<Arc<tls::ServerConfig>>>,
}

impl Controller {
    /// One that listens on any port, with a certificate of this authority.
    ///
    /// # Panics
    /// If it cannot listen.
    pub async fn start(authority: &Authority) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), authority).await
    }

    /// One that listens at an address.
    ///
    /// # Panics
    /// If it cannot listen.
    pub async fn start_at(address: SocketAddr, authority: &Authority) -> Self {
        Self::start_with(address, authority, Times::default()).await
    }

    /// One with times of its own.
    ///
    /// # Panics
    /// If it cannot listen.
    pub async fn start_with(address: SocketAddr, authority: &Authority, times: Times) -> Self {
        let identity = authority.issue(&[tls::SERVER_NAME]);
        let config = tls::server(&identity.chain, &identity.key).expect("a certificate");
        let (tls, newest) = watch::channel(Some(config));
        let (publisher, tasks) = (Publisher::default(), Tasks::default());
        let serving = Serving {
            publisher: publisher.clone(),
            identify: Arc::new(Tokens),
            tls: newest,
            times,
        };
        let address = server::listen(address, serving, &tasks).await;
        Self {
            address: address.expect("a free port"),
            publisher,
            objects: Objects::default(),
            tasks,
            _tls: tls,
        }
    }

    /// Publishes the objects of a YAML text.
    ///
    /// # Panics
    /// If the text cannot be read.
    pub fn publish(&mut self, yaml: &str) {
        self.publish_changed(yaml, |_| {});
    }

    /// The same with something that the objects of a host do not say: see `Gateway::start_changed`.
    ///
    /// # Panics
    /// If the text cannot be read.
    pub fn publish_changed(&mut self, yaml: &str, change: impl Fn(&mut Snapshot)) {
        let (configuration, _) = self.objects.translate(yaml);
        self.publisher.publish(changed(&configuration, change));
    }

    /// Waits until what is said of the proxies of `default/gw` is so.
    ///
    /// # Panics
    /// If it does not become so.
    pub async fn until(&self, what: &str, is_so: impl Fn(&[ProxyState]) -> bool) {
        let mut proxies = self.publisher.proxies();
        let gateway = ObjectName::new("default", "gw");
        let is_so = |proxies: &Arc<Proxies>| is_so(proxies.of(&gateway));
        within(what, proxies.wait_for(is_so))
            .await
            .expect("the publisher is there");
    }

    /// Ends, with all streams; then its address is free.
    ///
    /// # Panics
    /// If it does not become free.
    pub async fn end(self) {
        self.tasks.abort();
        let free = async {
            while std::net::TcpListener::bind(self.address).is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        within("the end of a controller", free).await;
    }
}
