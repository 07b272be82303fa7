//! What notifications wait for: called by the stream of the collections table for jobs that were
//! added or came forward, and by a schedule for those that nobody carries on.

use std::time::Instant;

use serde_json::{Value, json};
use shared::job_event::JobEvent;
use shared::notification::feed;
use shared::services::Services;
use shared::store::{StoreError, notification_job_named};
use thiserror::Error;
use tracing::error;

/// Why an event could not be worked off.
#[derive(Debug, Error)]
pub enum NotifyError {
    /// Neither a stream's nor a schedule's.
    #[error("neither an event of a DynamoDB stream nor of a schedule: {0}")]
    Event(#[from] serde_json::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Carries the jobs on that the event names, until `until`. Answers a stream with the records
/// that must come again (`ReportBatchItemFailures`).
///
/// # Errors
/// When the event is neither a stream's nor a schedule's, or starting what has stalled fails.
pub async fn handle(
    services: &Services,
    event: Value,
    until: Instant,
) -> Result<Value, NotifyError> {
    let jobs = match JobEvent::read(event, notification_job_named)? {
        JobEvent::CarryOn(jobs) => jobs,
        JobEvent::Start => {
            feed::start_stalled(services, until).await?;
            return Ok(Value::Null);
        }
    };
    let mut failed = Vec::new();
    for (name, sequence_number) in jobs {
        if let Err(fault) = feed::carry_on(services, &name, until).await {
            error!(job = %name, %fault, "stopped");
            failed.push(json!({"itemIdentifier": sequence_number}));
        }
    }
    Ok(json!({"batchItemFailures": failed}))
}
