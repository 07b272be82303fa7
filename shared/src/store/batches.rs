//! Many reads and writes of one table at once, until all are done.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    DeleteRequest, KeysAndAttributes, PutRequest, ReturnConsumedCapacity, WriteRequest,
};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::item::Item;
use super::{Store, StoreError};

/// Keys one request takes.
const READ_AT_ONCE: usize = 100;
/// Writes one request takes.
const AT_ONCE: usize = 25;
/// Requests under way at once.
const CONCURRENCY: usize = 8;
/// Who has waited for longer gives up.
const PATIENCE: Duration = Duration::from_secs(5);
/// More names than this are forgotten at once.
const MEMORY_BOUND: usize = 50_000;

/// The write that puts an item.
pub(super) fn put(item: Item) -> Result<WriteRequest, StoreError> {
    let put = PutRequest::builder().set_item(Some(item)).build();
    let put = put.map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(WriteRequest::builder().put_request(put).build())
}

/// The write that deletes what has this key.
pub(super) fn delete(key: Item) -> Result<WriteRequest, StoreError> {
    let delete = DeleteRequest::builder().set_key(Some(key)).build();
    let delete = delete.map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(WriteRequest::builder().delete_request(delete).build())
}

/// Waits, each time twice as long.
pub(super) async fn wait(patience: &mut Duration, what: &str) -> Result<(), StoreError> {
    if *patience > PATIENCE {
        return Err(StoreError::Throttled(what.to_owned()));
    }
    tokio::time::sleep(*patience).await;
    *patience *= 2;
    Ok(())
}

impl Store {
    /// The items of these keys that are there, in no order.
    pub(super) async fn read_batches(
        &self,
        table: &str,
        keys: Vec<Item>,
        consistent: bool,
    ) -> Result<Vec<Item>, StoreError> {
        let batches: Vec<Vec<Item>> = keys.chunks(READ_AT_ONCE).map(<[_]>::to_vec).collect();
        stream::iter(batches)
            .map(|batch| self.read_batch(table, batch, consistent))
            .buffer_unordered(CONCURRENCY)
            .try_concat()
            .await
    }

    async fn read_batch(
        &self,
        table: &str,
        mut keys: Vec<Item>,
        consistent: bool,
    ) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::with_capacity(keys.len());
        let mut patience = Duration::from_millis(20);
        while !keys.is_empty() {
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(std::mem::take(&mut keys)))
                .consistent_read(consistent)
                .build()
                .map_err(|error| StoreError::Unavailable(error.to_string()))?;
            let answer = self
                .dynamodb()
                .batch_get_item()
                .request_items(table, wanted)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(StoreError::of)?;
            answer.consumed_capacity().iter().for_each(|used| self.meter().read(Some(used)));
            if let Some(mut tables) = answer.responses {
                items.extend(tables.remove(table).unwrap_or_default());
            }
            let rest = answer.unprocessed_keys.and_then(|mut tables| tables.remove(table));
            keys = rest.map(|rest| rest.keys).unwrap_or_default();
            if !keys.is_empty() {
                wait(&mut patience, "BatchGetItem leaves keys unread").await?;
            }
        }
        Ok(items)
    }

    /// Does all writes, no two of the same item, in no order.
    pub(super) async fn write_batches(
        &self,
        table: &str,
        writes: Vec<WriteRequest>,
    ) -> Result<(), StoreError> {
        let batches: Vec<Vec<WriteRequest>> = writes.chunks(AT_ONCE).map(<[_]>::to_vec).collect();
        stream::iter(batches)
            .map(|batch| self.write_batch(table, batch))
            .buffer_unordered(CONCURRENCY)
            .try_collect::<Vec<()>>()
            .await?;
        Ok(())
    }

    async fn write_batch(
        &self,
        table: &str,
        mut writes: Vec<WriteRequest>,
    ) -> Result<(), StoreError> {
        let mut patience = Duration::from_millis(20);
        while !writes.is_empty() {
            let answer = self
                .dynamodb()
                .batch_write_item()
                .request_items(table, std::mem::take(&mut writes))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(StoreError::of)?;
            answer.consumed_capacity().iter().for_each(|used| self.meter().write(Some(used)));
            let rest = answer.unprocessed_items.and_then(|mut tables| tables.remove(table));
            writes = rest.unwrap_or_default();
            if !writes.is_empty() {
                wait(&mut patience, "BatchWriteItem leaves writes undone").await?;
            }
        }
        Ok(())
    }
}

/// What this instance wrote down already, and until when that is kept.
#[derive(Debug, Default)]
pub(super) struct Noted(Mutex<HashMap<String, u64>>);

impl Noted {
    /// Whether it is written down, and kept until `until` at the least.
    pub(super) fn knows(&self, name: &str, until: u64) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(name).is_some_and(|kept| *kept > until)
    }

    /// Remembers that it is written down.
    pub(super) fn note(&self, name: String, until: u64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MEMORY_BOUND {
            known.clear();
        }
        known.insert(name, until);
    }
}
