//! Marks beside a commit: a set of indexes for each reason, which only grows.

use aws_sdk_dynamodb::types::AttributeValue;

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

/// The sets of an item, by the names of their attributes.
fn sets(marks: &Marks) -> [(&'static str, Vec<String>); 4] {
    let plain = |indexes: &[u16]| indexes.iter().map(|index| u64::from(*index)).collect();
    let dated = |marks: &[(u16, u64)]| marks.iter().map(join).collect();
    let sets: [(&str, Vec<u64>); 4] = [
        ("sup", plain(&marks.superseded)),
        ("rem", plain(&marks.removed)),
        ("old0", dated(&marks.not_oldest)),
        ("old1", dated(&marks.now_oldest)),
    ];
    sets.map(|(name, mut numbers)| {
        numbers.sort_unstable();
        numbers.dedup();
        (name, numbers.iter().map(u64::to_string).collect())
    })
}

impl Store {
    /// Adds marks to commit `seq` of `log`. Marks already set stay; setting one twice is harmless.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn add_marks(&self, log: LogId, seq: u64, marks: &Marks) -> Result<(), StoreError> {
        let mut update = self
            .dynamodb()
            .update_item()
            .table_name(&self.names().collections)
            .set_key(Some(key(log.to_string(), marks_key(seq))));
        let mut additions = Vec::new();
        for (name, numbers) in sets(marks).into_iter().filter(|(_, numbers)| !numbers.is_empty()) {
            additions.push(format!("{name} :{name}"));
            update =
                update.expression_attribute_values(format!(":{name}"), AttributeValue::Ns(numbers));
        }
        if additions.is_empty() {
            return Ok(());
        }
        self.update(update.update_expression(format!("ADD {}", additions.join(", ")))).await?;
        Ok(())
    }

    /// Deletes the marks of commit `seq` of `log`, if they are still exactly `marks`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one was added meanwhile, or they are gone.
    pub async fn delete_marks(
        &self,
        log: LogId,
        seq: u64,
        marks: &Marks,
    ) -> Result<(), StoreError> {
        let mut conditions = vec!["attribute_exists(id)".to_owned()];
        let mut values = Item::new();
        for (name, numbers) in sets(marks) {
            if numbers.is_empty() {
                conditions.push(format!("attribute_not_exists({name})"));
            } else {
                conditions.push(format!("{name} = :{name}"));
                values.insert(format!(":{name}"), AttributeValue::Ns(numbers));
            }
        }
        let values = (!values.is_empty()).then_some(values);
        let key = key(log.to_string(), marks_key(seq));
        self.delete_collection_item(key, &conditions.join(" AND "), values).await
    }
}
