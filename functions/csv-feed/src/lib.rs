//! Published feeds over HTTP (contract: csv-feed, "Reading"): what is read is a file that lies
//! there, never a computation.

mod access;
mod as_is;
mod condition;
mod fault;
mod file;
mod headers;
mod range;
mod sums;

pub use as_is::AsIs;
use lambda_http::{Body, Request, Response};
use shared::http::{Answer, ApiError, Call, serve};
use shared::services::Services;

/// Answers one request.
pub async fn handle(services: &Services, request: Request) -> Response<Body> {
    serve(request, async |call| answer(services, &call).await).await
}

async fn answer(services: &Services, call: &Call) -> Result<Answer, fault::Fault> {
    let segments = call.segments();
    let ["feeds", name] = segments.as_slice() else {
        return Err(ApiError::unknown_route(call).into());
    };
    if !call.reads() {
        return Err(ApiError::method_not_allowed("GET, HEAD").into());
    }
    // An alias has no dot, nor has an id: what follows the first one names the file.
    let (name, suffix) = name.split_once('.').unwrap_or((name, ""));
    let feed = access::readable(services, call, name).await?;
    let Some((edition, _)) = services.store().edition(feed.id).await? else {
        return Err(fault::Fault::not_published_yet());
    };
    access::check_level(&feed, &edition)?;
    match suffix {
        "sha256" => Ok(sums::answer(call, name, &feed, &edition)),
        suffix => file::answer(services, call, suffix, &feed, &edition).await,
    }
}
