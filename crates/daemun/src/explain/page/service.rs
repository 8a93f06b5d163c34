//! Who made a Service, and why, and who reaches it: of any Service, whoever made it.

use std::net::IpAddr;

use daemun_translate::exposure::class::{AddressClass, class_of};
use daemun_translate::exposure::provider::{Aspect, Change, Rules, Switch, Value as KeyValue};
use daemun_translate::exposure::{ALLOW_RECREATION, Asked};
use daemun_translate::infrastructure::is_reserved;
use serde::Serialize;
use serde_json::Value;

use super::build::{anew, asked, class_words, lacks, would};
use super::known::Known as OfGateway;
use super::lang::Lang;
use super::meaning::{Forecast, forecast, has_floating_ips, is_somebody, meaning, product};
use super::origin::{Maker, Manager, maker, managers};
use super::seen::Seen;
use super::words as w;
use super::{ANNOTATION, Fact, Output, Remedy, quoted, text};
use crate::output::style::Style;

/// What is known of a Service.
pub(crate) struct Known<'a> {
    /// The Service, whole.
    pub(crate) service: &'a Value,
    /// Who makes load balancers here, if that is known.
    pub(crate) rules: Option<&'static Rules>,
    /// The Gateway of Daemun's that owns it, with what is around that.
    pub(crate) gateway: Option<OfGateway<'a>>,
    /// What could not be seen, as sentences.
    pub(crate) unseen: &'a [String],
    /// The language.
    pub(crate) lang: Lang,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Explained {
    /// `namespace/name`.
    pub(crate) service: String,
    pub(crate) lang: Lang,
    /// Its name, type and addresses.
    pub(crate) headline: String,
    /// When it was made; empty if that is not said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) created: String,
    /// Who made it.
    pub(crate) maker: Maker,
    /// The same in words.
    pub(crate) who: String,
    /// Where there is more to see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) see: Option<Remedy>,
    /// Why it is there.
    pub(crate) why: String,
    /// What address follows from what is written on it.
    pub(crate) forecast: Forecast,
    /// Why its address is public or private, or will be.
    pub(crate) why_reach: Vec<String>,
    /// What to do for a private address only; nothing where it has one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) to_be_private: Vec<Remedy>,
    /// Labels, annotations and owners that say who made it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) evidence: Vec<Fact>,
    /// Its annotations, with what each means.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) annotations: Vec<Fact>,
    /// Who wrote into it, the earliest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) managers: Vec<Manager>,
    /// What could not be seen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unseen: Vec<String>,
}

impl Explained {
    /// The answer in a form.
    ///
    /// # Errors
    /// A sentence: there is no drawing of it.
    pub(crate) fn render(&self, output: Output, style: Style) -> Result<String, String> {
        match output {
            Output::Text => Ok(text::service(self, style)),
            // Strings and lists are all there is; they always become JSON.
            Output::Json => Ok(serde_json::to_string_pretty(self).unwrap_or_default() + "\n"),
            Output::Html | Output::Svg => {
                Err("Of a Service there is no drawing: take -o text or json.".to_owned())
            }
        }
    }
}

/// Explains a Service.
pub(crate) fn explain(known: &Known<'_>) -> Explained {
    let seen = Seen(known.service);
    let lang = known.lang;
    let gateway = known.gateway.as_ref();
    let (maker, evidence) = maker(seen, gateway.is_some());
    let managers = managers(seen);
    let rules = gateway.and_then(OfGateway::rules).or(known.rules);
    let told = Told {
        seen,
        lang,
        rules,
        gateway,
        maker: &maker,
        forecast: rules.map_or(Forecast::NotKnown, |rules| {
            let class = seen.text("/spec/loadBalancerClass");
            forecast(rules, &seen.annotations(), class)
        }),
    };
    Explained {
        service: seen.whole_name().to_string(),
        lang,
        headline: told.headline(),
        created: seen.created(),
        who: told.who(&managers),
        see: match &maker {
            Maker::Daemun { gateway } => Some(w::SEE_GATEWAY.remedy(lang, &[gateway])),
            _ => None,
        },
        why: told.why(),
        forecast: told.forecast,
        why_reach: told.why_reach(&managers),
        to_be_private: told.to_be_private(),
        evidence: evidence
            .into_iter()
            .map(|(label, value)| Fact {
                id: "evidence",
                label,
                value,
                meaning: String::new(),
            })
            .collect(),
        annotations: told.annotations(),
        maker,
        managers,
        unseen: known.unseen.to_vec(),
    }
}

/// What sentences are made of.
struct Told<'a> {
    seen: Seen<'a>,
    lang: Lang,
    rules: Option<&'static Rules>,
    gateway: Option<&'a OfGateway<'a>>,
    maker: &'a Maker,
    forecast: Forecast,
}

impl Told<'_> {
    fn kind(&self) -> &str {
        match self.seen.text("/spec/type") {
            "" => "ClusterIP",
            kind => kind,
        }
    }

    fn has_load_balancer(&self) -> bool {
        self.kind() == "LoadBalancer"
    }

    fn product(&self) -> String {
        product(self.rules, self.lang)
    }

    /// The addresses that it shows, with their classes.
    fn addresses(&self) -> Vec<(String, Option<AddressClass>)> {
        let ingress = self.seen.list("/status/loadBalancer/ingress").iter();
        let shown = ingress.map(Seen).map(|it| match it.text("/ip") {
            "" => (it.text("/hostname").to_owned(), None),
            ip => {
                let address: Option<IpAddr> = ip.parse().ok();
                (ip.to_owned(), address.map(|it| class_of(it, &[], &[])))
            }
        });
        shown.filter(|(address, _)| !address.is_empty()).collect()
    }

    fn is_public(&self) -> bool {
        let addresses = self.addresses();
        let mut classes = addresses.iter().filter_map(|(_, class)| *class);
        classes.any(AddressClass::is_public)
    }

    fn headline(&self) -> String {
        let mut parts = vec![self.kind().to_owned()];
        let addresses = self.addresses();
        for (address, class) in &addresses {
            let class = class.map_or(w::CLASS_NAME, class_words);
            parts.push(format!("{address} — {}", class.plain(self.lang)));
        }
        if addresses.is_empty() && self.has_load_balancer() {
            parts.push(w::PENDING_ADDRESS.plain(self.lang));
        }
        format!("Service {}: {}", self.seen.whole_name(), parts.join(", "))
    }

    fn who(&self, managers: &[Manager]) -> String {
        let lang = self.lang;
        let mut said = Vec::new();
        let created = self.seen.created();
        let first = managers.iter().find(|it| !it.of_status);
        match (created.is_empty(), first) {
            (false, Some(first)) => {
                said.push(w::CREATED_BY.say(lang, &[&created, &first.manager]));
            }
            (false, None) => said.push(w::CREATED_AT.say(lang, &[&created])),
            (true, Some(first)) => said.push(w::WRITTEN_BY.say(lang, &[&first.manager])),
            (true, None) => {}
        }
        said.push(match self.maker {
            Maker::Daemun { gateway } => w::BY_DAEMUN.say(lang, &[gateway]),
            Maker::EnvoyGateway { gateway } => w::BY_ENVOY.say(lang, &[gateway]),
            Maker::GatewayController { gateway, class } => match class {
                Some(class) => w::BY_CONTROLLER_OF.say(lang, &[gateway, class]),
                None => w::BY_CONTROLLER.say(lang, &[gateway]),
            },
            Maker::Helm { release, chart } => match chart {
                Some(chart) => w::BY_HELM_CHART.say(lang, &[release, chart]),
                None => w::BY_HELM.say(lang, &[release]),
            },
            Maker::Owner { owner } => w::BY_OWNER.say(lang, &[owner]),
            Maker::Repository { program, name } => w::BY_REPOSITORY.say(lang, &[program, name]),
            Maker::Kubectl { command } => w::BY_KUBECTL.say(lang, &[command]),
            Maker::Unknown => w::BY_UNKNOWN.plain(lang),
        });
        said.join(" ")
    }

    fn why(&self) -> String {
        let lang = self.lang;
        let why = match self.maker {
            Maker::Daemun { .. } | Maker::EnvoyGateway { .. } | Maker::GatewayController { .. } => {
                w::WHY_GATEWAY.plain(lang)
            }
            Maker::Helm { .. } => w::WHY_HELM.say(lang, &[&self.kind()]),
            Maker::Owner { .. } => w::WHY_OWNER.plain(lang),
            Maker::Repository { .. } | Maker::Kubectl { .. } => {
                w::WHY_WRITTEN.say(lang, &[&self.kind()])
            }
            Maker::Unknown => String::new(),
        };
        let makes = match self.kind() {
            "LoadBalancer" if self.rules.is_none_or(|rules| !is_somebody(rules)) => {
                let makes = w::WHY_BALANCER.say(lang, &[&self.product()]);
                format!("{makes} {}", w::SOMEBODY_NAMED.plain(lang))
            }
            "LoadBalancer" => w::WHY_BALANCER.say(lang, &[&self.product()]),
            "NodePort" => w::WHY_NODE_PORT.plain(lang),
            _ => w::WHY_INSIDE.plain(lang),
        };
        format!("{why} {makes}").trim().to_owned()
    }

    fn why_reach(&self, managers: &[Manager]) -> Vec<String> {
        let lang = self.lang;
        if !self.has_load_balancer() {
            return Vec::new();
        }
        let Some(rules) = self.rules else {
            return vec![w::REACH_NOBODY_KNOWS.plain(lang)];
        };
        let floating = has_floating_ips(rules);
        let is_there = !self.addresses().is_empty();
        let mut said = Vec::new();
        if !is_there {
            said.push(would(self.forecast, floating).plain(lang));
        } else if self.is_public() && !self.is_foretold_public() {
            said.push(w::REACH_IS_PUBLIC.plain(lang));
        }
        said.extend(self.why_forecast(rules, is_there));
        let lacks = self.gateway.and_then(|known| lacks(known, self.seen));
        said.extend(lacks);
        said.extend(self.not_exact(rules));
        let decided = matches!(
            self.forecast,
            Forecast::Public
                | Forecast::Private
                | Forecast::PublicByDefault
                | Forecast::PrivateByDefault
        );
        if decided {
            said.extend(match rules.change(Aspect::Reach) {
                Change::Live => None,
                Change::CreateOnly => Some(w::REACH_SETTLED.say(lang, &[&self.product()])),
                Change::NotKnown => Some(w::REACH_MAYBE_SETTLED.say(lang, &[&self.product()])),
            });
        }
        let says_private = matches!(
            self.forecast,
            Forecast::Private | Forecast::PrivateByDefault
        );
        if says_private && self.is_public() {
            said.push(w::REACH_LATE.plain(lang));
            let mut writers = managers.iter().filter(|it| !it.of_status);
            let keys = rules.private.keys();
            let wrote = |it: &&Manager| {
                let mut keys = keys.iter();
                keys.any(|key| it.annotations.iter().any(|own| own == key.key))
            };
            if let Some(writer) = writers.find(wrote) {
                said.push(w::REACH_WRITTEN_BY.say(lang, &[&writer.manager, &writer.time]));
            }
        }
        if is_there && floating {
            let unseen = if self.is_public() {
                w::FLOATING_MAPS
            } else {
                w::CONSOLE_UNSEEN_FLOATING
            };
            said.push(unseen.plain(lang));
        }
        said
    }

    fn is_foretold_public(&self) -> bool {
        matches!(
            self.forecast,
            Forecast::Public | Forecast::PublicByDefault | Forecast::PublicByClass
        )
    }

    /// By what on the Service its address is private or public.
    fn why_forecast(&self, rules: &Rules, is_there: bool) -> Option<String> {
        let lang = self.lang;
        let product = self.product();
        Some(match (self.forecast, has_floating_ips(rules)) {
            (Forecast::PublicByDefault, true) => w::REACH_UNSAID_FLOATING.say(lang, &[&product]),
            (Forecast::PublicByDefault, false) => w::REACH_UNSAID_PUBLIC.say(lang, &[&product]),
            (Forecast::PrivateByDefault, _) => w::REACH_UNSAID_PRIVATE.say(lang, &[&product]),
            (Forecast::Public, _) => {
                let keys = keys(&rules.public).join(", ");
                w::REACH_SAID_PUBLIC.say(lang, &[&keys])
            }
            (Forecast::Private, _) => {
                let keys = keys(&rules.private).join(", ");
                w::REACH_SAID_PRIVATE.say(lang, &[&keys])
            }
            (by_class @ (Forecast::PrivateByClass | Forecast::PublicByClass), _) => {
                let class = self.seen.text("/spec/loadBalancerClass");
                let words = match by_class {
                    Forecast::PrivateByClass => w::REACH_PRIVATE_CLASS,
                    _ => w::REACH_PUBLIC_CLASS,
                };
                words.say(lang, &[&class, &product])
            }
            // Of an address that is not there yet that is what would become of it.
            (Forecast::Elsewhere, _) if !is_there => return None,
            (Forecast::Elsewhere, _) => w::WOULD_DEPEND.plain(lang),
            (Forecast::NotItsClass, _) => {
                let class = self.seen.text("/spec/loadBalancerClass");
                w::REACH_CLASS.say(lang, &[&class, &product])
            }
            (Forecast::NotKnown, _) if !is_somebody(rules) && !is_there => return None,
            (Forecast::NotKnown, _) if !is_somebody(rules) => w::REACH_NOT_KNOWN_WHO.plain(lang),
            (Forecast::NotKnown, _) => w::REACH_NOT_KNOWN.say(lang, &[&product]),
        })
    }

    /// A key that decides reach and has a value that counts for nothing.
    fn not_exact(&self, rules: &Rules) -> Option<String> {
        let annotations = self.seen.annotations();
        let unsaid = matches!(
            self.forecast,
            Forecast::PublicByDefault | Forecast::Elsewhere
        );
        let mut keys = rules.private.keys().iter();
        let key = keys.find(|key| unsaid && annotations.contains_key(key.key))?;
        let (meaning, shown) = meaning(rules, key.key, annotations.get(key.key)?, self.lang);
        Some(format!("{}: \"{shown}\" — {meaning}", key.key))
    }

    fn to_be_private(&self) -> Vec<Remedy> {
        let lang = self.lang;
        let foreseen = self.addresses().is_empty() && self.is_foretold_public();
        let public = self.is_public() || foreseen;
        let Some(rules) = self.rules.filter(|_| public && self.has_load_balancer()) else {
            return Vec::new();
        };
        let keys = keys(&rules.private);
        if keys.is_empty() {
            return Vec::new();
        }
        let step = match self.maker {
            Maker::Daemun { .. } => return self.daemun_to_be_private(),
            Maker::EnvoyGateway { .. } => w::STEP_ENVOY.plain(lang),
            Maker::GatewayController { gateway, .. } => w::STEP_GATEWAY.say(lang, &[gateway]),
            Maker::Helm { .. } => w::STEP_HELM.plain(lang),
            Maker::Owner { owner } => w::STEP_OWNER.say(lang, &[owner]),
            Maker::Repository { program, .. } => w::STEP_REPOSITORY.say(lang, &[program]),
            Maker::Kubectl { .. } | Maker::Unknown => w::STEP_WRITTEN.plain(lang),
        };
        let mut steps = vec![Remedy {
            says: step,
            paste: keys,
        }];
        let name = self.seen.whole_name();
        if rules.change(Aspect::Reach) != Change::Live {
            steps.push(w::STEP_ANEW.remedy(lang, &[&name.namespace, &name.name]));
        }
        steps.push(w::STEP_OR_DAEMUN.remedy(lang, &[]));
        steps
    }

    /// The steps for a Service of Daemun's: what its Gateway asks for decides them.
    fn daemun_to_be_private(&self) -> Vec<Remedy> {
        let lang = self.lang;
        let name = self.seen.whole_name();
        let Some(known) = self.gateway else {
            return vec![
                w::STEP_DAEMUN_IF.remedy(lang, &[]),
                w::ANEW_DELETE.remedy(lang, &[&name.namespace, &name.name]),
            ];
        };
        match asked(known) {
            Some(Asked::Public) => {
                let gateway = known.gateway;
                let allow = format!("{ALLOW_RECREATION}={}", name.name);
                vec![
                    w::STEP_DAEMUN.remedy(lang, &[]),
                    w::ANEW_ALLOW.remedy(lang, &[&gateway.namespace, &gateway.name, &allow]),
                ]
            }
            Some(Asked::Private) => anew(known, self.seen),
            None => vec![w::STEP_DAEMUN_IF.remedy(lang, &[])],
        }
    }

    fn annotations(&self) -> Vec<Fact> {
        let Some(rules) = self.rules else {
            return Vec::new();
        };
        let all = self.seen.annotations().into_iter();
        // What tools note for themselves means nothing to who makes load balancers.
        let of_tools = |key: &str| {
            let prefix = key.split_once('/').map_or("", |(prefix, _)| prefix);
            is_reserved(key)
                || ["kubectl.kubernetes.io", "meta.helm.sh", "helm.sh"].contains(&prefix)
                || prefix.ends_with("argoproj.io")
                || prefix.ends_with("fluxcd.io")
        };
        let facts = all.filter(|(key, _)| !of_tools(key)).map(|(key, value)| {
            let (meaning, value) = meaning(rules, key, value, self.lang);
            Fact {
                id: ANNOTATION,
                label: key.to_owned(),
                value,
                meaning,
            }
        });
        facts.collect()
    }
}

/// The keys of a switch, as they are written.
fn keys(switch: &Switch) -> Vec<String> {
    let keys = switch.keys().iter().map(|key| match key.value {
        KeyValue::Is(value) => format!("{}: {}", key.key, quoted(value)),
        KeyValue::Subnet => format!("{}: …", key.key),
    });
    keys.collect()
}
