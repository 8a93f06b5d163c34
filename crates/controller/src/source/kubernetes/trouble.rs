//! What stands between the controller and the objects, as sentences with the remedy.

use std::fmt;

use daemun_base::causes::because;
use daemun_objects::KindInfo;
use kube::runtime::watcher;

use super::served::full_name;

use crate::refused::LACKS_RIGHT;

/// Why a kind cannot be watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The API server does not know the kind.
    Missing {
        /// The kind, in its group.
        kind: &'static KindInfo,
    },
    /// The controller may not.
    Forbidden {
        /// What it may not do.
        verb: &'static str,
        /// The kind, in its group.
        kind: &'static KindInfo,
        /// Where; none for all namespaces.
        namespace: Option<String>,
    },
    /// The API server does not know who the controller is.
    Unknown,
    /// The API server does not answer, or not sensibly.
    Away {
        /// What happened, as the client says it.
        why: String,
    },
}

impl Trouble {
    /// What an error of a watch means; none if the watch goes on by itself.
    pub(super) fn of(
        error: &watcher::Error,
        kind: &'static KindInfo,
        namespace: Option<&str>,
    ) -> Option<Self> {
        let (verb, error) = match error {
            watcher::Error::InitialListFailed(error) => ("list", error),
            watcher::Error::WatchStartFailed(error) | watcher::Error::WatchFailed(error) => {
                ("watch", error)
            }
            watcher::Error::WatchError(status) if status.code == 410 => return None,
            watcher::Error::WatchError(status) => {
                return Some(Self::Away {
                    why: status.message.clone(),
                });
            }
            watcher::Error::NoResourceVersion => {
                return Some(Self::Away {
                    why: "it sent an object without a resourceVersion".to_owned(),
                });
            }
        };
        Some(match error {
            kube::Error::Api(status) if status.code == 404 => Self::Missing { kind },
            kube::Error::Api(status) if status.code == 410 => return None,
            kube::Error::Api(status) if status.code == 401 => Self::Unknown,
            kube::Error::Api(status) if status.code == 403 => Self::Forbidden {
                verb,
                kind,
                namespace: namespace.map(str::to_owned),
            },
            error => Self::Away {
                why: because(error),
            },
        })
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { kind } => {
                let name = full_name(kind);
                write!(
                    f,
                    "The API server does not serve {name} in version {}: ",
                    kind.version
                )?;
                f.write_str(match kind.group {
                    "gateway.networking.k8s.io" => {
                        "the Gateway API's CRDs are not installed, or are older than v1.6. `daemun install --gateway-api-crds standard | kubectl apply --server-side -f -` installs them (experimental, if that is the cluster's channel)."
                    }
                    "gateway.networking.x-k8s.io" => {
                        "it belongs to the experimental channel of the Gateway API, which is not installed. Nothing is missing unless it is wanted."
                    }
                    _ => {
                        "its CRD is not installed. `daemun install | kubectl apply --server-side -f -` installs it."
                    }
                })
            }
            Self::Forbidden {
                verb,
                kind,
                namespace,
            } => {
                let name = full_name(kind);
                match namespace {
                    None => write!(f, "The controller may not {verb} {name} in the cluster"),
                    Some(namespace) => {
                        write!(
                            f,
                            "The controller may not {verb} {name} in namespace {namespace}"
                        )
                    }
                }?;
                write!(f, "; {LACKS_RIGHT}")
            }
            Self::Unknown => f.write_str(
                "The API server does not know who the controller is (401): its credentials have expired, or are another cluster's. In a pod the kubelet renews its token; with a kubeconfig, log in again or name another one (--kubeconfig, --context). No role helps.",
            ),
            Self::Away { why } => {
                write!(f, "The API server does not answer: {why}.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;
    use kube::runtime::watcher;

    use super::super::served::kind;
    use super::Trouble;

    fn failed(code: u16) -> watcher::Error {
        let status = Status::failure("no", "").with_code(code).boxed();
        watcher::Error::InitialListFailed(kube::Error::Api(status))
    }

    #[test]
    fn a_refusal_names_the_verb_the_kind_and_the_namespace() {
        let routes = kind("HTTPRoute").unwrap();
        let said = |code, namespace| {
            let trouble = Trouble::of(&failed(code), routes, namespace);
            trouble
                .map(|trouble| trouble.to_string())
                .unwrap_or_default()
        };
        assert!(said(403, None).starts_with(
            "The controller may not list httproutes.gateway.networking.k8s.io in the cluster;"
        ));
        assert!(said(403, Some("shop")).contains("in namespace shop;"));
        assert!(said(401, None).contains("credentials have expired"));
        assert!(
            said(404, None)
                .contains("does not serve httproutes.gateway.networking.k8s.io in version v1")
        );
        assert!(said(500, None).starts_with("The API server does not answer: "));
        assert_eq!(said(410, None), "", "the watch lists again by itself");
    }
}
