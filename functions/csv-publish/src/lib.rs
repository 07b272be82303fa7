//! Publishes feeds as flat files (contract: csv-feed): every minute those that are due, each
//! carried on from its last edition by what the log says since.

mod authors;
mod changes;
mod content;
mod due;
mod error;
mod metrics;
mod outputs;
mod progress;
mod publish;
mod run;
mod sorter;
mod spool;

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::feed::Feed;
use shared::services::Services;

pub use error::{HandleError, PublishError};
pub use progress::Progress;
pub use publish::{Outcome, Published, Request, publish};

/// The schedule's clock may be ahead of this machine's by as much.
const MAX_AHEAD: TimeDelta = TimeDelta::seconds(1);

#[derive(Deserialize)]
struct Event {
    time: Option<DateTime<Utc>>,
}

/// Publishes the feeds that are due at the event's `time`, or at the present moment if it names
/// none; none is begun after `until`. Reports the metrics of each, and of all how many were late when
/// the run came to them. Answers with counts.
///
/// # Errors
/// When the event is none of a schedule, the definitions cannot be read, or feeds failed; their
/// last good files stay, and the others were published.
pub async fn handle(
    services: &Services,
    event: Value,
    until: Instant,
) -> Result<Value, HandleError> {
    let event: Event = serde_json::from_value(event)?;
    let clock = services.store().now();
    let time = event.time.map_or(clock, |time| time.min(clock + MAX_AHEAD));
    let feeds = services.store().feeds_to_publish().await?;
    let mut counts = Counts::default();
    for feed in &feeds {
        let due = due::due(services, feed, time).await.map(|(due, overdue)| {
            counts.overdue += u32::from(overdue);
            due
        });
        match due {
            Ok(false) => {}
            Ok(true) if Instant::now() >= until => counts.late += 1,
            Ok(true) => {
                let outcome = run(services, feed).await;
                if outcome.as_ref().is_some_and(Outcome::is_new) {
                    services.feed_was_new(feed.id, time);
                }
                counts.add(outcome.as_ref());
            }
            Err(error) => {
                tracing::error!(feed = %feed.id, %error, "edition not readable");
                counts.failed += 1;
            }
        }
    }
    metrics::report_late(counts.overdue);
    let answer = json!({
        "feeds": feeds.len(),
        "published": counts.published,
        "unchanged": counts.unchanged,
        "overtaken": counts.overtaken,
        "claimed": counts.claimed,
        "late": counts.late,
        "failed": counts.failed,
    });
    tracing::info!(%answer, "feeds");
    match counts.failed + counts.late {
        0 => Ok(answer),
        failed => Err(HandleError::Feeds(failed)),
    }
}

#[derive(Default)]
struct Counts {
    published: usize,
    unchanged: usize,
    overtaken: usize,
    claimed: usize,
    late: usize,
    failed: usize,
    overdue: u32,
}

impl Counts {
    fn add(&mut self, outcome: Option<&Outcome>) {
        match outcome {
            Some(Outcome::Published(_)) => self.published += 1,
            Some(Outcome::Unchanged | Outcome::Noted) => self.unchanged += 1,
            Some(Outcome::Overtaken | Outcome::Deleted) => self.overtaken += 1,
            Some(Outcome::Claimed) => self.claimed += 1,
            None => self.failed += 1,
        }
    }
}

async fn run(services: &Services, feed: &Feed) -> Option<Outcome> {
    let (begun, before) = (Instant::now(), services.store().units());
    let progress = Progress::default();
    let request = Request { feed, rebuild: false, heeds_claims: true };
    let done = publish(services, request, &progress).await;
    let units = services.store().units() - before;
    metrics::report(feed, done.as_ref().ok(), &progress, units, begun.elapsed());
    match done {
        Ok(outcome) => Some(outcome),
        Err(error) => {
            tracing::error!(feed = %feed.id, %error, "not published; the last edition stays");
            None
        }
    }
}
