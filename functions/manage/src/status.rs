//! `GET /api/v1/manage/status`: how the work behind the surfaces stands, for `iocast doctor`.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use lambda_http::http::StatusCode;
use serde_json::{Value, json};
use shared::http::{Answer, ApiError, Call};
use shared::log::{Commit, LogId};
use shared::store::Job;
use shared::time::Position;

use crate::operator::Operator;

/// What is under way, and when the scheduled work was last done.
pub async fn get(operator: &Operator<'_>, call: &Call) -> Result<Answer, ApiError> {
    if !call.reads() {
        return Err(ApiError::method_not_allowed("GET, HEAD"));
    }
    let store = operator.store();
    let definitions = operator.services.definitions_within(Duration::ZERO).await?;
    let mut collections = Vec::new();
    for defined in definitions.iter() {
        let collection = &defined.collection;
        let last = store.last_commits(LogId::Collection(collection.id), None, 1).await?;
        collections.push(json!({
            "id": collection.id,
            "alias": collection.settings.alias,
            "title": collection.settings.title,
            "rebuilding": collection.rebuilding.is_some(),
            "last_commit": last.first().map(|commit: &Commit| moment(commit.last)),
        }));
    }
    let jobs: Vec<Value> = store.jobs().await?.iter().map(shown).collect();
    let expired_to = store.expiry_mark().await?.map(|hour| hour.to_string());
    Ok(Answer::json(
        StatusCode::OK,
        &json!({
            "time": store.now().to_rfc3339_opts(SecondsFormat::Millis, true),
            "collections": collections,
            "jobs": jobs,
            "last_sweep": store.last_sweep().await?.map(moment),
            "expired_to": expired_to,
        }),
    ))
}

fn shown(job: &Job) -> Value {
    json!({
        "job": job.kind.to_string(),
        "due": moment(job.not_before),
        "last_step": moment(job.beat),
    })
}

fn moment(position: Position) -> Option<String> {
    let micros = i64::try_from(position.micros()).ok()?;
    let at: DateTime<Utc> = DateTime::from_timestamp_micros(micros)?;
    Some(at.to_rfc3339_opts(SecondsFormat::Millis, true))
}
