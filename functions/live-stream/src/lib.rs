//! Live streams: what enters, changes in and leaves a collection, as server-sent events that
//! `OpenCTI`'s own clients understand (contract: live-stream).

mod access;
pub mod ask;
mod awaited;
mod cache;
mod connection;
pub mod event_id;
mod extension;
mod frame;
mod group;
pub mod knowledge;
mod limits;
mod making;
mod metrics;
mod order;
mod render;
mod resolver;
mod round;
mod streams;
mod teller;

use std::sync::Arc;
use std::time::Duration;

use futures::stream;
use http_body_util::BodyExt;
use lambda_http::http::header::CACHE_CONTROL;
use lambda_http::http::{HeaderName, StatusCode};
use lambda_http::{Body, Request, Response};
use shared::http::{Answer, ApiError, Call, Chunks, Reply, StreamedBody, serve_streaming};
use shared::services::{Defined, Services};
use shared::store::StoreError;
use tokio::time::{Instant, timeout_at};

pub use limits::Limits;

use access::{Refusal, Visitor};
use ask::Ask;
use connection::Connection;

/// Who cannot be told within this whether there is a stream is put off.
const OPENING: Duration = Duration::from_secs(15);

/// Answers one request.
pub async fn handle(
    services: &Services,
    limits: Limits,
    request: Request,
) -> Response<StreamedBody> {
    let span = limits.span(&request);
    let services = services.clone();
    // Boxed: the future is large, and callers hold it within theirs.
    Box::pin(serve_streaming(request, async move |call| match call.segments().as_slice() {
        ["api", "v1", "streams"] | ["stream", _] if !call.reads() => {
            Err(ApiError::method_not_allowed("GET, HEAD"))
        }
        ["api", "v1", "streams"] => Ok(Reply::Whole(streams::list(&services, &call).await?)),
        ["stream", name] => Box::pin(open(services, limits, span, Arc::clone(&call), name)).await,
        _ => Err(ApiError::unknown_route(&call)),
    }))
    .await
}

/// Answers one request in one piece, for a front door that does not stream: the connection ends
/// once there was something to read.
pub async fn handle_whole(services: &Services, limits: Limits, request: Request) -> Response<Body> {
    let limits = Limits { finite: true, ..limits };
    let (parts, body) = handle(services, limits, request).await.into_parts();
    let Ok(collected) = body.collect().await;
    let bytes = collected.to_bytes().to_vec();
    let body =
        String::from_utf8(bytes).map_or_else(|error| Body::Binary(error.into_bytes()), Body::Text);
    Response::from_parts(parts, body)
}

async fn open(
    services: Services,
    limits: Limits,
    span: Duration,
    call: Arc<Call>,
    name: &str,
) -> Result<Reply, ApiError> {
    let asked = Instant::now();
    let late = asked + OPENING;
    // Who asks comes before what is asked.
    let found = timeout_at(late, find(&services, &call, name)).await;
    let defined = match found.unwrap_or_else(|_| Err(Refusal::Passing(no_answer()))) {
        Err(Refusal::Lasting(error)) => return Err(error),
        Err(Refusal::Passing(error)) => Err(Some(error)),
        Ok(found) => found.ok_or(None),
    };
    let ask = Ask::parse(&call)
        .map_err(|error| ApiError::bad_request("invalid_parameter", error.to_string()))?;
    let finite = (limits.finite || ask.finite).then_some(limits.patience);
    let begun = match defined {
        Ok(defined) => {
            let begun = Connection::begin(services, call, defined, ask, asked, span, finite);
            timeout_at(late, Box::pin(begun))
                .await
                .unwrap_or_else(|_| Err(no_answer()))
                .map_err(Some)
        }
        Err(error) => Err(error),
    };
    let chunks: Chunks = match begun {
        Ok(connection) => Box::pin(stream::unfold(connection, |mut connection| async move {
            connection.next().await.map(|bytes| (bytes, connection))
        })),
        // A client that is told 503 dies; one that is told to come again does.
        Err(error) => {
            let error = error.map_or_else(|| "over its limit".to_owned(), |e| e.to_string());
            tracing::warn!(error, "a stream is put off");
            Box::pin(stream::iter([connection::put_off(&ask)]))
        }
    };
    Ok(Reply::Streamed(headers(), chunks))
}

fn no_answer() -> StoreError {
    StoreError::Unavailable(format!("no answer in {OPENING:?}"))
}

/// The stream; none where the key's plan allows no more for now.
async fn find(
    services: &Services,
    call: &Call,
    name: &str,
) -> Result<Option<Arc<Defined>>, Refusal> {
    let visitor = Visitor::of(services, call).await?;
    let defined = access::readable(services, &visitor, name).await?;
    Ok((!visitor.over_limit).then_some(defined))
}

fn headers() -> Answer {
    Answer::new(StatusCode::OK, "text/event-stream; charset=utf-8", Vec::new())
        .with(CACHE_CONTROL, "no-cache, no-transform")
        .with(HeaderName::from_static("x-accel-buffering"), "no")
}
