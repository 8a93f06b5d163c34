//! A proxy's end: it holds a stream to every replica of the controller, takes resources from one of them, and
//! sends its answers to all.
//!
//! What comes of it is a [`Configuration`] in which unchanged parts are the same `Arc` as before, so that who
//! compiles it can compare pointers.

mod addresses;
mod connection;
mod held;
mod kept;
mod outline;
mod parts;
mod replay;
mod replicas;

use std::future::Future;
use std::net::IpAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use daemun_base::tasks::Tasks;
use daemun_model::Configuration;
use tokio::sync::watch;

pub use replay::replay;

use crate::answer::{Phase, Refused};
use crate::frame::Answer;
use crate::resource::Version;

/// What a proxy must know to reach its controller.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the controller is.
    pub controller: Controller,
    /// A file with the authorities that are believed about it, PEM. Read again for every connection.
    pub authorities: PathBuf,
    /// A file with the token that says who the proxy is. Read again for every connection, since it is renewed.
    pub token: PathBuf,
    /// A directory in which the last accepted configuration is kept, if it is.
    pub state: Option<PathBuf>,
    /// How long a controller is waited for before what is kept is used.
    pub patience: Duration,
    /// How often the controller's name is resolved again.
    pub resolve: Duration,
}

/// The name or address of the controller, and its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controller {
    /// A DNS name with an address for each replica, or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl FromStr for Controller {
    type Err = String;

    fn from_str(written: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "\"{written}\" is no host with a port; write HOST:PORT, such as daemun-controller.daemun-system:9903"
            )
        };
        let (host, port) = written.rsplit_once(':').ok_or_else(wrong)?;
        let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        let port = port.parse().map_err(|_| wrong())?;
        if host.is_empty() || port == 0 {
            return Err(wrong());
        }
        let host = host.to_owned();
        Ok(Self { host, port })
    }
}

/// Finds the addresses of a name; whoever hosts the client has a resolver.
pub trait Resolve: Send + Sync + 'static {
    /// All addresses, or a sentence that says why there is none.
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a>;
}

/// The addresses of a name, some time.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, String>> + Send + 'a>>;

/// A configuration that came over the wire, or was kept from an earlier time.
#[derive(Clone, Debug)]
pub struct Update {
    /// What the proxy must do.
    pub configuration: Arc<Configuration>,
    /// The Gateway's generation.
    pub generation: i64,
    /// The version of all of it.
    pub root: Version,
    /// What of it could not be read.
    pub refused: Vec<Refused>,
}

/// The proxy's end of the wire.
pub struct Client {
    /// The newest configuration; none before there is one.
    pub updates: watch::Receiver<Option<Update>>,
    answer: watch::Sender<Answer>,
}

impl Client {
    /// Connects, and goes on connecting, for as long as the tasks run.
    pub fn start(settings: Settings, resolve: Arc<dyn Resolve>, tasks: &Tasks) -> Self {
        let (sender, updates) = watch::channel(None);
        let answer = watch::Sender::new(Answer::starting(Some(false)));
        let replicas = replicas::Replicas::new(settings, sender, answer.subscribe());
        tasks.spawn(replicas.run(resolve));
        Self { updates, answer }
    }

    /// Tells every replica how the proxy fares: which update it serves, if one, and what the proxy itself refused
    /// of it.
    pub fn answer(&self, phase: Phase, serves: Option<&Update>, refused: Vec<Refused>) {
        let mut all = serves.map(|it| it.refused.clone()).unwrap_or_default();
        all.extend(refused);
        self.answer.send_modify(|answer| {
            *answer = Answer {
                phase,
                generation: serves.map(|it| it.generation),
                root: serves.map(|it| it.root),
                refused: all,
                reached: answer.reached,
            }
            .bounded();
        });
    }

    /// Tells every replica that a connection has come to one of the proxy's listeners; once is enough.
    pub fn reached(&self) {
        self.answer.send_if_modified(|answer| {
            let known = answer.reached.replace(true);
            known != answer.reached
        });
    }
}
