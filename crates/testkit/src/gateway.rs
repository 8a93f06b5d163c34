//! A gateway in this process: YAML through every stage, to sockets.

use std::sync::Arc;
use std::time::Duration;

use daemun_base::clock;
use daemun_controller::source::files::{Files, Look};
use daemun_model::{Configuration, Snapshot, Verdicts};
use daemun_proxy::{Applied, Proxy, Settings};
use daemun_translate::{Cluster, Translator};

use crate::panics::Watch;
use crate::{fail, within};

/// A running gateway. It ends when it is dropped.
pub struct Gateway {
    proxy: Proxy,
    objects: Objects,
    translated: Arc<Configuration>,
    change: Change,
    /// What owners would be told.
    pub verdicts: Verdicts,
    /// What the proxy said to the last configuration.
    pub applied: Applied,
    _watch: Watch,
}

/// A change of what each Gateway's proxy must do.
type Change = Box<dyn Fn(&mut Snapshot) + Send>;

/// Settings that tests want: two workers, and a drain that does not wait long.
pub fn settings() -> Settings {
    Settings {
        workers: 2,
        drain_delay: Duration::ZERO,
        drain_grace: Duration::from_secs(5),
        ..Settings::default()
    }
}

impl Gateway {
    /// Serves the objects of a YAML text.
    ///
    /// # Panics
    /// If the text cannot be read, or a port is not bound.
    pub async fn start(yaml: &str) -> Self {
        Self::start_with(settings(), yaml).await
    }

    /// The same with settings of the test's own.
    ///
    /// # Panics
    /// If the text cannot be read, or a port is not bound.
    pub async fn start_with(settings: Settings, yaml: &str) -> Self {
        Self::start_changed(settings, yaml, |_| {}).await
    }

    /// The same with something that the objects of a host do not say, such as what follows from a cloud's load
    /// balancer: it is done to what comes out of the translation.
    ///
    /// # Panics
    /// If the text cannot be read, or a port is not bound.
    pub async fn start_changed(
        settings: Settings,
        yaml: &str,
        change: impl Fn(&mut Snapshot) + Send + 'static,
    ) -> Self {
        let proxy = Proxy::start(settings).expect("the workers start");
        let mut gateway = Self {
            proxy,
            objects: Objects::default(),
            translated: Arc::default(),
            change: Box::new(change),
            verdicts: Verdicts::default(),
            applied: Applied::default(),
            _watch: Watch::start(),
        };
        gateway.reload(yaml).await;
        gateway
    }

    /// Serves the objects of another YAML text instead.
    ///
    /// # Panics
    /// If the text cannot be read, or a port is not bound.
    pub async fn reload(&mut self, yaml: &str) {
        let (configuration, verdicts) = self.objects.translate(yaml);
        self.translated = configuration;
        self.verdicts = verdicts;
        self.apply().await;
    }

    /// From now on this is done to what comes out of the translation.
    ///
    /// # Panics
    /// If a port is not bound.
    pub async fn change(&mut self, change: impl Fn(&mut Snapshot) + Send + 'static) {
        self.change = Box::new(change);
        self.apply().await;
    }

    async fn apply(&mut self) {
        let configuration = changed(&self.translated, &self.change);
        let applying = self.proxy.apply(configuration);
        let applied = within("a configuration", applying).await;
        if let Some(refused) = applied.not_bound.first() {
            fail(&refused.reason)
        }
        self.applied = applied;
    }

    /// Ends as a process does that was asked to: see `Proxy::drain`.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn drain(self) {
        let Self { proxy, _watch, .. } = self;
        within("the drain", proxy.drain()).await;
    }

    /// The metrics' lines that begin with a name.
    ///
    /// # Panics
    /// If they cannot be written.
    pub fn metrics(&self, name: &str) -> Vec<String> {
        let mut text = String::new();
        self.proxy.metrics().write(&mut text).expect("metrics");
        let lines = text.lines().filter(|line| line.starts_with(name));
        lines.map(str::to_owned).collect()
    }

    /// The proxy itself.
    pub fn proxy(&mut self) -> &mut Proxy {
        &mut self.proxy
    }
}

/// A configuration with something done to each Gateway.
pub(crate) fn changed(
    configuration: &Configuration,
    change: impl Fn(&mut Snapshot),
) -> Arc<Configuration> {
    let mut configuration = configuration.clone();
    for snapshot in configuration.gateways.values_mut() {
        change(Arc::make_mut(snapshot));
    }
    Arc::new(configuration)
}

/// Objects as YAML, one text after the other.
#[derive(Default)]
pub struct Objects(Translator);

impl Objects {
    /// What follows from a text; what does not change is the same as before.
    ///
    /// # Panics
    /// If the text cannot be read.
    pub fn translate(&mut self, yaml: &str) -> (Arc<Configuration>, Verdicts) {
        let outcome = self.0.translate(&read(yaml));
        (Arc::new(outcome.configuration), outcome.verdicts)
    }
}

fn read(yaml: &str) -> Cluster {
    let now = clock::unix_seconds();
    let reading = Files::from_text("test.yaml", yaml).look(&Look {
        now,
        ..Look::default()
    });
    if let Some(problem) = reading.problems.first() {
        fail(&format!(
            "the test's objects cannot be read: {problem:?}\n{yaml}"
        ))
    }
    let mut cluster = Cluster {
        now,
        ..Cluster::default()
    };
    for object in reading.objects {
        cluster.insert(object);
    }
    cluster
}
