//! What on a load balancer's Service is not as it is asked for, and would not come through. It is compared key by key:
//! what is to be there, and what Daemun set there and says no more. What others set is theirs.

use daemun_objects::core::service::Service;

use super::change::Asking;
use super::judge::Asked;
use super::made::made_as;
use super::provider::{
    self, Aspect, Change, HealthPart, Place, Provider, RangesPlace, Rules, listener_key,
};

/// Something that is not on a Service as it is asked for, and would not come through.
pub(super) struct Difference {
    /// In words; none where another one says it.
    pub(super) what: Option<String>,
    /// Whether it is known that it does not.
    pub(super) known: bool,
    /// The annotation, as it is there.
    pub(super) key: Option<(String, Option<String>)>,
    /// Whether nobody wrote it: it is what is said by default.
    pub(super) unsaid: bool,
    /// Whether nodes without a proxy cannot take traffic as long as it is so.
    pub(super) local: bool,
}

/// All of them.
pub(super) fn differences(
    asking: &Asking<'_>,
    rules: &Rules,
    service: &Service,
) -> Vec<Difference> {
    let turns = turns(asking, rules, service);
    let mut differences: Vec<Difference> = turns.iter().map(|turn| turn.difference()).collect();
    let compared = Compared {
        asking,
        rules,
        service,
        turns: turns.is_some(),
    };
    let wanted = asking.annotations.iter();
    differences.extend(wanted.filter_map(|(key, value)| compared.wanted(key, Some(value))));
    let unsaid = asking.exposure.health_port;
    differences.extend(unsaid.and_then(|key| compared.wanted(key, None)));
    let set = service.metadata.managed_fields.annotations();
    differences.extend(set.filter_map(|key| compared.unwanted(key)));
    differences.extend(class(asking, service));
    differences
}

/// Somebody changed their mind about who may reach it, and that does not come through.
struct Turn {
    made: Asked,
    asked: Asked,
    known: bool,
}

impl Turn {
    fn difference(&self) -> Difference {
        let (made, asked) = (self.made.as_str(), self.asked.as_str());
        Difference {
            what: Some(format!("it was made {made}, and {asked} is asked for")),
            known: self.known,
            key: None,
            unsaid: false,
            local: false,
        }
    }
}

fn turns(asking: &Asking<'_>, rules: &Rules, service: &Service) -> Option<Turn> {
    let (asked, made) = (asking.exposure.reach?, made_as(service)?);
    let change = rules.change(Aspect::Reach);
    (asked != made && change != Change::Live).then_some(Turn {
        made,
        asked,
        known: change == Change::CreateOnly,
    })
}

/// What is asked for, beside what is there.
struct Compared<'a> {
    asking: &'a Asking<'a>,
    rules: &'a Rules,
    service: &'a Service,
    turns: bool,
}

impl Compared<'_> {
    /// A key that is to be there, with its value; none where whichever is there will do.
    fn wanted(&self, key: &str, value: Option<&String>) -> Option<Difference> {
        let there = self.service.metadata.annotations.get(key);
        let same = there.is_some() && value.is_none_or(|value| there == Some(value));
        if same || is_of_new_port(key, self.service) {
            return None;
        }
        let change = self.change(key)?;
        let exposure = self.asking.exposure;
        let has = there.map_or_else(|| "nothing".to_owned(), |there| format!("\"{there}\""));
        let wanted = value.map_or_else(String::new, |value| format!("\"{value}\""));
        Some(Difference {
            what: (!self.rules.decides_reach(key))
                .then(|| format!("it says {has} for {key}, and {wanted} is asked for")),
            known: change == Change::CreateOnly,
            key: Some((key.to_owned(), there.cloned())),
            unsaid: exposure.unsaid.contains(key) || exposure.health_port == Some(key),
            local: false,
        })
    }

    /// A key that Daemun set, and that is asked for no more.
    fn unwanted(&self, key: &str) -> Option<Difference> {
        let there = self.service.metadata.annotations.get(key)?;
        let Asking {
            annotations,
            exposure,
            ports,
            ..
        } = self.asking;
        let is_wanted = annotations.contains_key(key) || exposure.health_port == Some(key);
        let port = listener_key(key).map(|(_, port, _)| port);
        let port_goes = port.is_some_and(|port| !ports.contains(&port));
        if is_wanted || port_goes || is_address(self.rules, key) {
            return None;
        }
        let change = self.change(key)?;
        let asks_nodes = self.rules.health_key(HealthPart::Port);
        Some(Difference {
            what: (!self.rules.decides_reach(key))
                .then(|| format!("it says \"{there}\" for {key}, and that is asked for no more")),
            known: change == Change::CreateOnly,
            key: Some((key.to_owned(), Some(there.clone()))),
            unsaid: false,
            local: asks_nodes.is_some_and(|it| it.key == key),
        })
    }

    /// What a change of a key means, if it does not come through.
    fn change(&self, key: &str) -> Option<Change> {
        // Without a change of mind a switch that differs was meddled with, and is put right.
        if self.rules.decides_reach(key) && !self.turns {
            return None;
        }
        let change = meaning(self.rules, key);
        (change != Change::Live).then_some(change)
    }
}

fn class(asking: &Asking<'_>, service: &Service) -> Option<Difference> {
    let asked = asking.exposure.class.as_ref()?;
    let there = service.spec.load_balancer_class.as_ref();
    (there != Some(asked)).then(|| Difference {
        // Kubernetes itself does not let it change.
        what: Some(format!("its loadBalancerClass is not {asked}")),
        known: true,
        key: None,
        unsaid: false,
        local: false,
    })
}

/// Whether a key is for a listener that the load balancer does not have yet, and which it will be made with.
fn is_of_new_port(key: &str, service: &Service) -> bool {
    listener_key(key).is_some_and(|(_, number, _)| {
        let mut ports = service.spec.ports.iter();
        ports.all(|port| port.port != i32::from(number))
    })
}

/// Whether a key asks for an address: a Service that has one keeps it, and another address is another Service's.
fn is_address(rules: &Rules, key: &str) -> bool {
    let fixed = [rules.fixed_address.private, rules.fixed_address.public];
    fixed.iter().any(|way| match way.get() {
        Some(Place::Annotation(at)) => *at == key,
        Some(Place::ByFamily { v4, v6 }) => *v4 == key || *v6 == key,
        Some(Place::LoadBalancerIp) | None => false,
    })
}

/// What a change of a key means. Where nobody said who makes load balancers, it is what it means to the strictest of
/// those who read it.
fn meaning(rules: &Rules, key: &str) -> Change {
    let bare = listener_key(key).map_or(key, |(_, _, bare)| bare);
    if rules.decides_reach(bare) {
        return rules.change(Aspect::Reach);
    }
    if rules.provider != Provider::Generic {
        return to(rules, bare);
    }
    let all = Provider::ALL.iter().map(|it| provider::rules(*it));
    let strictness = |change: &Change| match change {
        Change::Live => 0,
        Change::NotKnown => 1,
        Change::CreateOnly => 2,
    };
    let all = all.map(|rules| to(rules, bare));
    all.max_by_key(strictness).unwrap_or(Change::NotKnown)
}

/// What a change of a key means to one maker of load balancers.
fn to(rules: &Rules, bare: &str) -> Change {
    let is_kept = rules
        .kept_address
        .get()
        .is_some_and(|kept| kept.key == bare);
    if is_kept || !rules.reads(bare) {
        // Keeping is for the time when the Service goes; what nobody reads cannot do harm.
        return Change::Live;
    }
    let of_proxy = |it: &provider::ProxyProtocol| it.keys.iter().any(|key| key.key == bare);
    let of_ranges = |it: &provider::SourceRanges| matches!(it.place, RangesPlace::Annotation(key) if key == bare);
    let aspect = if rules.proxy_protocol.get().is_some_and(of_proxy) {
        Aspect::ProxyProtocol
    } else if rules.subnet.get() == Some(&bare) {
        Aspect::Subnet
    } else if rules.source_ranges.get().is_some_and(of_ranges) {
        Aspect::SourceRanges
    } else if rules.health_check.iter().any(|key| key.key == bare) {
        Aspect::HealthCheck
    } else {
        return match rules.known(bare) {
            Some(known) => known.change,
            None => rules.change(Aspect::Annotation),
        };
    };
    match rules.known(bare).map(|known| known.change) {
        Some(Change::NotKnown) | None => rules.change(aspect),
        Some(change) => change,
    }
}
