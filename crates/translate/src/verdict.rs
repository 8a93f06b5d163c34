//! Saying what was found: how conditions and findings are made, so that they read alike everywhere.

use daemun_model::names::ObjectName;
use daemun_model::verdict::{Condition, FieldPath, Finding, Severity, Status};

/// A part of an object that cannot be used, with the place and the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Where it is written.
    pub(crate) path: FieldPath,
    /// The condition's reason that it leads to.
    pub(crate) reason: &'static str,
    /// A whole sentence: what is, why, what to do.
    pub(crate) message: String,
    /// What is to be found in another object, which is at fault: then it is not told of this one as well.
    pub(crate) elsewhere: Option<Box<Elsewhere>>,
}

/// Something that is to be found in GatewayParameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    /// The object.
    pub(crate) parameters: ObjectName,
    /// With a path in it.
    pub(crate) finding: Finding,
}

impl Refusal {
    /// A refusal with a reason of the Gateway API's.
    pub(crate) fn new(path: FieldPath, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            path,
            reason,
            message: message.into(),
            elsewhere: None,
        }
    }

    /// The same, found in other GatewayParameters, at a path of theirs.
    pub(crate) fn found_in(self, parameters: ObjectName, path: FieldPath) -> Self {
        let finding = Finding {
            severity: Severity::Error,
            path,
            reason: self.reason,
            message: self.message.clone(),
        };
        Self {
            elsewhere: Some(Box::new(Elsewhere {
                parameters,
                finding,
            })),
            ..self
        }
    }

    /// What is to be found in the object that is refused.
    pub(crate) fn finding(&self) -> Option<Finding> {
        self.elsewhere.is_none().then(|| self.clone().into())
    }

    /// A value that is malformed, contradicts another one, or is not known here.
    pub(crate) fn unsupported(path: FieldPath, message: impl Into<String>) -> Self {
        Self::new(path, reason::UNSUPPORTED_VALUE, message)
    }
}

impl From<Refusal> for Finding {
    fn from(refusal: Refusal) -> Self {
        let Refusal {
            path,
            reason,
            message,
            elsewhere: _, // the condition is the object's own all the same
        } = refusal;
        Self {
            severity: Severity::Error,
            path,
            reason,
            message,
        }
    }
}

/// Something that works and may surprise.
pub(crate) fn warning(
    path: FieldPath,
    reason: &'static str,
    message: impl Into<String>,
) -> Finding {
    Finding {
        severity: Severity::Warning,
        path,
        reason,
        message: message.into(),
    }
}

/// A condition that is True.
pub(crate) fn holds(
    kind: &'static str,
    reason: &'static str,
    message: impl Into<String>,
) -> Condition {
    Condition {
        kind,
        status: Status::True,
        reason,
        message: message.into(),
    }
}

/// A condition that is False.
pub(crate) fn fails(
    kind: &'static str,
    reason: &'static str,
    message: impl Into<String>,
) -> Condition {
    Condition {
        kind,
        status: Status::False,
        reason,
        message: message.into(),
    }
}

/// What becomes of requests to what is closed, where routes of both kinds may lead to it.
pub(crate) const CLOSED: &str = "answered 500 (gRPC: UNAVAILABLE)";

/// `ResolvedRefs`: False with the first refusal's reason and all messages, else True.
pub(crate) fn resolved_refs(refusals: &[Refusal]) -> Condition {
    match refusals.first() {
        None => holds(
            "ResolvedRefs",
            "ResolvedRefs",
            "All references are resolved.",
        ),
        Some(first) => fails("ResolvedRefs", first.reason, messages(refusals)),
    }
}

/// The messages of several refusals as one text: the first three whole, of the rest the number.
pub(crate) fn messages(refusals: &[Refusal]) -> String {
    const SHOWN: usize = 3;
    let mut text = refusals
        .iter()
        .take(SHOWN)
        .map(|refusal| refusal.message.as_str())
        .collect::<Vec<_>>()
        .join(" ");
    if refusals.len() > SHOWN {
        text.push_str(&format!(" And {} more.", refusals.len() - SHOWN));
    }
    text
}

/// The reason of findings about backends without an endpoint that is ready.
pub const NO_READY_ENDPOINT: &str = "NoReadyEndpoint";

/// Reasons of conditions that are used in more than one place, as the Gateway API spells them.
pub(crate) mod reason {
    /// An address that may not be used.
    pub(crate) const ADDRESS_NOT_USABLE: &str = "AddressNotUsable";
    /// A value that is malformed or not known.
    pub(crate) const UNSUPPORTED_VALUE: &str = "UnsupportedValue";
    /// No ReferenceGrant permits the reference.
    pub(crate) const REF_NOT_PERMITTED: &str = "RefNotPermitted";
    /// A reference to a kind that is not supported there.
    pub(crate) const INVALID_KIND: &str = "InvalidKind";
    /// A backend, or its port, does not exist.
    pub(crate) const BACKEND_NOT_FOUND: &str = "BackendNotFound";
    /// A protocol that is not supported.
    pub(crate) const UNSUPPORTED_PROTOCOL: &str = "UnsupportedProtocol";
    /// A listener's certificate cannot be used.
    pub(crate) const INVALID_CERTIFICATE_REF: &str = "InvalidCertificateRef";
    /// A CA's certificate cannot be used.
    pub(crate) const INVALID_CA_CERTIFICATE_REF: &str = "InvalidCACertificateRef";
    /// Not one CA's certificate can be used.
    pub(crate) const NO_VALID_CA_CERTIFICATE: &str = "NoValidCACertificate";
    /// Parameters that are missing, or cannot be meant.
    pub(crate) const INVALID_PARAMETERS: &str = "InvalidParameters";
    /// Something else is wrong with the object.
    pub(crate) const INVALID: &str = "Invalid";
    /// A policy's target does not exist.
    pub(crate) const TARGET_NOT_FOUND: &str = "TargetNotFound";
    /// An older policy has the same target.
    pub(crate) const CONFLICTED: &str = "Conflicted";
}
