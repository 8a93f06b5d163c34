//! HAProxy: maps, which are trees (`map_beg`, `map_str`); `map_reg`, which is a list, for expressions.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path as FilePath;

use super::{Setup, command};
use crate::bench::routes::{Also, Path, Rule};
use crate::bench::scenario::Traffic;

pub(super) fn configure(binary: &FilePath, setup: &Setup<'_>) -> Result<Vec<OsString>, String> {
    let tls = match setup.traffic {
        Traffic::Plain => String::new(),
        Traffic::Tls | Traffic::Handshakes => tls(setup, "http/1.1"),
        Traffic::Http2 => tls(setup, "h2,http/1.1"),
    };
    let rules = rules(setup)?;
    let file = setup.write(
        "haproxy.cfg",
        include_str!("../../../../bench/templates/haproxy.cfg"),
        &[("TLS", &tls), ("RULES", &rules)],
    )?;
    Ok(command(
        binary,
        &["-db", "-q", "-f", &file.display().to_string()],
    ))
}

fn tls(setup: &Setup<'_>, alpn: &str) -> String {
    format!(
        "ssl crt {} ssl-min-ver TLSv1.3 ciphersuites TLS_AES_128_GCM_SHA256 curves X25519 alpn {alpn}",
        setup.certificate.both.display()
    )
}

fn rules(setup: &Setup<'_>) -> Result<String, String> {
    let simple = setup
        .rules
        .iter()
        .all(|rule| matches!(rule.also, Also::Nothing));
    match setup.rules {
        [Rule { host: None, .. }] => Ok("    default_backend app\n".to_owned()),
        rules if simple => by_host_and_path(setup, rules),
        rules => by_everything(setup, rules),
    }
}

/// Host and path are one key; the longest entry that it begins with wins.
fn by_host_and_path(setup: &Setup<'_>, rules: &[Rule]) -> Result<String, String> {
    let mut map = String::new();
    for rule in rules {
        let (Some(host), Path::Prefix(prefix)) = (&rule.host, &rule.path) else {
            return Err("HAProxy's map of hosts takes prefixes only.".to_owned());
        };
        let _ = writeln!(map, "{host}{prefix} app");
    }
    let map = setup.write_plain("routes.map", &map)?;
    Ok(format!(
        "    use_backend %[base,map_beg({})]\n",
        map.display()
    ))
}

/// The prefix says what else to ask for: nothing, the header, the parameter; else the expressions.
fn by_everything(setup: &Setup<'_>, rules: &[Rule]) -> Result<String, String> {
    let (mut prefixes, mut values, mut expressions) = <(String, String, String)>::default();
    let mut known = std::collections::HashSet::new();
    for rule in rules {
        let (path, kind) = match (&rule.path, &rule.also) {
            (Path::Regex(pattern), _) => {
                let _ = writeln!(expressions, "^{pattern}$ app");
                continue;
            }
            (Path::Prefix(path), Also::Nothing) => (path, "app"),
            (Path::Prefix(path), Also::Tenant(value)) => {
                let _ = writeln!(values, "{}:{value} app", path.trim_start_matches('/'));
                (path, "tenant")
            }
            (Path::Prefix(path), Also::Kind(value)) => {
                let _ = writeln!(values, "{}:{value} app", path.trim_start_matches('/'));
                (path, "kind")
            }
        };
        if known.insert(path) {
            let _ = writeln!(prefixes, "{path} {kind}");
        }
    }
    let prefixes = setup.write_plain("prefixes.map", &prefixes)?;
    let values = setup.write_plain("values.map", &values)?;
    let expressions = setup.write_plain("expressions.map", &expressions)?;
    let host = rules
        .first()
        .and_then(|rule| rule.host.as_deref())
        .unwrap_or_default();
    let (prefixes, values, expressions) =
        (prefixes.display(), values.display(), expressions.display());
    Ok(format!(
        "    http-request deny deny_status 404 unless {{ req.hdr(host) -m str {host} }}
    http-request set-var(txn.kind) path,map_beg({prefixes},other)
    http-request set-var(txn.tenant) req.hdr(x-tenant)
    http-request set-var(txn.wanted) url_param(kind)
    use_backend app if {{ var(txn.kind) -m str app }}
    use_backend %[path,field(2,/),concat(:,txn.tenant),map_str({values})] if {{ var(txn.kind) -m str tenant }}
    use_backend %[path,field(2,/),concat(:,txn.wanted),map_str({values})] if {{ var(txn.kind) -m str kind }}
    use_backend %[path,map_reg({expressions})]
"
    ))
}
