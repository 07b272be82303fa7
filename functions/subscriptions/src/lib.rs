//! `/api/v1/subscriptions`: what a tenant's IOC stream tells of beside what hunting engines find
//! (contract: ioc-stream, "Where notifications come from").

use chrono::{DateTime, SecondsFormat};
use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};
use shared::access::{Caller, Scope};
use shared::http::{Answer, ApiError, Call, authenticate, serve};
use shared::services::Services;
use shared::store::StoreError;
use shared::subscription::{MAX_SUBSCRIPTIONS, Subscription, SubscriptionSource};

/// Answers one request.
pub async fn handle(services: &Services, request: Request) -> Response<Body> {
    // Boxed: futures within futures grow past what the compiler lays out.
    serve(request, async |call| Box::pin(route(services, &call)).await).await
}

async fn route(services: &Services, call: &Call) -> Result<Answer, ApiError> {
    let segments = call.segments();
    let ["api", "v1", "subscriptions", rest @ ..] = segments.as_slice() else {
        return Err(ApiError::unknown_route(call));
    };
    match (rest, &call.method) {
        ([], _) if call.reads() => list(services, call).await,
        ([], _) => Err(ApiError::method_not_allowed("GET, HEAD")),
        ([kind, id], _) if call.reads() => get(services, call, kind, id).await,
        ([kind, id], &Method::PUT) => put(services, call, kind, id).await,
        ([kind, id], &Method::DELETE) => delete(services, call, kind, id).await,
        ([_, _], _) => Err(ApiError::method_not_allowed("GET, HEAD, PUT, DELETE")),
        _ => Err(ApiError::unknown_route(call)),
    }
}

/// The caller: who may read the stream decides what it tells of.
async fn caller(services: &Services, call: &Call) -> Result<Caller, ApiError> {
    let caller = authenticate(services, call).await?;
    caller.require(Scope::ReadIocStream)?;
    Ok(caller)
}

fn source(kind: &str, id: &str) -> Result<SubscriptionSource, ApiError> {
    SubscriptionSource::parse(kind, id)
        .map_err(|error| ApiError::bad_request("invalid_subscription", error.to_string()))
}

async fn list(services: &Services, call: &Call) -> Result<Answer, ApiError> {
    let caller = caller(services, call).await?;
    let all = services.store().subscriptions(&caller.tenant).await?;
    let shown: Vec<Value> = all.iter().map(shown).collect();
    Ok(Answer::json(StatusCode::OK, &json!({"subscriptions": shown})))
}

async fn get(services: &Services, call: &Call, kind: &str, id: &str) -> Result<Answer, ApiError> {
    let caller = caller(services, call).await?;
    let source = source(kind, id)?;
    let found = services.store().subscription(&caller.tenant, &source).await?;
    let found = found.ok_or_else(|| not_subscribed(&source))?;
    Ok(Answer::json(StatusCode::OK, &shown(&found)))
}

async fn put(services: &Services, call: &Call, kind: &str, id: &str) -> Result<Answer, ApiError> {
    let caller = caller(services, call).await?;
    let source = source(kind, id)?;
    if !may_know(services, &caller, &source).await? {
        let (kind, id) = (source.kind(), source.id());
        return Err(ApiError::not_found(format!("there is no {kind} {id}")));
    }
    let store = services.store();
    let known = store.subscription(&caller.tenant, &source).await?;
    if known.is_none() && store.subscriptions(&caller.tenant).await?.len() >= MAX_SUBSCRIPTIONS {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "too_many_subscriptions",
            format!("a tenant has {MAX_SUBSCRIPTIONS} subscriptions at most: delete some first"),
        ));
    }
    let retention_days = caller.plan.terms.retention_days;
    let since = store.position_now();
    let subscription = Subscription { tenant: caller.tenant, source, since, retention_days };
    let (subscription, new) = store.put_subscription(&subscription).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(Answer::json(status, &shown(&subscription)))
}

async fn delete(
    services: &Services,
    call: &Call,
    kind: &str,
    id: &str,
) -> Result<Answer, ApiError> {
    let caller = caller(services, call).await?;
    let source = source(kind, id)?;
    if services.store().delete_subscription(&caller.tenant, &source).await? {
        return Ok(Answer::json(StatusCode::OK, &json!({"deleted": true})));
    }
    Err(not_subscribed(&source))
}

/// Whether the caller may know of what it wants to subscribe to. What it may not know of answers
/// as what is not there.
async fn may_know(
    services: &Services,
    caller: &Caller,
    source: &SubscriptionSource,
) -> Result<bool, StoreError> {
    match source {
        SubscriptionSource::Collection(id) => {
            let found = services.collection_by_id(*id).await?;
            let reads = |collection: &shared::collection::Collection| {
                collection.rights(Some(caller), Scope::ReadIocStream).read
            };
            Ok(found.is_some_and(|defined| reads(&defined.collection)))
        }
        SubscriptionSource::ThreatActor(id) => {
            shared::notification::may_know_object(services, caller, id).await
        }
    }
}

fn not_subscribed(source: &SubscriptionSource) -> ApiError {
    let (kind, id) = (source.kind(), source.id());
    ApiError::not_found(format!("your tenant has no subscription to {kind} {id}"))
}

fn shown(subscription: &Subscription) -> Value {
    let since = i64::try_from(subscription.since.micros()).unwrap_or(i64::MAX);
    let since = DateTime::from_timestamp_micros(since).unwrap_or_default();
    json!({
        "source_type": subscription.source.kind().to_string(),
        "source_id": subscription.source.id(),
        "since": since.to_rfc3339_opts(SecondsFormat::Micros, true),
    })
}
