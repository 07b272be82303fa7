//! Calling the function as Lambda's event source mapping does: batches, partial failures,
//! bisection, retries with growing pauses, and parking.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use serde_json::{Value, json};

use crate::functions::EventHandler;
use crate::parked::Parked;
use crate::stopping::Stop;
use crate::template::StreamTrigger;

/// Lambda takes events up to 6 MB; what surrounds the images needs some of it.
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Two cores gain nothing from the ten of the template.
const MAX_LANES: usize = 2;

/// A function and how it is called.
pub struct Delivery {
    /// The function.
    pub handler: EventHandler,
    /// Batch size, retries, and so on, as the template says.
    pub trigger: StreamTrigger,
    /// Where records go that fail again and again.
    pub parked: Parked,
    /// The pause after the first failure; it doubles with each further one.
    pub first_pause: Duration,
}

/// What became of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Every one was worked off or parked.
    Done,
    /// The service stopped before that.
    Stopped,
}

/// How much of a batch a call worked off.
enum Called {
    All,
    /// All before this one.
    Until(usize, String),
}

impl Delivery {
    /// Works off records in their order; those of one key never overtake each other.
    pub(super) async fn deliver(&self, records: Vec<Value>, stop: &Stop) -> Outcome {
        let lanes = self.trigger.parallelization.clamp(1, MAX_LANES);
        let mut sorted = vec![Vec::new(); lanes];
        for record in records {
            let lane = lane(&record, lanes);
            if let Some(lane) = sorted.get_mut(lane) {
                lane.push(record);
            }
        }
        let lanes = sorted.into_iter().map(|records| self.lane(records, stop));
        let outcomes = futures::future::join_all(lanes).await;
        if outcomes.contains(&Outcome::Stopped) { Outcome::Stopped } else { Outcome::Done }
    }

    async fn lane(&self, records: Vec<Value>, stop: &Stop) -> Outcome {
        for batch in batches(records, self.trigger.batch_size) {
            if self.batch(batch, stop).await == Outcome::Stopped {
                return Outcome::Stopped;
            }
        }
        Outcome::Done
    }

    async fn batch(&self, batch: Vec<Value>, stop: &Stop) -> Outcome {
        // The last is worked off next; a number says how often it has failed.
        let mut work = vec![(batch, 0_u32)];
        while let Some((mut records, failed)) = work.pop() {
            if stop.is_stopped() {
                return Outcome::Stopped;
            }
            let (until, reason) = match self.call(&records).await {
                Called::All => continue,
                Called::Until(until, reason) => (until, reason),
            };
            if until > 0 {
                work.push((records.split_off(until), 0));
            } else if self.trigger.bisect && records.len() > 1 {
                let second = records.split_off(records.len() / 2);
                work.push((second, 0));
                work.push((records, 0));
            } else if failed < self.trigger.retries {
                tracing::warn!(function = self.trigger.function, reason, "records failed, again");
                work.push((records, failed + 1));
                self.pause(failed, stop).await;
            } else {
                let event = json!({ "Records": records });
                self.parked.park(&self.trigger.function, &event, &reason);
            }
        }
        Outcome::Done
    }

    async fn call(&self, records: &[Value]) -> Called {
        // A task of its own: a panic in the function is a failed call, as it is in Lambda.
        let call = tokio::spawn((self.handler)(json!({ "Records": records })));
        match call.await {
            Ok(Ok(answer)) if self.trigger.reports_failures => first_failure(records, &answer),
            Ok(Ok(_)) => Called::All,
            Ok(Err(reason)) => Called::Until(0, reason),
            Err(error) => Called::Until(0, error.to_string()),
        }
    }

    async fn pause(&self, failed: u32, stop: &Stop) {
        let pause = self.first_pause * 2_u32.saturating_pow(failed.min(6));
        let mut stop = stop.clone();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.stopped() => {}
        }
    }
}

/// The first record the answer names; one it names wrongly fails the batch, as in Lambda.
fn first_failure(records: &[Value], answer: &Value) -> Called {
    let failures = answer.get("batchItemFailures").and_then(Value::as_array);
    let named = failures.into_iter().flatten().map(|failure| failure.get("itemIdentifier"));
    let first = named
        .map(|name| {
            let name = name.and_then(Value::as_str).filter(|name| !name.is_empty());
            records.iter().position(|record| name.is_some() && sequence_number(record) == name)
        })
        .map(|position| position.unwrap_or(0))
        .min();
    first.map_or(Called::All, |first| Called::Until(first, "named by the function".to_owned()))
}

fn sequence_number(record: &Value) -> Option<&str> {
    record.pointer("/dynamodb/SequenceNumber").and_then(Value::as_str)
}

fn lane(record: &Value, lanes: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    // The sort key too would let two items of one object overtake each other.
    record.pointer("/dynamodb/Keys/id").hash(&mut hasher);
    usize::try_from(hasher.finish() % (lanes as u64)).unwrap_or(0)
}

fn batches(records: Vec<Value>, size: usize) -> Vec<Vec<Value>> {
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let mut bytes = 0;
    for record in records {
        let length = record.pointer("/dynamodb/SizeBytes").and_then(Value::as_u64).unwrap_or(0);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if !batch.is_empty() && (batch.len() >= size || bytes + length > MAX_BATCH_BYTES) {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += length;
        batch.push(record);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

#[cfg(test)]
mod tests;
