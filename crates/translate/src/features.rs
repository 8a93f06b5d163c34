//! What is served of the Gateway API: one list, from which `GatewayClass.status.supportedFeatures` is
//! written and documentation is made.
//!
//! The names are those of the Gateway API's conformance suite. Three of them are newer than the release whose
//! objects are read (`GRPCRouteRequestHeaderModifier`, `HTTPRouteBackendRequestRedirect`,
//! `HTTPRouteBackendURLRewrite`): they are served, and a suite that does not know a name passes over it.

/// A channel that CRDs of the Gateway API are published in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// What is stable.
    Standard,
    /// That, and fields that may change.
    Experimental,
}

/// What is served of what the CRDs of a channel have, sorted by name (at most 64, as the status holds).
pub fn supported(channel: Channel) -> Vec<&'static str> {
    let has = |name: &&&str| match channel {
        Channel::Standard => !WITHOUT_FIELDS.contains(*name),
        Channel::Experimental => true,
    };
    ALL.iter().filter(has).copied().collect()
}

/// Features for which the objects of the standard channel have no fields, or for which it does not ask.
const WITHOUT_FIELDS: &[&str] = &[
    "HTTPRouteDestinationPortMatching",
    "HTTPRouteRetry",
    "HTTPRouteRetryBackendTimeout",
    "HTTPRouteRetryConnectionError",
];

/// All features, sorted.
const ALL: &[&str] = &[
    "BackendTLSPolicy",
    "BackendTLSPolicySANValidation",
    "GRPCRoute",
    "GRPCRouteNamedRouteRule",
    "GRPCRouteRequestHeaderModifier",
    "Gateway",
    "GatewayAddressEmpty",
    "GatewayBackendClientCertificate",
    "GatewayFrontendClientCertificateValidation",
    "GatewayFrontendClientCertificateValidationInsecureFallback",
    "GatewayHTTPListenerIsolation",
    "GatewayHTTPSListenerDetectMisdirectedRequests",
    "GatewayInfrastructurePropagation",
    "GatewayPort8080",
    "GatewayStaticAddresses",
    "HTTPRoute",
    "HTTPRoute303RedirectStatusCode",
    "HTTPRoute307RedirectStatusCode",
    "HTTPRoute308RedirectStatusCode",
    "HTTPRouteBackendProtocolH2C",
    "HTTPRouteBackendProtocolWebSocket",
    "HTTPRouteBackendRequestHeaderModification",
    "HTTPRouteBackendRequestRedirect",
    "HTTPRouteBackendTimeout",
    "HTTPRouteBackendURLRewrite",
    "HTTPRouteCORS",
    "HTTPRouteDestinationPortMatching",
    "HTTPRouteHostRewrite",
    "HTTPRouteMethodMatching",
    "HTTPRouteNamedRouteRule",
    "HTTPRouteParentRefPort",
    "HTTPRoutePathRedirect",
    "HTTPRoutePathRewrite",
    "HTTPRoutePortRedirect",
    "HTTPRouteQueryParamMatching",
    "HTTPRouteRequestMirror",
    "HTTPRouteRequestMultipleMirrors",
    "HTTPRouteRequestPercentageMirror",
    "HTTPRouteRequestTimeout",
    "HTTPRouteResponseHeaderModification",
    "HTTPRouteRetry",
    "HTTPRouteRetryBackendTimeout",
    "HTTPRouteRetryConnectionError",
    "HTTPRouteSchemeRedirect",
    "ListenerSet",
    "ReferenceGrant",
    "TCPRoute",
    "TLSRoute",
    "TLSRouteModeMixed",
    "TLSRouteModeTerminate",
    "UDPRoute",
];

#[cfg(test)]
mod tests {
    use super::{ALL, Channel, WITHOUT_FIELDS, supported};

    #[test]
    fn the_list_is_sorted_without_repetition_and_short_enough_for_the_status() {
        assert!(ALL.is_sorted_by(|one, two| one < two));
        assert!(ALL.len() <= 64);
        assert!(WITHOUT_FIELDS.iter().all(|name| ALL.contains(name)));
    }

    #[test]
    fn the_standard_channel_lacks_what_its_objects_cannot_say() {
        let (standard, all) = (
            supported(Channel::Standard),
            supported(Channel::Experimental),
        );
        assert_eq!(all, ALL);
        assert_eq!(standard.len() + WITHOUT_FIELDS.len(), all.len());
        assert!(standard.contains(&"TLSRouteModeMixed"));
        assert!(!standard.contains(&"HTTPRouteRetry"));
    }
}
