//! How a line looks: JSON, or a text with named fields.

use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::time::Duration;

use daemun_model::shown::year_month_day;

use super::Told;

macro_rules! fields {
    ($($(#[$doc:meta])* $field:ident $name:literal,)+) => {
        /// A field of a line.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Field { $($(#[$doc])* $field,)+ }

        impl Field {
            /// All of them, in the order of a JSON line.
            const ALL: &'static [Self] = &[$(Self::$field),+];

            fn name(self) -> &'static str {
                match self { $(Self::$field => $name),+ }
            }
        }
    };
}

fields! {
    /// When the response ended, as RFC 3339 with milliseconds, in UTC.
    Time "time",
    /// The client's address: the peer's, or what trusted proxies say.
    Client "client",
    /// The other end of the connection, with its port.
    Peer "peer",
    Method "method",
    Scheme "scheme",
    /// `Host`, as it was sent.
    Host "host",
    /// The path, as it was sent, without the query.
    Path "path",
    Query "query",
    /// Path and query.
    Target "target",
    Protocol "protocol",
    /// 0 if the client was gone before there was an answer.
    Status "status",
    /// From the request's head to the end of the response.
    DurationMs "duration_ms",
    /// Bytes of the request's body.
    BytesIn "bytes_in",
    /// Bytes of the response's body.
    BytesOut "bytes_out",
    /// `backend`, `gateway` (its own answer), `filter` (a redirect or preflight), `nobody`.
    AnsweredBy "answered_by",
    /// Why the gateway answered by itself, or why the response broke off.
    Reason "reason",
    Details "details",
    Listener "listener",
    Route "route",
    Rule "rule",
    Backend "backend",
    Endpoint "endpoint",
    Tries "tries",
    RequestId "request_id",
    UserAgent "user_agent",
    Referer "referer",
}

/// How a line looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Json(Vec<Field>),
    Text(Vec<Piece>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Field(Field),
}

/// What `text` means by itself.
const TEXT: &str = "{time} {client} \"{method} {target} {protocol}\" {status} {duration_ms}ms {bytes_out}B {answered_by} {reason} {backend} {request_id}";

impl Default for Format {
    /// JSON, without what is likely to hold secrets (the query) or repeats other fields.
    fn default() -> Self {
        let left_out = [Field::Query, Field::Target, Field::Peer, Field::Referer];
        let fields = Field::ALL.iter().copied();
        Self(Kind::Json(
            fields.filter(|field| !left_out.contains(field)).collect(),
        ))
    }
}

impl FromStr for Format {
    type Err = String;

    /// Reads `json`, `json:field,…`, `text`, or a text with fields in braces, such as
    /// `{time} {method} {path} {status}`. `{{` and `}}` are braces themselves.
    fn from_str(written: &str) -> Result<Self, String> {
        match written {
            "json" => return Ok(Self::default()),
            "text" => return template(TEXT),
            _ => {}
        }
        match written.strip_prefix("json:") {
            Some(names) => {
                let fields: Result<Vec<Field>, String> =
                    names.split(',').map(|name| field(name.trim())).collect();
                fields.map(|fields| Self(Kind::Json(fields)))
            }
            None => template(written),
        }
    }
}

fn template(written: &str) -> Result<Format, String> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = written.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '{' | '}' if rest.peek() == Some(&character) => {
                rest.next();
                literal.push(character);
            }
            '{' => {
                let mut name = String::new();
                loop {
                    match rest.next() {
                        Some('}') => break,
                        Some(character) => name.push(character),
                        None => {
                            return Err(format!(
                                "the access log's format \"{written}\" has a \"{{\" without a \"}}\"; write \"{{{{\" for a brace"
                            ));
                        }
                    }
                }
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Field(field(&name)?));
            }
            '}' => {
                return Err(format!(
                    "the access log's format \"{written}\" has a \"}}\" without a \"{{\"; write \"}}}}\" for a brace"
                ));
            }
            character => literal.push(character),
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    if !pieces.iter().any(|piece| matches!(piece, Piece::Field(_))) {
        return Err(format!(
            "the access log's format \"{written}\" has no field; write json, text, or a text such as \"{{method}} {{path}} {{status}}\""
        ));
    }
    Ok(Format(Kind::Text(pieces)))
}

fn field(name: &str) -> Result<Field, String> {
    Field::ALL
        .iter()
        .copied()
        .find(|field| field.name() == name)
        .ok_or_else(|| {
            let names: Vec<&str> = Field::ALL.iter().map(|field| field.name()).collect();
            format!(
                "the access log has no field \"{name}\"; there are {}",
                names.join(", ")
            )
        })
}

/// A field's value.
pub(super) enum Value<'a> {
    /// Not known, or not there.
    None,
    Text(&'a str),
    Owned(String),
    Number(u64),
    Milliseconds(Duration),
    /// The time at which the line is written.
    Time,
}

impl Format {
    /// Writes a line, with its end.
    pub(super) fn line(&self, told: &Told<'_>, into: &mut String) {
        match &self.0 {
            Kind::Json(fields) => {
                let mut before = '{';
                for field in fields {
                    let value = told.field(*field);
                    if matches!(value, Value::None) {
                        continue;
                    }
                    into.push(before);
                    before = ',';
                    // Writing to a string does not fail, here and below.
                    let _ = write!(into, "\"{}\":", field.name());
                    json(&value, into);
                }
                into.push_str(if before == '{' { "{}\n" } else { "}\n" });
            }
            Kind::Text(pieces) => {
                for piece in pieces {
                    match piece {
                        Piece::Literal(literal) => into.push_str(literal),
                        Piece::Field(field) => text(&told.field(*field), into),
                    }
                }
                into.push('\n');
            }
        }
    }
}

fn json(value: &Value<'_>, into: &mut String) {
    match value {
        Value::None => into.push_str("null"),
        Value::Text(text) => quoted(text, into),
        Value::Owned(text) => quoted(text, into),
        Value::Number(number) => push_number(*number, into),
        Value::Milliseconds(duration) => push_milliseconds(*duration, into),
        Value::Time => {
            into.push('"');
            push_now(into);
            into.push('"');
        }
    }
}

fn quoted(text: &str, into: &mut String) {
    into.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => into.extend(['\\', character]),
            '\u{0}'..='\u{1f}' | '\u{7f}' => {
                let _ = write!(into, "\\u{:04x}", u32::from(character));
            }
            _ => into.push(character),
        }
    }
    into.push('"');
}

/// In a text a value must not end a line or a quotation, nor move a terminal's cursor.
fn text(value: &Value<'_>, into: &mut String) {
    let escaped = |text: &str, into: &mut String| {
        for character in text.chars() {
            match character {
                '"' | '\\' => into.extend(['\\', character]),
                character if character.is_control() => into.extend(character.escape_default()),
                character => into.push(character),
            }
        }
    };
    match value {
        Value::None => into.push('-'),
        Value::Text(text) => escaped(text, into),
        Value::Owned(text) => escaped(text, into),
        Value::Number(number) => push_number(*number, into),
        Value::Milliseconds(duration) => push_milliseconds(*duration, into),
        Value::Time => push_now(into),
    }
}

fn push_number(number: u64, into: &mut String) {
    into.push_str(itoa::Buffer::new().format(number));
}

fn push_milliseconds(duration: Duration, into: &mut String) {
    let _ = write!(
        into,
        "{}.{:03}",
        duration.as_millis(),
        duration.subsec_micros() % 1_000
    );
}

fn push_now(into: &mut String) {
    let now = daemun_base::clock::since_epoch();
    push_time(now.as_secs(), now.subsec_millis(), into);
}

/// RFC 3339, from seconds since 1970.
fn push_time(seconds: u64, milliseconds: u32, into: &mut String) {
    let of_day = seconds % 86_400;
    let (year, month, day) = year_month_day(i64::try_from(seconds).unwrap_or(i64::MAX));
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let _ = write!(
        into,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z"
    );
}

/// Which statuses are logged: `4xx`, `404`, `500-503`, and lists of these. Nothing written means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusFilter(Vec<std::ops::RangeInclusive<u16>>);

impl StatusFilter {
    /// Whether a status is among them. Requests that ended without one are 0, and belong to `0` only.
    pub(super) fn contains(&self, status: u16) -> bool {
        self.0.is_empty() || self.0.iter().any(|range| range.contains(&status))
    }
}

impl FromStr for StatusFilter {
    type Err = String;

    fn from_str(written: &str) -> Result<Self, String> {
        let ranges: Option<Vec<_>> = written
            .split(',')
            .map(|range| status_range(range.trim()))
            .collect();
        ranges.map(Self).ok_or_else(|| {
            format!("\"{written}\" is no list of statuses; write classes, codes or ranges, such as 4xx,500-503")
        })
    }
}

fn status_range(written: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let code = |text: &str| text.parse::<u16>().ok().filter(|code| *code <= 599);
    if let Some(class) = written.strip_suffix("xx") {
        let class = code(class).filter(|class| (1..=5).contains(class))?;
        return Some(class * 100..=class * 100 + 99);
    }
    match written.split_once('-') {
        Some((from, to)) => Some(code(from)?..=code(to)?).filter(|range| !range.is_empty()),
        None => code(written).map(|code| code..=code),
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::Json(_) => "JSON",
            Kind::Text(_) => "text",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Format, StatusFilter, push_time};

    #[test]
    fn times_are_written_as_rfc_3339() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.007Z"),
            (951_782_400, "2000-02-29T00:00:00.007Z"),
            (1_709_251_199, "2024-02-29T23:59:59.007Z"),
            (1_798_761_599, "2026-12-31T23:59:59.007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.007Z"),
        ] {
            let mut text = String::new();
            push_time(seconds, 7, &mut text);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn formats_are_read_and_refused_with_a_remedy() {
        for written in [
            "json",
            "text",
            "json:time, status",
            "{method} {path}",
            "{{{status}}}",
        ] {
            assert!(written.parse::<Format>().is_ok(), "{written}");
        }
        for (written, said) in [
            ("{methd}", "no field \"methd\""),
            ("json:", "no field \"\""),
            ("jsn", "has no field"),
            ("", "has no field"),
            ("{status", "without a \"}\""),
            ("status}", "without a \"{\""),
        ] {
            let error = written.parse::<Format>().unwrap_err();
            assert!(error.contains(said), "{written}: {error}");
        }
    }

    #[test]
    fn statuses_are_classes_codes_and_ranges() {
        for (written, inside, outside) in [
            ("4xx", [400, 499], [399, 500]),
            ("404,500-503", [404, 503], [405, 504]),
            ("0, 5xx", [0, 599], [200, 499]),
        ] {
            let filter: StatusFilter = written.parse().unwrap();
            assert!(
                inside.iter().all(|status| filter.contains(*status)),
                "{written}"
            );
            assert!(
                !outside.iter().any(|status| filter.contains(*status)),
                "{written}"
            );
        }
        assert!(StatusFilter::default().contains(200) && StatusFilter::default().contains(0));
        for written in ["", "6xx", "xx", "404-", "503-500", "1000", "4x"] {
            assert!(written.parse::<StatusFilter>().is_err(), "{written}");
        }
    }
}
