//! What a page is made of: the Gateway, what follows from it, and the objects around it as they were seen.

use std::collections::BTreeSet;
use std::sync::Arc;

use daemun_controller::provision::foresee;
use daemun_controller::source::files::Spot;
use daemun_model::Snapshot;
use daemun_model::names::{ObjectName, ObjectRef};
use daemun_model::verdict::{self, Condition, FieldPath, Finding, Part, Place, Verdict};
use daemun_objects::gateway_api::gateway::Gateway;
use daemun_translate::exposure::provider::{Automatic, Provider, Rules, automatic, rules};
use daemun_translate::{Cluster, Infrastructure, Outcome};
use serde_json::Value;

use super::lang::Lang;
use super::meaning::product;
use super::seen::Seen;

/// Where everything was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// In files: what is not there would be made.
    Files,
    /// In a cluster: what is not there is missing.
    Cluster,
}

/// What is known of a Gateway.
pub(crate) struct Known<'a> {
    /// Its name.
    pub(crate) gateway: &'a ObjectName,
    /// All objects that count.
    pub(crate) cluster: &'a Cluster,
    /// What follows from them.
    pub(crate) outcome: &'a Outcome,
    /// Objects as they are, status and all: the Gateway, its class, and what was made for it.
    pub(crate) objects: &'a [Value],
    /// Where they were seen.
    pub(crate) from: From,
    /// Whether the GatewayClass is only presumed.
    pub(crate) class_presumed: bool,
    /// Kinds of objects around the Gateway that could not be seen.
    pub(crate) hidden: &'a BTreeSet<&'static str>,
    /// What could not be seen, as sentences.
    pub(crate) unseen: &'a [String],
    /// Where a field of an object stands in the files.
    pub(crate) places: Option<Places<'a>>,
    /// The language of the page.
    pub(crate) lang: Lang,
}

/// Finds where fields stand in files.
pub(crate) type Places<'a> = &'a dyn Fn(&ObjectRef, &FieldPath) -> Option<Spot>;

/// What a condition says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said<'a> {
    pub(super) status: verdict::Status,
    pub(super) reason: &'a str,
    pub(super) message: &'a str,
}

impl<'a> Known<'a> {
    /// The Gateway as it is written.
    pub(super) fn written(&self) -> Option<&'a Arc<Gateway>> {
        self.cluster.gateways.get(self.gateway)
    }

    /// What follows for its proxies; none if it is refused.
    pub(super) fn snapshot(&self) -> Option<&'a Snapshot> {
        let gateways = &self.outcome.configuration.gateways;
        gateways.get(self.gateway).map(|snapshot| &**snapshot)
    }

    /// What is to be around it.
    pub(super) fn infrastructure(&self) -> Option<&'a Infrastructure> {
        let all = &self.outcome.infrastructure;
        all.get(self.gateway).map(|it| &**it)
    }

    /// All that is said about an object of a kind.
    pub(super) fn verdict(&self, kind: &str, name: &ObjectName) -> Option<&'a Verdict> {
        let mut verdicts = self.outcome.verdicts.others().iter();
        let found = verdicts.find(|it| it.object.kind == kind && it.object.name == *name);
        found.map(|it| &**it)
    }

    /// The Gateway as it was seen.
    pub(super) fn object(&self) -> Option<Seen<'a>> {
        self.of_kind("Gateway")
            .find(|seen| seen.whole_name() == *self.gateway)
    }

    /// Objects of a kind.
    pub(super) fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = Seen<'a>> + use<'a> {
        let all = self.objects.iter().map(Seen);
        all.filter(move |seen| seen.kind() == kind)
    }

    /// Objects of a kind that were made for it.
    pub(super) fn made(&self, kind: &'static str) -> impl Iterator<Item = Seen<'a>> + use<'a> {
        let namespace = &self.gateway.namespace;
        let uid = self.object().map_or("", |it| it.text("/metadata/uid"));
        self.of_kind(kind).filter(move |seen| {
            // Annotations and labels anybody may write; whom it belongs to, the controller alone says.
            let mut owners = seen.list("/metadata/ownerReferences").iter().map(Seen);
            let owned = owners.any(|it| it.kind() == "Gateway" && it.text("/uid") == uid);
            seen.whole_name().namespace == *namespace && owned && !uid.is_empty()
        })
    }

    /// Where a field of an object stands, if it was read from a file.
    pub(super) fn spot(&self, object: &ObjectRef, path: &FieldPath) -> Option<Spot> {
        self.places.and_then(|places| places(object, path))
    }

    /// Where that stands which a condition's message is about: at the finding that it was made of, else at a field.
    pub(super) fn spot_of(
        &self,
        verdict: &Verdict,
        message: &str,
        field: &FieldPath,
    ) -> Option<Spot> {
        let is_meant = |it: &&Finding| message.contains(&it.message);
        let finding = verdict.findings.iter().find(is_meant);
        self.spot(&verdict.object, finding.map_or(field, |it| &it.path))
    }

    /// Who makes load balancers here, in words.
    pub(super) fn product(&self) -> String {
        product(self.rules(), self.lang)
    }

    /// Whether what is to be made for it is not known: something that it depends on cannot be seen.
    pub(super) fn is_guesswork(&self) -> bool {
        let held = self.infrastructure().is_none_or(|it| it.on_hold);
        let accepted = self.recorded("Accepted");
        held && accepted.is_some_and(|said| said.status == verdict::Status::True)
    }

    /// What would be made for it.
    pub(super) fn foreseen(&self) -> Vec<Value> {
        let wanted = self.infrastructure().filter(|it| !it.on_hold);
        let controller = &self.cluster.settings.controller;
        wanted.map_or_else(Vec::new, |wanted| foresee(wanted, controller))
    }

    /// What a condition of the Gateway says. In a cluster what the controller wrote goes before what follows here.
    pub(super) fn said(&self, kind: &str) -> Option<Said<'a>> {
        let follows = self.follows(kind);
        let written = self.recorded(kind);
        match self.from {
            From::Cluster => written.or(follows),
            From::Files => follows.or(written),
        }
    }

    /// What the controller wrote.
    pub(super) fn recorded(&self, kind: &str) -> Option<Said<'a>> {
        let condition = self.object()?.condition(kind)?;
        Some(Said {
            status: match condition.status {
                "True" => verdict::Status::True,
                "False" => verdict::Status::False,
                _ => verdict::Status::Unknown,
            },
            reason: condition.reason,
            message: condition.message,
        })
    }

    fn follows(&self, kind: &str) -> Option<Said<'a>> {
        let verdict = self.verdict("Gateway", self.gateway)?;
        let part = verdict.parts.iter().find(|it| it.place == Place::Object)?;
        condition(part, kind).map(Said::of)
    }

    /// The rules of who makes load balancers here, as far as that is known.
    pub(super) fn rules(&self) -> Option<&'static Rules> {
        let exposure = self.infrastructure().map(|it| &it.exposure);
        let named = exposure.and_then(|it| Provider::named(it.provider));
        let settings = &self.cluster.settings;
        let by_settings = || Provider::named(settings.provider.as_deref()?);
        if let Some(provider) = named.or_else(by_settings) {
            return Some(rules(provider));
        }
        rules_of_nodes(self.objects, self.cluster)
    }
}

/// The rules of who makes load balancers, by the nodes.
pub(crate) fn rules_of_nodes(objects: &[Value], cluster: &Cluster) -> Option<&'static Rules> {
    let seen = objects.iter().map(Seen).filter(|it| it.kind() == "Node");
    let ids = seen.map(|node| node.text("/spec/providerID"));
    let known = cluster.nodes.iter();
    let known = known.filter_map(|(_, node)| node.spec.provider_id.as_deref());
    match automatic(ids.chain(known)) {
        Automatic::Rules(rules) => Some(rules),
        Automatic::Unknown(_) | Automatic::Several(_) | Automatic::Unseen => None,
    }
}

impl<'a> Said<'a> {
    /// Of a condition that follows.
    pub(super) fn of(condition: &'a Condition) -> Self {
        Self {
            status: condition.status,
            reason: condition.reason,
            message: &condition.message,
        }
    }

    /// Whether it does not hold.
    pub(super) fn fails(self) -> bool {
        self.status == verdict::Status::False
    }
}

/// A condition of a part of a status.
pub(super) fn condition<'a>(part: &'a Part, kind: &str) -> Option<&'a Condition> {
    part.conditions.iter().find(|it| it.kind == kind)
}
