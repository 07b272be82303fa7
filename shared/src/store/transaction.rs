//! Several items written at once, or none of them; over tables too.

use std::time::Duration;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, Put, ReturnConsumedCapacity, TransactWriteItem, Update,
};

use super::item::Item;
use super::{Store, StoreError};

/// A transaction that met another one is tried again, this often.
const ATTEMPTS: u64 = 6;
/// The pause before the second try; it grows with every further one.
const PAUSE: Duration = Duration::from_millis(20);

/// What has to hold of an item for the whole transaction to be made.
#[derive(Debug, Default)]
pub struct Condition {
    expression: Option<&'static str>,
    values: Option<Item>,
}

impl Condition {
    /// Nothing has to hold.
    pub fn none() -> Self {
        Self::default()
    }

    /// Nothing has to hold; the values are those of an update's expression.
    pub fn given(values: Item) -> Self {
        Self { expression: None, values: Some(values) }
    }

    /// This, without values.
    pub fn that(expression: &'static str) -> Self {
        Self { expression: Some(expression), values: None }
    }

    /// This, with these values.
    pub fn with(expression: &'static str, values: Item) -> Self {
        Self { expression: Some(expression), values: Some(values) }
    }
}

fn incomplete(error: &aws_sdk_dynamodb::error::BuildError) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// Puts an item.
pub fn put(table: &str, item: Item, when: Condition) -> Result<TransactWriteItem, StoreError> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .set_condition_expression(when.expression.map(str::to_owned))
        .set_expression_attribute_values(when.values)
        .build()
        .map_err(|error| incomplete(&error))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// Changes attributes of an item; the condition's values are those of the expression too.
pub fn update(
    table: &str,
    key: Item,
    expression: &str,
    when: Condition,
) -> Result<TransactWriteItem, StoreError> {
    let update = Update::builder()
        .table_name(table)
        .set_key(Some(key))
        .update_expression(expression)
        .set_condition_expression(when.expression.map(str::to_owned))
        .set_expression_attribute_values(when.values)
        .build()
        .map_err(|error| incomplete(&error))?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// Deletes an item.
pub fn delete(table: &str, key: Item, when: Condition) -> Result<TransactWriteItem, StoreError> {
    let delete = Delete::builder()
        .table_name(table)
        .set_key(Some(key))
        .set_condition_expression(when.expression.map(str::to_owned))
        .set_expression_attribute_values(when.values)
        .build()
        .map_err(|error| incomplete(&error))?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

/// Only asks something of an item.
pub fn check(
    table: &str,
    key: Item,
    expression: &'static str,
) -> Result<TransactWriteItem, StoreError> {
    let check = ConditionCheck::builder()
        .table_name(table)
        .set_key(Some(key))
        .condition_expression(expression)
        .build()
        .map_err(|error| incomplete(&error))?;
    Ok(TransactWriteItem::builder().condition_check(check).build())
}

/// How a transaction ended.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Made {
    /// Everything is written.
    Done,
    /// Nothing is: the conditions of these items, by their place, did not hold.
    Refused(Vec<usize>),
}

impl Store {
    /// Writes all of `items` (at most 100), or none.
    ///
    /// # Errors
    /// When the store fails; what is known then is that all or none of it is written.
    pub(super) async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<Made, StoreError> {
        for attempt in 1.. {
            let sent = self
                .dynamodb()
                .transact_write_items()
                .set_transact_items(Some(items.clone()))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await;
            let error = match sent {
                Ok(answer) => {
                    for used in answer.consumed_capacity() {
                        self.meter().write(Some(used));
                    }
                    return Ok(Made::Done);
                }
                Err(error) => error,
            };
            let reasons = error.as_service_error().map(Reasons::of).unwrap_or_default();
            if !reasons.refused.is_empty() {
                return Ok(Made::Refused(reasons.refused));
            }
            if !reasons.passing || attempt >= ATTEMPTS {
                return Err(StoreError::of(error));
            }
            tokio::time::sleep(PAUSE * u32::try_from(attempt).unwrap_or(1)).await;
        }
        Ok(Made::Done)
    }
}

/// Why a transaction was not made.
#[derive(Default)]
struct Reasons {
    refused: Vec<usize>,
    /// Another transaction was under way, or the table asks for patience.
    passing: bool,
}

impl Reasons {
    fn of(error: &TransactWriteItemsError) -> Self {
        let TransactWriteItemsError::TransactionCanceledException(canceled) = error else {
            return Self::default();
        };
        let mut reasons = Self::default();
        for (place, reason) in canceled.cancellation_reasons().iter().enumerate() {
            match reason.code() {
                Some("ConditionalCheckFailed") => reasons.refused.push(place),
                Some("TransactionConflict" | "ThrottlingError") => reasons.passing = true,
                _ => {}
            }
        }
        reasons
    }
}
