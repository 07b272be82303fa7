//! Marks beside a commit: a set of indexes for each reason, which only grows.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};

use super::commits::marks_key;
use super::item::{Item, ReadItem, key};
use super::{Store, StoreError};
use crate::log::{LogId, Marks};

/// An index and a revision as one number of a set.
const REVISION: u64 = 1 << 16;

fn index(number: u64) -> Option<u16> {
    u16::try_from(number).ok()
}

fn split(number: u64) -> Option<(u16, u64)> {
    Some((index(number % REVISION)?, number / REVISION))
}

fn join((index, revision): &(u16, u64)) -> u64 {
    revision.saturating_mul(REVISION).saturating_add(u64::from(*index))
}

pub(super) fn read_marks(item: &Item) -> Marks {
    Marks {
        superseded: item.numbers("sup").into_iter().filter_map(index).collect(),
        removed: item.numbers("rem").into_iter().filter_map(index).collect(),
        not_oldest: item.numbers("old0").into_iter().filter_map(split).collect(),
        now_oldest: item.numbers("old1").into_iter().filter_map(split).collect(),
    }
}

impl Store {
    /// Adds marks to commit `seq` of `log`. Marks already set stay; setting one twice is harmless.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn add_marks(&self, log: LogId, seq: u64, marks: &Marks) -> Result<(), StoreError> {
        let plain = |indexes: &[u16]| indexes.iter().map(|index| u64::from(*index)).collect();
        let sets: [(&str, Vec<u64>); 4] = [
            ("sup", plain(&marks.superseded)),
            ("rem", plain(&marks.removed)),
            ("old0", marks.not_oldest.iter().map(join).collect()),
            ("old1", marks.now_oldest.iter().map(join).collect()),
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
            let mut numbers: Vec<String> = indexes.iter().map(u64::to_string).collect();
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
