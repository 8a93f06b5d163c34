//! Reading the question: a request as a client would send it.

use std::net::IpAddr;

use daemun_proxy::admin::Question;
use daemun_route::paths::{self, PathError};
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::Understood;

/// A request, as far as the gateway looks at it.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) https: bool,
    /// The host, in lower case, without port and trailing dot.
    pub(super) host: String,
    /// What TLS is asked for: the URL's host, unless that is an address.
    pub(super) server_name: Option<String>,
    /// The address that the URL names, if it does.
    pub(super) address: Option<IpAddr>,
    pub(super) port: u16,
    pub(super) path: Result<String, PathError>,
    pub(super) query: Option<String>,
    /// Bytes of path and query.
    pub(super) target_bytes: usize,
    /// The headers, with `Host`.
    pub(super) headers: HeaderMap,
}

impl Request {
    /// Reads a question.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn read(question: &Question) -> Result<Self, String> {
        let Question {
            method,
            url,
            headers,
        } = question;
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| format!("\"{method}\" is no HTTP method."))?;
        let whole = || {
            format!("\"{url}\" is not a whole URL; write http://HOST/PATH or https://HOST/PATH.")
        };
        let uri: Uri = url.parse().map_err(|error| match url.contains("://") {
            true => format!("\"{url}\" is no URL: {error}. Percent-encode what is special."),
            false => whole(),
        })?;
        let authority = uri.authority().ok_or_else(whole)?;
        let https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(whole()),
        };
        let mut headers = read_headers(headers)?;
        if !headers.contains_key(HOST) {
            let host = authority.as_str().rsplit('@').next().unwrap_or_default();
            let host = HeaderValue::from_str(host).map_err(|_| whole())?;
            headers.insert(HOST, host);
        }
        let named = name(authority);
        let address = named.parse().ok();
        let path = if uri.path().is_empty() {
            "/"
        } else {
            uri.path()
        };
        Ok(Self {
            method,
            https,
            host: host(&headers)?,
            server_name: address.is_none().then_some(named),
            address,
            port: authority.port_u16().unwrap_or(if https { 443 } else { 80 }),
            path: paths::normalize(path).map(std::borrow::Cow::into_owned),
            query: uri.query().map(ToOwned::to_owned),
            target_bytes: uri
                .path_and_query()
                .map_or(1, |target| target.as_str().len()),
            headers,
        })
    }

    /// What is shown of it.
    pub(super) fn understood(&self) -> Understood {
        Understood {
            method: self.method.to_string(),
            scheme: self.scheme().to_owned(),
            host: self.host.clone(),
            port: self.port,
            path: self.path.clone().unwrap_or_default(),
        }
    }

    /// `http` or `https`.
    pub(super) fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }
}

fn read_headers(written: &[(String, String)]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in written {
        let name = HeaderName::from_bytes(name.trim().as_bytes())
            .map_err(|_| format!("\"{name}\" is no name of a header."))?;
        let value = HeaderValue::from_str(value.trim()).map_err(|_| {
            format!("The value of the header {name} has characters that cannot be sent.")
        })?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn host(headers: &HeaderMap) -> Result<String, String> {
    let written = headers
        .get(HOST)
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    Authority::try_from(written)
        .map(|authority| name(&authority))
        .map_err(|_| "The Host header is no host; it would be answered 400.".to_owned())
}

fn name(authority: &Authority) -> String {
    let host = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']');
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}
