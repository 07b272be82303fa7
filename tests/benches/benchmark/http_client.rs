//! HTTP connections that stay open, and a load of several at once.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tests::client::TAXII;
use tokio::net::TcpStream;

/// One connection with one key.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    key: String,
}

impl Connection {
    /// Connects to the service at `base_url` (no final slash).
    pub async fn open(base_url: &str, key: &str) -> Self {
        let host = base_url.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&host).await.expect("the service takes connections");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP/1.1");
        tokio::spawn(async move {
            // The end of the service ends it.
            let _ = connection.await;
        });
        Self { sender, host, key: key.to_owned() }
    }

    /// A GET of TAXII; its 200.
    pub async fn get(&mut self, path: &str) -> Response<Bytes> {
        let request = http::Request::get(path).header("accept", TAXII);
        self.exchange(request, Bytes::new()).await
    }

    /// A POST of JSON; its 200.
    pub async fn post(&mut self, path: &str, body: Bytes) -> Response<Bytes> {
        let request = http::Request::post(path).header("content-type", "application/json");
        self.exchange(request, body).await
    }

    async fn exchange(&mut self, request: http::request::Builder, body: Bytes) -> Response<Bytes> {
        let request = request.header("host", &self.host).header("x-api-key", &self.key);
        let request = request.body(Full::new(body)).expect("a request");
        self.sender.ready().await.expect("the connection stays open");
        let answer = self.sender.send_request(request).await.expect("an answer");
        let (head, body) = answer.into_parts();
        let body = body.collect().await.expect("a whole answer").to_bytes();
        assert_eq!(head.status, 200, "{}", String::from_utf8_lossy(&body));
        Response::from_parts(head, body)
    }
}

/// Runs clients in a thread of their own, on the same cores as the service but not on its runtime.
pub async fn apart<T, F>(clients: F) -> T
where
    T: Send + 'static,
    F: AsyncFnOnce() -> T + Send + 'static,
{
    let (done, finished) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let _ = done.send(runtime.expect("a runtime").block_on(clients()));
    });
    finished.await.expect("the clients finish")
}

/// How many requests a second `connections` get answered, each going through `paths` from a place
/// of its own.
pub async fn requests_per_second(
    base_url: &str,
    key: &str,
    paths: &[String],
    connections: usize,
    duration: Duration,
) -> f64 {
    let (base_url, key, paths) = (base_url.to_owned(), key.to_owned(), paths.to_vec());
    apart(async move || load(&base_url, &key, &paths, connections, duration).await).await
}

async fn load(
    base_url: &str,
    key: &str,
    paths: &[String],
    connections: usize,
    duration: Duration,
) -> f64 {
    let begun = Instant::now();
    let one = async |number: usize| {
        let mut connection = Connection::open(base_url, key).await;
        let mut answered = 0_u32;
        for path in paths.iter().cycle().skip(number * paths.len() / connections) {
            connection.get(path).await;
            answered += 1;
            if begun.elapsed() >= duration {
                break;
            }
        }
        f64::from(answered)
    };
    let counts = futures::future::join_all((0..connections).map(one)).await;
    counts.iter().sum::<f64>() / begun.elapsed().as_secs_f64()
}
