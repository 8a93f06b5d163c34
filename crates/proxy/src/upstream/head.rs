//! A request's head on its way to a backend, for as many tries as there may be.

use std::rc::Rc;
use std::sync::LazyLock;

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version};

use crate::http::replay::{RequestBody, Source};

/// A head as our own engine writes it.
pub(crate) struct Plain<'a> {
    pub(crate) method: &'a Method,
    /// In origin form.
    pub(crate) target: &'a Uri,
    /// With `Host`, without hop-by-hop headers. `Content-Length` is not taken from here.
    pub(crate) headers: &'a HeaderMap,
    /// Whether `Content-Length: 0` is said of a body that there is not, whatever the method.
    pub(crate) says_empty: bool,
}

/// A request's head, for as many tries as there may be.
pub(crate) struct Head {
    method: Method,
    uri: Uri,
    /// None while a try has them and no copy was kept.
    headers: Option<HeaderMap>,
    /// Whether a copy is kept when a try takes the headers.
    keep: bool,
    /// Whether it may be sent twice without a policy (RFC 9110, section 9.2.2), and was not yet.
    repeatable: bool,
    says_empty: bool,
}

impl Head {
    pub(crate) fn new(parts: Parts, has_policy: bool, has_body: bool) -> Self {
        let repeatable = parts.method.is_idempotent() && !has_body;
        Self {
            method: parts.method,
            uri: parts.uri,
            headers: Some(parts.headers),
            keep: has_policy || repeatable,
            repeatable,
            says_empty: false,
        }
    }

    /// The same, which says of a body that there is not that its length is 0.
    pub(crate) fn saying_empty(self) -> Self {
        Self {
            says_empty: true,
            ..self
        }
    }

    /// Whether there are headers for one more try.
    pub(crate) fn is_kept(&self) -> bool {
        self.headers.is_some()
    }

    /// Takes the right to send it once more without a policy.
    pub(crate) fn repeat(&mut self, body: Option<&Source>) -> bool {
        let may = self.repeatable && self.headers.is_some() && body.is_none();
        self.repeatable = false;
        may
    }

    /// The head for our own engine, which takes nothing.
    pub(crate) fn plain(&self) -> Plain<'_> {
        static NO_HEADERS: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);
        let headers = self.headers.as_ref().unwrap_or(&NO_HEADERS);
        Plain {
            method: &self.method,
            target: &self.uri,
            headers,
            says_empty: self.says_empty,
        }
    }

    pub(crate) fn put_back(&mut self, request: Request<RequestBody>) {
        if self.headers.is_none() {
            self.headers = Some(request.into_parts().0.headers);
        }
    }

    /// The request for one try: in origin form for HTTP/1 (RFC 9112, section 3.2.1), with scheme and
    /// authority for HTTP/2 (RFC 9113, section 8.3.1).
    pub(crate) fn request(
        &mut self,
        body: Option<&Rc<Source>>,
        http2: bool,
        tls: bool,
    ) -> Request<RequestBody> {
        // An HTTP/2 backend may refuse any request before it looks at it.
        let mut headers = if self.keep || http2 {
            self.headers.clone()
        } else {
            self.headers.take()
        }
        .unwrap_or_default();
        let mut request = Request::new(body.map_or(RequestBody::Empty, Source::body));
        *request.method_mut() = self.method.clone();
        if http2 {
            *request.version_mut() = Version::HTTP_2;
            if self.says_empty && body.is_none() {
                headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
            let host = headers.remove(http::header::HOST);
            *request.uri_mut() = absolute(&self.uri, host.as_ref(), tls);
        } else {
            *request.uri_mut() = self.uri.clone();
        }
        *request.headers_mut() = headers;
        request
    }
}

fn absolute(uri: &Uri, host: Option<&HeaderValue>, tls: bool) -> Uri {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(if tls {
        http::uri::Scheme::HTTPS
    } else {
        http::uri::Scheme::HTTP
    });
    parts.authority = host.and_then(|host| http::uri::Authority::try_from(host.as_bytes()).ok());
    parts.path_and_query = uri.path_and_query().cloned();
    // Without an authority there is no absolute form; the engine refuses what it cannot send.
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}
