//! Every minute: what ceased to be valid leaves the logs of active indicators.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::services::Services;
use shared::store::StoreError;
use thiserror::Error;

/// A run ends before the next one begins.
const SPAN: Duration = Duration::from_secs(50);
/// The schedule's clock may be ahead of this machine's by as much.
const MAX_AHEAD: TimeDelta = TimeDelta::seconds(1);

/// Why a run failed.
#[derive(Debug, Error)]
pub enum ExpireError {
    /// Not an event of a schedule.
    #[error("not an event of a schedule, whose `time` is like 2026-05-15T08:30:00Z: {0}")]
    Event(#[from] serde_json::Error),
    /// The store failed; the next run does what this one left.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Deserialize)]
struct Event {
    time: Option<DateTime<Utc>>,
}

/// Expires what is due at the event's `time`, or at the present moment if it names none. Answers
/// with what was done: `expired` objects, lines still `waiting`, and whether it is `complete`.
///
/// # Errors
/// When the event is none of a schedule, or the store fails.
pub async fn handle(services: &Services, event: Value) -> Result<Value, ExpireError> {
    let until = Instant::now() + SPAN;
    let event: Event = serde_json::from_value(event)?;
    let now = moment(event.time, services.store().now());
    let done = shared::expiry::expire(services, now, until).await?;
    let answer =
        json!({"expired": done.objects, "waiting": done.waiting, "complete": done.complete});
    tracing::info!(%answer, "expiry");
    Ok(answer)
}

/// The moment to go by: no event comes from the future.
fn moment(time: Option<DateTime<Utc>>, clock: DateTime<Utc>) -> DateTime<Utc> {
    time.map_or(clock, |time| time.min(clock + MAX_AHEAD))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_time_counts_unless_it_lies_ahead() {
        let clock: DateTime<Utc> = "2026-05-15T08:30:00Z".parse().unwrap();
        assert_eq!(moment(None, clock), clock);
        let earlier = clock - TimeDelta::hours(5);
        assert_eq!(moment(Some(earlier), clock), earlier);
        assert_eq!(moment(Some(clock + TimeDelta::hours(5)), clock), clock + MAX_AHEAD);
    }

    #[test]
    fn an_event_has_a_time_of_rfc_3339() {
        let read = |time: Value| serde_json::from_value::<Event>(json!({"time": time}));
        assert!(read(json!("2026-11-22T02:50:00Z")).unwrap().time.is_some());
        assert!(read(Value::Null).unwrap().time.is_none());
        assert!(read(json!("yesterday")).is_err());
        assert!(serde_json::from_value::<Event>(json!([])).is_err());
    }
}
