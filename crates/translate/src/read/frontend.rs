//! Client certificates: `Gateway.spec.tls.frontend`, the default and what single ports have in its place
//! (GEP-91). They hold for all HTTPS listeners of a port, those of ListenerSets too.

use std::collections::BTreeMap;

use daemun_model::names::{ListenerOwner, ObjectName};
use daemun_model::tls::{ClientValidation, ClientValidationMode};
use daemun_model::verdict::{FieldPath, Finding};
use daemun_objects::gateway_api::gateway::{
    FrontendTlsConfig, FrontendTlsValidation, FrontendValidationMode, TlsConfig,
};

use crate::cluster::Cluster;
use crate::credentials;
use crate::listener::{Entry, Protocol};
use crate::memo::Judgements;
use crate::refs::{GATEWAY_GROUP, Referrer};
use crate::value::port;
use crate::verdict::{Refusal, reason};

/// What is asked of clients on each port.
#[derive(Default)]
pub(crate) struct Frontend {
    default: Option<Asked>,
    per_port: BTreeMap<u16, Option<Asked>>,
    /// Settings of ports that cannot be understood.
    pub(crate) findings: Vec<Finding>,
}

/// What is asked of clients' certificates, and what of it could not be resolved.
#[derive(Clone)]
struct Asked {
    validation: Option<ClientValidation>,
    unresolved: Vec<Refusal>,
    refused: Option<Refusal>,
}

/// Reads the settings of a Gateway.
pub(crate) fn read(
    cluster: &Cluster,
    judgements: &mut Judgements,
    gateway: &ObjectName,
    written: &FrontendTlsConfig,
) -> Frontend {
    let FrontendTlsConfig { default, per_port } = written;
    let path = FieldPath::of("spec.tls.frontend");
    let mut frontend = Frontend {
        default: asked(
            cluster,
            judgements,
            gateway,
            default,
            &path.field("default"),
        ),
        ..Frontend::default()
    };
    for (index, config) in per_port.iter().enumerate() {
        let path = path.field("perPort").index(index);
        let Some(port) = port(config.port) else {
            frontend.findings.push(
                Refusal::unsupported(
                    path.field("port"),
                    format!("{} is not a port; ports are 1 to 65535.", config.port),
                )
                .into(),
            );
            continue;
        };
        if frontend.per_port.contains_key(&port) {
            frontend.findings.push(
                Refusal::unsupported(
                    path.field("port"),
                    format!("Port {port} has a setting before this one; the first one holds. Take one of them out."),
                )
                .into(),
            );
            continue;
        }
        let asked = asked(
            cluster,
            judgements,
            gateway,
            &config.tls,
            &path.field("tls"),
        );
        frontend.per_port.insert(port, asked);
    }
    frontend
}

impl Frontend {
    /// Gives a listener what holds for it. Settings that cannot be resolved make it refuse to serve.
    pub(crate) fn apply(&self, entry: &mut Entry) {
        if entry.protocol != Some(Protocol::Https) {
            return;
        }
        let asked = match self.per_port.get(&entry.port) {
            Some(own) => own.as_ref(),
            None => self.default.as_ref(),
        };
        let Some(Asked {
            validation,
            unresolved,
            refused,
        }) = asked
        else {
            return;
        };
        // The setting stands in the Gateway; a ListenerSet's owner is pointed to the listener.
        let elsewhere = match entry.key.owner {
            ListenerOwner::Gateway => None,
            ListenerOwner::ListenerSet => Some(entry.path.clone()),
        };
        let placed = |refusal: &Refusal| {
            let mut refusal = refusal.clone();
            if let Some(path) = &elsewhere {
                refusal.path.clone_from(path);
            }
            refusal
        };
        entry.unresolved.extend(unresolved.iter().map(placed));
        entry.refused.extend(refused.iter().map(placed));
        entry.client.clone_from(validation);
    }

    /// Whether clients without a valid certificate are let in somewhere.
    pub(crate) fn is_insecure(&self) -> bool {
        self.per_port
            .values()
            .chain([&self.default])
            .flatten()
            .filter_map(|asked| asked.validation.as_ref())
            .any(|validation| validation.mode == ClientValidationMode::AllowInsecureFallback)
    }
}

fn asked(
    cluster: &Cluster,
    judgements: &mut Judgements,
    gateway: &ObjectName,
    written: &TlsConfig,
    path: &FieldPath,
) -> Option<Asked> {
    let FrontendTlsValidation {
        ca_certificate_refs,
        mode,
    } = written.validation.as_ref()?;
    let path = path.field("validation");
    let mut asked = Asked {
        validation: None,
        unresolved: Vec::new(),
        refused: None,
    };
    let mode = match mode {
        None => ClientValidationMode::AllowValidOnly,
        Some(mode) => match mode.known() {
            Some(FrontendValidationMode::AllowValidOnly) => ClientValidationMode::AllowValidOnly,
            Some(FrontendValidationMode::AllowInsecureFallback) => {
                ClientValidationMode::AllowInsecureFallback
            }
            None => {
                asked.refused = Some(Refusal::unsupported(
                    path.field("mode"),
                    format!(
                        "The Gateway's {path}.mode is \"{mode}\"; AllowValidOnly and AllowInsecureFallback are known."
                    ),
                ));
                return Some(asked);
            }
        },
    };
    let from = Referrer {
        group: GATEWAY_GROUP,
        kind: "Gateway",
        namespace: &gateway.namespace,
    };
    let (authorities, unresolved) = credentials::authorities(
        cluster,
        judgements,
        &from,
        ca_certificate_refs,
        (&path.field("caCertificateRefs"), "InvalidCACertificateKind"),
    );
    asked.unresolved = unresolved;
    if authorities.is_empty() {
        asked.refused = Some(Refusal::new(
            path.field("caCertificateRefs"),
            reason::NO_VALID_CA_CERTIFICATE,
            format!(
                "The Gateway asks for client certificates ({path}), and none of the authorities for them can be used. Nobody is let in without them."
            ),
        ));
        return Some(asked);
    }
    asked.validation = Some(ClientValidation { authorities, mode });
    Some(asked)
}
