//! The access table: what operators changed. Each record lies three times, so that all of them,
//! those of a kind and those of one thing are read newest first by one Query each.

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::access::access_key;
use super::item::{Item, ReadItem, text};
use super::transaction::{self, Condition};
use super::{Store, StoreError};
use crate::audit::{AuditRecord, Subject};

const PARTITION: &str = "AUDIT";

/// The partition of what is asked for.
fn partition(subject: Option<&Subject>) -> String {
    match subject {
        None => PARTITION.to_owned(),
        Some(Subject { kind, id: None }) => format!("{PARTITION}#{}", kind.name()),
        Some(Subject { kind, id: Some(id) }) => format!("{PARTITION}#{}/{id}", kind.name()),
    }
}

fn read(item: &Item) -> Result<AuditRecord, StoreError> {
    let record = serde_json::from_str(item.text("doc")?);
    record.map_err(|e| StoreError::Damaged(format!("audit record: {e}")))
}

impl Store {
    /// The writes that leave a record: part of the transaction of what it tells of.
    pub(super) fn audited(
        &self,
        record: &AuditRecord,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let document =
            serde_json::to_string(record).map_err(|e| StoreError::Damaged(e.to_string()))?;
        let of_kind = Subject { kind: record.resource.kind, id: None };
        let of_it = Subject { id: Some(record.resource.id.clone()), ..of_kind.clone() };
        [None, Some(&of_kind), Some(&of_it)]
            .into_iter()
            .map(|subject| {
                let mut item = access_key(partition(subject), record.id.clone());
                item.insert("doc".into(), text(&document));
                transaction::put(&self.names().access, item, Condition::none())
            })
            .collect()
    }

    /// The record with this id.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn audit_record(&self, id: &str) -> Result<Option<AuditRecord>, StoreError> {
        // An empty key is none the table takes.
        if id.is_empty() {
            return Ok(None);
        }
        let item = self.get_access_item(access_key(PARTITION, id)).await?;
        item.as_ref().map(read).transpose()
    }

    /// Records before `before` (an id; absent: from the newest on), newest first, at most `limit`
    /// of them. Says whether there are more.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn audit(
        &self,
        subject: Option<&Subject>,
        before: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<AuditRecord>, bool), StoreError> {
        let (mut records, more) = (Vec::new(), limit.saturating_add(1));
        let mut from = None;
        while records.len() < more {
            let left = i32::try_from(more - records.len()).unwrap_or(i32::MAX);
            let query = self
                .dynamodb()
                .query()
                .table_name(&self.names().access)
                .key_condition_expression("pk = :pk AND sk < :before")
                .expression_attribute_values(":pk", text(partition(subject)))
                .expression_attribute_values(":before", text(before.unwrap_or("~")))
                .scan_index_forward(false)
                .consistent_read(true)
                .limit(left)
                .set_exclusive_start_key(from.take());
            let answer = self.query(query).await?;
            for item in answer.items() {
                records.push(read(item)?);
            }
            from = answer.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        let there_are_more = records.len() > limit;
        records.truncate(limit);
        Ok((records, there_are_more))
    }
}
