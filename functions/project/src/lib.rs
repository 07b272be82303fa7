//! From the stream of pending objects to the collections' logs.
//!
//! A record says only that an object was pending; its `HEAD` is read anew and decides. So a
//! record may come late, twice or out of order.

use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};
use shared::id::ObjectId;
use shared::services::Services;
use shared::stream_record::StreamRecord;
use thiserror::Error;
use tracing::{error, warn};

/// Why an event could not be handled at all.
#[derive(Debug, Error)]
pub enum ProjectError {
    /// Not an event of a `DynamoDB` stream.
    #[error("not a DynamoDB stream event: {0}")]
    Event(#[from] serde_json::Error),
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<StreamRecord>,
}

/// Projects the objects a batch of stream records names. Answers with the records that must come
/// again (`ReportBatchItemFailures`), those among them that were not done by `until`.
///
/// # Errors
/// When the event is none of a `DynamoDB` stream.
pub async fn handle(
    services: &Services,
    event: Value,
    until: Instant,
) -> Result<Value, ProjectError> {
    let event: Event = serde_json::from_value(event)?;
    let mut records: BTreeMap<ObjectId, String> = BTreeMap::new();
    for record in event.records {
        if record.sort_key() != "HEAD" {
            continue;
        }
        match record.id().parse() {
            // The first record of an object is the one to come back to.
            Ok(id) => drop(records.entry(id).or_insert_with(|| record.into_sequence_number())),
            Err(fault) => warn!(%fault, "a HEAD under a key that is no object id"),
        }
    }
    let ids: Vec<ObjectId> = records.keys().cloned().collect();
    let failures = services.projector().project_until(services, &ids, until).await;
    for (id, fault) in &failures.0 {
        error!(%id, %fault, "not projected");
    }
    let failed: HashSet<&ObjectId> = failures.0.iter().map(|(id, _)| id).collect();
    // An end that was projected along with a relationship has no record here; its own comes.
    let items: Vec<Value> = records
        .iter()
        .filter(|(id, _)| failed.contains(id))
        .map(|(_, sequence_number)| json!({"itemIdentifier": sequence_number}))
        .collect();
    Ok(json!({"batchItemFailures": items}))
}
