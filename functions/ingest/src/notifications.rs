//! `POST /api/v1/notifications`: what a hunting engine found for a tenant.

use lambda_http::http::{HeaderName, StatusCode};
use serde::Deserialize;
use serde_json::json;
use shared::access::{Caller, Scope};
use shared::http::{Answer, ApiError, Call, authenticate};
use shared::notification::{
    Entity, EntityType, HuntingInfo, MAX_TAG_CHARS, MAX_TAGS, Notification, NotificationId, Origin,
    Source, SourceType, expiry_of, kept_tags, source_key,
};
use shared::services::Services;
use shared::store::{Once, PutNotification};
use shared::tlp::Tlp;

/// A request's body, and with it a stored item, stays below this.
const MAX_BYTES: usize = 256 * 1024;
/// Bytes of an id or label.
const MAX_TEXT: usize = 1024;
/// Bytes of a snippet.
const MAX_SNIPPET: usize = 64 * 1024;

/// The body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    /// The caller's own id: the same notification sent again is taken once.
    id: Option<String>,
    entity: PostedEntity,
    source: PostedSource,
    #[serde(default)]
    tags: Vec<String>,
    tlp: Option<String>,
    hunting_info: Option<PostedHunting>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PostedEntity {
    #[serde(rename = "type")]
    kind: EntityType,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PostedSource {
    #[serde(rename = "type")]
    kind: SourceType,
    id: String,
    label: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PostedHunting {
    rule_name: String,
    #[serde(default)]
    rule_tags: Vec<String>,
    #[serde(default)]
    snippet: String,
    #[serde(default)]
    source_country: String,
    /// Who uploaded the file. Never stored: only the key made of it is.
    #[serde(default)]
    submitter: String,
    match_source: Option<String>,
    match_in_subfile: Option<bool>,
}

/// Takes a notification.
pub async fn post(services: &Services, call: &Call) -> Result<Answer, ApiError> {
    let caller = poster(services, call).await?;
    let essence = call.content_type().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_type",
            "send a notification as application/json",
        ));
    }
    let body = call.body()?;
    if body.len() > MAX_BYTES {
        return Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("a notification has {MAX_BYTES} bytes at most"),
        ));
    }
    let posted: Posted =
        serde_json::from_slice(&body).map_err(|error| invalid(error.to_string()))?;
    let name = name(call, &posted)?;
    let material = services.source_key_secret().await?;
    let made = notification(services, &caller, material, posted)?;
    let once = name.map(|name| Once::named(&caller.tenant, &name, &body));
    match services.store().put_notification(&caller.tenant, &made, once.as_ref()).await? {
        PutNotification::Done { id } => Ok(answer(id, "created")),
        PutNotification::Known { id, same: true } => Ok(answer(id, "unchanged")),
        PutNotification::Known { .. } => Err(ApiError::new(
            StatusCode::CONFLICT,
            "idempotency_key_reused",
            "another notification was sent under this Idempotency-Key or id: use a new one",
        )),
    }
}

/// The caller, if its key may post notifications.
async fn poster(services: &Services, call: &Call) -> Result<Caller, ApiError> {
    let caller = authenticate(services, call).await?;
    caller.require(Scope::WriteNotifications)?;
    Ok(caller)
}

fn answer(id: NotificationId, outcome: &str) -> Answer {
    Answer::json(StatusCode::OK, &json!({"id": id.to_string(), "outcome": outcome}))
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("invalid_notification", message)
}

/// The name under which the notification is taken once: the caller's id of it, or of the request.
fn name(call: &Call, posted: &Posted) -> Result<Option<String>, ApiError> {
    let key = call.header(&HeaderName::from_static("idempotency-key"));
    let name = match (&posted.id, key) {
        (Some(id), _) => format!("id {id}"),
        (None, Some(key)) => format!("key {key}"),
        (None, None) => return Ok(None),
    };
    if name.len() > MAX_TEXT {
        return Err(invalid(format!("`id` or Idempotency-Key has {MAX_TEXT} bytes at most")));
    }
    Ok(Some(name))
}

fn notification(
    services: &Services,
    caller: &Caller,
    material: &[u8],
    posted: Posted,
) -> Result<Notification, ApiError> {
    let Posted { entity, source, tags, tlp, hunting_info, .. } = posted;
    if source.kind.origin() != Origin::Hunting {
        return Err(invalid(format!(
            "`source.type` {} is no hunting engine's: use hunting_ruleset or retrohunt_job",
            source.kind
        )));
    }
    let label = source.label.unwrap_or_else(|| source.id.clone());
    for (name, text) in [("source.id", &source.id), ("source.label", &label)] {
        if text.trim().is_empty() || text.len() > MAX_TEXT {
            return Err(invalid(format!("`{name}` has 1 to {MAX_TEXT} bytes")));
        }
    }
    let tags = checked_tags(&tags)?;
    let level = match tlp {
        Some(tlp) => tlp.parse::<Tlp>().map_err(|error| invalid(format!("`tlp`: {error}")))?,
        None => Tlp::Amber,
    };
    let entity = Entity::named(entity.kind, &entity.value)
        .map_err(|error| invalid(format!("`entity.value`: {error}")))?;
    let hunting = hunting_info.map(|info| hunting(caller, material, info)).transpose()?;
    let source = Source { kind: source.kind, id: source.id, label };
    let now = services.store().position_now();
    let id = NotificationId::new(now, &caller.tenant, &source, &entity);
    Ok(Notification {
        id,
        entity,
        source,
        tags,
        hunting: Some(hunting.unwrap_or_default()),
        object: None,
        level,
        stored: now,
        expires: expiry_of(id, caller.plan.terms.retention_days),
    })
}

fn checked_tags(tags: &[String]) -> Result<Vec<String>, ApiError> {
    let too_long = |tag: &String| tag.chars().count() > MAX_TAG_CHARS || tag.trim().is_empty();
    if tags.len() > MAX_TAGS || tags.iter().any(too_long) {
        return Err(invalid(format!(
            "`tags` holds {MAX_TAGS} tags at most, each of 1 to {MAX_TAG_CHARS} characters"
        )));
    }
    Ok(kept_tags(tags.iter().map(String::as_str)))
}

fn hunting(caller: &Caller, material: &[u8], info: PostedHunting) -> Result<HuntingInfo, ApiError> {
    if info.snippet.len() > MAX_SNIPPET {
        return Err(invalid(format!("`hunting_info.snippet` has {MAX_SNIPPET} bytes at most")));
    }
    let known = !info.submitter.is_empty();
    let key = known.then(|| source_key(material, &caller.tenant, &info.submitter));
    Ok(HuntingInfo {
        rule_name: info.rule_name,
        rule_tags: info.rule_tags,
        snippet: info.snippet,
        source_country: info.source_country,
        source_key: key.unwrap_or_default(),
        match_source: info.match_source,
        match_in_subfile: info.match_in_subfile,
    })
}
