//! nginx: a server per host, prefixes as `location ^~` (a tree), headers and query parameters as `map`.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path as FilePath;

use rustix::process::getuid;

use super::{Setup, command};
use crate::bench::routes::{Also, Path, Rule};
use crate::bench::scenario::Traffic;

pub(super) fn configure(binary: &FilePath, setup: &Setup<'_>) -> Result<Vec<OsString>, String> {
    let servers = servers(setup);
    let certificate = setup.certificate.chain.display().to_string();
    let key = setup.certificate.key.display().to_string();
    let directory = setup.directory.display().to_string();
    // Without root the worker runs as the caller anyway, and the directive would be a warning.
    let user = if getuid().is_root() { "user root;" } else { "" };
    let file = setup.write(
        "nginx.conf",
        include_str!("../../../../bench/templates/nginx.conf"),
        &[
            ("SERVERS", &servers),
            ("CERTIFICATE", &certificate),
            ("KEY", &key),
            ("DIRECTORY", &directory),
            ("USER", user),
        ],
    )?;
    Ok(command(
        binary,
        &["-p", &directory, "-c", &file.display().to_string()],
    ))
}

fn servers(setup: &Setup<'_>) -> String {
    let protocol = match setup.traffic {
        Traffic::Plain => "",
        Traffic::Tls | Traffic::Handshakes => " ssl",
        Traffic::Http2 => " ssl http2",
    };
    let mut text = String::new();
    for rules in setup.rules.chunk_by(|left, right| left.host == right.host) {
        let groups = groups(rules);
        for group in &groups {
            group.map(&mut text);
        }
        let host = rules
            .first()
            .and_then(|rule| rule.host.as_deref())
            .unwrap_or("_");
        let _ = writeln!(
            text,
            "    server {{\n        listen 127.0.0.1:{}{protocol};",
            setup.port
        );
        let _ = writeln!(text, "        server_name {host};");
        for group in &groups {
            group.location(&mut text);
        }
        text.push_str("    }\n");
    }
    text
}

/// The rules that share a path: nginx finds the path first, and then asks for the rest.
struct Group<'a> {
    path: &'a Path,
    /// The variable that holds what is asked for, and the values that are taken.
    wanted: Option<(&'static str, Vec<&'a str>)>,
    number: usize,
}

fn groups(rules: &[Rule]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for rule in rules {
        let (variable, value) = match &rule.also {
            Also::Nothing => {
                groups.push(Group {
                    path: &rule.path,
                    wanted: None,
                    number: groups.len(),
                });
                continue;
            }
            Also::Tenant(value) => ("$http_x_tenant", value.as_str()),
            Also::Kind(value) => ("$arg_kind", value.as_str()),
        };
        let known = groups.iter_mut().find(|group| same(group.path, &rule.path));
        match known.and_then(|group| group.wanted.as_mut()) {
            Some((_, values)) => values.push(value),
            None => groups.push(Group {
                path: &rule.path,
                wanted: Some((variable, vec![value])),
                number: groups.len(),
            }),
        }
    }
    groups
}

fn same(left: &Path, right: &Path) -> bool {
    match (left, right) {
        (Path::Prefix(left), Path::Prefix(right)) | (Path::Regex(left), Path::Regex(right)) => {
            left == right
        }
        (Path::Prefix(_), Path::Regex(_)) | (Path::Regex(_), Path::Prefix(_)) => false,
    }
}

impl Group<'_> {
    fn map(&self, text: &mut String) {
        let Some((variable, values)) = &self.wanted else {
            return;
        };
        let _ = writeln!(
            text,
            "    map {variable} $taken{} {{\n        default 0;",
            self.number
        );
        for value in values {
            let _ = writeln!(text, "        {value} 1;");
        }
        text.push_str("    }\n");
    }

    fn location(&self, text: &mut String) {
        let _ = match self.path {
            Path::Prefix(prefix) => write!(text, "        location ^~ {prefix} {{ "),
            Path::Regex(pattern) => write!(text, "        location ~ ^{pattern}$ {{ "),
        };
        if self.wanted.is_some() {
            let _ = write!(text, "if ($taken{} = 0) {{ return 404; }} ", self.number);
        }
        text.push_str("proxy_pass http://app; }\n");
    }
}
