//! The event source mapping between a table's stream and a function: reads the stream, filters,
//! calls the function with batches, retries, parks what cannot be done, and remembers how far
//! it came.

mod checkpoint;
mod delivery;
mod pace;
mod record;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::error::DisplayErrorContext;
use aws_sdk_dynamodbstreams::types::{Record, ShardIteratorType};
use serde_json::Value;
use thiserror::Error;
use tokio::sync::Notify;

pub use delivery::Delivery;

use crate::engines::stream_records::StreamRecords;
use crate::event_pattern::EventPattern;
use crate::stopping::Stop;
use checkpoint::Checkpoint;
use delivery::Outcome;
use pace::Pace;

/// The most records the stream gives at once.
const PAGE: i32 = 1000;
/// Wait before the stream is asked again after an error.
const AFTER_ERROR: Duration = Duration::from_millis(200);
/// Records that are done are kept this long for whoever wants to look.
const KEPT: Duration = Duration::from_mins(10);
const TRIM_EVERY: Duration = Duration::from_secs(30);

/// One mapping from one stream to one function.
pub struct StreamPump {
    /// Reaches the stream.
    pub client: Client,
    /// The table whose stream is read.
    pub table: String,
    /// What passes: a record matches one of these, or there are none.
    pub patterns: Vec<EventPattern>,
    /// Calls the function.
    pub delivery: Delivery,
    /// File that remembers how far the stream is worked off.
    pub checkpoint: PathBuf,
    /// Where done records are dropped.
    pub records: Arc<StreamRecords>,
    /// Notified when writes are to be expected.
    pub writes: Arc<Notify>,
}

/// Why the stream cannot be read.
#[derive(Debug, Error)]
pub enum StreamError {
    /// The table has no stream, or the stream no shard.
    #[error("table {0} has no stream to read")]
    NoStream(String),
    /// The engine refused.
    #[error("stream of {table}: {reason}")]
    Engine {
        /// The table.
        table: String,
        /// What the engine says.
        reason: String,
    },
}

struct Shard {
    stream: String,
    id: String,
}

struct Page {
    records: Vec<Record>,
    next: Option<String>,
}

impl StreamPump {
    /// Reads and delivers until told to stop; what was not delivered by then is at the next start.
    pub async fn run(self, mut stop: Stop) {
        let mut checkpoint = Checkpoint::load(&self.checkpoint);
        let mut pace = Pace::default();
        let mut trimmed = Instant::now();
        let mut iterator = None;
        while !stop.is_stopped() {
            let got = match self.page(iterator.take(), &checkpoint).await {
                Ok(got) => got,
                Err(error) => {
                    tracing::warn!(%error, "cannot read the stream, trying again");
                    tokio::time::sleep(AFTER_ERROR).await;
                    continue;
                }
            };
            iterator = got.next;
            let Some(last) = last_sequence_number(&got.records) else {
                checkpoint.save();
                self.trim(&checkpoint, &mut trimmed);
                pace.wait(&self.writes, &mut stop).await;
                continue;
            };
            pace.busy();
            if self.delivery.deliver(self.passing(&got.records), &stop).await == Outcome::Stopped {
                break;
            }
            checkpoint.advance(last);
            self.trim(&checkpoint, &mut trimmed);
        }
        checkpoint.save();
    }

    async fn page(
        &self,
        iterator: Option<String>,
        checkpoint: &Checkpoint,
    ) -> Result<Page, StreamError> {
        let iterator = match iterator {
            Some(iterator) => iterator,
            None => self.iterator(checkpoint).await?,
        };
        let request = self.client.get_records().shard_iterator(iterator).limit(PAGE);
        let answer = request.send().await.map_err(|error| self.failed(error))?;
        Ok(Page { records: answer.records.unwrap_or_default(), next: answer.next_shard_iterator })
    }

    async fn iterator(&self, checkpoint: &Checkpoint) -> Result<String, StreamError> {
        let shard = self.shard().await?;
        let request = self
            .client
            .get_shard_iterator()
            .stream_arn(shard.stream)
            .shard_id(shard.id)
            .shard_iterator_type(match checkpoint.position() {
                Some(_) => ShardIteratorType::AfterSequenceNumber,
                None => ShardIteratorType::TrimHorizon,
            })
            .set_sequence_number(checkpoint.position().map(str::to_owned));
        let answer = request.send().await.map_err(|error| self.failed(error))?;
        answer.shard_iterator.ok_or_else(|| StreamError::NoStream(self.table.clone()))
    }

    /// The stream's shard: the embedded engine has exactly one, for ever.
    async fn shard(&self) -> Result<Shard, StreamError> {
        let none = || StreamError::NoStream(self.table.clone());
        let streams = self.client.list_streams().table_name(&self.table).send().await;
        let streams = streams.map_err(|error| self.failed(error))?;
        let stream = streams.streams().first().and_then(|stream| stream.stream_arn());
        let stream = stream.ok_or_else(none)?.to_owned();
        let described = self.client.describe_stream().stream_arn(&stream).send().await;
        let described = described.map_err(|error| self.failed(error))?;
        let shards = described
            .stream_description()
            .map(aws_sdk_dynamodbstreams::types::StreamDescription::shards);
        let id = shards.unwrap_or_default().first().and_then(|shard| shard.shard_id());
        Ok(Shard { id: id.ok_or_else(none)?.to_owned(), stream })
    }

    fn failed<E>(&self, error: E) -> StreamError
    where
        E: std::error::Error,
    {
        let reason = DisplayErrorContext(error).to_string();
        StreamError::Engine { table: self.table.clone(), reason }
    }

    fn passing(&self, records: &[Record]) -> Vec<Value> {
        records
            .iter()
            .map(|record| record::event(record, &self.table))
            .filter(|event| {
                self.patterns.is_empty() || self.patterns.iter().any(|p| p.matches(event))
            })
            .collect()
    }

    fn trim(&self, checkpoint: &Checkpoint, last: &mut Instant) {
        let Some(done) = checkpoint.position() else { return };
        if last.elapsed() < TRIM_EVERY {
            return;
        }
        *last = Instant::now();
        let (records, table, done) = (self.records.clone(), self.table.clone(), done.to_owned());
        tokio::task::spawn_blocking(move || {
            // Between the small steps the engine gets its turn to write.
            loop {
                match records.trim(&table, &done, KEPT) {
                    Ok(0) => break,
                    Ok(_) => std::thread::sleep(Duration::from_millis(20)),
                    Err(error) => {
                        tracing::warn!(%error, "cannot drop old stream records");
                        break;
                    }
                }
            }
        });
    }
}

fn last_sequence_number(records: &[Record]) -> Option<String> {
    records.last()?.dynamodb()?.sequence_number().map(str::to_owned)
}
