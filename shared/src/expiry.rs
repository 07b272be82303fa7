//! Expiry: indicators leave the logs of active ones at the moment their `valid_until` names.
//!
//! Projection lists them by the hour. A run reads the lists of the hours that may hold something
//! and asks for the projection of what is due; the object's `HEAD` decides, so that a line may
//! stand twice, or long be out of date.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::{self, StreamExt};
use tracing::{error, warn};

use crate::id::ObjectId;
use crate::projection::stand_active;
use crate::services::Services;
use crate::store::{Expiration, Expiry, ExpiryList, Head, Hour, StoreError};
use crate::time::Position;

/// An hour is done with no earlier than this after its end: clocks differ, and whoever listed
/// something in its last second may still be writing.
const GRACE: TimeDelta = TimeDelta::minutes(10);
/// Objects projected at once.
const BATCH: usize = 250;
/// Updates of heads under way at once.
const CONCURRENCY: usize = 48;

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Objects that left the logs of active indicators.
    pub objects: usize,
    /// Lines of objects that wait for a projection, which the stream brings; later runs look at
    /// them again.
    pub waiting: usize,
    /// Whether all that was due was looked at; else time ran out, and the next run goes on.
    pub complete: bool,
}

/// Projects anew what ceased to be valid by `now` and still stands among the active indicators.
/// Starts nothing more after `until`.
///
/// # Errors
/// When the store fails. What was done stays done; the next run does the rest.
pub async fn expire(
    services: &Services,
    now: DateTime<Utc>,
    until: Instant,
) -> Result<Expired, StoreError> {
    let store = services.store();
    let Some(mark) = store.expiry_mark().await? else {
        return Ok(Expired { complete: true, ..Expired::default() });
    };
    let mut run = Run { services, now, until, passed: mark, expired: Expired::default() };
    let outcome = run.hours().await;
    if run.passed > mark {
        store.move_expiry_mark(run.passed).await?;
    }
    run.expired.complete = outcome? == Pace::OnTime;
    Ok(run.expired)
}

struct Run<'a> {
    services: &'a Services,
    now: DateTime<Utc>,
    until: Instant,
    /// No hour before this one holds a list.
    passed: Hour,
    expired: Expired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    OnTime,
    Late,
}

/// What is to be done about a line whose moment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing: the object is gone, inactive, or has another line for another moment.
    Done,
    /// It is pending; its projection decides.
    Waiting,
    /// It stands among the active ones and must not.
    Due,
}

impl Run<'_> {
    async fn hours(&mut self) -> Result<Pace, StoreError> {
        let mut hour = self.passed;
        while hour <= Hour::of(self.now) {
            if self.hour(hour).await? == Pace::Late {
                return Ok(Pace::Late);
            }
            let reached = self.passed == hour && hour.is_over(self.now, GRACE);
            if reached && self.services.store().expiry_hour_is_empty(hour).await? {
                self.passed = hour.next();
            }
            hour = hour.next();
        }
        Ok(Pace::OnTime)
    }

    async fn hour(&mut self, hour: Hour) -> Result<Pace, StoreError> {
        let mut from = None;
        loop {
            let page = self.services.store().expiry_lists(hour, self.now, from).await?;
            for list in page.lists {
                if self.list(hour, &list).await? == Pace::Late {
                    return Ok(Pace::Late);
                }
            }
            from = page.next;
            if from.is_none() {
                return Ok(self.pace());
            }
        }
    }

    fn pace(&self) -> Pace {
        if Instant::now() < self.until { Pace::OnTime } else { Pace::Late }
    }

    async fn list(&mut self, hour: Hour, list: &ExpiryList) -> Result<Pace, StoreError> {
        let due = list.lines.partition_point(|line| line.expiry.is_due(self.now));
        let (due, later) = list.lines.split_at(due);
        let mut remaining = Vec::new();
        for lines in due.chunks(BATCH) {
            if self.pace() == Pace::Late {
                return Ok(Pace::Late);
            }
            remaining.extend(self.lines(lines).await?);
        }
        self.expired.waiting += remaining.len();
        remaining.extend_from_slice(later);
        // Rewritten once a quarter is done: to write costs more than to read some lines again.
        let shrunk = remaining.len() * 4 <= list.lines.len() * 3;
        if shrunk || hour.is_over(self.now, GRACE) {
            self.services.store().replace_expiry_list(list, &remaining, self.now).await?;
        }
        Ok(self.pace())
    }

    /// Sees to lines that are due; answers with those to look at again.
    async fn lines(&mut self, lines: &[Expiration]) -> Result<Vec<Expiration>, StoreError> {
        let mut waiting = Vec::new();
        let mut due = Vec::new();
        for (line, verdict) in self.judge(lines).await? {
            match verdict {
                Verdict::Done => {}
                Verdict::Waiting => waiting.push(line),
                Verdict::Due => due.push(line),
            }
        }
        self.project(&due).await;
        let judged = self.judge(&due).await?;
        let left = judged.into_iter().filter(|(_, verdict)| *verdict != Verdict::Done);
        let left: Vec<Expiration> = left.map(|(line, _)| line).collect();
        self.expired.objects += due.len() - left.len();
        waiting.extend(left);
        Ok(waiting)
    }

    async fn judge(&self, lines: &[Expiration]) -> Result<Vec<(Expiration, Verdict)>, StoreError> {
        let mut ids: Vec<ObjectId> = lines.iter().map(|line| line.id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let heads = self.services.store().heads(&ids, true).await?;
        let judged = lines.iter().map(|line| (line.clone(), verdict(heads.get(&line.id), line)));
        Ok(judged.collect())
    }

    /// Asks for the projection of objects, and does it. What fails stays pending, and the stream
    /// delivers it.
    async fn project(&self, lines: &[Expiration]) {
        let since = Position::at_or_before(self.now);
        let store = self.services.store();
        let asked = stream::iter(lines.to_vec()).map(|line| async move {
            match store.reproject(&line.id, since).await {
                Ok(()) => Some(line.id),
                Err(error) => {
                    warn!(%error, id = %line.id, "not asked to be projected");
                    None
                }
            }
        });
        let ids: Vec<Option<ObjectId>> = asked.buffer_unordered(CONCURRENCY).collect().await;
        let ids: Vec<ObjectId> = ids.into_iter().flatten().collect();
        if ids.is_empty() {
            return;
        }
        for (id, fault) in self.services.projector().project(self.services, &ids).await.0 {
            error!(%id, %fault, "not projected");
        }
    }
}

fn verdict(head: Option<&Head>, line: &Expiration) -> Verdict {
    let Some(head) = head else { return Verdict::Done };
    // Before it is settled its memberships say little, nor whether it was listed anew.
    if head.pending.is_some() {
        return Verdict::Waiting;
    }
    let expiry = head.facets.valid_until.as_ref().map(|until| Expiry::of(until.at()));
    if expiry == Some(line.expiry) && stand_active(&head.memberships) {
        Verdict::Due
    } else {
        Verdict::Done
    }
}

#[cfg(test)]
mod tests;
