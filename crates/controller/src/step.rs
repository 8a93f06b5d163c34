//! The whole control plane in one function: what is to be done and said about a cluster, and how that
//! differs from the last time.

use std::sync::Arc;

use daemun_model::Configuration;
use daemun_model::verdict::Verdict;
use daemun_translate::{Cluster, Outcome, Translator};

/// What one step came to.
#[derive(Debug, Default)]
pub struct Changes {
    /// Whether proxies have something new to do.
    pub publish: bool,
    /// Verdicts that are new or different.
    pub tell: Vec<Arc<Verdict>>,
    /// All that is to be done and said.
    pub next: Outcome,
}

/// Translates a cluster and compares the outcome with the last one, by pointers: what did not change is
/// the same `Arc`.
pub fn step(translator: &mut Translator, cluster: &Cluster, last: &Outcome) -> Changes {
    let next = translator.translate(cluster);
    Changes {
        publish: !is_same(&next.configuration, &last.configuration),
        tell: next.verdicts.since(&last.verdicts),
        next,
    }
}

fn is_same(one: &Configuration, two: &Configuration) -> bool {
    let (one, two) = (&one.gateways, &two.gateways);
    one.len() == two.len()
        && one
            .iter()
            .zip(two)
            .all(|((name, one), (other, two))| name == other && Arc::ptr_eq(one, two))
}
