//! Marks beside a commit: a set of indexes for each reason, which only grows.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};

use super::commits::marks_key;
use super::item::{Item, ReadItem, key};
use super::{Store, StoreError};
use crate::log::{LogId, Marks};

pub(super) fn read_marks(item: &Item) -> Marks {
    Marks {
        superseded: item.indexes("sup"),
        removed: item.indexes("rem"),
        not_oldest: item.indexes("old0"),
        now_oldest: item.indexes("old1"),
    }
}

impl Store {
    /// Adds marks to commit `seq` of `log`. Marks already set stay; setting one twice is harmless.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn add_marks(&self, log: LogId, seq: u64, marks: &Marks) -> Result<(), StoreError> {
        let sets = [
            ("sup", &marks.superseded),
            ("rem", &marks.removed),
            ("old0", &marks.not_oldest),
            ("old1", &marks.now_oldest),
        ];
        let mut update = self
            .dynamodb()
            .update_item()
            .table_name(&self.names().collections)
            .set_key(Some(key(log.to_string(), marks_key(seq))))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let mut additions = Vec::new();
        for (name, indexes) in sets.into_iter().filter(|(_, indexes)| !indexes.is_empty()) {
            additions.push(format!("{name} :{name}"));
            let mut numbers: Vec<String> = indexes.iter().map(u16::to_string).collect();
            numbers.sort_unstable();
            numbers.dedup();
            update =
                update.expression_attribute_values(format!(":{name}"), AttributeValue::Ns(numbers));
        }
        if additions.is_empty() {
            return Ok(());
        }
        let answer = update
            .update_expression(format!("ADD {}", additions.join(", ")))
            .send()
            .await
            .map_err(StoreError::of)?;
        self.meter().write(answer.consumed_capacity());
        Ok(())
    }
}
