//! `RequestRedirect` (gateway-api `HTTPRequestRedirectFilter`).

use daemun_model::filter::redirect::{Redirect, RedirectStatus, Scheme};
use daemun_model::matching::RequestMatch;
use daemun_model::verdict::FieldPath;
use daemun_objects::gateway_api::httproute::filters::{HttpRequestRedirectFilter, RedirectScheme};

use super::{path_modifier, precise_hostname};
use crate::value::port as read_port;
use crate::value::unknown;
use crate::verdict::Refusal;

/// Reads the filter.
pub(super) fn read(
    written: &HttpRequestRedirectFilter,
    matches: &[RequestMatch],
    path: &FieldPath,
) -> Result<Redirect, Refusal> {
    let HttpRequestRedirectFilter {
        scheme,
        hostname,
        path: new_path,
        port,
        status_code,
    } = written;
    let scheme = match scheme {
        None => None,
        Some(scheme) => Some(match scheme.known() {
            Some(RedirectScheme::Http) => Scheme::Http,
            Some(RedirectScheme::Https) => Scheme::Https,
            None => {
                return Err(unknown(
                    &path.field("scheme"),
                    "scheme",
                    scheme.as_str(),
                    &["http", "https"],
                ));
            }
        }),
    };
    let port = match port {
        None => None,
        Some(number) => Some(read_port(*number).ok_or_else(|| {
            Refusal::unsupported(
                path.field("port"),
                format!("{number} is not a port; ports are 1 to 65535."),
            )
        })?),
    };
    let status = match status_code {
        None | Some(302) => RedirectStatus::Found,
        Some(301) => RedirectStatus::MovedPermanently,
        Some(303) => RedirectStatus::SeeOther,
        Some(307) => RedirectStatus::TemporaryRedirect,
        Some(308) => RedirectStatus::PermanentRedirect,
        Some(other) => {
            return Err(Refusal::unsupported(
                path.field("statusCode"),
                format!(
                    "{other} is not a status of a redirect here; 301, 302 (the default), 303, 307 and 308 are."
                ),
            ));
        }
    };
    Ok(Redirect {
        scheme,
        hostname: hostname
            .as_deref()
            .map(|hostname| precise_hostname(hostname, &path.field("hostname")))
            .transpose()?,
        path: new_path
            .as_ref()
            .map(|new_path| path_modifier(new_path, matches, &path.field("path")))
            .transpose()?,
        port,
        status,
    })
}
