//! Merges small and mostly dead old commits of the collections' logs, on a schedule.

use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};
use shared::compaction::compact_all;
use shared::services::Services;
use shared::store::StoreError;
use shared::time::{Position, TimestampError, parse_instant};
use thiserror::Error;
use tracing::{error, info};

/// Why logs could not be compacted.
#[derive(Debug, Error)]
pub enum CompactError {
    /// Not an event of a schedule.
    #[error("not an event of a schedule, whose `time` is like 2026-05-15T08:30:00Z: {0}")]
    Event(#[from] serde_json::Error),
    /// The event's time is none.
    #[error("the event's time: {0}")]
    Time(#[from] TimestampError),
    /// The definitions could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Some logs could not be compacted; the others were, and the log says why.
    #[error("{0} logs could not be compacted")]
    Logs(usize),
}

#[derive(Deserialize)]
struct Event {
    time: Option<String>,
}

/// Compacts every log, as of the `time` of an event of a schedule (of the present moment if it
/// names none), until `until`. Answers with counts: `logs` looked at, of which `unfinished`,
/// commits `written` in the place of `merged` ones, entries `dropped`.
///
/// # Errors
/// When the event is no scheduled one, the definitions cannot be read, or logs failed.
pub async fn handle(
    services: &Services,
    event: Value,
    until: Instant,
) -> Result<Value, CompactError> {
    let event: Event = serde_json::from_value(event)?;
    let now = moment(event.time.as_deref(), services.store().position_now())?;
    let done = compact_all(services, now, until).await?;
    for (log, fault) in &done.failures {
        error!(%log, %fault, "not compacted");
    }
    let answer = json!({
        "logs": done.logs,
        "unfinished": done.unfinished,
        "written": done.written,
        "merged": done.merged,
        "dropped": done.dropped,
    });
    info!(%answer, "compacted");
    if done.failures.is_empty() { Ok(answer) } else { Err(CompactError::Logs(done.failures.len())) }
}

/// The moment to go by. Commits ripen with time, so no event comes from the future.
fn moment(time: Option<&str>, clock: Position) -> Result<Position, TimestampError> {
    let Some(time) = time else { return Ok(clock) };
    Ok(Position::at_or_before(parse_instant(time)?.to_utc()).min(clock))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_time_counts_unless_it_lies_ahead() {
        let clock = Position::at_or_before(parse_instant("2026-05-15T08:30:00Z").unwrap().to_utc());
        assert_eq!(moment(None, clock), Ok(clock));
        assert_eq!(moment(Some("2026-05-15T09:30:00Z"), clock), Ok(clock));
        let earlier = moment(Some("2026-05-15T07:30:00Z"), clock).unwrap();
        assert_eq!(clock.micros() - earlier.micros(), 3_600_000_000);
        assert!(moment(Some("yesterday"), clock).is_err());
    }

    #[test]
    fn an_event_is_an_object_whose_time_is_a_text() {
        let read = serde_json::from_value::<Event>;
        assert!(read(json!({"source": "aws.events"})).unwrap().time.is_none());
        assert!(read(json!({"time": "2026-05-15T08:30:00Z"})).unwrap().time.is_some());
        assert!(read(json!({"time": 5})).is_err());
        assert!(read(json!("now")).is_err());
    }
}
