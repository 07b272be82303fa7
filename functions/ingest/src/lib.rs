//! Objects, plain IOCs and hunting engines' notifications over HTTP, and the deletion of objects
//! (contract: ingest).

mod delete;
mod iocs;
mod notifications;
mod objects;
mod report;
mod target;

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use shared::access::{Caller, Scope};
use shared::http::{Answer, ApiError, Call, authenticate, serve};
use shared::services::Services;

/// Answers one request.
pub async fn handle(services: &Services, request: Request) -> Response<Body> {
    serve(request, async |call| route(services, &call).await).await
}

async fn route(services: &Services, call: &Call) -> Result<Answer, ApiError> {
    match (call.segments().as_slice(), &call.method) {
        (["api", "v1", "objects"], &Method::POST) => objects::post(services, call).await,
        (["api", "v1", "objects", id], &Method::DELETE) => delete::delete(services, call, id).await,
        (["api", "v1", "objects", _], _) => Err(ApiError::method_not_allowed("DELETE")),
        (["api", "v1", "iocs"], &Method::POST) => iocs::post(services, call).await,
        (["api", "v1", "notifications"], &Method::POST) => {
            notifications::post(services, call).await
        }
        (["api", "v1", "objects" | "iocs" | "notifications"], _) => {
            Err(ApiError::method_not_allowed("POST"))
        }
        _ => Err(ApiError::unknown_route(call)),
    }
}

/// The caller, if its key may write objects.
async fn writer(services: &Services, call: &Call) -> Result<Caller, ApiError> {
    let caller = authenticate(services, call).await?;
    caller.require(Scope::WriteObjects)?;
    Ok(caller)
}
