//! Passing over the whole objects table, for background work only.

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{ReadItem, number, text};
use super::jobs::ScanPlace;
use super::objects::id_in;
use super::{Head, Store, StoreError};
use crate::id::ObjectId;
use crate::time::Position;

/// Items looked at in one call: some 1 MB of heads at the most usually, which is what one call
/// returns anyway.
const ITEMS: i32 = 1000;

/// One step of a pass.
#[derive(Debug)]
pub struct Scanned<T> {
    /// What was found.
    pub found: Vec<T>,
    /// Where to go on; absent at the end.
    pub next: Option<ScanPlace>,
}

impl Store {
    /// The heads among the next items of the table, read consistently.
    ///
    /// # Errors
    /// When the table cannot be read. A head that cannot be read is logged and left out: it must
    /// not hold up a pass over all others.
    pub async fn scan_heads(&self, from: Option<&ScanPlace>) -> Result<Scanned<Head>, StoreError> {
        let scan = self
            .dynamodb()
            .scan()
            .table_name(&self.names().objects)
            .filter_expression("sk = :head")
            .expression_attribute_values(":head", text("HEAD"))
            .consistent_read(true)
            .limit(ITEMS)
            .set_exclusive_start_key(from.map(ScanPlace::start_key));
        let answer = self.scan(scan).await?;
        let mut found = Vec::new();
        for item in answer.items() {
            match Head::from_item(item) {
                Ok(head) => found.push(head),
                Err(error) => {
                    let id = item.text("id").unwrap_or_default();
                    tracing::error!(%error, id, "a HEAD cannot be read");
                }
            }
        }
        Ok(Scanned { found, next: place(answer.last_evaluated_key.as_ref())? })
    }

    /// The objects among the next items of the table that have been pending since before `since`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn scan_pending(
        &self,
        from: Option<&ScanPlace>,
        since: Position,
    ) -> Result<Scanned<ObjectId>, StoreError> {
        let scan = self
            .dynamodb()
            .scan()
            .table_name(&self.names().objects)
            .filter_expression("sk = :head AND pending < :since")
            .projection_expression("id")
            .expression_attribute_values(":head", text("HEAD"))
            .expression_attribute_values(":since", number(since.micros()))
            .consistent_read(true)
            .limit(ITEMS)
            .set_exclusive_start_key(from.map(ScanPlace::start_key));
        let answer = self.scan(scan).await?;
        let mut found = Vec::new();
        for item in answer.items() {
            match id_in(item, "id") {
                Ok(id) => found.push(id),
                Err(error) => tracing::error!(%error, "a HEAD under a key that is no object id"),
            }
        }
        Ok(Scanned { found, next: place(answer.last_evaluated_key.as_ref())? })
    }
}

fn place(
    key: Option<&std::collections::HashMap<String, AttributeValue>>,
) -> Result<Option<ScanPlace>, StoreError> {
    key.map(|key| Ok(ScanPlace { id: key.text("id")?.to_owned(), sk: key.text("sk")?.to_owned() }))
        .transpose()
}
