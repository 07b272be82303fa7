//! A loopback port between a function and an engine, where one request goes wrong: the fifth, say.
//! Tried with every number, a function is interrupted at every point at which it waits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What happens to the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interruption {
    /// It does not reach the engine, and is never answered.
    Hangs,
    /// The engine does it, and it is never answered.
    DoneAndHangs,
    /// It does not reach the engine, and is answered 503 with S3's `SlowDown`.
    SlowDown,
    /// The engine does it, and its connection is cut.
    DoneAndCut,
    /// It waits until it is let go, and then is done.
    Waits,
    /// It does not reach the engine, and is refused as what is not allowed.
    Refused,
}

/// The port. It is closed when dropped.
pub struct Interrupter {
    address: SocketAddr,
    inner: Arc<Inner>,
    server: tokio::task::JoinHandle<()>,
}

struct Inner {
    engine: SocketAddr,
    pool: Client<HttpConnector, Full<Bytes>>,
    seen: AtomicUsize,
    at: usize,
    what: Interruption,
    /// Only requests with this in their path count; all if empty.
    path: String,
    reached: Notify,
    let_go: Notify,
}

impl Interrupter {
    /// A port before `engine` at which request number `at` (from 0) goes wrong, of those whose path
    /// contains `path`.
    pub fn start(engine: SocketAddr, at: usize, what: Interruption, path: &str) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            engine,
            pool: Client::builder(TokioExecutor::new()).build_http(),
            seen: AtomicUsize::new(0),
            at,
            what,
            path: path.to_owned(),
            reached: Notify::new(),
            let_go: Notify::new(),
        });
        let serving = inner.clone();
        let server = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, serving.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, inner, server }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns once the request was met.
    pub async fn reached(&self) {
        self.inner.reached.notified().await;
    }

    /// Has [`Interrupter::reached`] return though the request never came.
    pub fn give_up(&self) {
        self.inner.reached.notify_one();
    }

    /// Lets go the request that waits.
    pub fn let_go(&self) {
        self.inner.let_go.notify_one();
    }

    /// Whether the request was met.
    pub fn was_reached(&self) -> bool {
        self.inner.seen.load(Ordering::SeqCst) > self.inner.at
    }
}

impl Drop for Interrupter {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(stream: TcpStream, inner: Arc<Inner>) {
    let _ = stream.set_nodelay(true);
    let answer = service_fn(|request| answer(inner.clone(), request));
    let http = hyper::server::conn::http1::Builder::new();
    // A connection that is cut ends with an error: that is what it was cut for.
    let _ = http.serve_connection(TokioIo::new(stream), answer).await;
}

async fn answer(
    inner: Arc<Inner>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, String> {
    let counts = request.uri().path().contains(&inner.path);
    let number = if counts { inner.seen.fetch_add(1, Ordering::SeqCst) } else { usize::MAX };
    if number != inner.at {
        return forward(&inner, request).await;
    }
    let never = std::future::pending::<()>();
    match inner.what {
        Interruption::Hangs => {
            inner.reached.notify_one();
            never.await;
        }
        Interruption::DoneAndHangs => {
            forward(&inner, request).await?;
            inner.reached.notify_one();
            never.await;
        }
        Interruption::DoneAndCut => {
            forward(&inner, request).await?;
        }
        Interruption::Waits => {
            inner.reached.notify_one();
            inner.let_go.notified().await;
            return forward(&inner, request).await;
        }
        Interruption::SlowDown => {
            return Ok(refused(request, StatusCode::SERVICE_UNAVAILABLE, "SlowDown").await);
        }
        Interruption::Refused => {
            return Ok(refused(request, StatusCode::FORBIDDEN, "AccessDenied").await);
        }
    }
    Err("cut".to_owned())
}

/// An answer that comes when all of the request is read: before that, its sender would find a
/// connection that was cut.
async fn refused(
    request: Request<Incoming>,
    status: StatusCode,
    code: &str,
) -> Response<Full<Bytes>> {
    let _ = request.into_body().collect().await;
    let body = format!("<Error><Code>{code}</Code><Message>No.</Message></Error>");
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
}

async fn forward(
    inner: &Inner,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, String> {
    let (mut head, body) = request.into_parts();
    let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    head.uri = format!("http://{}{path}", inner.engine).parse().unwrap();
    let answer = inner.pool.request(Request::from_parts(head, Full::new(body))).await;
    let (head, body) = answer.map_err(|error| error.to_string())?.into_parts();
    let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
    Ok(Response::from_parts(head, Full::new(body)))
}
