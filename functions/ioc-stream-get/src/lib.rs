//! `GET /api/v3/ioc_stream_notifications/{id}`: one notification (contract: ioc-stream).

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::access::Scope;
use shared::http::{Answer, Call};
use shared::ioc_stream::{self, Fault};
use shared::notification;
use shared::services::Services;

/// Answers one request.
pub async fn handle(services: &Services, request: Request) -> Response<Body> {
    ioc_stream::answer(request, async |call| route(services, call).await).await
}

async fn route(services: &Services, call: &Call) -> Result<Answer, Fault> {
    match ioc_stream::segments(call).as_deref() {
        Some(["ioc_stream_notifications", id]) if call.reads() => get(services, call, id).await,
        Some(["ioc_stream_notifications", _]) => {
            Err(Fault::method_not_allowed("GET, HEAD, DELETE"))
        }
        _ => Err(Fault::unknown_route(call)),
    }
}

async fn get(services: &Services, call: &Call, id: &str) -> Result<Answer, Fault> {
    let visitor = ioc_stream::visitor(services, call, Scope::ReadIocStream).await?;
    let found = notification::one(services, &visitor.caller, id).await?;
    let found = found.ok_or_else(|| Fault::no_notification(id))?;
    let base = call.base_url(services.settings().public_base_url.as_deref());
    Ok(Answer::json(StatusCode::OK, &ioc_stream::notification(&base, &found)))
}
