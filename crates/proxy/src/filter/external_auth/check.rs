//! The question and the answer of `envoy.service.auth.v3.Authorization/Check`, as far as they are about HTTP.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::protobuf::{Fields, Malformed, Value, Writer, fields};
use super::{Change, Decision, Denial, How, Passage};

/// The path of the call.
pub(crate) const PATH: &str = "/envoy.service.auth.v3.Authorization/Check";

/// What a service is told of a request.
pub(crate) struct Question<'a> {
    /// The request's id.
    pub(crate) id: &'a str,
    pub(crate) method: &'a str,
    /// Path and query.
    pub(crate) path: &'a str,
    pub(crate) host: &'a str,
    pub(crate) scheme: &'a str,
    pub(crate) protocol: &'a str,
    /// All of the request's headers, of which `allowed` are told.
    pub(crate) headers: &'a HeaderMap,
    /// Empty means all.
    pub(crate) allowed: &'a [HeaderName],
    /// The body, if it is sent along.
    pub(crate) body: Option<&'a [u8]>,
    /// Bytes of the request's body, if that is known.
    pub(crate) size: Option<u64>,
    /// Who sent the request.
    pub(crate) source: std::net::SocketAddr,
    /// Seconds since 1970.
    pub(crate) time: u64,
    /// The name that TLS asked for.
    pub(crate) sni: Option<&'a str>,
}

impl Question<'_> {
    /// The message `CheckRequest`.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut check = Writer::default();
        check.message(1, |attributes| {
            // AttributeContext: source (1), request (4), tls_session (12).
            attributes.message(1, |peer| self.peer(peer));
            attributes.message(4, |request| {
                request.message(1, |time| time.number(1, self.time));
                request.message(2, |http| self.http(http));
            });
            if let Some(sni) = self.sni {
                attributes.message(12, |session| session.bytes(1, sni));
            }
        });
        check.into_bytes()
    }

    /// `Peer.address`, `Address.socket_address`, and in it address (2) and port_value (3).
    fn peer(&self, peer: &mut Writer) {
        peer.message(1, |address| {
            address.message(1, |socket| {
                socket.bytes(2, self.source.ip().to_string());
                socket.number(3, self.source.port().into());
            });
        });
    }

    fn http(&self, http: &mut Writer) {
        http.bytes(1, self.id);
        http.bytes(2, self.method);
        self.write_headers(http);
        http.bytes(4, self.path);
        http.bytes(5, self.host);
        http.bytes(6, self.scheme);
        // A size that is not known is -1, which has all bits set.
        http.number(9, self.size.unwrap_or(u64::MAX));
        http.bytes(10, self.protocol);
        match self.body {
            // `body` is text; what is none goes to `raw_body`.
            Some(body) if std::str::from_utf8(body).is_ok() => http.bytes(11, body),
            Some(body) => http.bytes(12, body),
            None => {}
        }
    }

    /// `headers` is a map: an entry has a key (1) and a value (2). Lines of one name are one value.
    fn write_headers(&self, http: &mut Writer) {
        let mut entry = |name: &str, value: &str| {
            http.message(3, |entry| {
                entry.bytes(1, name);
                entry.bytes(2, value);
            });
        };
        if self.allowed.is_empty() {
            for (name, value) in [
                (":authority", self.host),
                (":method", self.method),
                (":path", self.path),
                (":scheme", self.scheme),
            ] {
                entry(name, value);
            }
        }
        for name in self.headers.keys() {
            if !self.allowed.is_empty() && !self.allowed.contains(name) {
                continue;
            }
            let lines = self.headers.get_all(name).iter();
            let lines: Vec<_> = lines
                .map(|line| String::from_utf8_lossy(line.as_bytes()))
                .collect();
            entry(name.as_str(), &lines.join(","));
        }
    }
}

/// Reads the message `CheckResponse`: status (1), denied_response (2), ok_response (3).
///
/// # Errors
/// Why it decides nothing.
pub(crate) fn decode(message: &[u8]) -> Result<Decision, String> {
    read_response(message).map_err(|unread| match unread {
        Unread::Malformed => "its answer is no CheckResponse".to_owned(),
        Unread::Header(name) => {
            format!("its answer has a header that is none, or that no message may carry: {name}")
        }
    })
}

enum Unread {
    Malformed,
    Header(String),
}

impl From<Malformed> for Unread {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

fn read_response(message: &[u8]) -> Result<Decision, Unread> {
    let (mut code, mut denied, mut passed) = (0, None, None);
    for field in fields(message) {
        match field? {
            (1, Value::Bytes(status)) => code = number(fields(status), 1)?.unwrap_or_default(),
            (2, Value::Bytes(response)) => denied = Some(response),
            (3, Value::Bytes(response)) => passed = Some(response),
            _ => {}
        }
    }
    // Without a status all fields have their defaults, and the default is OK: as the protocol says.
    if code == 0 {
        let mut passage = Passage::default();
        if let Some(response) = passed {
            read_passage(response, &mut passage)?;
        }
        return Ok(Decision::Passes(passage));
    }
    read_denial(denied.unwrap_or_default()).map(Decision::Denied)
}

/// `OkHttpResponse`.
fn read_passage(response: &[u8], passage: &mut Passage) -> Result<(), Unread> {
    for field in fields(response) {
        let (field, Value::Bytes(bytes)) = field? else {
            continue;
        };
        match field {
            2 => passage.request.extend(change(bytes)?),
            5 => passage.remove.extend(removable(bytes)),
            6 => passage.response.extend(change(bytes)?),
            7 => {
                let name = text(fields(bytes), 1)?.unwrap_or_default();
                let value = text(fields(bytes), 2)?.unwrap_or_default();
                passage.set_query.push((name, value));
            }
            8 => passage
                .remove_query
                .push(String::from_utf8_lossy(bytes).into_owned()),
            _ => {}
        }
    }
    Ok(())
}

/// `DeniedHttpResponse`; 403 where it says no status that a response can have.
fn read_denial(response: &[u8]) -> Result<Denial, Unread> {
    let mut denial = Denial {
        status: StatusCode::FORBIDDEN,
        headers: Vec::new(),
        body: Bytes::new(),
    };
    for field in fields(response) {
        match field? {
            (1, Value::Bytes(status)) => {
                let code = number(fields(status), 1)?;
                let code = code.and_then(|code| u16::try_from(code).ok());
                if let Some(code) = code.and_then(|code| StatusCode::from_u16(code).ok())
                    && (200..600).contains(&code.as_u16())
                {
                    denial.status = code;
                }
            }
            (2, Value::Bytes(header)) => denial.headers.extend(change(header)?),
            (3, Value::Bytes(body)) => denial.body = Bytes::copy_from_slice(body),
            _ => {}
        }
    }
    Ok(denial)
}

/// `HeaderValueOption`: header (1), append (2), append_action (3), keep_empty_value (4).
fn change(option: &[u8]) -> Result<Option<Change>, Unread> {
    let (mut header, mut append, mut action, mut keeps_empty) = (&[][..], None, 0, false);
    for field in fields(option) {
        match field? {
            (1, Value::Bytes(value)) => header = value,
            // A BoolValue: a message whose field 1 is the answer.
            (2, Value::Bytes(value)) => {
                append = Some(number(fields(value), 1)?.unwrap_or_default() != 0);
            }
            (3, Value::Number(value)) => action = value,
            (4, Value::Number(value)) => keeps_empty = value != 0,
            _ => {}
        }
    }
    let name = text(fields(header), 1)?.unwrap_or_default();
    // HeaderValue: key (1), value (2), raw_value (3).
    let raw = bytes(fields(header), 3)?;
    let value = match raw.filter(|raw| !raw.is_empty()) {
        Some(raw) => raw,
        None => bytes(fields(header), 2)?.unwrap_or_default(),
    };
    if value.is_empty() && !keeps_empty {
        return Ok(None);
    }
    let how = match (append, action) {
        (Some(true), _) => How::Append,
        (Some(false), _) | (None, 0 | 2) => How::Set,
        (None, 1) => How::SetIfAbsent,
        (None, 3) => How::SetIfPresent,
        (None, _) => return Err(Unread::Header(name)),
    };
    let read = HeaderName::from_bytes(name.as_bytes())
        .ok()
        .filter(|name| !super::is_framing(name))
        .zip(HeaderValue::from_bytes(value).ok());
    match read {
        Some((name, value)) => Ok(Some(Change { name, value, how })),
        None => Err(Unread::Header(name)),
    }
}

/// A header that may go; what a request cannot do without stays, as the protocol says.
fn removable(name: &[u8]) -> Option<HeaderName> {
    let name = HeaderName::from_bytes(name).ok()?;
    (name != http::header::HOST && !super::is_framing(&name)).then_some(name)
}

/// The last value of a field that is a number.
fn number(fields: Fields<'_>, wanted: u32) -> Result<Option<u64>, Malformed> {
    let mut found = None;
    for field in fields {
        if let (number, Value::Number(value)) = field?
            && number == wanted
        {
            found = Some(value);
        }
    }
    Ok(found)
}

fn bytes(fields: Fields<'_>, wanted: u32) -> Result<Option<&[u8]>, Malformed> {
    let mut found = None;
    for field in fields {
        if let (number, Value::Bytes(value)) = field?
            && number == wanted
        {
            found = Some(value);
        }
    }
    Ok(found)
}

fn text(fields: Fields<'_>, wanted: u32) -> Result<Option<String>, Malformed> {
    Ok(bytes(fields, wanted)?.map(|text| String::from_utf8_lossy(text).into_owned()))
}

#[cfg(test)]
mod tests;
