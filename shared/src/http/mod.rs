//! What every HTTP surface shares: one path from the gateway's request to its answer
//! (contract: access, "HTTP habits" and "Errors").

mod accept;
mod answer;
mod auth;
mod body;
mod call;
mod error;
mod etag;
mod query;
mod size;
mod streaming;

use std::future::Future;

use lambda_http::http::HeaderName;
use lambda_http::{Body, Request, Response};

pub use accept::{Accept, MediaRange};
pub use answer::{Answer, accepts_gzip};
pub use auth::{AuthError, CHALLENGE, admit, authenticate, identify};
pub use body::{BodyError, MAX_BODY_BYTES, MAX_EXPANDED_BYTES};
pub use call::Call;
pub use error::ApiError;
pub use etag::ETag;
pub use query::{Query, QueryError};
pub use size::{MAX_ENCODED_BYTES, encoded_bytes};
pub use streaming::{Chunks, Reply, StreamedBody, serve_streaming};

/// Says where a read began that asked for more than its caller's plan (contract: access).
pub const LOOKBACK_CLAMPED_TO: HeaderName = HeaderName::from_static("x-lookback-clamped-to");

/// Answers a gateway request with `handle`. Adds what every answer carries: the request id,
/// CORS for reads, compression, and no body for `HEAD`.
pub async fn serve<F, Answered>(request: Request, handle: F) -> Response<Body>
where
    F: FnOnce(Call) -> Answered,
    Answered: Future<Output = Answer>,
{
    let call = Call::new(request);
    let frame = call.frame();
    if call.method == lambda_http::http::Method::OPTIONS {
        return Answer::preflight().send(&frame);
    }
    // On the heap: some handlers are futures deeper than the compiler follows.
    Box::pin(handle(call)).await.send(&frame)
}
