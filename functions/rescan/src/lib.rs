//! Passes over the whole base, one step after the other: called by the stream of the collections
//! table for jobs that were added or came forward, and by a schedule that starts what is due.

use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};
use shared::services::Services;
use shared::store::{JobKind, StoreError, job_named};
use shared::stream_record::StreamRecord;
use thiserror::Error;
use tracing::error;

/// Why an event could not be worked off.
#[derive(Debug, Error)]
pub enum RescanError {
    /// Neither a stream's nor a schedule's.
    #[error("neither an event of a DynamoDB stream nor of a schedule: {0}")]
    Event(#[from] serde_json::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Event {
    Stream {
        #[serde(rename = "Records")]
        records: Vec<StreamRecord>,
    },
    Schedule {
        #[serde(rename = "detail-type")]
        _detail_type: String,
    },
}

/// Carries the jobs on that the event names, until `until`. Answers a stream with the records
/// that must come again (`ReportBatchItemFailures`).
///
/// # Errors
/// When the event is neither a stream's nor a schedule's, or starting what is due fails.
pub async fn handle(
    services: &Services,
    event: Value,
    until: Instant,
) -> Result<Value, RescanError> {
    let records = match serde_json::from_value(event)? {
        Event::Stream { records } => records,
        Event::Schedule { .. } => {
            shared::rescan::start_due(services).await?;
            return Ok(Value::Null);
        }
    };
    let mut jobs: Vec<(JobKind, String)> = Vec::new();
    for record in records {
        let Some(kind) = job_named(record.id(), record.sort_key()) else { continue };
        if !jobs.iter().any(|(known, _)| *known == kind) {
            jobs.push((kind, record.into_sequence_number()));
        }
    }
    let mut failed = Vec::new();
    for (kind, sequence_number) in jobs {
        if let Err(fault) = shared::rescan::carry_on(services, kind.clone(), until).await {
            error!(job = %kind, %fault, "stopped");
            failed.push(json!({"itemIdentifier": sequence_number}));
        }
    }
    Ok(json!({"batchItemFailures": failed}))
}
