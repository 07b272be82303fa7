//! The proxy: a loopback port whose requests go to the engine, or go wrong.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::counts::Counts;
use super::engine::{Cut, Engine};
use super::exchange::Exchange;
use super::faults::Faults;

/// A running proxy. Clones are the same proxy; it stops with the last of them.
#[derive(Clone)]
pub struct Proxy(Arc<Inner>);

struct Inner {
    address: SocketAddr,
    exchange: Arc<Exchange>,
    server: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free loopback port, and forwards everything to `engine` until
    /// [`Proxy::set`] says otherwise. To be called within a Tokio runtime.
    pub fn start(engine: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let address = listener.local_addr().unwrap();
        let exchange = Arc::new(Exchange::with(Engine::at(engine)));
        let server = tokio::spawn(serve(listener, exchange.clone()));
        Self(Arc::new(Inner { address, exchange, server }))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// What goes wrong from now on; requests under way go on as they began.
    pub fn set(&self, faults: Faults) {
        self.0.exchange.set(faults);
    }

    /// What really happened since the proxy started.
    pub fn counts(&self) -> Counts {
        self.0.exchange.counters.read()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, exchange: Arc<Exchange>) {
    // Connections end with the proxy.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve_one(stream, exchange.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve_one(stream: TcpStream, exchange: Arc<Exchange>) {
    // Small answers are not to be held back.
    let _ = stream.set_nodelay(true);
    let answer = service_fn(|request| answer(exchange.clone(), request));
    let http = hyper::server::conn::http1::Builder::new();
    // A connection that is cut ends with an error: that is what it was cut for.
    let _ = http.serve_connection(TokioIo::new(stream), answer).await;
}

async fn answer(
    exchange: Arc<Exchange>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Cut> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|error| Cut(error.to_string()))?.to_bytes();
    let answer = exchange.answer(head.headers, body).await?;
    Ok(answer.into_response())
}
