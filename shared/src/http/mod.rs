//! What every HTTP surface shares: one path from the gateway's request to its answer
//! (contract: access, "HTTP habits" and "Errors").

mod accept;
mod answer;
mod auth;
mod body;
mod call;
mod error;
mod etag;
mod line;
mod query;
mod size;
mod streaming;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lambda_http::http::{HeaderName, Method};
use lambda_http::{Body, Request, RequestExt, Response};
use tracing::Instrument;

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

use crate::work;

use line::Line;

/// Says where a read began that asked for more than its caller's plan (contract: access).
pub const LOOKBACK_CLAMPED_TO: HeaderName = HeaderName::from_static("x-lookback-clamped-to");

/// What is left of a function's time when a request is given up: enough to answer it.
const MARGIN: Duration = Duration::from_secs(2);

/// What a request may take where nobody says how long the function may: what most have, less the
/// margin.
const USUAL: Duration = Duration::from_secs(27);

/// An error in the shape of its surface.
pub trait Refusal: From<ApiError> {
    /// The answer that tells of it.
    fn answer(self, call: &Call) -> Answer;
}

impl Refusal for ApiError {
    fn answer(self, call: &Call) -> Answer {
        Self::answer(self, call)
    }
}

/// Answers a gateway request with `handle`, before the function's time is over. Adds what every
/// answer carries: the request id, CORS for reads, compression, and no body for `HEAD`; and writes
/// the request's log line.
pub async fn serve<F, Answered, Refused>(request: Request, handle: F) -> Response<Body>
where
    F: FnOnce(Arc<Call>) -> Answered,
    Answered: Future<Output = Result<Answer, Refused>>,
    Refused: Refusal,
{
    let time = time_left(&request);
    let (call, mut line) = Call::begin(request);
    let call = Arc::new(call);
    let frame = call.frame();
    let answer = if call.method == Method::OPTIONS {
        Answer::preflight()
    } else {
        match within(time, &line, &call, handle(call.clone())).await {
            Ok(answer) | Err(answer) => answer,
        }
    };
    let response = answer.send(&frame);
    line.answered(response.status());
    line.sent(response.body().len());
    response
}

/// What a handler gives, or the answer that tells why it gave nothing in this time.
async fn within<T, Refused: Refusal>(
    time: Duration,
    line: &Line,
    call: &Call,
    handling: impl Future<Output = Result<T, Refused>>,
) -> Result<T, Answer> {
    // On the heap: some handlers are futures deeper than the compiler follows.
    let handled = Box::pin(work::doing(line.work.clone(), handling));
    let told = async {
        // What was under way is as after any interruption: asking again finishes it.
        let late = |_| Err(ApiError::out_of_time(time).into());
        tokio::time::timeout(time, handled).await.unwrap_or_else(late)
    };
    told.instrument(line.span()).await.map_err(|refused| refused.answer(call))
}

fn time_left(request: &Request) -> Duration {
    let Some(context) = request.lambda_context_ref() else { return USUAL };
    let left = context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
    left.saturating_sub(MARGIN)
}
