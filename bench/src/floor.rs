//! The floor: passes bytes between a client and a server without looking at them.
//!
//! What the kernel takes for four system calls per request is in every proxy's figure; this shows how
//! much that is on the machine at hand. One thread, tokio, one upstream connection per client. It is
//! not a proxy that anybody should use: no limits, no time-outs, no drain.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::Failure;

/// Forwards connections from `listen` to `to` until the process ends.
pub(crate) fn run(listen: SocketAddr, to: SocketAddr) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(listen).await?;
        loop {
            let (client, _) = listener.accept().await?;
            runtime.handle().spawn(forward(client, to));
        }
    })
}

async fn forward(mut client: TcpStream, to: SocketAddr) {
    let Ok(mut server) = TcpStream::connect(to).await else {
        return;
    };
    if client.set_nodelay(true).is_err() || server.set_nodelay(true).is_err() {
        return;
    }
    // Either side may end a connection whenever it likes: nothing is wrong then.
    let _ended = copy_bidirectional(&mut client, &mut server).await;
}
