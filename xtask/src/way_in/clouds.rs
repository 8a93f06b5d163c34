//! The clouds that are tried, and what a Service needs there before anything is made of it at all.

use std::net::Ipv4Addr;

use daemun_translate::exposure::provider::{Provider, Rules, Switch, Value, rules};
use serde_json::{Map, Value as Json, json};

/// One of them.
#[derive(Clone, Copy)]
pub(super) struct Cloud {
    /// What Daemun knows of it, and so what it promises there.
    pub(super) rules: &'static Rules,
    /// Its place among all.
    number: u8,
}

/// All of them.
pub(super) fn all() -> Vec<Cloud> {
    let numbered = Provider::ALL.iter().zip(0..);
    let cloud = |(provider, number): (&Provider, u8)| Cloud {
        rules: rules(*provider),
        number,
    };
    numbered.map(cloud).collect()
}

/// Those of these names.
pub(super) fn named(names: &[&str]) -> Result<Vec<Cloud>, String> {
    let one = |name: &&str| {
        let mut all = all().into_iter();
        let found = all.find(|cloud| cloud.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| format!("There is no cloud {name}."))
    };
    names.iter().map(one).collect()
}

impl Cloud {
    /// As GatewayParameters name it.
    pub(super) fn name(self) -> &'static str {
        self.rules.name
    }

    /// The name of the namespace and of the class with which it is tried.
    pub(super) fn slug(self) -> String {
        format!("way-in-{}", self.name().to_ascii_lowercase())
    }

    /// Annotations without which the cloud that is played makes nothing, or is another one.
    pub(super) fn annotations(self) -> Map<String, Json> {
        let mut all = Map::new();
        all.insert("cloud.lab/provider".to_owned(), json!(self.name()));
        if self.rules.provider == Provider::Hetzner {
            let key = "load-balancer.hetzner.cloud/location";
            all.insert(key.to_owned(), json!("fsn1"));
        }
        all
    }

    /// Annotations under which PROXY headers count there.
    pub(super) fn of_headers(self) -> Map<String, Json> {
        let (key, value) = match self.rules.provider {
            Provider::Oci => ("oci.oraclecloud.com/load-balancer-type", "nlb"),
            Provider::DigitalOcean => (
                "service.beta.kubernetes.io/do-loadbalancer-type",
                "REGIONAL",
            ),
            _ => return Map::new(),
        };
        [(key.to_owned(), json!(value))].into_iter().collect()
    }

    /// The subnet, where naming one is what makes an address private.
    pub(super) fn subnet(self) -> Option<&'static str> {
        let mut keys = self.rules.private.keys().iter();
        keys.any(|key| key.value == Value::Subnet)
            .then_some("subnet-1")
    }

    /// Whether nothing on a Service decides who may reach it, but a pool of addresses or the nodes.
    pub(super) fn is_pool(self) -> bool {
        matches!(self.rules.private, Switch::Elsewhere(_))
    }

    /// Whether a Service can ask for a private address.
    pub(super) fn has_private(self) -> bool {
        matches!(self.rules.private, Switch::Keys(_) | Switch::Default)
    }

    /// Whether a Service can ask for a public address.
    pub(super) fn has_public(self) -> bool {
        matches!(self.rules.public, Switch::Keys(_) | Switch::Default)
    }

    /// What is written for a Gateway that is only to be there.
    pub(super) fn any(self) -> Json {
        match self.rules.private {
            Switch::Impossible(_) | Switch::NotKnown => json!({"reach": "Public"}),
            Switch::Keys(_) | Switch::Default | Switch::Elsewhere(_) => json!({}),
        }
    }

    /// A private address that is given only to who asks for it.
    pub(super) fn private_address(self) -> Ipv4Addr {
        Ipv4Addr::new(198, 18, 128, 20 + self.number)
    }

    /// A public one.
    pub(super) fn public_address(self) -> Ipv4Addr {
        Ipv4Addr::new(198, 18, 192, 20 + self.number)
    }
}
