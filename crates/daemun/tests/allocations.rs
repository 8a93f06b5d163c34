//! How often a request allocates on its worker: fixed here, so that the hot path does not get slower
//! unnoticed.
//!
//! A test binary of its own, because it replaces the allocator. Only threads of workers are counted;
//! clients and backends are on the test's own thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use daemun_proxy::Settings;
use daemun_testkit::{Backend, Gateway, Raw, ports, yaml};

/// What one more request on a kept connection may allocate, with a route, a backend on HTTP/1 and no
/// filter. Six are known: two for the request's headers, which grow by those that are added; one for
/// `X-Request-Id`; two for the response's headers; one for the name of a header that is not well known.
const MOST_PER_REQUEST: f64 = 6.5;

struct Counting;

static COUNT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static COUNTED: Cell<bool> = const { Cell::new(true) };
}

fn count() {
    if COUNTED.try_with(Cell::get).unwrap_or(false) {
        COUNT.fetch_add(1, Ordering::Relaxed);
    }
}

#[expect(
    unsafe_code,
    reason = "an allocator cannot be written without; it passes everything on"
)]
// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as the caller promised.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_request_allocates_no_more_than_it_did() {
    COUNTED.with(|counted| counted.set(false));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let per_request = runtime.block_on(async {
        let port = ports::free();
        let backend = Backend::start("echo").await;
        let objects = [
            yaml::gateway(port),
            yaml::backend("echo", &backend),
            yaml::route_all("all", "echo"),
        ];
        let objects: Vec<_> = objects.iter().map(String::as_str).collect();
        let settings = Settings {
            workers: 1,
            ..daemun_testkit::gateway::settings()
        };
        let _gateway = Gateway::start_with(settings, &yaml::documents(&objects)).await;
        let mut client = Raw::connect(port).await;
        let mut ask = async |times: u32| {
            let before = COUNT.load(Ordering::Relaxed);
            for _ in 0..times {
                assert_eq!(
                    client.get("example.org", "/some/path?query=1").await.status,
                    200
                );
            }
            COUNT.load(Ordering::Relaxed) - before
        };
        // Pools fill, buffers grow, series come into being.
        ask(200).await;
        ask(1_000).await as f64 / 1_000.0
    });
    assert!(per_request > 0.0, "nothing is counted");
    assert!(
        per_request <= MOST_PER_REQUEST,
        "{per_request} allocations for each request"
    );
}
