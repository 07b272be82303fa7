//! Publishes feeds as flat files (contract: csv-feed): every minute those that are due, each
//! carried on from its last edition by what the log says since.

mod changes;
mod due;
mod error;
mod metrics;
mod outputs;
mod progress;
mod publish;
mod sorter;
mod spool;

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use due::Due;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::collection::Collection;
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
    // Before any log is read: what a definition no longer allows has left the log by then.
    let collections = services.store().collections().await?;
    let feeds = services.store().feeds().await?;
    let mut counts = Counts::default();
    for feed in &feeds {
        let due = due::due(services, feed, time).await.map(|(due, overdue)| {
            counts.overdue += u32::from(overdue);
            due
        });
        match due {
            Ok(Due::No) => {}
            Ok(due) if Instant::now() >= until => {
                counts.late += 1;
                if due == Due::First {
                    unclaim(services, feed).await;
                }
            }
            Ok(due) => {
                counts.add(run(services, feed, &collections).await.as_ref());
                if due == Due::First {
                    unclaim(services, feed).await;
                }
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
        "late": counts.late,
        "failed": counts.failed,
    });
    tracing::info!(%answer, "feeds");
    match counts.failed + counts.late {
        0 => Ok(answer),
        failed => Err(HandleError::Feeds(failed)),
    }
}

async fn unclaim(services: &Services, feed: &Feed) {
    if let Err(error) = services.store().unclaim_first_edition(feed.id).await {
        tracing::warn!(feed = %feed.id, %error, "a claim stays for a while");
    }
}

#[derive(Default)]
struct Counts {
    published: usize,
    unchanged: usize,
    overtaken: usize,
    late: usize,
    failed: usize,
    overdue: u32,
}

impl Counts {
    fn add(&mut self, outcome: Option<&Outcome>) {
        match outcome {
            Some(Outcome::Published(_)) => self.published += 1,
            Some(Outcome::Unchanged | Outcome::Noted) => self.unchanged += 1,
            Some(Outcome::Overtaken) => self.overtaken += 1,
            None => self.failed += 1,
        }
    }
}

async fn run(services: &Services, feed: &Feed, collections: &[Collection]) -> Option<Outcome> {
    let (begun, before) = (Instant::now(), services.store().units());
    let progress = Progress::default();
    let request = Request { feed, collections, rebuild: false };
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
