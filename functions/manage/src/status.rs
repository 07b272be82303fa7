//! `GET /api/v1/manage/status`: how the work behind the surfaces stands, for `iocast doctor`.

use std::time::Duration;

use chrono::SecondsFormat;
use lambda_http::http::StatusCode;
use serde_json::{Value, json};
use shared::feed::{Feed, State, due_since, is_late};
use shared::http::{Answer, ApiError, Call};
use shared::log::{Commit, LogId};
use shared::store::{Consistency, Job, Store};
use shared::time::Position;

use crate::feeds::told;
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
            "feeds": feeds(operator).await?,
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

fn moment(position: Position) -> String {
    position.at().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// How each feed stands: its last edition, and whether the next one is overdue.
async fn feeds(operator: &Operator<'_>) -> Result<Vec<Value>, ApiError> {
    let store = operator.store();
    let now = store.now();
    let feeds = store.feeds().await?;
    let ids: Vec<_> = feeds.iter().map(|feed| feed.id).collect();
    let editions = store.editions(&ids).await?;
    let mut shown = Vec::new();
    for (feed, edition) in feeds.iter().zip(editions) {
        let unread = match &edition {
            Some(edition) => unread(store, feed, &edition.state).await?,
            None => None,
        };
        let since = due_since(feed, edition.as_ref(), unread).filter(|since| *since <= now);
        shown.push(json!({
            "id": feed.id,
            "alias": feed.settings.alias,
            "name": feed.settings.name,
            "publish_every_minutes": feed.settings.publish_every_minutes,
            "last_edition": edition.as_ref().map(told),
            "due_since": since,
            "late": since.is_some_and(|since| is_late(feed, since, now)),
        }));
    }
    Ok(shown)
}

/// The first entry of the log that an edition was made without.
async fn unread(store: &Store, feed: &Feed, state: &State) -> Result<Option<Position>, ApiError> {
    let log = LogId::Collection(feed.collection);
    let (commits, _) = store.commits_from(log, state.next_seq, 2, Consistency::Eventual).await?;
    let new = commits.iter().map(|(commit, _)| commit).find(|commit| commit.last > state.reached);
    Ok(new.map(|commit| commit.first.max(state.reached)))
}
