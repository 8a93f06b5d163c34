//! Envoy: a virtual host per host, its routes a list that is tried in order, as gateways on Envoy write it.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path as FilePath;

use super::{Setup, command};
use crate::bench::routes::{Also, Path, Rule};
use crate::bench::scenario::Traffic;

pub(super) fn configure(binary: &FilePath, setup: &Setup<'_>) -> Result<Vec<OsString>, String> {
    let hosts = virtual_hosts(setup.rules);
    let tls = match setup.traffic {
        Traffic::Plain => String::new(),
        Traffic::Tls | Traffic::Handshakes => tls(setup, "http/1.1"),
        Traffic::Http2 => tls(setup, "h2, http/1.1"),
    };
    let file = setup.write(
        "envoy.yaml",
        include_str!("../../../../bench/templates/envoy.yaml"),
        &[("VIRTUAL_HOSTS", &hosts), ("TLS", &tls)],
    )?;
    let file = file.display().to_string();
    let arguments = [
        "-c",
        &file,
        "--concurrency",
        "1",
        "--disable-hot-restart",
        "-l",
        "error",
    ];
    Ok(command(binary, &arguments))
}

fn virtual_hosts(rules: &[Rule]) -> String {
    let mut text = String::new();
    for (number, rules) in rules
        .chunk_by(|left, right| left.host == right.host)
        .enumerate()
    {
        let host = rules
            .first()
            .and_then(|rule| rule.host.as_deref())
            .unwrap_or("*");
        let _ = writeln!(
            text,
            "            - name: host{number}\n              domains: ['{host}']"
        );
        text.push_str("              routes:\n");
        for rule in rules {
            let _ = writeln!(
                text,
                "              - {{match: {{{}}}, route: {{cluster: app}}}}",
                conditions(rule)
            );
        }
    }
    text
}

fn conditions(rule: &Rule) -> String {
    let path = match &rule.path {
        Path::Prefix(prefix) if prefix == "/" => "prefix: /".to_owned(),
        Path::Prefix(prefix) => format!("path_separated_prefix: {prefix}"),
        Path::Regex(pattern) => format!("safe_regex: {{regex: '{pattern}'}}"),
    };
    match &rule.also {
        Also::Nothing => path,
        Also::Tenant(value) => {
            format!("{path}, headers: [{{name: x-tenant, string_match: {{exact: {value}}}}}]")
        }
        Also::Kind(value) => {
            format!("{path}, query_parameters: [{{name: kind, string_match: {{exact: {value}}}}}]")
        }
    }
}

fn tls(setup: &Setup<'_>, alpn: &str) -> String {
    format!(
        "      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            alpn_protocols: [{alpn}]
            tls_params:
              tls_minimum_protocol_version: TLSv1_3
              tls_maximum_protocol_version: TLSv1_3
              ecdh_curves: [X25519]
            tls_certificates:
            - certificate_chain: {{filename: {}}}
              private_key: {{filename: {}}}
",
        setup.certificate.chain.display(),
        setup.certificate.key.display()
    )
}
