//! A loopback port before an embedded `DynamoDB`, for what cannot reach it in process: the
//! functions' binaries and the proxies. The product itself opens none.

use std::net::SocketAddr;

use local::engines::dynamodb::{Requests, serve_connection};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// An open port. It closes when this is dropped.
pub struct EnginePort {
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl EnginePort {
    /// Opens a free port. To be called within a Tokio runtime.
    pub fn open(engine: &Requests) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let address = listener.local_addr().unwrap();
        Self { address, server: tokio::spawn(serve(listener, engine.clone())) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for EnginePort {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, engine: Requests) {
    // Connections end with the port.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        // Small answers are not to be held back.
        let _ = stream.set_nodelay(true);
        connections.spawn(serve_connection(stream, engine.clone()));
        while connections.try_join_next().is_some() {}
    }
}
