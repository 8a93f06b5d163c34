//! A gateway with a listener of each kind, for what concerns all of them.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::time::Duration;

use daemun_testkit::{
    Act, Authority, Backend, Echo, Raw, TlsClient, UdpEcho, ports, raw, tls, within, yaml,
};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::{TcpStream, UdpSocket};

/// A gateway with a listener of each kind, and what is behind it.
pub(crate) struct Kinds {
    pub(crate) http: u16,
    pub(crate) https: u16,
    pub(crate) tcp: u16,
    pub(crate) sealed: u16,
    pub(crate) ended: u16,
    pub(crate) udp: u16,
    pub(crate) authority: Authority,
    pub(crate) web: Backend,
    pub(crate) slow: Backend,
    pub(crate) large: Backend,
    pub(crate) plain: Echo,
    pub(crate) under_tls: Echo,
    pub(crate) datagrams: UdpEcho,
}

impl Kinds {
    pub(crate) async fn new() -> Self {
        let authority = Authority::new();
        let identity = authority.issue(&["*.example.org"]);
        let (slow, large) = (Backend::start("slow").await, Backend::start("large").await);
        slow.always(Act::Hang);
        large.always(Act::Bytes(200_000_000));
        Self {
            http: ports::free(),
            https: ports::free(),
            tcp: ports::free(),
            sealed: ports::free(),
            ended: ports::free(),
            udp: ports::free(),
            web: Backend::start("web").await,
            slow,
            large,
            plain: Echo::start("plain").await,
            under_tls: Echo::start_tls("sealed", tls::server(&identity, &[], None)).await,
            datagrams: UdpEcho::start("datagrams").await,
            authority,
        }
    }

    pub(crate) fn text(&self) -> String {
        let listeners = yaml::fill(
            "- {name: http, port: $http, protocol: HTTP}\n\
             - {name: https, port: $https, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}\n\
             - {name: tcp, port: $tcp, protocol: TCP}\n\
             - {name: sealed, port: $sealed, protocol: TLS, tls: {mode: Passthrough}}\n\
             - {name: ended, port: $ended, protocol: TLS, tls: {mode: Terminate, certificateRefs: [{name: cert}]}}\n\
             - {name: udp, port: $udp, protocol: UDP}",
            &[
                ("http", &self.http),
                ("https", &self.https),
                ("tcp", &self.tcp),
                ("sealed", &self.sealed),
                ("ended", &self.ended),
                ("udp", &self.udp),
            ],
        );
        let rules = ["slow", "large", "web"].map(|name| {
            let path = if name == "web" { "" } else { name };
            format!(
                "- {{matches: [{{path: {{value: /{path}}}}}], backendRefs: [{{{}}}]}}",
                yaml::to(name)
            )
        });
        let to = |name| format!("{{{}}}", yaml::to(name));
        yaml::documents(&[
            &yaml::gateway_of(&listeners),
            &yaml::secret("cert", &self.authority.issue(&["*.example.org"])),
            &yaml::backend("web", &self.web),
            &yaml::backend("slow", &self.slow),
            &yaml::backend("large", &self.large),
            &yaml::backend("plain", &self.plain),
            &yaml::backend("sealed", &self.under_tls),
            &yaml::backend("datagrams", &self.datagrams),
            &yaml::route("all", &format!("rules:\n{}", rules.join("\n"))),
            &yaml::stream_route("TCPRoute", "tcp", &to("plain"), "")
                .replace("name: gw}", "name: gw, sectionName: tcp}"),
            &yaml::stream_route(
                "TLSRoute",
                "sealed",
                &to("sealed"),
                "hostnames: [a.example.org]",
            )
            .replace("name: gw}", "name: gw, sectionName: sealed}"),
            &yaml::stream_route(
                "TLSRoute",
                "ended",
                &to("plain"),
                "hostnames: [b.example.org]",
            )
            .replace("name: gw}", "name: gw, sectionName: ended}"),
            &yaml::stream_route("UDPRoute", "udp", &to("datagrams"), ""),
        ])
    }

    /// The ports that connections come to.
    pub(crate) fn for_connections(&self) -> [u16; 5] {
        [self.http, self.https, self.tcp, self.sealed, self.ended]
    }

    /// Whether all of it serves.
    pub(crate) async fn serves(&self) {
        assert_eq!(raw::get(self.http, "example.org", "/").await.status, 200);
        let client = TlsClient::new(&self.authority.pem());
        let stream = client.connect(self.https, "www.example.org").await;
        let answer = Raw::over(stream.unwrap()).get("www.example.org", "/").await;
        assert_eq!(answer.status, 200);
        let mut stream = TcpStream::connect(("127.0.0.1", self.tcp)).await.unwrap();
        assert_eq!(line(&mut stream).await.unwrap(), "plain");
        for (port, name, backend) in [
            (self.sealed, "a.example.org", "sealed"),
            (self.ended, "b.example.org", "plain"),
        ] {
            let mut stream = client.connect(port, name).await.unwrap();
            assert_eq!(line(&mut stream).await.unwrap(), backend);
        }
        let socket = self.udp_client().await;
        within("an answer", async { while !is_answered(&socket).await {} }).await;
    }

    pub(crate) async fn udp_client(&self) -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(("127.0.0.1", self.udp)).await.unwrap();
        socket
    }
}

pub(crate) async fn line<S: AsyncRead + Unpin>(stream: &mut S) -> std::io::Result<String> {
    let reading = async {
        let mut read = Vec::new();
        while read.last() != Some(&b'\n') {
            read.push(stream.read_u8().await?);
        }
        Ok(String::from_utf8_lossy(&read).trim_end().to_owned())
    };
    within("a line", reading).await
}

pub(crate) async fn is_answered(socket: &UdpSocket) -> bool {
    let mut buffer = [0; 64];
    let asks = async {
        socket.send(b"hello").await?;
        socket.recv(&mut buffer).await
    };
    let answer = tokio::time::timeout(Duration::from_millis(200), asks).await;
    answer.is_ok_and(|bytes| bytes.is_ok())
}
