//! Every sentence of the pages, in every language at one place.
//!
//! What objects, events and conditions say is not here: it is shown as it is written.

use super::lang::words;

words! {
    // Roles.
    ROLE_INFRASTRUCTURE: "infrastructure operator", "인프라 운영자";
    ROLE_CLUSTER: "cluster operator", "클러스터 운영자";
    ROLE_DEVELOPER: "application developer", "애플리케이션 개발자";
    ROLE_DAEMUN: "made by Daemun", "Daemun이 생성";
    ROLE_CLOUD: "the cloud", "클라우드";
    ROLE_ADDON: "add-on of the cluster", "클러스터 애드온";

    // States.
    STATE_GOOD: "fine", "정상";
    STATE_FORESEEN: "would be made", "생성 예정";
    STATE_UNKNOWN: "not seen", "확인 불가";
    STATE_WAITING: "pending", "대기 중";
    STATE_DOUBTFUL: "look here", "확인 필요";
    STATE_BAD: "wrong", "문제";

    // Bands.
    BAND_RULES: "Rules", "규칙";
    BAND_WAY: "The way in", "들어오는 길";
    BAND_ROUTES: "Routes", "라우트";

    CALLERS_PRIVATE: "reached from inside the network", "네트워크 안에서 접근 가능";
    CALLERS_PUBLIC: "reached by anybody on the internet", "인터넷 어디에서나 접근 가능";
    CALLERS_CLUSTER: "reached from inside the cluster", "클러스터 안에서 접근 가능";
    CALLERS_CLOSED: "closed: nobody is served", "닫힘: 아무 요청도 처리하지 않음";
    LEGEND_OWNERS: "Whose it is", "담당";
    LEGEND_STATES: "State", "상태";
    DETAILS: "Everything in words", "자세한 내용";
    RULE: "takes", "조건";
    LEADS_TO: "leads to", "보내는 곳";
    MORE: "and {0} more", "외 {0}개";

    // Headings where the Gateway API has none.
    CONTROLLER: "Controller", "컨트롤러";
    PROXIES: "Proxies", "프록시";
    LOAD_BALANCER: "Load balancer", "로드 밸런서";
    ADDRESS: "Address", "주소";
    LISTENER: "Listener", "리스너";

    // The whole.
    FIRST_WRONG: "What is wrong first: {0} ({1})", "가장 먼저 볼 것: {0} ({1})";
    NOTHING_WRONG: "Nothing is wrong.", "문제가 없습니다.";
    CONTROLLER_SAYS: "The controller's message: {0}", "컨트롤러의 메시지: {0}";
    ONE_WRONG: "One thing needs attention: {0}.", "확인할 것이 하나 있습니다: {0}.";
    SEVERAL_WRONG: "{0} things need attention, first of all {1}.", "확인할 것이 {0}가지 있으며, 그중 첫째는 {1}입니다.";
    WAITS_FOR: "It waits for {0}.", "기다리는 중입니다: {0}.";
    UNSEEN: "What could not be seen", "확인하지 못한 것";
    SERVES: "Gateway {0} serves at {1}.", "Gateway {0} — {1}에서 서비스 중입니다.";
    SERVES_SO: "Gateway {0} serves. {1}", "Gateway {0} — 서비스 중입니다. {1}";
    HAS_ADDRESS: "Gateway {0} has {1}; whether its proxies run is not in the files.", "Gateway {0} — {1}. 프록시가 실행 중인지는 파일에 없습니다.";
    NOT_SERVING: "Gateway {0} does not serve yet.", "Gateway {0} — 아직 서비스하지 않습니다.";
    NO_ADDRESS_YET: "Gateway {0} has no address yet.", "Gateway {0} — 아직 주소가 없습니다.";
    CLOSED: "Gateway {0} is closed: no request is served.", "Gateway {0} — 닫혀 있습니다. 어떤 요청도 처리하지 않습니다.";
    REFUSED: "Gateway {0} is refused, and nothing is made for it.", "Gateway {0} — 거부되었습니다. 아무것도 만들어지지 않습니다.";
    CLASS_REFUSED: "The GatewayClass of Gateway {0} is refused, so nothing is made for it.", "Gateway {0} — GatewayClass가 거부되어 아무것도 만들어지지 않습니다.";
    NOTHING_MADE: "Gateway {0} asks for what it cannot get, and nothing is made for it.", "Gateway {0} — 들어줄 수 없는 요청이어서 아무것도 만들어지지 않습니다.";
    WOULD_GET: "Gateway {0}, from files: nothing of it is made yet. {1}", "Gateway {0} — 파일 기준이며 아직 아무것도 만들어지지 않았습니다. {1}";
    PRIVATE_ADDRESS: "the private address {0}", "사설 주소 {0}";
    PUBLIC_ADDRESS: "the public address {0}", "공인 주소 {0}";
    OTHER_ADDRESS: "{0} ({1})", "{0}({1})";
    MADE_AT: "Made {0}.", "생성: {0}.";

    // GatewayClass.
    CLASS_PURPOSE: "Says which controller serves the Gateways of this class, and how.", "어떤 컨트롤러가 이 클래스의 Gateway를 어떻게 맡을지 정합니다.";
    CLASS_PRESUMED: "It is not in the files, and is taken for one of Daemun's.", "파일에 없으므로 Daemun의 클래스로 간주합니다.";
    CLASS_PARAMETERS: "Its parameters are {0}.", "파라미터: {0}.";
    GATEWAY_PARAMETERS: "Parameters of its own: {0}.", "Gateway 자체의 파라미터: {0}.";

    // Controller.
    CONTROLLER_PURPOSE: "Reads these objects and makes what is marked as made by Daemun.", "객체를 읽고, Daemun이 생성한다고 표시된 것을 만듭니다.";
    CONTROLLER_CURRENT: "It has judged the Gateway as it is (generation {0}).", "현재 내용(generation {0})까지 반영했습니다.";
    CONTROLLER_BEHIND: "It has not looked at the newest change of the Gateway yet (generation {0}, judged {1}).", "최신 변경을 아직 반영하지 않았습니다(generation {0}, 반영된 것은 {1}).";
    CONTROLLER_SILENT: "It has written nothing into the Gateway's status.", "Gateway의 상태에 아무것도 기록하지 않았습니다.";
    CONTROLLER_SILENT_REMEDY: "See whether it runs:\nkubectl get pods -A -l app.kubernetes.io/name=daemun-controller", "실행 중인지 확인하세요.\nkubectl get pods -A -l app.kubernetes.io/name=daemun-controller";
    CONTROLLER_FORESEEN: "The files have no status; this page is what it would make of them.", "파일에 상태 정보가 없으므로, 컨트롤러가 무엇을 만들지 미리 보여 줍니다.";

    // Gateway.
    GATEWAY_PURPOSE: "Asks for a way in: ports, protocols, certificates. It is a rule and carries no traffic itself.", "어떤 포트, 프로토콜, 인증서로 트래픽을 받을지 요청하는 규칙입니다. 스스로 트래픽을 나르지는 않습니다.";
    GATEWAY_COUNTS: "Listeners: {0}. Routes: {1}.", "리스너 {0}개, 라우트 {1}개.";

    // Proxies.
    PROXIES_PURPOSE: "Pods that take connections and pass requests on.", "연결을 받아 요청을 전달하는 파드입니다.";
    PROXIES_READY: "{0} of {1} are ready.", "{1}개 중 {0}개가 준비되었습니다.";
    PROXIES_FORESEEN: "{0} would be made.", "{0}개가 만들어집니다.";
    PROXIES_EACH_NODE: "One would be made on each node.", "노드마다 하나씩 만들어집니다.";
    PROXIES_SCALED: "As many as the autoscaler chooses would be made.", "오토스케일러가 정하는 수만큼 만들어집니다.";
    PROXIES_MISSING: "They have not been made yet.", "아직 만들어지지 않았습니다.";
    PROXIES_HELD: "Nothing is made as long as what the Gateway asks for is refused.", "Gateway의 요청이 거부된 동안에는 만들지 않습니다.";
    PROXIES_NOT_IN_FILES: "They are not in the files. The Service is, so they are probably there.", "파일에 없습니다. Service가 있으므로 프록시도 있을 것으로 보입니다.";
    PROXIES_CLASS_HELD: "Nothing is made as long as the GatewayClass is refused.", "GatewayClass가 거부된 동안에는 만들지 않습니다.";
    NOT_SEEN: "You may not see it, or not all that it depends on.", "볼 권한이 없거나, 관련된 것 중 일부를 볼 수 없습니다.";
    PROXIES_NOT_READY: "{0} of {1} proxies are ready.", "프록시 {1}개 중 {0}개만 준비되었습니다.";
    PROXIES_NOT_READY_REMEDY: "See why:\nkubectl describe pods -n {0} -l {1}", "이유를 확인하세요.\nkubectl describe pods -n {0} -l {1}";
    POD_WAITS: "Pod {0}: {1}", "파드 {0}: {1}";

    // Service.
    SERVICE_PURPOSE: "Leads traffic to the proxies. A Service of type LoadBalancer makes {0} create a load balancer.", "트래픽을 프록시로 보냅니다. LoadBalancer 유형의 Service가 생기면 로드 밸런서가 자동으로 생성됩니다({0}).";
    SERVICE_PURPOSE_CLUSTER: "Leads traffic to the proxies, for callers inside of the cluster only.", "클러스터 안의 호출만 프록시로 보냅니다.";
    SERVICE_PURPOSE_NODES: "Leads traffic to the proxies, by a port on every node.", "모든 노드의 포트로 들어온 트래픽을 프록시로 보냅니다.";
    SERVICE_MADE: "Type {0}. Made by the controller for this Gateway ({1}).", "{0} 유형. 컨트롤러가 이 Gateway를 위해 만들었습니다({1}).";
    SERVICE_FORESEEN: "Type {0}. The controller would make it for this Gateway.", "{0} 유형. 컨트롤러가 이 Gateway를 위해 만듭니다.";
    SERVICE_MISSING: "It has not been made yet.", "아직 만들어지지 않았습니다.";
    SERVICE_LACKS: "Service {0} lacks the annotation {1}: {2}, which makes the address {3}.", "Service에 주소를 {3} 주소로 만드는 어노테이션이 없습니다({0}): {1}: {2}.";
    SERVICE_CHANGED_BY: "Besides the controller, field manager {0} was the last to change the Service ({1}).", "컨트롤러 외에 이 Service를 마지막으로 바꾼 필드 관리자: {0} ({1}).";
    FATE_HELD: "{0} counts only when {1} makes a load balancer, so this Service stays as it is.", "{0}: 로드 밸런서를 만들 때만 적용되는 설정이어서 Service를 그대로 둡니다({1}).";
    FATE_HELD_MAYBE: "{0} is not known to count once {1} has made a load balancer, so this Service stays as it is.", "{0}: 로드 밸런서를 만든 뒤에 바꿀 수 있는지 알 수 없는 설정이어서 Service를 그대로 둡니다({1}).";
    FATE_UNASKED: "What is asked for now would take away the address that this Service has, so it stays as it is.", "지금 요청한 대로 하면 이 Service의 주소가 없어지므로 Service를 그대로 둡니다.";
    FATE_KEEPS: "It is told to keep its address; then it goes, and a new one takes the address.", "주소를 남기도록 알린 다음, 이 Service를 없애고 새 Service가 그 주소를 받습니다.";
    FATE_MIGRATES: "It serves until a new one has an address that agrees with what is asked for, and then goes.", "요청에 맞는 주소를 가진 새 Service가 준비될 때까지 서비스한 뒤 사라집니다.";
    FATE_GOES: "It goes, and a new one takes its place.", "사라지고 새 Service가 그 자리를 대신합니다.";
    ANEW_ALLOW: "Allow a new one, which is made before this one goes; the address changes:\nkubectl annotate gateway -n {0} {1} {2}", "새 Service를 먼저 만든 다음 이 Service를 없애도록 허용하세요. 주소가 바뀝니다.\nkubectl annotate gateway -n {0} {1} {2}";
    ANEW_ALLOW_FIXED: "Allow a new one to take the address; this one goes first, and nobody reaches it until the new one has it:\nkubectl annotate gateway -n {0} {1} {2}", "새 Service가 이 주소를 받도록 허용하세요. 이 Service가 먼저 사라지며, 새 Service가 주소를 받을 때까지 접근할 수 없습니다.\nkubectl annotate gateway -n {0} {1} {2}";
    ANEW_ALLOW_NONE: "Allow the load balancer to go, with its address:\nkubectl annotate gateway -n {0} {1} {2}", "로드 밸런서와 그 주소를 없애도록 허용하세요.\nkubectl annotate gateway -n {0} {1} {2}";
    ANEW_OR_DELETE: "Or delete the Service; the controller makes it anew, and until then there is no way in:\nkubectl delete service -n {0} {1}", "또는 Service를 삭제하세요. 컨트롤러가 다시 만들며, 그동안은 접근할 수 없습니다.\nkubectl delete service -n {0} {1}";
    ANEW_DELETE: "Delete the Service; the controller makes it anew as it is asked for, and the address changes:\nkubectl delete service -n {0} {1}", "Service를 삭제하면 컨트롤러가 요청한 대로 다시 만들며, 주소는 바뀝니다.\nkubectl delete service -n {0} {1}";
    FACT_PORTS: "ports", "포트";
    FACT_POLICY: "externalTrafficPolicy", "externalTrafficPolicy";
    FACT_POLICY_LOCAL: "Only nodes with a proxy take traffic.", "프록시가 있는 노드만 트래픽을 받습니다.";
    FACT_POLICY_CLUSTER: "Every node takes traffic and passes it on.", "모든 노드가 트래픽을 받아 전달합니다.";
    FACT_CLASS: "loadBalancerClass", "loadBalancerClass";
    FACT_LOAD_BALANCER_IP: "spec.loadBalancerIP", "spec.loadBalancerIP";
    FACT_ASKED_ADDRESS: "This address is asked for.", "이 주소를 요청했습니다.";
    FACT_ASKED_VIP: "This VIP of the load balancer's subnet is asked for.", "로드 밸런서 서브넷의 이 VIP를 요청했습니다.";
    FACT_ASKED_FLOATING: "This floating IP is asked for; it must be allocated and attached to nothing.", "이 플로팅 IP를 요청했습니다. 미리 할당되어 있고 아무것에도 연결되지 않은 것이어야 합니다.";

    // Load balancer.
    BALANCER_PURPOSE: "Takes connections at the address and passes them to the nodes.", "주소에서 연결을 받아 노드로 전달합니다.";
    BALANCER_MADE: "It was made because the Service has type LoadBalancer.", "Service가 LoadBalancer 유형이어서 자동으로 생성되었습니다.";
    BALANCER_FORESEEN: "It would be made because the Service has type LoadBalancer.", "Service가 LoadBalancer 유형이므로 자동으로 생성됩니다.";
    BALANCER_WAITS: "The Service shows no address yet: it is being made, or nobody makes it.", "Service에 아직 주소가 없습니다. 만드는 중이거나, 만들어 주는 쪽이 없습니다.";
    BALANCER_WAITS_REMEDY: "See what the events of the Service say:\nkubectl describe service -n {0} {1}", "Service의 이벤트를 확인하세요.\nkubectl describe service -n {0} {1}";
    BALANCER_EVENT: "Kubernetes says: {0}: {1}", "Kubernetes의 이벤트: {0}: {1}";
    BALANCER_LAST_EVENT: "The last event of the Service", "Service의 마지막 이벤트";
    BALANCER_UNKNOWN: "who makes it is not known", "만드는 쪽을 알 수 없음";
    SILENCE: "No connection has come to any proxy for more than {0} minutes. That is as it should be if nobody has called it.", "{0}분이 넘도록 어떤 프록시에도 연결이 들어오지 않았습니다. 아직 아무도 접속하지 않았다면 정상입니다.";
    SILENCE_CHECKED: "No connection has come to any proxy for more than {0} minutes, not even the load balancer's health checks.", "{0}분이 넘도록 어떤 프록시에도 연결이 들어오지 않았습니다. 로드 밸런서의 상태 확인조차 오지 않았습니다.";
    SILENCE_RULE: "A security rule is probably missing: {0}.", "보안 규칙이 빠진 것으로 보입니다. {0}.";
    SILENCE_RULE_IF: "If somebody has, a security rule is probably missing: {0}.", "접속했는데도 그렇다면 보안 규칙이 빠진 것으로 보입니다. {0}.";
    SILENCE_PODS: "With {0}, let TCP {1} through as well: the proxies' pods listen there.", "{0} 환경이라면 프록시 파드의 포트도 허용하세요: TCP {1}.";
    BALANCER_GOES: "It goes away with the Service.", "Service를 삭제하면 함께 사라집니다.";
    PROVIDER_NOT_ASKED: "--provider {0} does not count here: the GatewayParameters say {1}.", "GatewayParameters에 제공자가 지정되어 있어 --provider 값은 적용되지 않습니다(지정: {1}, --provider: {0}).";

    // Address.
    ADDRESS_PURPOSE: "Where the Gateway is reached.", "Gateway에 접근하는 주소입니다.";
    ADDRESS_NONE: "none yet", "아직 없음";
    ADDRESS_CLUSTER: "Reachable inside of the cluster only; there is no load balancer.", "클러스터 안에서만 접근할 수 있으며 로드 밸런서는 없습니다.";
    THE_NODES: "the nodes", "노드";
    ADDRESS_NODES: "Reachable at the addresses of the nodes, at the Service's node ports ({0}).", "노드의 주소와 Service의 노드 포트({0})로 접근합니다.";
    ADDRESS_NODES_FORESEEN: "It would be reachable at the addresses of the nodes, at node ports.", "노드의 주소와 노드 포트로 접근하게 됩니다.";
    ADDRESS_HOST: "Reachable at the addresses of the nodes that run a proxy, at ports of the nodes themselves ({0}). They lead to the proxies and not through the Service.", "프록시가 실행 중인 노드의 주소에서 노드 자체의 포트({0})로 접근합니다. Service를 거치지 않고 프록시로 바로 들어옵니다.";
    ADDRESS_HOST_FORESEEN: "It would be reachable at the addresses of the nodes that run a proxy, at ports of the nodes themselves ({0}).", "프록시가 실행되는 노드의 주소에서 노드 자체의 포트({0})로 접근하게 됩니다.";
    PROXIES_HOST: "Each takes ports of its node ({0}), so a node has room for one, and when they are replaced one goes before the next comes.", "각 프록시가 노드의 포트({0})를 사용하므로 노드마다 하나만 실행되며, 교체할 때는 하나가 끝난 뒤 다음 것이 시작됩니다.";
    ADDRESS_OWN: "A Service of your own", "직접 만든 Service";
    ADDRESS_UNMANAGED: "Daemun makes no Service for this Gateway (reach Unmanaged): one of your own leads to its proxies, or none.", "Daemun은 이 Gateway에 Service를 만들지 않습니다(reach: Unmanaged). 직접 만든 Service가 있다면 그 Service가 트래픽을 프록시로 보냅니다.";
    ADDRESS_KEEP_BY: "exposure.keepAddress: true keeps it; a kept address is billed for as long as it exists.", "exposure.keepAddress: true로 남길 수 있으며, 남긴 주소는 계속 과금됩니다.";
    ADDRESS_AGAIN_BY: "To get the same one again, write exposure.address.", "같은 주소를 다시 받으려면 exposure.address에 쓰세요.";
    VIOLATED_REPORTED: "A private address was asked for, and {0} is public. It is served all the same, because the class says onViolation: Report.", "사설 주소를 요청했지만 실제로는 공인 주소입니다: {0}. 클래스가 onViolation: Report이므로 그대로 서비스합니다.";
    FACT_RANGES: "loadBalancerSourceRanges", "loadBalancerSourceRanges";
    WORD_PRIVATE: "private", "사설";
    WORD_PUBLIC: "public", "공인";
    CLASS_PRIVATE: "private (RFC 1918)", "사설(RFC 1918)";
    CLASS_SHARED: "shared between a carrier and its customers (100.64.0.0/10)", "통신사 공유 대역(100.64.0.0/10)";
    CLASS_UNIQUE_LOCAL: "private (IPv6 unique local)", "사설(IPv6 ULA)";
    CLASS_LINK_LOCAL: "for one link only", "링크 로컬";
    CLASS_LOOPBACK: "for one host only", "루프백";
    CLASS_DOCUMENTATION: "for documents", "문서용 대역";
    CLASS_BENCHMARK: "for measuring networks", "성능 측정용 대역";
    CLASS_RESERVED: "reserved", "예약된 대역";
    CLASS_PUBLIC: "public", "공인";
    CLASS_NAME: "a name; whose addresses decide", "이름(실제 주소에 따라 결정)";
    KIND_VIP: "VIP", "VIP";
    KIND_FLOATING: "floating IP", "플로팅 IP";
    FACT_REQUESTED: "requested", "요청";
    FACT_OBSERVED: "observed", "확인된 값";
    FACT_REACH_VERIFIED: "ReachVerified", "ReachVerified";
    REQUESTED_PRIVATE: "Private", "Private(사설)";
    REQUESTED_PUBLIC: "Public", "Public(공인)";
    REQUESTED_NOTHING: "nothing (exposure.reach is not written)", "없음(exposure.reach를 쓰지 않음)";
    REQUESTED_BY_DEFAULT: "Nothing asked for a public address, and Daemun asks for a private one by itself.", "공인 주소를 요청하지 않았으므로 Daemun이 사설 주소를 요청합니다.";
    VERIFIED_TRUE: "what was asked is what the Service shows", "요청한 대로 Service에 나타납니다";
    VERIFIED_FALSE: "what was asked is not what the Service shows", "요청한 것과 Service에 나타난 것이 다릅니다";
    VERIFIED_UNKNOWN: "not known", "아직 알 수 없습니다";
    WOULD_BE: "would be {0}", "예상 {0}";
    CONSOLE_UNSEEN: "A public address that somebody attaches in the cloud's console is not visible here.", "클라우드 콘솔에서 직접 붙인 공인 주소는 여기에 나타나지 않습니다.";
    CONSOLE_UNSEEN_FLOATING: "A floating IP that somebody attaches in the cloud's console is not visible here.", "콘솔에서 직접 연결한 플로팅 IP는 여기에 나타나지 않습니다.";
    FLOATING_MAPS: "One floating IP maps to one VIP of the load balancer; the VIP stays reachable inside of the network.", "플로팅 IP 하나는 로드 밸런서의 VIP 하나에 1:1로 연결되며, VIP에는 네트워크 안에서 계속 접근할 수 있습니다.";
    ADDRESS_LOST: "It is lost when the Gateway or the Service is deleted; a later one gets another.", "Gateway나 Service를 삭제하면 이 주소는 사라지며, 다시 만들면 다른 주소를 받습니다.";
    ADDRESS_LOST_ASKED: "It is lost when the Gateway or the Service is deleted; a later one asks for the same address again.", "Gateway나 Service를 삭제하면 이 주소는 사라지며, 다시 만들면 같은 주소를 다시 요청합니다.";
    ADDRESS_KEPT: "It is kept when the Service is deleted, and is billed for as long as it exists.", "Service를 삭제해도 주소는 남으며, 남아 있는 동안 계속 과금됩니다.";
    FACT_AFTER: "after deletion", "삭제하면";
    WOULD_PRIVATE: "It would get a private address; nobody on the internet reaches it.", "사설 주소를 받으며 인터넷에서는 접근할 수 없습니다.";
    WOULD_PRIVATE_FLOATING: "It would get a VIP (private) and no floating IP.", "VIP(사설)만 받고 플로팅 IP는 생기지 않습니다.";
    WOULD_PUBLIC: "It would get a public address, which anybody on the internet reaches.", "인터넷 어디에서나 접근할 수 있는 공인 주소를 받습니다.";
    WOULD_PUBLIC_FLOATING: "A floating IP would be made and attached to its VIP: anybody on the internet reaches it. It is billed from its creation on.", "플로팅 IP가 생성되어 VIP에 연결되며 인터넷 어디에서나 접근할 수 있습니다. 생성된 때부터 과금됩니다.";
    WOULD_CLUSTER: "It would be reachable inside of the cluster only.", "클러스터 안에서만 접근할 수 있습니다.";
    WOULD_DEPEND: "Whether its address would be public does not depend on the Service: pools of addresses or the nodes decide.", "공인 주소인지는 Service가 아니라 주소 풀이나 노드가 정합니다.";
    WOULD_VERIFY: "Daemun looks at the address that comes, and serves nothing if it is public.", "Daemun은 받은 주소를 확인하며, 공인 주소이면 서비스하지 않습니다.";
    WOULD_NOT_VERIFY: "Daemun serves at whatever address comes; with exposure.reach: Private it serves nothing at a public one.", "Daemun은 어떤 주소를 받든 서비스합니다. exposure.reach: Private을 쓰면 공인 주소에서는 서비스하지 않습니다.";
    PUBLIC_UNASKED: "Nobody asked for a public address, and {0} gives one.", "공인 주소를 요청하지 않았지만 공인 주소를 받습니다({0}).";
    PUBLIC_UNASKED_REMEDY: "If that is meant, write exposure.reach: Public in GatewayParameters; if not, Cluster or Node.", "의도한 것이면 GatewayParameters에 exposure.reach: Public을, 아니면 Cluster나 Node를 쓰세요.";
    WOULD_NOT_KNOWN: "Whether its address would be public is not known.", "공인 주소가 될지 알 수 없습니다.";
    NAME_PROVIDER: "--provider names who makes load balancers.", "로드 밸런서 제공자를 --provider로 지정하세요.";
    VIOLATED: "A private address was asked for, and {0} is public. The Gateway is closed: no request is served at this address.", "사설 주소를 요청했지만 실제로는 공인 주소입니다: {0}. Gateway를 닫았으며 이 주소에서는 어떤 요청도 처리하지 않습니다.";
    VIOLATED_REMEDY_PUBLIC: "If the Gateway may be public, write exposure.reach: Public in its GatewayParameters.", "공개해도 되는 Gateway라면 GatewayParameters에 exposure.reach: Public을 쓰세요.";
    VIOLATED_REMEDY_RANGE: "If the network uses that range inside, name it in --private-ranges of the controller.", "이 대역을 내부에서 쓰는 네트워크라면 컨트롤러의 --private-ranges에 추가하세요.";
    NOT_PUBLIC: "A public address was asked for, and {0} is not: nobody reaches it from the internet by this address.", "공인 주소를 요청했지만 실제로는 공인 주소가 아닙니다: {0}. 이 주소로는 인터넷에서 접근할 수 없습니다.";
    NOT_PUBLIC_REMEDY: "See whether the cloud has public addresses left:\nkubectl describe service -n {0} {1}", "클라우드에 남은 공인 주소가 있는지 확인하세요.\nkubectl describe service -n {0} {1}";
    UNRESOLVED: "It is not known yet whether the name is private, and nothing is served before it is.", "이 이름의 주소가 사설인지 아직 알 수 없으며, 확인되기 전에는 서비스하지 않습니다.";
    PENDING_CLOSED: "Nothing is served before a private address is there.", "사설 주소가 나타나기 전에는 서비스하지 않습니다.";
    PENDING: "There is no address yet.", "아직 주소가 없습니다.";

    // Listeners.
    LISTENER_PURPOSE: "A port that is open.", "열려 있는 포트입니다.";
    LISTENER_ROUTES: "Routes: {0}.", "라우트 {0}개.";
    LISTENER_OF_SET: "It is written in ListenerSet {0}.", "ListenerSet {0}에 정의되어 있습니다.";
    LISTENER_NO_ROUTES: "No Route is attached, so every request gets 404.", "연결된 라우트가 없어 모든 요청에 404로 응답합니다.";
    LISTENER_NO_ROUTES_TLS: "No Route is attached, so connections are closed.", "연결된 라우트가 없어 연결을 닫습니다.";
    LISTENER_NO_ROUTES_UDP: "No Route is attached, so datagrams are dropped.", "연결된 라우트가 없어 데이터그램을 버립니다.";
    LISTENER_HELD: "It is not served as long as nothing is made for the Gateway.", "Gateway에 아무것도 만들어지지 않은 동안에는 서비스하지 않습니다.";
    LISTENER_CLOSED: "It is closed as long as the address is not what was asked for.", "주소가 요청한 것과 다른 동안에는 닫혀 있습니다.";
    LISTENER_UDP_REMEDY: "Take the listener out, or lead UDP to the proxies by a Service of your own (exposure.reach: Unmanaged).", "이 리스너를 빼거나, 직접 만든 Service로 UDP를 프록시에 보내세요(exposure.reach: Unmanaged).";
    FACT_CERTIFICATE: "certificate", "인증서";
    CERTIFICATE_UNTIL: "valid until {0}", "{0}까지 유효";
    CERTIFICATE_EXPIRED: "The certificate {0} expired on {1}; clients refuse the connection.", "인증서 {0}: {1}에 만료되어 클라이언트가 연결을 거부합니다.";
    ANY_NAME: "every name", "모든 호스트 이름";

    // Routes.
    ROUTE_PURPOSE: "Says which requests go to which Service.", "어떤 요청을 어떤 Service로 보낼지 정합니다.";
    ROUTE_AT: "At listener {0}.", "리스너 {0}에 연결되었습니다.";
    ROUTE_NOT_ATTACHED: "Not attached", "연결되지 않음";
    ENDPOINTS: "{0} of {1} endpoints ready", "엔드포인트 {1}개 중 {0}개 준비됨";
    ENDPOINTS_NONE: "no endpoint is ready: requests get 503", "준비된 엔드포인트가 없어 503으로 응답";
    ENDPOINTS_NAME: "by the DNS name {0}", "DNS 이름 {0}";
    ENDPOINTS_NOT_IN_FILES: "its endpoints are not in the files", "엔드포인트는 파일에 없음";
    TARGET_INVALID: "requests get 500: {0}", "500으로 응답: {0}";
    TARGET_FAILS: "requests get 500", "500으로 응답";
    NO_BACKEND: "no backend: requests get 500", "백엔드가 없어 500으로 응답";
    REDIRECTS: "a redirect ({0})", "리다이렉트({0})";
    NO_ENDPOINT: "{0}: no endpoint is ready, and requests get 503.", "{0}: 준비된 엔드포인트가 없어 503으로 응답합니다.";
    NO_ENDPOINT_REMEDY: "See whether its pods run:\nkubectl get endpointslices -n {0} -l kubernetes.io/service-name={1}", "파드가 실행 중인지 확인하세요.\nkubectl get endpointslices -n {0} -l kubernetes.io/service-name={1}";
    MORE_ROUTES: "and {0} more Routes, {1} of them with something to look at", "외 라우트 {0}개, 그중 확인이 필요한 것 {1}개";
    MORE_ROUTES_FINE: "and {0} more Routes", "외 라우트 {0}개";
    MORE_RULES: "and {0} more rules", "외 규칙 {0}개";
    NO_ROUTES: "No Route is attached.", "연결된 라우트가 없습니다.";

    // What annotations mean.
    MEANS_PRIVATE: "The address is private.", "사설 주소를 요청합니다.";
    MEANS_PRIVATE_FLOATING: "No floating IP is used; the load balancer has its VIP only.", "플로팅 IP를 사용하지 않고 VIP만 사용합니다.";
    MEANS_PUBLIC: "The address is public.", "공인 주소를 요청합니다.";
    MEANS_PUBLIC_FLOATING: "A floating IP is made and attached to the VIP.", "플로팅 IP를 생성해 VIP에 연결합니다.";
    MEANS_REACH: "Decides who may reach the address.", "누가 이 주소에 접근할 수 있는지 정합니다.";
    MEANS_NOT_EXACT: "This value is not one that {0} takes, so it counts as if nothing were written.", "{0}에서 받아들이는 값이 아니므로 쓰지 않은 것과 같습니다.";
    MEANS_KEPT: "The address is kept when the Service is deleted; it goes on being billed.", "Service를 삭제해도 주소를 남깁니다. 남은 주소는 계속 과금됩니다.";
    MEANS_NOT_KEPT: "The address goes away with the Service.", "Service를 삭제하면 주소도 사라집니다.";
    MEANS_SUBNET: "The subnet of the address.", "주소의 서브넷입니다.";
    MEANS_FIXED: "The address that is asked for.", "요청한 주소입니다.";
    MEANS_PROXY: "The load balancer tells the proxies the client's address by a PROXY header.", "로드 밸런서가 PROXY 헤더로 클라이언트 주소를 프록시에 알립니다.";
    MEANS_RANGES: "The ranges from which callers are let in.", "접근을 허용할 주소 대역입니다.";
    MEANS_HEALTH_ENABLE: "Health check: whether there is one.", "상태 확인 사용 여부입니다.";
    MEANS_HEALTH_DELAY: "Health check: the time between two checks.", "상태 확인 주기입니다.";
    MEANS_HEALTH_TIMEOUT: "Health check: how long an answer may take.", "상태 확인 응답 대기 시간입니다.";
    MEANS_HEALTH_TRIES: "Health check: after how many failures a node gets no traffic.", "이 횟수만큼 실패한 노드에는 트래픽을 보내지 않습니다.";
    MEANS_HEALTH_KIND: "Health check: what is spoken.", "상태 확인 프로토콜입니다.";
    MEANS_HEALTH_PATH: "Health check: the path that is asked for.", "상태 확인 경로입니다.";
    MEANS_HEALTH_PORT: "Health check: the port that is asked.", "상태 확인 포트입니다.";
    MEANS_TERMINATES: "The load balancer takes connections apart instead of passing them on.", "로드 밸런서가 연결을 그대로 넘기지 않고 직접 해석합니다.";
    MEANS_WRITTEN_BACK: "{0} wrote it here itself.", "{0} 쪽에서 직접 기록한 값입니다.";
    MEANS_READ: "{0} reads it; what it does is not in Daemun's data.", "{0} 쪽에서 읽는 키입니다. 의미는 Daemun의 자료에 없습니다.";
    MEANS_NOT_READ: "Nothing is known that reads it here: {0} does not.", "{0} 쪽에서는 읽지 않는 키입니다.";
    MEANS_OF_CLOUD: "It is a key of {0}, which does not make load balancers here.", "{0}의 키이며 여기에서는 쓰이지 않습니다.";
    MEANS_CREATE_ONLY: "It counts at creation only.", "생성할 때만 적용됩니다.";
    MEANS_OF_LISTENER: "For port {0} alone.", "포트 {0}에만 적용됩니다.";
    MEANS_SECRET: "A private key in clear text, which anybody reads who may read the Service; it does not belong here.", "평문 개인 키입니다. Service를 읽을 수 있는 누구나 볼 수 있으므로 여기에 두면 안 됩니다.";
    HIDDEN: "(hidden)", "(숨김)";

    // Services, whoever made them.
    SOMEBODY: "whoever makes load balancers here", "알 수 없는 제공자";
    SOMEBODY_NAMED: "Who that is cannot be seen here; --provider names it.", "제공자는 --provider로 지정하세요.";
    PENDING_ADDRESS: "no address yet", "아직 주소 없음";
    WHO: "Who", "누가";
    WHY: "Why", "왜";
    WHO_REACHES: "Who reaches it", "누가 접근할 수 있나";
    TO_BE_PRIVATE: "To have a private address only", "사설 주소만 쓰려면";
    SAYS_SO: "What says so", "근거";
    ANNOTATIONS: "Annotations", "어노테이션";
    MANAGERS: "Who wrote into it (programs, as Kubernetes notes them)", "기록한 프로그램(Kubernetes의 필드 관리자)";
    CREATED_BY: "Created {0}; the first that wrote it is field manager \"{1}\".", "생성: {0}. 가장 먼저 기록한 필드 관리자: \"{1}\".";
    CREATED_AT: "Created {0}.", "생성: {0}.";
    WRITTEN_BY: "The first that wrote it is field manager \"{0}\".", "가장 먼저 기록한 필드 관리자: \"{0}\".";
    BY_DAEMUN: "Daemun's controller made it for Gateway {0}, not a person.", "사람이 아니라 Daemun의 컨트롤러가 만들었습니다. 대상 Gateway: {0}.";
    SEE_GATEWAY: "All about that Gateway:\ndaemun explain gateway {0}", "이 Gateway 전체 보기:\ndaemun explain gateway {0}";
    BY_ENVOY: "Envoy Gateway made it for Gateway {0}, not a person.", "사람이 아니라 Envoy Gateway가 만들었습니다. 대상 Gateway: {0}.";
    BY_CONTROLLER: "A controller of the Gateway API made it for Gateway {0}, not a person.", "사람이 아니라 Gateway API 컨트롤러가 만들었습니다. 대상 Gateway: {0}.";
    BY_CONTROLLER_OF: "The controller of GatewayClass {1} made it for Gateway {0}, not a person.", "사람이 아니라 GatewayClass {1} 컨트롤러가 만들었습니다. 대상 Gateway: {0}.";
    BY_HELM: "Helm made it as part of release {0}.", "Helm이 릴리스의 일부로 만들었습니다: {0}.";
    BY_HELM_CHART: "Helm made it as part of release {0}, from chart {1}.", "Helm이 릴리스의 일부로 만들었습니다: {0}, 차트 {1}.";
    BY_OWNER: "A controller made it for {0}, which owns it.", "소유 객체를 맡은 컨트롤러가 만들었습니다: {0}.";
    BY_REPOSITORY: "{0} made it from a repository ({1}).", "저장소 내용에 따라 {0} 쪽에서 만들었습니다({1}).";
    BY_KUBECTL: "It was made with {0}. Who typed that is not in the object; the audit log of the API server has it, where there is one.", "다음 명령으로 만들었습니다: {0}. 누가 입력했는지는 객체에 남지 않으며, API 서버의 감사 로그가 있다면 거기에 남습니다.";
    BY_UNKNOWN: "No label, owner or annotation tells who made it.", "누가 만들었는지 알려 주는 레이블, 소유자, 어노테이션이 없습니다.";
    WHY_GATEWAY: "A Gateway is only a rule; traffic reaches its proxies through a Service.", "Gateway는 규칙일 뿐이며, 트래픽은 Service를 거쳐 프록시에 도달합니다.";
    WHY_HELM: "The chart's templates have a Service of type {0}.", "차트의 템플릿에 {0} 유형의 Service가 있습니다.";
    WHY_OWNER: "What owns it needs a Service.", "소유 객체에 Service가 필요합니다.";
    WHY_WRITTEN: "It is written as a Service of type {0}.", "{0} 유형의 Service로 작성되어 있습니다.";
    WHY_BALANCER: "A Service of type LoadBalancer makes {0} create a load balancer.", "LoadBalancer 유형의 Service가 생기면 로드 밸런서가 자동으로 생성됩니다({0}).";
    WHY_NODE_PORT: "A Service of type NodePort opens a port on every node; no load balancer is made.", "NodePort 유형의 Service는 모든 노드에 포트를 열며, 로드 밸런서는 생기지 않습니다.";
    WHY_INSIDE: "It is reached inside of the cluster only; no load balancer is made.", "클러스터 안에서만 접근하며, 로드 밸런서는 생기지 않습니다.";
    REACH_NOBODY_KNOWS: "Who makes load balancers here is not known, so neither is what its annotations do; --provider names it.", "로드 밸런서를 만드는 쪽을 알 수 없어 어노테이션의 의미도 알 수 없습니다. --provider로 지정하세요.";
    REACH_IS_PUBLIC: "Its address is public: anybody on the internet reaches it.", "주소가 공인이므로 인터넷 어디에서나 접근할 수 있습니다.";
    REACH_UNSAID_FLOATING: "Nothing on the Service says private, and then {0} attaches a floating IP.", "사설을 지정한 어노테이션이 없으며, 그러면 플로팅 IP가 연결됩니다({0}).";
    REACH_UNSAID_PUBLIC: "Nothing on the Service says private, and then {0} gives a public address.", "사설을 지정한 어노테이션이 없으며, 그러면 공인 주소를 받습니다({0}).";
    REACH_UNSAID_PRIVATE: "Nothing on the Service says public, and then {0} gives a private address.", "공인을 지정한 어노테이션이 없으며, 그러면 사설 주소를 받습니다({0}).";
    REACH_SAID_PUBLIC: "An annotation asks for a public address: {0}.", "어노테이션으로 공인 주소를 요청했습니다: {0}.";
    REACH_SAID_PRIVATE: "An annotation asks for a private address: {0}.", "어노테이션으로 사설 주소를 요청했습니다: {0}.";
    REACH_CLASS: "It has the load balancer class {0}, and {1} makes nothing for Services with a class.", "로드 밸런서 클래스가 지정되어 있습니다: {0}. 클래스가 있는 Service에는 로드 밸런서를 만들지 않습니다({1}).";
    REACH_PRIVATE_CLASS: "Its load balancer class, {0}, gives a private address with {1}, whatever annotations say.", "로드 밸런서 클래스에 따라, 어노테이션과 관계없이 사설 주소를 받습니다: {0} ({1}).";
    REACH_PUBLIC_CLASS: "Its load balancer class, {0}, gives a public address with {1}, whatever annotations say.", "로드 밸런서 클래스에 따라, 어노테이션과 관계없이 공인 주소를 받습니다: {0} ({1}).";
    REACH_NOT_KNOWN: "What {0} gives a Service that says nothing is not known.", "아무것도 지정하지 않은 Service가 어떤 주소를 받는지 알려진 것이 없습니다({0}).";
    REACH_NOT_KNOWN_WHO: "Who makes load balancers here is not known, so neither is what address a Service gets that says nothing; --provider names it.", "로드 밸런서를 만드는 쪽을 알 수 없어, 아무것도 지정하지 않은 Service가 어떤 주소를 받는지도 알 수 없습니다. --provider로 지정하세요.";
    REACH_SETTLED: "With {0} this is settled when the Service is created.", "이는 Service를 생성할 때 정해집니다({0}).";
    REACH_MAYBE_SETTLED: "Whether that can be changed later is not known of {0}, so count on it being settled at creation.", "나중에 바꿀 수 있는지 알려지지 않았으므로, 생성할 때 정해진다고 보세요({0}).";
    NO_MANAGERS: "The file does not have them; this writes them:\nkubectl get service -o yaml --show-managed-fields -n {0} {1}", "파일에 없습니다. 다음 명령으로 받으면 들어 있습니다.\nkubectl get service -o yaml --show-managed-fields -n {0} {1}";
    REACH_LATE: "It says private, and its address is public: the annotation was probably added after the load balancer was made, and then it does nothing.", "사설을 지정했지만 주소는 공인입니다. 로드 밸런서가 만들어진 뒤에 어노테이션을 추가해 적용되지 않은 것으로 보입니다.";
    REACH_WRITTEN_BY: "Field manager \"{0}\" wrote it last at {1}.", "마지막으로 기록한 필드 관리자: \"{0}\" ({1}).";
    STEP_DAEMUN: "Take exposure.reach: Public out of the Gateway's GatewayParameters; private is what Daemun asks for by itself.", "Gateway의 GatewayParameters에서 exposure.reach: Public을 빼세요. Daemun은 기본으로 사설 주소를 요청합니다.";
    STEP_DAEMUN_IF: "If the Gateway's GatewayParameters say exposure.reach: Public, take it out; private is what Daemun asks for by itself.", "Gateway의 GatewayParameters에 exposure.reach: Public이 있으면 빼세요. Daemun은 기본으로 사설 주소를 요청합니다.";
    STEP_ENVOY: "Give Envoy Gateway the annotation in an EnvoyProxy (spec.provider.kubernetes.envoyService.annotations), which the GatewayClass or the Gateway refers to:", "GatewayClass나 Gateway가 참조하는 EnvoyProxy(spec.provider.kubernetes.envoyService.annotations)에 어노테이션을 넣으세요.";
    STEP_GATEWAY: "Write the annotation into Gateway {0}, under spec.infrastructure.annotations, which its controller hands on:", "Gateway의 spec.infrastructure.annotations에 어노테이션을 넣으면 컨트롤러가 Service에 전달합니다({0}).";
    STEP_HELM: "Give the chart the annotation in its values (often service.annotations), or another type (often service.type):", "차트의 values(보통 service.annotations)에 어노테이션을 넣거나 유형(보통 service.type)을 바꾸세요.";
    STEP_OWNER: "Tell {0} the annotation, in the way its controller takes it:", "소유 객체에서 컨트롤러가 받는 방식으로 어노테이션을 지정하세요({0}).";
    STEP_REPOSITORY: "Write the annotation into the repository that {0} follows:", "저장소에 어노테이션을 넣으세요({0}).";
    STEP_WRITTEN: "Write the annotation into the Service's manifest:", "Service 매니페스트에 어노테이션을 넣으세요.";
    STEP_ANEW: "Then have the Service made anew, since that counts at creation only; its address changes:\nkubectl delete service -n {0} {1}", "생성할 때만 적용되므로 Service를 다시 만드세요. 주소가 바뀝니다.\nkubectl delete service -n {0} {1}";
    STEP_OR_DAEMUN: "Or use a Gateway of a class of Daemun's, which is private unless somebody asks otherwise.", "또는 Daemun 클래스의 Gateway를 쓰세요. 달리 요청하지 않으면 사설입니다.";
}

#[cfg(test)]
mod tests {
    use super::ALL;

    /// The places of a sentence, in order.
    fn places(text: &str) -> Vec<&str> {
        let parts = text.split('{').skip(1);
        let mut places: Vec<&str> = parts.filter_map(|it| it.split('}').next()).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    #[test]
    fn a_sentence_has_the_same_places_in_every_language() {
        for (name, words) in ALL {
            assert_eq!(places(words.en), places(words.ko), "{name}");
            assert!(!words.en.is_empty() && !words.ko.is_empty(), "{name}");
        }
    }

    #[test]
    fn values_are_followed_by_no_particle_that_depends_on_how_they_end() {
        for (name, words) in ALL {
            for particle in ["은", "는", "이", "가", "을", "를", "와", "과", "로", "으로"]
            {
                let bare = format!("}}{particle} ");
                assert!(!words.ko.contains(&bare), "{name}: {}", words.ko);
            }
            assert!(
                !words.ko.contains("은(는)") && !words.ko.contains("이(가)"),
                "{name}"
            );
        }
    }
}
