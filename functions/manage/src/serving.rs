//! How every resource is listed, read, made, changed and deleted.

use lambda_http::http::header::{ETAG, IF_NONE_MATCH, LOCATION};
use lambda_http::http::{Method, StatusCode};
use serde_json::Value;
use shared::http::{Answer, ApiError, Call};

use crate::cursor::{self, Place};
use crate::operator::Operator;
use crate::patch;
use crate::precondition::{Precondition, etag};
use crate::refusal::Refusal;
use crate::resource::{Made, Resource};

/// A change that asks for no certain revision is tried again when somebody else's comes first,
/// this often.
const ATTEMPTS: u32 = 5;

/// Answers a request for resources `R`, or for the one that `rest` of the path names.
pub async fn answer<R: Resource>(
    operator: &Operator<'_>,
    call: &Call,
    rest: &[&str],
) -> Result<Answer, ApiError> {
    match (rest, &call.method) {
        ([], _) if call.reads() => list::<R>(operator, call).await,
        ([], &Method::POST) => create::<R>(operator, call).await,
        ([], _) => Err(ApiError::method_not_allowed("GET, HEAD, POST")),
        ([name], _) if call.reads() => read::<R>(operator, call, name).await,
        ([name], &Method::PATCH) if R::CHANGES => change::<R>(operator, call, name).await,
        ([name], &Method::DELETE) => delete::<R>(operator, call, name).await,
        ([_], _) if R::CHANGES => Err(ApiError::method_not_allowed("GET, HEAD, PATCH, DELETE")),
        ([_], _) => Err(ApiError::method_not_allowed("GET, HEAD, DELETE")),
        _ => Err(ApiError::unknown_route(call)),
    }
}

async fn list<R: Resource>(operator: &Operator<'_>, call: &Call) -> Result<Answer, ApiError> {
    let query = call.query()?;
    let place = Place::of(operator.services, &query, R::NAME, R::FILTERS).await?;
    let (found, next) = R::page(operator, &query, place.after(), place.limit).await?;
    cursor::page(&place, R::NAME, found.iter().map(R::shown).collect(), next)
}

async fn read<R: Resource>(
    operator: &Operator<'_>,
    call: &Call,
    name: &str,
) -> Result<Answer, ApiError> {
    let stored = found::<R>(operator, name).await?;
    let tag = etag(R::revision(&stored));
    let known = call.header(&IF_NONE_MATCH).filter(|_| R::STEADY);
    if known.is_some_and(|known| known.split(',').any(|known| known.trim() == tag)) {
        return Ok(Answer::empty(StatusCode::NOT_MODIFIED).with(ETAG, &tag));
    }
    Ok(shown::<R>(StatusCode::OK, &stored))
}

async fn create<R: Resource>(operator: &Operator<'_>, call: &Call) -> Result<Answer, ApiError> {
    let body = patch::body(call)?;
    let made = R::create(operator, body).await.map_err(|refusal| match refusal {
        Refusal::Api(error) => error,
        Refusal::Changed => busy(),
    })?;
    Ok(created::<R>(call, operator, &made))
}

/// 201 with what was made, and what of it is shown this once.
pub fn created<R: Resource>(
    call: &Call,
    operator: &Operator<'_>,
    made: &Made<R::Stored>,
) -> Answer {
    let mut body = R::shown(&made.stored);
    if let Value::Object(members) = &mut body {
        members.extend(made.once.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    }
    let base = call.base_url(operator.services.settings().public_base_url.as_deref());
    let place = format!("{base}/api/v1/manage/{}/{}", R::NAME, R::id(&made.stored));
    Answer::json(StatusCode::CREATED, &body)
        .with(ETAG, &etag(R::revision(&made.stored)))
        .with(LOCATION, &place)
}

async fn change<R: Resource>(
    operator: &Operator<'_>,
    call: &Call,
    name: &str,
) -> Result<Answer, ApiError> {
    let asked = patch::body(call)?;
    let precondition = Precondition::required(call)?;
    for _ in 0..ATTEMPTS {
        let known = found::<R>(operator, name).await?;
        precondition.check(R::revision(&known))?;
        let settings = patch::merged(R::settings(&known), &asked);
        match R::change(operator, &known, &asked, settings).await {
            Ok(changed) => return Ok(shown::<R>(StatusCode::OK, &changed)),
            Err(Refusal::Api(error)) => return Err(error),
            Err(Refusal::Changed) => {}
        }
    }
    Err(busy())
}

async fn delete<R: Resource>(
    operator: &Operator<'_>,
    call: &Call,
    name: &str,
) -> Result<Answer, ApiError> {
    let precondition = Precondition::of(call);
    for _ in 0..ATTEMPTS {
        let known = found::<R>(operator, name).await?;
        precondition.check(R::revision(&known))?;
        match R::delete(operator, &known).await {
            Ok(()) => return Ok(Answer::empty(StatusCode::NO_CONTENT)),
            Err(Refusal::Api(error)) => return Err(error),
            Err(Refusal::Changed) => {}
        }
    }
    Err(busy())
}

/// The resource that a path names.
///
/// # Errors
/// 404 when there is none.
pub async fn found<R: Resource>(
    operator: &Operator<'_>,
    name: &str,
) -> Result<R::Stored, ApiError> {
    let named: String = name.chars().take(80).collect();
    let found = R::find(operator, name).await?;
    found.ok_or_else(|| ApiError::not_found(format!("there is no {} {named:?}", R::ONE)))
}

/// A resource with its `ETag`.
pub fn shown<R: Resource>(status: StatusCode, stored: &R::Stored) -> Answer {
    Answer::json(status, &R::shown(stored)).with(ETAG, &etag(R::revision(stored)))
}

/// 503: others change the same all the time.
pub fn busy() -> ApiError {
    let message = "others change the same at this moment: try again";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message).retry_after(1)
}
