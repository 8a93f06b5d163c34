//! A reader of HTTP/1.1 requests that takes nothing which two readers could take in two ways. What a
//! gateway sends to a backend must pass it, whatever a client has sent to the gateway.

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The target.
    pub target: String,
    /// The headers, names as they came.
    pub headers: Vec<(String, String)>,
    /// The body, chunks put together.
    pub body: Vec<u8>,
}

/// What a reader says about bytes that it does not take.
pub type Doubt = String;

/// Reads one request from the start of some bytes: the request and how many bytes it has. None: the
/// bytes end before the request does.
///
/// # Errors
/// What is doubtful about them.
pub fn read(bytes: &[u8]) -> Result<Option<(Request, usize)>, Doubt> {
    let Some(end) = position(bytes, b"\r\n\r\n") else {
        lines(bytes).try_for_each(sound)?;
        return Ok(None);
    };
    let mut lines = lines(&bytes[..end]);
    let (method, target) = request_line(lines.next().unwrap_or_default())?;
    let headers = lines.map(header).collect::<Result<Vec<_>, _>>()?;
    only_one(&headers, "host", 1)?;
    let rest = &bytes[end + 4..];
    let read = match framing(&headers)? {
        Framing::Length(length) => rest.get(..length).map(|body| (body.to_vec(), length)),
        Framing::Chunked => chunks(rest)?,
    };
    Ok(read.map(|(body, length)| {
        let request = Request {
            method,
            target,
            headers,
            body,
        };
        (request, end + 4 + length)
    }))
}

enum Framing {
    Length(usize),
    Chunked,
}

fn framing(headers: &[(String, String)]) -> Result<Framing, Doubt> {
    let lengths = values(headers, "content-length");
    let encodings = values(headers, "transfer-encoding");
    match (lengths.as_slice(), encodings.as_slice()) {
        ([], []) => Ok(Framing::Length(0)),
        ([length], [])
            if !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            let length = length
                .parse()
                .map_err(|_| format!("a length of {length}"))?;
            Ok(Framing::Length(length))
        }
        ([], ["chunked"]) => Ok(Framing::Chunked),
        _ => Err(format!("framed by {lengths:?} and {encodings:?}")),
    }
}

fn values<'a>(headers: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    let matching = headers
        .iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(name));
    matching.map(|(_, value)| value.as_str()).collect()
}

fn only_one(headers: &[(String, String)], name: &str, least: usize) -> Result<(), Doubt> {
    let found = values(headers, name);
    if found.len() < least || found.len() > 1 || found == [""] {
        return Err(format!("{name}: {found:?}"));
    }
    Ok(())
}

fn request_line(line: &[u8]) -> Result<(String, String), Doubt> {
    sound(line)?;
    let text = String::from_utf8_lossy(line).into_owned();
    let words: Vec<&str> = text.split(' ').collect();
    let [method, target, "HTTP/1.1"] = words.as_slice() else {
        return Err(format!("the request line {text:?}"));
    };
    let visible = target.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    let form = target.starts_with('/') || *target == "*";
    if !method.bytes().all(is_token) || method.is_empty() || !visible || !form {
        return Err(format!("the request line {text:?}"));
    }
    Ok(((*method).to_owned(), (*target).to_owned()))
}

fn header(line: &[u8]) -> Result<(String, String), Doubt> {
    sound(line)?;
    let colon = line.iter().position(|byte| *byte == b':');
    let Some((name, value)) = colon.map(|at| (&line[..at], &line[at + 1..])) else {
        return Err(format!(
            "a header without a colon: {:?}",
            String::from_utf8_lossy(line)
        ));
    };
    if name.is_empty() || !name.iter().copied().all(is_token) {
        return Err(format!(
            "the header name {:?}",
            String::from_utf8_lossy(name)
        ));
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    Ok((text(name), text(value)))
}

/// No control characters, and so no bare CR or LF either.
fn sound(line: &[u8]) -> Result<(), Doubt> {
    // The bytes may end between CR and LF.
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let control = line
        .iter()
        .find(|byte| (**byte < 0x20 && **byte != b'\t') || **byte == 0x7f);
    match control {
        Some(byte) => Err(format!("{byte:#x} in {:?}", String::from_utf8_lossy(line))),
        None => Ok(()),
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Doubt> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let Some(end) = position(&bytes[at..], b"\r\n") else {
            return Ok(None);
        };
        let size = String::from_utf8_lossy(&bytes[at..at + end]).into_owned();
        let plain = !size.is_empty()
            && size.len() < 12
            && size.bytes().all(|byte| byte.is_ascii_hexdigit());
        let length = usize::from_str_radix(&size, 16).ok().filter(|_| plain);
        let length = length.ok_or_else(|| format!("the chunk size {size:?}"))?;
        at += end + 2;
        if length == 0 {
            let trailers = trailers(&bytes[at..])?;
            return Ok(trailers.map(|length| (body, at + length)));
        }
        let Some(chunk) = bytes.get(at..at + length + 2) else {
            return Ok(None);
        };
        let (data, line_end) = chunk.split_at(length);
        if line_end != b"\r\n" {
            return Err(format!("a chunk that ends in {line_end:?}"));
        }
        body.extend_from_slice(data);
        at += length + 2;
    }
}

/// How many bytes the trailers have, with the empty line after them.
fn trailers(bytes: &[u8]) -> Result<Option<usize>, Doubt> {
    let mut at = 0;
    loop {
        let Some(end) = position(&bytes[at..], b"\r\n") else {
            return Ok(None);
        };
        let line = &bytes[at..at + end];
        at += end + 2;
        if line.is_empty() {
            return Ok(Some(at));
        }
        let (name, _) = header(line)?;
        let framing = ["content-length", "transfer-encoding", "host"];
        if framing
            .iter()
            .any(|header| name.eq_ignore_ascii_case(header))
        {
            return Err(format!("{name} in trailers"));
        }
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let end = position(bytes, b"\r\n");
        rest = end.map(|end| &bytes[end + 2..]);
        Some(end.map_or(bytes, |end| &bytes[..end]))
    })
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn plain_requests_are_read_one_after_the_other() {
        let bytes = b"GET /a HTTP/1.1\r\nhost: b\r\n\r\nPOST / HTTP/1.1\r\nHost: b\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: 1\r\n\r\n";
        let (first, length) = read(bytes).unwrap().unwrap();
        assert_eq!((first.target.as_str(), length), ("/a", 28));
        let (second, rest) = read(&bytes[length..]).unwrap().unwrap();
        assert_eq!(
            (second.body.as_slice(), length + rest),
            (b"abc".as_slice(), bytes.len())
        );
        for end in 0..bytes.len() - 1 {
            let from = if end < length { 0 } else { length };
            assert!(read(&bytes[from..end]).unwrap().is_none(), "{end}");
        }
    }

    #[test]
    fn doubtful_requests_are_not_taken() {
        for rest in [
            "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "Content-Length: +1\r\n\r\nx",
            "Transfer-Encoding: Chunked, x\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n1;a\r\nx\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n0\r\nHost: x\r\n\r\n",
            "Host: b\r\n\r\n",
            "A : 1\r\n\r\n",
            "A: 1\n B: 2\r\n\r\n",
            " A: 1\r\n\r\n",
        ] {
            let bytes = format!("POST / HTTP/1.1\r\nHost: b\r\n{rest}");
            assert!(read(bytes.as_bytes()).is_err(), "{rest:?}");
        }
        for bytes in [
            "GET  / HTTP/1.1\r\nHost: b\r\n\r\n",
            "GET x HTTP/1.1\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
        ] {
            assert!(read(bytes.as_bytes()).is_err(), "{bytes:?}");
        }
    }
}
