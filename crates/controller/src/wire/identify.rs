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
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use crate::provision::{AUDIENCE, Accounts};

/// How long a review counts: a proxy that connects to every replica, or again, is not asked about each time.
const FRESH: Duration = Duration::from_secs(10);
/// Reviews that are remembered.
const REMEMBERED: usize = 1024;
/// Reviews at a time. Who waits for its ServiceAccount to be seen holds none of these places.
const AT_A_TIME: usize = 32;
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
    places: Semaphore,
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
            places: Semaphore::new(AT_A_TIME),
        }
    }

    async fn holder(&self, token: &str) -> Result<Holder, String> {
        if let Some(known) = self.recent(token) {
            return Ok(known);
        }
        let place = self.places.acquire().await;
        let _place = place.map_err(|_| "the controller ends".to_owned())?;
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
    use std::convert::Infallible;
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll};

    use bytes::Bytes;
    use daemun_model::names::ObjectName;
    use http::{Request, Response, StatusCode};
    use http_body_util::{BodyExt as _, Full};
    use k8s_openapi::api::authentication::v1::TokenReviewStatus;
    use kube::Client;
    use kube::client::Body;
    use serde_json::{Value, json};
    use tokio::sync::watch;

    use super::{Holder, Reviews, read};
    use crate::provision::Accounts;

    /// An API server that knows the token `good` and counts how often it is asked.
    #[derive(Clone, Default)]
    struct Server(Arc<AtomicUsize>);

    impl tower_service::Service<Request<Body>> for Server {
        type Response = Response<Full<Bytes>>;
        type Error = Infallible;
        type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<Body>) -> Self::Future {
            let Self(asked) = self.clone();
            Box::pin(async move {
                asked.fetch_add(1, Ordering::Relaxed);
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let mut review: Value = serde_json::from_slice(&body).unwrap();
                let mut answer = Response::new(Full::default());
                let token = review["spec"]["token"].clone();
                if token == "away" {
                    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                } else {
                    review["status"] = status();
                    review["status"]["authenticated"] = json!(token == "good");
                    *answer.body_mut() = Full::from(review.to_string());
                }
                Ok(answer)
            })
        }
    }

    fn reviews() -> (Server, watch::Sender<Arc<Accounts>>, Reviews) {
        let server = Server::default();
        let (made, accounts) = watch::channel(Arc::default());
        let client = Client::new(server.clone(), "default");
        (server, made, Reviews::new(client, accounts))
    }

    fn account(uid: &str) -> Arc<Accounts> {
        Arc::new([(uid.to_owned(), ObjectName::new("infra", "shop"))].into())
    }

    #[tokio::test]
    async fn a_proxy_belongs_to_the_gateway_that_its_account_was_made_for() {
        let (server, made, reviews) = reviews();
        made.send_replace(account("account-1"));
        for _ in 0..3 {
            let proxy = reviews.who("good").await.unwrap();
            assert_eq!(proxy.gateway, ObjectName::new("infra", "shop"));
            assert_eq!((&*proxy.pod, &*proxy.pod_uid), ("shop-daemun-x", "pod-1"));
        }
        assert_eq!(server.0.load(Ordering::Relaxed), 1, "it is remembered");
        // What is refused is not remembered: it may be another answer next time.
        for asked in [2, 3] {
            let why = reviews.who("bad").await.unwrap_err();
            assert_eq!(why, "the API server does not know the token");
            assert_eq!(server.0.load(Ordering::Relaxed), asked);
        }
        let why = reviews.who("away").await.unwrap_err();
        assert!(
            why.starts_with("the API server does not review the token"),
            "{why}"
        );
    }

    #[tokio::test]
    async fn an_account_that_was_just_made_is_waited_for_and_a_foreign_one_refused() {
        let (_server, made, reviews) = reviews();
        made.send_replace(account("account-2"));
        let later = async {
            tokio::task::yield_now().await;
            made.send_replace(account("account-1"));
        };
        let (proxy, ()) = tokio::join!(reviews.who("good"), later);
        assert_eq!(proxy.unwrap().gateway, ObjectName::new("infra", "shop"));
        // One of the same name that was made anew has another uid.
        made.send_replace(account("account-2"));
        drop(made);
        let why = reviews.who("good").await.unwrap_err();
        assert_eq!(
            why,
            "the ServiceAccount infra/shop-daemun (uid account-1) of pod shop-daemun-x is none that this controller made for a Gateway"
        );
    }

    /// What the API server says of a pod's token.
    fn status() -> Value {
        json!({
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
        })
    }

    fn judged(change: impl Fn(&mut Value)) -> Result<Holder, String> {
        let mut status = status();
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
