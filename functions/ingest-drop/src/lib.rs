//! Files dropped under `inbox/` of the bucket (contract: ingest, "Drop"). A file of any size is
//! read as a stream, and a result file beside it says what became of what it held. Reading a
//! file again is harmless, so an event that comes twice, or a run that died, may be repeated.

pub mod elements;
pub mod format;
mod tally;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::access::TenantId;
use shared::ingestion::{Candidate, Submission, submit};
use shared::services::Services;
use shared::store::{Drop, StoreError, bucket_failed};
use shared::tlp::Tlp;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use tracing::info;

use elements::Elements;
use format::Format;
use tally::Tally;

/// Objects submitted together.
const BATCH: usize = 1000;

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// Why an event could not be handled; the platform tries again.
#[derive(Debug, Error)]
pub enum DropError {
    /// Not an event of a bucket.
    #[error("not an S3 event: {0}")]
    Event(#[from] serde_json::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    s3: Entity,
}

#[derive(Deserialize)]
struct Entity {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    key: String,
}

/// Takes in the files an S3 event names, and leaves a result beside each.
///
/// # Errors
/// When the event is none, or the store fails: nothing is lost by trying again.
pub async fn handle(services: &Services, event: Value) -> Result<Value, DropError> {
    let event: Event = serde_json::from_value(event)?;
    let mut taken = Vec::new();
    for record in event.records {
        // Keys come encoded as in a form: a plus is a space.
        let spaced = record.s3.object.key.replace('+', " ");
        let key = percent_decode_str(&spaced).decode_utf8_lossy().into_owned();
        // Results and folders are no drops; that only `inbox/` is watched, the trigger says.
        if key.ends_with(".result.json") || key.ends_with('/') {
            continue;
        }
        let drop = Drop { key };
        if let Some(tally) = take(services, &drop).await? {
            let result = tally.to_json(&drop.key);
            services.store().put_drop_result(&drop, result).await?;
            info!(key = drop.key, accepted = tally.accepted(), rejected = tally.rejected, "drop");
            taken.push(drop.key);
        }
    }
    Ok(json!({"taken": taken}))
}

/// Reads one file; `None` when it is gone.
async fn take(services: &Services, drop: &Drop) -> Result<Option<Tally>, DropError> {
    let mut tally = Tally::default();
    let Some(format) = Format::of(&drop.key) else {
        tally.error = Some(format::unknown());
        return Ok(Some(tally));
    };
    let Some(body) = services.store().open_drop(drop).await? else {
        return Ok(None);
    };
    let mut reader = format.reader(body.into_async_read());
    let mut elements = Elements::new(format);
    let mut waiting = Vec::new();
    loop {
        let end = match read(&mut reader, &mut elements, &mut waiting).await {
            Ok(end) => end,
            Err(Fault::Bucket(error)) => return Err(error.into()),
            Err(Fault::File(fault)) => {
                tally.error = Some(fault);
                true
            }
        };
        while waiting.len() >= BATCH || (end && !waiting.is_empty()) {
            let rest = waiting.split_off(waiting.len().min(BATCH));
            let batch = std::mem::replace(&mut waiting, rest);
            submit_batch(services, batch, &mut tally).await?;
        }
        if end {
            return Ok(Some(tally));
        }
    }
}

/// Why reading a file ends before the file does.
enum Fault {
    /// The file is not what it should be, and stays so: what came before it is taken.
    File(String),
    /// The bucket stopped sending: another attempt reads the file from its beginning.
    Bucket(StoreError),
}

impl From<String> for Fault {
    fn from(fault: String) -> Self {
        Self::File(fault)
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        if bucket_failed(&error) {
            return Self::Bucket(StoreError::Unavailable(format!("a file's bytes: {error}")));
        }
        Self::File(format!("not readable: {error}"))
    }
}

/// Reads one chunk; says whether it was the last.
async fn read(
    reader: &mut (impl AsyncRead + Unpin),
    elements: &mut Elements,
    waiting: &mut Vec<(usize, Candidate)>,
) -> Result<bool, Fault> {
    let mut chunk = vec![0; CHUNK];
    let count = reader.read(&mut chunk).await?;
    if count == 0 {
        elements.finish(waiting)?;
        return Ok(true);
    }
    elements.push(&chunk[..count], waiting)?;
    Ok(false)
}

/// What is dropped into the operator's bucket is the operator's.
async fn submit_batch(
    services: &Services,
    batch: Vec<(usize, Candidate)>,
    tally: &mut Tally,
) -> Result<(), DropError> {
    let owner = TenantId::operator();
    let submission = Submission { owner: &owner, clearance: Tlp::Red, into: None };
    let (places, candidates): (Vec<usize>, Vec<Candidate>) = batch.into_iter().unzip();
    let outcomes = submit(services, submission, candidates).await?;
    for (place, outcome) in places.into_iter().zip(outcomes) {
        tally.add(place, outcome);
    }
    Ok(())
}
