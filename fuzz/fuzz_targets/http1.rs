//! The HTTP/1 boundary, in process: whatever a client sends to a gateway, the backend behind it can read
//! what arrives in one way only, the connection ends, and another client is served.

#![no_main]

use std::time::Duration;

use daemun_testkit::{Gateway, Raw, Strict, ports, raw, yaml};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

struct World {
    runtime: Runtime,
    port: u16,
    backend: Strict,
    _gateway: Gateway,
}

thread_local! {
    static WORLD: World = World::start();
}

impl World {
    fn start() -> Self {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let port = ports::free();
        let (backend, gateway) = runtime.block_on(async {
            let backend = Strict::start().await;
            let text = yaml::documents(&[
                &yaml::gateway(port),
                &yaml::backend("strict", &backend),
                &yaml::route_all("all", "strict"),
            ]);
            (backend, Gateway::start(&text).await)
        });
        Self {
            runtime,
            port,
            backend,
            _gateway: gateway,
        }
    }

    async fn send(&self, bytes: &[u8]) {
        let mut client = Raw::connect(self.port).await;
        // It may be refused before all of it is sent.
        let _ = client.try_send(bytes).await;
        client.end().await;
        let ended = tokio::time::timeout(Duration::from_secs(5), client.rest()).await;
        assert!(ended.is_ok(), "the connection does not end");
        let doubts = self.backend.doubts();
        assert!(doubts.is_empty(), "{doubts:?}");
        assert_eq!(raw::get(self.port, "example.org", "/").await.status, 200);
    }
}

fuzz_target!(|bytes: &[u8]| WORLD.with(|world| world.runtime.block_on(world.send(bytes))));
