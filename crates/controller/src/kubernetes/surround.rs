//! What is wanted around Gateways, handed on by the replica that leads: nothing before the first translation, before
//! there is an authority by which proxies know the controller, and without the lead.

use std::collections::BTreeMap;
use std::sync::Arc;

use daemun_model::names::ObjectName;
use daemun_translate::Infrastructure;
use tokio::sync::watch;

use crate::provision::Wanted;

/// What is wanted around each Gateway.
pub(super) type Surroundings = Arc<BTreeMap<ObjectName, Arc<Infrastructure>>>;

/// What decides on it.
pub(super) struct Inputs {
    /// From the newest translation; none before the first.
    pub(super) surroundings: watch::Receiver<Option<Surroundings>>,
    /// The certificates by which proxies know the controller.
    pub(super) authorities: watch::Receiver<Option<Arc<str>>>,
    /// Whether this replica leads.
    pub(super) leads: watch::Receiver<bool>,
}

/// Hands on what is wanted for as long as somebody decides on it.
pub(super) async fn hand_on(mut inputs: Inputs, want: watch::Sender<Option<Wanted>>) {
    loop {
        let wanted = inputs.wanted();
        // The provisioner ends with the tasks, as this does.
        want.send_replace(wanted);
        let Inputs {
            surroundings,
            authorities,
            leads,
        } = &mut inputs;
        let still = tokio::select! {
            changed = surroundings.changed() => changed.is_ok(),
            changed = authorities.changed() => changed.is_ok(),
            changed = leads.changed() => changed.is_ok(),
        };
        if !still {
            return;
        }
    }
}

impl Inputs {
    fn wanted(&mut self) -> Option<Wanted> {
        let gateways = self.surroundings.borrow_and_update().clone();
        let authorities = self.authorities.borrow_and_update().clone();
        let leads = *self.leads.borrow_and_update();
        Some(Wanted {
            gateways: gateways.filter(|_| leads)?,
            authorities: authorities?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::watch;

    use super::Inputs;

    #[test]
    fn nothing_is_wanted_before_all_is_known_and_without_the_lead() {
        let (known, surroundings) = watch::channel(None);
        let (certify, authorities) = watch::channel(None);
        let (elect, leads) = watch::channel(false);
        let mut inputs = Inputs {
            surroundings,
            authorities,
            leads,
        };
        assert!(inputs.wanted().is_none());
        known.send_replace(Some(Arc::default()));
        certify.send_replace(Some(Arc::from("certificate")));
        assert!(inputs.wanted().is_none(), "another replica leads");
        elect.send_replace(true);
        assert!(inputs.wanted().is_some());
        elect.send_replace(false);
        assert!(inputs.wanted().is_none());
    }
}
