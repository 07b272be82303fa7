//! What the functions behind `/api/v3` share: who asks, and the `VirusTotal`-compatible shape of
//! answers and errors (contract: ioc-stream).

mod access;
mod fault;
mod render;

use lambda_http::{Body, Request, Response};

pub use access::{Visitor, visitor};
pub use fault::Fault;
pub use render::{context, entity, notification};

use crate::http::{Answer, Call, serve};

/// Answers a request with `handle`, faults in the shape of this surface.
pub async fn answer<F>(request: Request, handle: F) -> Response<Body>
where
    F: AsyncFnOnce(&Call) -> Result<Answer, Fault>,
{
    // Boxed: futures within futures grow past what the compiler lays out.
    serve(request, async |call| Box::pin(handle(&call)).await).await
}

/// The path's segments behind `/api/v3`; `None` for another path.
#[must_use]
pub fn segments(call: &Call) -> Option<Vec<&str>> {
    match call.segments().as_slice() {
        ["api", "v3", rest @ ..] => Some(rest.to_vec()),
        _ => None,
    }
}
