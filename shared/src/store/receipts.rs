//! Receipts of TAXII POSTs: what was accepted at which revision, kept for more than 24 hours.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::access_key;
use super::item::{Item, ReadItem, binary, number, text};
use super::sending::held;
use super::{Store, StoreError, codec};
use crate::access::TenantId;
use crate::id::ObjectId;
use crate::time::Version;

/// Receipts are kept this long.
const KEPT: chrono::TimeDelta = chrono::TimeDelta::hours(26);

/// Objects one item of a receipt holds: some 100 KB at the most.
const PER_ITEM: usize = 1000;

/// An accepted object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptObject {
    /// Its id.
    pub id: ObjectId,
    /// Its version.
    pub version: Version,
    /// The revision of its `HEAD` that must be projected before it can be read.
    pub revision: u64,
}

/// A refused object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptFailure {
    /// Its id, as far as it had one.
    pub id: String,
    /// Its version, likewise; else when it was sent.
    pub version: String,
    /// Why.
    pub message: String,
}

/// What became of one POST.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// The status id.
    pub id: Uuid,
    /// The tenant that posted; nobody else sees it.
    pub tenant: TenantId,
    /// When the request came.
    pub requested: DateTime<Utc>,
    /// Accepted objects.
    pub accepted: Vec<ReceiptObject>,
    /// Refused objects.
    pub failures: Vec<ReceiptFailure>,
    /// Every accepted object is known to be readable.
    pub complete: bool,
}

#[derive(Serialize, Deserialize)]
struct Part {
    accepted: Vec<ReceiptObject>,
    failures: Vec<ReceiptFailure>,
}

fn partition(id: Uuid) -> String {
    format!("RECEIPT#{id}")
}

impl Store {
    /// Keeps a receipt.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_receipt(&self, receipt: &Receipt) -> Result<(), StoreError> {
        let expires = receipt.requested + KEPT;
        let ttl = number(u64::try_from(expires.timestamp()).unwrap_or(0));
        let count = receipt.accepted.len().max(receipt.failures.len()).div_ceil(PER_ITEM).max(1);
        // The first part is put last: a receipt is there as a whole or not at all.
        for index in (0..count).rev() {
            let part = Part {
                accepted: slice(&receipt.accepted, index).to_vec(),
                failures: slice(&receipt.failures, index).to_vec(),
            };
            let mut item = access_key(partition(receipt.id), format!("{index:04}"));
            let blob = codec::compress(&postcard::to_allocvec(&part)?)?;
            item.insert("z".into(), binary(blob));
            item.insert("ttl".into(), ttl.clone());
            if index == 0 {
                item.insert("tenant".into(), text(receipt.tenant.as_str()));
                item.insert("at".into(), number(micros(receipt.requested)));
                item.insert("parts".into(), number(count as u64));
                if receipt.complete {
                    item.insert("complete".into(), number(1));
                }
            }
            self.put_access_item(item, None).await?;
        }
        Ok(())
    }

    /// The receipt with this id, if it is still kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn receipt(&self, id: Uuid) -> Result<Option<Receipt>, StoreError> {
        let Some(first) = self.get_access_item(access_key(partition(id), "0000")).await? else {
            return Ok(None);
        };
        let now = u64::try_from(self.now().timestamp()).unwrap_or(0);
        // TTL deletes late: an overdue item counts as gone.
        if first.required_number("ttl")? < now {
            return Ok(None);
        }
        let damaged = || StoreError::Damaged(format!("receipt {id}"));
        let requested = i64::try_from(first.required_number("at")?).map_err(|_| damaged())?;
        let mut receipt = Receipt {
            id,
            tenant: first.text("tenant")?.parse().map_err(|_| damaged())?,
            requested: DateTime::from_timestamp_micros(requested).ok_or_else(damaged)?,
            accepted: Vec::new(),
            failures: Vec::new(),
            complete: first.number("complete")?.is_some(),
        };
        let parts = first.required_number("parts")?;
        add_part(&mut receipt, &first)?;
        for index in 1..parts {
            let key = access_key(partition(id), format!("{index:04}"));
            let item = self.get_access_item(key).await?.ok_or_else(damaged)?;
            add_part(&mut receipt, &item)?;
        }
        Ok(Some(receipt))
    }

    /// Records that everything a receipt names can be read, so that nobody looks again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn complete_receipt(&self, id: Uuid) -> Result<(), StoreError> {
        let update = self
            .dynamodb()
            .update_item()
            .table_name(&self.names().access)
            .set_key(Some(access_key(partition(id), "0000")))
            .condition_expression("attribute_exists(pk)")
            .update_expression("SET complete = :one")
            .expression_attribute_values(":one", number(1));
        held(self.update(update).await)?;
        Ok(())
    }
}

fn slice<T>(all: &[T], index: usize) -> &[T] {
    all.chunks(PER_ITEM).nth(index).unwrap_or(&[])
}

fn micros(at: DateTime<Utc>) -> u64 {
    u64::try_from(at.timestamp_micros()).unwrap_or(0)
}

fn add_part(receipt: &mut Receipt, item: &Item) -> Result<(), StoreError> {
    let part: Part = postcard::from_bytes(&codec::expand(item.required_bytes("z")?)?)?;
    receipt.accepted.extend(part.accepted);
    receipt.failures.extend(part.failures);
    Ok(())
}
