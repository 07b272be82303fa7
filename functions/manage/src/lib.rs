//! What operators manage, over HTTP: `/api/v1/manage/…`, scope `admin`. Each resource is one file
//! that says what it is (`resource::Resource`); how resources are listed, read, made, changed
//! and deleted is said once, in `serving`.

mod audit;
mod collections;
mod cursor;
mod feeds;
mod keys;
mod operator;
mod patch;
mod plans;
mod precondition;
mod refusal;
mod resource;
mod serving;
mod status;
mod subscriptions;
mod tenants;

use lambda_http::{Body, Request, Response};
use shared::audit::Actor;
use shared::http::{Answer, ApiError, Call, serve};
use shared::services::Services;

use collections::Collections;
use feeds::Feeds;
use keys::Keys;
use operator::Operator;
use plans::Plans;
use subscriptions::Subscriptions;
use tenants::Tenants;

/// Answers one request.
pub async fn handle(services: &Services, request: Request) -> Response<Body> {
    serve(request, async |call| answer(services, &call).await).await
}

/// Answers a request of somebody who needs no key, because the tables themselves are open to
/// them: the command line, with the rights of whoever runs it.
pub async fn handle_as(services: &Services, actor: &Actor, request: Request) -> Response<Body> {
    serve(request, async |call| {
        let operator = Operator { services, key: None, actor: actor.clone() };
        route(&operator, &call).await
    })
    .await
}

async fn answer(services: &Services, call: &Call) -> Result<Answer, ApiError> {
    let operator = Operator::of(services, call).await?;
    route(&operator, call).await
}

async fn route(operator: &Operator<'_>, call: &Call) -> Result<Answer, ApiError> {
    let segments = call.segments();
    let ["api", "v1", "manage", rest @ ..] = segments.as_slice() else {
        return Err(ApiError::unknown_route(call));
    };
    match rest {
        ["audit"] => audit::list(operator, call).await,
        ["audit", id] => audit::get(operator, call, id).await,
        ["status"] => status::get(operator, call).await,
        ["tenants", rest @ ..] => serving::answer::<Tenants>(operator, call, rest).await,
        ["keys", id, "revoke"] => keys::revoke(operator, call, id).await,
        ["keys", id, "rotate"] => keys::rotate(operator, call, id).await,
        ["keys", rest @ ..] => serving::answer::<Keys>(operator, call, rest).await,
        ["plans", rest @ ..] => serving::answer::<Plans>(operator, call, rest).await,
        ["collections", rest @ ..] => serving::answer::<Collections>(operator, call, rest).await,
        ["feeds", rest @ ..] => serving::answer::<Feeds>(operator, call, rest).await,
        ["subscriptions", rest @ ..] => {
            serving::answer::<Subscriptions>(operator, call, rest).await
        }
        _ => Err(ApiError::unknown_route(call)),
    }
}
