//! `DELETE /api/v3/ioc_stream` and `DELETE /api/v3/ioc_stream_notifications/{id}` (contract:
//! ioc-stream). Both answer 200 and nothing else: clients read a 204 as an error.

use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use shared::access::Scope;
use shared::http::{Answer, Call};
use shared::ioc_stream::{self, Fault};
use shared::notification;
use shared::notification::filter::NotificationFilter;
use shared::services::Services;
use shared::store::{DeletionJob, NotificationJob};

/// Answers one request.
pub async fn handle(services: &Services, request: Request) -> Response<Body> {
    ioc_stream::answer(request, async |call| route(services, call).await).await
}

async fn route(services: &Services, call: &Call) -> Result<Answer, Fault> {
    let delete = call.method == Method::DELETE;
    match ioc_stream::segments(call).as_deref() {
        Some(["ioc_stream"]) if delete => delete_matching(services, call).await,
        Some(["ioc_stream_notifications", id]) if delete => delete_one(services, call, id).await,
        Some(["ioc_stream"] | ["ioc_stream_notifications", _]) => {
            Err(Fault::method_not_allowed("GET, HEAD, DELETE"))
        }
        _ => Err(Fault::unknown_route(call)),
    }
}

async fn delete_one(services: &Services, call: &Call, id: &str) -> Result<Answer, Fault> {
    let visitor = ioc_stream::visitor(services, call, Scope::DeleteIocStream).await?;
    let found = notification::one(services, &visitor.caller, id).await?;
    let found = found.ok_or_else(|| Fault::no_notification(id))?;
    if services.store().delete_notification(&visitor.caller.tenant, &found).await? {
        return Ok(Answer::empty(StatusCode::OK));
    }
    Err(Fault::no_notification(id))
}

/// Asks for the deletion of what matches, which goes on in the background.
async fn delete_matching(services: &Services, call: &Call) -> Result<Answer, Fault> {
    let visitor = ioc_stream::visitor(services, call, Scope::DeleteIocStream).await?;
    let query = call.query()?;
    let now = services.store().now();
    let filter = NotificationFilter::parse(query.one("filter")?.unwrap_or_default(), now)?;
    let job = NotificationJob::Deletion(DeletionJob {
        tenant: visitor.caller.tenant,
        filter: filter.to_string(),
        called: services.store().position_now(),
        clearance: visitor.caller.clearance,
        reached: None,
    });
    if services.store().add_notification_job(&job).await? {
        return Ok(Answer::empty(StatusCode::OK));
    }
    Err(Fault::deletion_running())
}
