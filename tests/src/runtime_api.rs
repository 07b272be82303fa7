//! The Lambda Runtime API, three routes and one for failed starts, so that a function's real
//! binary can be run and asked: `next` hands it an event, `response` and `error` bring its answer.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

/// The header by which a function says that it streams.
const MODE: &str = "lambda-runtime-function-response-mode";
const PREFIX: &str = "/2018-06-01/runtime";
/// A minute, as milliseconds: the time every invocation is given.
const TIME_LIMIT_MS: i64 = 60_000;

/// How an invocation ended: what the function returned, or the error it reported.
pub type Outcome = Result<Bytes, String>;

struct Invocation {
    id: String,
    event: Bytes,
}

/// What a function streams: its status and headers, then its body as it comes.
#[derive(Debug)]
pub struct Streamed {
    /// The JSON before the body: `statusCode`, `headers`.
    pub prelude: Value,
    /// The body's pieces. Once this is dropped, the function finds its connection closed.
    pub pieces: mpsc::UnboundedReceiver<Bytes>,
}

/// How an invocation was answered.
enum Returned {
    Whole(Outcome),
    Streamed(Streamed),
}

type Waiting = HashMap<String, oneshot::Sender<Returned>>;

struct State {
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    waiting: Mutex<Waiting>,
    failed_start: Mutex<Option<String>>,
    polled: watch::Sender<Option<Instant>>,
}

/// A running Runtime API for one function.
pub struct RuntimeApi {
    address: String,
    queue: mpsc::UnboundedSender<Invocation>,
    state: Arc<State>,
    server: tokio::task::JoinHandle<()>,
}

impl RuntimeApi {
    /// Listens on a free loopback port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (queue, events) = mpsc::unbounded_channel();
        let state = Arc::new(State {
            events: tokio::sync::Mutex::new(events),
            waiting: Mutex::default(),
            failed_start: Mutex::default(),
            polled: watch::Sender::new(None),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&state)));
        Self { address, queue, state, server }
    }

    /// What `AWS_LAMBDA_RUNTIME_API` has to say: host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// When the function first asked for an event, once it has.
    pub async fn first_poll(&self) -> Instant {
        let mut polled = self.state.polled.subscribe();
        let polled = polled.wait_for(Option::is_some).await.expect("the server runs");
        polled.expect("it was waited for")
    }

    /// Hands the function an event and waits for its answer.
    ///
    /// # Errors
    /// The error the function reported, as it spelt it.
    pub async fn invoke(&self, event: impl Into<Bytes>) -> Outcome {
        match self.call(event.into()).await {
            Returned::Whole(outcome) => outcome,
            Returned::Streamed(streamed) => Ok(streamed.collect().await),
        }
    }

    /// Hands a function that streams an event, and waits until it begins to answer.
    ///
    /// # Errors
    /// The error the function reported, or that it does not stream.
    pub async fn invoke_streaming(&self, event: impl Into<Bytes>) -> Result<Streamed, String> {
        match self.call(event.into()).await {
            Returned::Streamed(streamed) => Ok(streamed),
            Returned::Whole(outcome) => Err(format!("not streamed: {outcome:?}")),
        }
    }

    async fn call(&self, event: Bytes) -> Returned {
        let id = Uuid::new_v4().to_string();
        let (done, answer) = oneshot::channel();
        self.state.waiting.lock().unwrap().insert(id.clone(), done);
        let invocation = Invocation { id, event };
        assert!(self.queue.send(invocation).is_ok(), "the runtime API has stopped");
        let limit = std::time::Duration::from_millis(TIME_LIMIT_MS.unsigned_abs());
        let Ok(outcome) = tokio::time::timeout(limit, answer).await else {
            let start = self.state.failed_start.lock().unwrap().clone();
            panic!("the function did not answer in {limit:?}; failed start: {start:?}")
        };
        outcome.unwrap()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let answer = service_fn(|request| route(Arc::clone(&state), request));
            let http = hyper::server::conn::http1::Builder::new();
            // The function closes its connection whenever it is killed: no fault of the test.
            let _ = http.serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

async fn route(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    if request.headers().get(MODE).is_some_and(|mode| mode == "streaming") {
        return Ok(take_stream(&state, &path, request.into_body()).await);
    }
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes);
    let body = body.unwrap_or_default();
    let steps: Vec<&str> = match path.strip_prefix(PREFIX) {
        Some(rest) => rest.trim_start_matches('/').split('/').collect(),
        None => Vec::new(),
    };
    Ok(match (method, steps.as_slice()) {
        (Method::GET, ["invocation", "next"]) => next(&state).await,
        (Method::POST, ["invocation", id, "response"]) => finish(&state, id, Ok(body)),
        (Method::POST, ["invocation", id, "error"]) => {
            finish(&state, id, Err(String::from_utf8_lossy(&body).into_owned()))
        }
        (Method::POST, ["init", "error"]) => {
            let message = String::from_utf8_lossy(&body).into_owned();
            *state.failed_start.lock().unwrap() = Some(message);
            plain(StatusCode::ACCEPTED)
        }
        _ => plain(StatusCode::NOT_FOUND),
    })
}

async fn next(state: &State) -> Response<Full<Bytes>> {
    state.polled.send_if_modified(|at| at.replace(at.unwrap_or_else(Instant::now)).is_none());
    let Some(invocation) = state.events.lock().await.recv().await else {
        // The test is over: as on AWS, a function that has nothing to do waits.
        return std::future::pending().await;
    };
    let deadline = chrono::Utc::now().timestamp_millis() + TIME_LIMIT_MS;
    Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", invocation.id)
        .header("lambda-runtime-deadline-ms", deadline.to_string())
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-west-1:123456789012:function:under-test",
        )
        .header("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700")
        .body(Full::new(invocation.event))
        .unwrap()
}

fn finish(state: &State, id: &str, outcome: Outcome) -> Response<Full<Bytes>> {
    if let Some(done) = state.waiting.lock().unwrap().remove(id) {
        // Nobody listens any more when the test has given up on this invocation.
        let _ = done.send(Returned::Whole(outcome));
    }
    plain(StatusCode::ACCEPTED)
}

/// Passes a streamed answer on: a JSON text, eight zeros, then the body.
async fn take_stream(state: &State, path: &str, mut body: Incoming) -> Response<Full<Bytes>> {
    let id = path.trim_start_matches(PREFIX).split('/').nth(2).unwrap_or_default();
    let mut done = state.waiting.lock().unwrap().remove(id);
    let (sender, receiver) = mpsc::unbounded_channel();
    let mut pieces = Some(receiver);
    let mut head = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        let mut data = data;
        if pieces.is_some() {
            head.extend_from_slice(&data);
            let Some(end) = head.windows(8).position(|window| window == [0; 8]) else { continue };
            let prelude = serde_json::from_slice(&head[..end]).expect("a prelude is JSON");
            data = Bytes::copy_from_slice(&head[end + 8..]);
            let streamed = Streamed { prelude, pieces: pieces.take().unwrap() };
            let _ = done.take().map(|done| done.send(Returned::Streamed(streamed)));
        }
        if !data.is_empty() && sender.send(data).is_err() {
            // The client is gone; unlike AWS, which lets the function go on, so is its connection.
            return plain(StatusCode::GONE);
        }
    }
    plain(StatusCode::ACCEPTED)
}

impl Streamed {
    /// All of it, as a function that does not stream would have returned it.
    async fn collect(mut self) -> Bytes {
        let mut body = Vec::new();
        while let Some(piece) = self.pieces.recv().await {
            body.extend_from_slice(&piece);
        }
        let mut whole = self.prelude;
        whole["body"] = BASE64.encode(body).into();
        whole["isBase64Encoded"] = true.into();
        whole.to_string().into()
    }
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::new(Bytes::new())).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;

    #[tokio::test]
    async fn events_are_handed_out_one_by_one_and_their_answers_come_back() {
        let runtime = RuntimeApi::start().await;
        let function = Client::http(&format!("http://{}", runtime.address()));
        let next = format!("{PREFIX}/invocation/next");
        let worker = async {
            for end in ["response", "error"] {
                let event = function.get(&next).await.expect(200);
                let id = event.header("lambda-runtime-aws-request-id").unwrap();
                let path = format!("{PREFIX}/invocation/{id}/{end}");
                let said = format!("{} to {}", end, event.text());
                let _ = function.post(&path).body("application/json", said).await.expect(202);
            }
        };
        let asker = async { (runtime.invoke("one").await, runtime.invoke("two").await) };
        let ((), (first, second)) = futures::join!(worker, asker);
        assert_eq!(first, Ok(Bytes::from("response to one")));
        assert_eq!(second, Err("error to two".to_owned()));
    }
}
