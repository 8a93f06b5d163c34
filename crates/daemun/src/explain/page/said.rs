//! What the controller's conditions and findings mean, in the language that it does not speak: a sentence for each reason
//! that says what is and what to do. The message itself is quoted below it.
//!
//! A reason without a sentence here is told as it is written; a test reads the reasons out of the code that writes them.

#[cfg(test)]
mod tests;

use super::lang::Lang;

/// What a condition of a kind with a reason means; a finding has no kind. None in English, which the messages are in.
pub(super) fn meaning(lang: Lang, kind: &str, reason: &str) -> Option<String> {
    match lang {
        Lang::En => None,
        Lang::Ko => korean(kind, reason).map(str::to_owned),
    }
}

fn korean(kind: &str, reason: &str) -> Option<&'static str> {
    let of = |kind: &str| {
        let mut all = KOREAN.iter();
        all.find(|(its, word, _)| *its == kind && *word == reason)
    };
    // Only that a reason says something else of some kind of condition than elsewhere, needs a line of its own.
    let bare = kind.rsplit('/').next().unwrap_or(kind);
    of(bare).or_else(|| of("")).map(|(_, _, says)| *says)
}

/// Sentences by kind of condition, or nothing, and reason.
macro_rules! said {
    ($( $kind:literal $reason:literal: $says:literal; )+) => {
        const KOREAN: &[(&str, &str, &str)] = &[$( ($kind, $reason, $says) ),+];
    };
}

said! {
    "" "AddressNotUsable": "요청한 주소를 쓸 수 없어 아무것도 만들지 않습니다. 주소나 exposure.reach를 고치세요.";
    "Programmed" "AddressNotUsable": "주소가 요청한 것과 달라 이 Gateway는 요청을 처리하지 않습니다. 주소나 exposure.reach를 고치세요.";
    "" "AddressNotAssigned": "아직 주소를 받지 못했습니다. Service의 이벤트에서 이유를 확인하세요.";
    "" "NoResources": "Gateway에 필요한 객체를 만들지 못했습니다. 메시지에 나온 원인을 해결하세요.";
    "" "Pending": "아직 정해지지 않았습니다. 잠시 후 다시 확인하세요.";
    "Accepted" "Pending": "GatewayClass가 승인되지 않아 기다리는 중입니다. GatewayClass의 문제를 먼저 해결하세요.";
    "Programmed" "Pending": "이 설정으로 서비스하는 프록시가 아직 없습니다. 프록시의 상태를 확인하세요.";
    "ReachVerified" "Pending": "아직 주소가 없습니다.";
    "ReachVerified" "Migrating": "새 로드 밸런서가 준비될 때까지 이전 로드 밸런서가 서비스합니다.";
    "ReachVerified" "Private": "나타난 주소는 사설입니다.";
    "ReachVerified" "Public": "나타난 주소는 공인입니다.";
    "ReachVerified" "Mixed": "나타난 주소의 종류가 섞여 있거나 일부를 알 수 없습니다.";
    "ReachVerified" "Unproven": "나타난 이름을 Service의 어노테이션이 정했으므로, 로드 밸런서의 주소가 사설인지 증명되지 않습니다. 그 어노테이션을 빼세요.";
    "ReachVerified" "Unresolved": "나타난 이름이 어떤 주소인지 아직 알 수 없습니다.";
    "ReachVerified" "SharedRange": "나타난 주소는 통신사 공유 대역(100.64.0.0/10)입니다.";
    "ReachVerified" "UniqueLocal": "나타난 주소는 사설(IPv6 ULA)입니다.";
    "ReachVerified" "LinkLocal": "나타난 주소는 링크 로컬입니다.";
    "ReachVerified" "Loopback": "나타난 주소는 루프백입니다.";
    "ReachVerified" "Documentation": "나타난 주소는 문서용 대역입니다.";
    "ReachVerified" "Benchmark": "나타난 주소는 성능 측정용 대역입니다.";
    "ReachVerified" "Reserved": "나타난 주소는 예약된 대역입니다.";
    "" "UnsupportedValue": "쓸 수 없는 값입니다. 메시지에 나온 대로 고치세요.";
    "" "Invalid": "내용이 올바르지 않습니다. 메시지에 나온 부분을 고치세요.";
    "Programmed" "Invalid": "서비스할 수 있는 것이 없습니다. 다른 컨디션에 나온 이유를 먼저 해결하세요.";
    "" "InvalidParameters": "파라미터(GatewayParameters, Gateway의 infrastructure)가 없거나 내용이 올바르지 않습니다. 메시지에 나온 부분을 고치세요.";
    "" "ParametersLocked": "GatewayClass의 파라미터에서 정하는 항목이어서 이 설정은 적용되지 않습니다. 빼거나 인프라 운영자에게 요청하세요.";
    "" "ReservedKeys": "Daemun만 쓰는 레이블이나 어노테이션이어서 적용되지 않습니다. 빼세요.";
    "" "UnsupportedAddress": "지원하지 않는 유형이나 형식의 주소입니다. IPAddress 유형의 주소를 쓰세요.";
    "" "UnsupportedVersion": "설치된 Gateway API CRD의 버전을 지원하지 않습니다. 메시지에 나온 버전을 설치하세요.";
    "" "ListenersNotValid": "올바르지 않은 리스너가 있습니다. 그 리스너에 나온 이유를 해결하세요.";
    "" "ListenersNotResolved": "참조를 찾을 수 없는 리스너가 있습니다. 그 리스너에 나온 이유를 해결하세요.";
    "" "ParentNotAccepted": "Gateway가 승인되지 않아 서비스하지 않습니다. Gateway의 문제를 먼저 해결하세요.";
    "" "NotAllowed": "Gateway가 이 네임스페이스의 ListenerSet을 받지 않습니다. 클러스터 운영자에게 allowedListeners를 요청하세요.";
    "" "NotServed": "이 Gateway는 서비스되지 않습니다. 메시지에 나온 이유를 확인하세요.";
    "" "RefNotPermitted": "다른 네임스페이스의 객체를 참조하지만 이를 허용하는 ReferenceGrant가 없습니다. 그 네임스페이스에 ReferenceGrant를 만드세요.";
    "" "InvalidKind": "여기에서는 참조할 수 없는 종류의 객체입니다. 메시지에 나온 종류로 바꾸세요.";
    "" "BackendNotFound": "트래픽을 보낼 백엔드나 포트가 없습니다. 이름, 네임스페이스, 포트를 확인하세요.";
    "" "UnsupportedProtocol": "로드 밸런서나 Daemun이 지원하지 않는 프로토콜입니다. 프로토콜을 바꾸거나 빼세요.";
    "" "InvalidCertificateRef": "리스너의 인증서를 쓸 수 없습니다. 참조한 Secret이 있는지, 인증서와 개인 키가 올바른지 확인하세요.";
    "" "InvalidCACertificateRef": "CA 인증서를 쓸 수 없습니다. 참조한 객체와 그 내용을 확인하세요.";
    "" "InvalidCACertificateKind": "CA 인증서로 참조할 수 없는 종류의 객체입니다. 메시지에 나온 종류로 바꾸세요.";
    "" "NoValidCACertificate": "쓸 수 있는 CA 인증서가 하나도 없습니다. 올바른 CA 인증서를 참조하세요.";
    "" "InvalidClientCertificateRef": "백엔드에 제시할 클라이언트 인증서를 쓸 수 없습니다. 참조한 Secret을 확인하세요.";
    "" "CertificateDoesNotCoverHostname": "인증서에 리스너의 호스트 이름이 없습니다. 그 이름이 들어 있는 인증서를 쓰세요.";
    "" "CertificateExpired": "인증서가 만료되었습니다. 새 인증서로 바꾸세요.";
    "" "CertificateExpiresSoon": "인증서가 곧 만료됩니다. 새 인증서로 바꾸세요.";
    "" "CertificateNotYetValid": "인증서의 유효 기간이 아직 시작되지 않았습니다. 인증서와 시계를 확인하세요.";
    "" "ConfigurationChanged": "클라이언트 인증서가 없거나 올바르지 않아도 받도록 설정되어 있습니다(AllowInsecureFallback).";
    "" "OverlappingCertificates": "다른 리스너와 인증서의 이름이 겹칩니다. 인증서의 이름을 나누세요.";
    "" "OverlappingHostnames": "다른 리스너와 호스트 이름이 겹칩니다. 호스트 이름을 나누세요.";
    "" "TargetNotFound": "정책의 대상이 없습니다. 대상의 종류, 이름, 네임스페이스를 확인하세요.";
    "" "Conflicted": "같은 대상에 먼저 만들어진 것이 있어 적용되지 않습니다. 둘 중 하나를 빼세요.";
    "" "ProtocolConflict": "같은 포트의 다른 리스너와 프로토콜이 충돌합니다. 포트나 프로토콜을 바꾸세요.";
    "" "HostnameConflict": "같은 포트와 호스트 이름의 리스너가 이미 있습니다. 포트나 호스트 이름을 바꾸세요.";
    "" "PortUnavailable": "이 포트는 쓸 수 없습니다. 다른 포트를 쓰세요.";
    "" "InvalidRouteKinds": "리스너의 프로토콜에 맞지 않는 라우트 종류를 허용하고 있습니다. allowedRoutes.kinds를 고치세요.";
    "" "NoMatchingParent": "참조한 Gateway나 리스너가 없습니다. parentRefs의 이름, 네임스페이스, sectionName, port를 확인하세요.";
    "" "NotAllowedByListeners": "리스너가 이 네임스페이스나 종류의 라우트를 받지 않습니다. 클러스터 운영자에게 allowedRoutes를 요청하세요.";
    "" "NoMatchingListenerHostname": "라우트의 호스트 이름 중 리스너의 호스트 이름과 겹치는 것이 없습니다. hostnames를 고치세요.";
    "" "ListenerNotServed": "연결된 리스너 중 서비스되지 않는 것이 있습니다. 그 리스너의 문제를 먼저 해결하세요.";
    "" "IncompatibleFilters": "함께 쓸 수 없는 필터가 있습니다. 하나를 빼세요.";
    "" "DuplicateMatch": "같은 항목이 두 번 있어 처음 것만 적용됩니다. 하나를 빼세요.";
    "" "Shadowed": "먼저 적용되는 다른 규칙이 같은 요청을 모두 받으므로 이 규칙에는 요청이 오지 않습니다. 조건을 고치거나 규칙을 빼세요.";
    "" "NoBackends": "트래픽을 보낼 백엔드가 지정되지 않았습니다. backendRefs를 쓰세요.";
    "" "NoEndpoints": "보낼 수 있는 엔드포인트가 없어 503으로 응답합니다. 엔드포인트나 weight를 확인하세요.";
    "" "NoReadyEndpoint": "준비된 엔드포인트가 없어 503으로 응답합니다. 파드가 실행 중인지 확인하세요.";
    "" "NotUsed": "쓰이지 않는 설정입니다. 빼세요.";
    "" "PortIsShared": "여러 객체의 리스너가 함께 쓰는 포트여서 일부 설정이 적용되지 않습니다. 따로 쓰는 포트에 적용하세요.";
    "" "ForwardingDiffers": "같은 포트에 전달 설정이 다른 정책이 있어 먼저 만들어진 것이 적용됩니다. 하나로 맞추세요.";
    "" "NoLoadBalancer": "이 reach에는 로드 밸런서가 없어 적용되지 않는 설정이 있습니다. 빼세요.";
    "" "HostPortOfNode": "노드가 직접 쓸 가능성이 높은 포트입니다. 노드에서 옮긴 것이 아니라면 exposure.hostPorts에서 빼세요.";
    "" "ReachViolated": "사설 주소를 요청했지만 공인 주소가 나타났습니다. 주소를 없애거나 요청을 고치세요.";
    "" "ReachedOtherwise": "이 Gateway의 프록시로 가는 다른 길이 있습니다. 메시지에 나온 Service나 주소를 확인하세요.";
    "" "NodesReachable": "외부 주소가 있는 노드의 포트로 로드 밸런서를 거치지 않고 접근할 수 있습니다. 보안 규칙으로 막으세요.";
    "" "LocalWaits": "Service가 아직 PROXY 헤더를 보내도록 되어 있어 externalTrafficPolicy는 당분간 Cluster로 둡니다. 바로 Local로 하려면 exposure.trustedRanges에 로드 밸런서의 대역을 쓰세요.";
    "" "NextLoadBalancer": "다음에 로드 밸런서를 만들 때 적용되는 기본 설정입니다. 지금은 그대로 두어도 됩니다.";
    "" "RecreationNotAllowed": "로드 밸런서를 새로 만들어야 적용되는 변경입니다. 허용하려면 Gateway에 어노테이션을 넣으세요.";
    "" "ProxyProtocolThroughNodes": "노드를 거쳐 온 PROXY 헤더를 믿으므로, 노드 포트에 접근할 수 있으면 클라이언트 주소를 속일 수 있습니다. externalTrafficPolicy: Local을 검토하세요.";
    "" "ProxyProtocolConditional": "로드 밸런서가 PROXY 헤더를 보내는지 확실하지 않습니다. 보내지 않으면 로드 밸런서나 노드의 주소가 클라이언트 주소로 보입니다. 메시지에 나온 조건을 확인하세요.";
    "" "ProxyProtocolOneSided": "리스너는 PROXY 헤더를 받지만, 로드 밸런서에 보내도록 지정하는 것이 없습니다. 로드 밸런서에서 직접 설정하세요.";
    "" "SourceRangesUncertain": "exposure.sourceRanges가 적용되는지는 로드 밸런서에 달려 있습니다. 메시지에 나온 조건을 확인하세요.";
    "" "AnnotationOnGateway": "Gateway의 metadata.annotations는 Service에 전달되지 않습니다. 메시지에 나온 자리로 옮기세요.";
    "" "AnnotationValue": "어노테이션의 값이 받아들여지지 않습니다. 메시지에 나온 값으로 고치세요.";
    "" "KeyOfAnotherProvider": "다른 제공자의 어노테이션입니다. 빼거나 메시지에 나온 대로 고치세요.";
    "" "ListenerKeyInSmallLetters": "키 앞의 리스너 표시는 대문자로 써야 합니다(예: TCP-443).";
    "" "ListenerKeyOnGateway": "리스너별 어노테이션은 Gateway에 쓸 수 없습니다. GatewayParameters의 exposure.listenerAnnotations에 쓰세요.";
    "" "NoListenerAtPort": "이 포트의 리스너가 없습니다. 포트나 프로토콜을 고치세요.";
    "" "NotPerListener": "리스너별로 지정할 수 없는 어노테이션입니다. exposure.annotations에 쓰세요.";
    "" "PrivateKeyInAnnotation": "어노테이션에 평문 개인 키가 있습니다. 빼고 키를 교체하세요. TLS는 Daemun이 리스너의 certificateRefs로 처리합니다.";
    "" "ProxyProtocolInAnnotation": "PROXY 헤더를 로드 밸런서에서만 켜면 모든 연결이 실패합니다. GatewayParameters의 exposure.proxyProtocol에 쓰세요.";
    "" "ReachInAnnotation": "누가 접근할 수 있는지 정하는 어노테이션입니다. 빼고 GatewayParameters의 exposure.reach에 쓰세요.";
    "" "ReachMisspelt": "누가 접근할 수 있는지 정하는 어노테이션과 철자가 거의 같지만 아무도 읽지 않습니다. 빼고 GatewayParameters의 exposure.reach에 쓰세요.";
    "" "TlsEndsAtLoadBalancer": "로드 밸런서가 TLS를 끝내면 Daemun의 인증서와 호스트 이름이 쓰이지 않습니다. 빼세요.";
    "" "UnknownKey": "읽는 쪽이 알려지지 않은 어노테이션이어서 적용되지 않을 수 있습니다. 철자를 확인하세요.";
}
