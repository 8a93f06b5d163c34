//! Who shows a token: the API server says whose it is, and the ServiceAccount's uid says of which Gateway.
//!
//! Names and labels prove nothing: whoever may make pods in a namespace chooses those. A uid is given by the API
//! server, and the one that counts is that of the ServiceAccount that this controller made for the Gateway.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use daemun_base::clock;
use daemun_wire::identity::{Identify, Proxy};
use k8s_openapi::api::authentication::v1::{
    TokenReview, TokenReviewSpec, TokenReviewStatus, UserInfo,
};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::provision::{AUDIENCE, Accounts};

/// How long a review counts: a proxy that connects to every replica, or again, is not asked about each time.
const FRESH: Duration = Duration::from_secs(10);
/// Reviews that are remembered.
const REMEMBERED: usize = 1024;
/// How long to wait until a ServiceAccount is seen that has just been made.
const PATIENCE: Duration = Duration::from_secs(5);
/// Begins the names of ServiceAccounts' users.
const ACCOUNT: &str = "system:serviceaccount:";
/// Where a review says in which pod a token is used.
const POD: &str = "authentication.kubernetes.io/pod-name";
const POD_UID: &str = "authentication.kubernetes.io/pod-uid";

/// Asks the API server.
pub(super) struct Reviews {
    reviews: Api<TokenReview>,
    accounts: watch::Receiver<Arc<Accounts>>,
    recent: Mutex<HashMap<String, (Holder, Instant)>>,
}

/// Who holds a token.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Holder {
    /// The ServiceAccount's uid.
    account: String,
    /// Its namespace and name, for messages.
    named: String,
    pod: String,
    pod_uid: String,
}

impl Reviews {
    /// Of this cluster, for proxies of these accounts.
    pub(super) fn new(client: Client, accounts: watch::Receiver<Arc<Accounts>>) -> Self {
        Self {
            reviews: Api::all(client),
            accounts,
            recent: Mutex::default(),
        }
    }

    async fn holder(&self, token: &str) -> Result<Holder, String> {
        if let Some(known) = self.recent(token) {
            return Ok(known);
        }
        let review = TokenReview {
            spec: TokenReviewSpec {
                audiences: Some(vec![AUDIENCE.to_owned()]),
                token: Some(token.to_owned()),
            },
            ..TokenReview::default()
        };
        let reviewed = self.reviews.create(&PostParams::default(), &review).await;
        let reviewed = reviewed
            .map_err(|error| format!("the API server does not review the token: {error}"))?;
        let status = reviewed.status.unwrap_or_default();
        let holder = read(status)?;
        self.remember(token, &holder);
        Ok(holder)
    }

    fn recent(&self, token: &str) -> Option<Holder> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let (holder, at) = recent.get(token)?;
        (at.elapsed() < FRESH).then(|| holder.clone())
    }

    fn remember(&self, token: &str, holder: &Holder) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|_, (_, at)| at.elapsed() < FRESH);
        if recent.len() < REMEMBERED {
            recent.insert(token.to_owned(), (holder.clone(), clock::now()));
        }
    }

    async fn who(&self, token: &str) -> Result<Proxy, String> {
        let Holder {
            account,
            named,
            pod,
            pod_uid,
        } = self.holder(token).await?;
        let mut accounts = self.accounts.clone();
        let is_there = |accounts: &Arc<Accounts>| accounts.contains_key(&account);
        let found = timeout(PATIENCE, accounts.wait_for(is_there)).await;
        let gateway = match found {
            Ok(Ok(accounts)) => accounts.get(&account).cloned(),
            Ok(Err(_)) | Err(_) => None,
        };
        let gateway = gateway.ok_or_else(|| {
            format!(
                "the ServiceAccount {named} (uid {account}) of pod {pod} is none that this controller made for a Gateway"
            )
        })?;
        Ok(Proxy {
            gateway,
            account,
            pod,
            pod_uid,
        })
    }
}

impl Identify for Reviews {
    fn identify<'a>(
        &'a self,
        token: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Proxy, String>> + Send + 'a>> {
        Box::pin(self.who(token))
    }
}

/// What a review says; the API server has seen to it that the pod is there.
fn read(status: TokenReviewStatus) -> Result<Holder, String> {
    let TokenReviewStatus {
        audiences,
        authenticated,
        error,
        user,
    } = status;
    if authenticated != Some(true) {
        let why = error.map(|error| format!(": {error}")).unwrap_or_default();
        return Err(format!("the API server does not know the token{why}"));
    }
    // Without this an API server that knows nothing of audiences would have let any token pass.
    if !audiences.is_some_and(|audiences| audiences.iter().any(|it| it == AUDIENCE)) {
        return Err(format!("the token is not for {AUDIENCE}"));
    }
    let UserInfo {
        extra,
        groups: _, // prove nothing
        uid,
        username,
    } = user.unwrap_or_default();
    let username = username.unwrap_or_default();
    let (Some(named), Some(account)) = (username.strip_prefix(ACCOUNT), uid) else {
        return Err(format!(
            "the token is {username}'s, who is no ServiceAccount"
        ));
    };
    let extra = extra.unwrap_or_default();
    let one = |key: &str| extra.get(key)?.first().cloned();
    let (Some(pod), Some(pod_uid)) = (one(POD), one(POD_UID)) else {
        return Err(format!(
            "the token of ServiceAccount {named} is bound to no pod"
        ));
    };
    Ok(Holder {
        account,
        named: named.replace(':', "/"),
        pod,
        pod_uid,
    })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::authentication::v1::TokenReviewStatus;
    use serde_json::{Value, json};

    use super::{Holder, read};

    fn judged(change: impl Fn(&mut Value)) -> Result<Holder, String> {
        let mut status = json!({
            "authenticated": true,
            "audiences": ["daemun-wire"],
            "user": {
                "username": "system:serviceaccount:infra:shop-daemun",
                "uid": "account-1",
                "extra": {
                    "authentication.kubernetes.io/pod-name": ["shop-daemun-x"],
                    "authentication.kubernetes.io/pod-uid": ["pod-1"],
                },
            },
        });
        change(&mut status);
        let status: TokenReviewStatus = serde_json::from_value(status).unwrap();
        read(status)
    }

    #[test]
    fn only_the_token_of_a_pod_that_is_for_us_is_believed() {
        let holder = judged(|_| ()).unwrap();
        assert_eq!(holder.account, "account-1");
        assert_eq!((&*holder.pod, &*holder.pod_uid), ("shop-daemun-x", "pod-1"));
        assert_eq!(holder.named, "infra/shop-daemun");
        for (what, change) in [
            ("authenticated", json!(false)),
            ("audiences", json!(["https://kubernetes.default.svc"])),
            ("audiences", json!([])),
        ] {
            assert!(
                judged(|status| status[what] = change.clone()).is_err(),
                "{what}"
            );
        }
        for (what, change) in [
            ("username", json!("admin")),
            ("uid", Value::Null),
            ("extra", json!({})),
            (
                "extra",
                json!({"authentication.kubernetes.io/pod-name": ["x"]}),
            ),
        ] {
            let judged = judged(|status| status["user"][what] = change.clone());
            assert!(judged.is_err(), "{what}: {judged:?}");
        }
    }
}
