//! Transactions on notifications: sent again where another one was in the way.

use std::time::Duration;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, TransactWriteItem};

use crate::store::{Store, StoreError, batches};

/// A transaction that meets another on the same items is sent again, this often.
const ATTEMPTS: u32 = 8;

impl Store {
    pub(super) async fn transact_notification(
        &self,
        writes: Vec<TransactWriteItem>,
    ) -> Result<(), StoreError> {
        let mut patience = Duration::from_millis(10);
        for _ in 0..ATTEMPTS {
            let sent = self
                .dynamodb()
                .transact_write_items()
                .set_transact_items(Some(writes.clone()))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await;
            let error = match sent {
                Ok(answer) => {
                    answer
                        .consumed_capacity()
                        .iter()
                        .for_each(|used| self.meter().write(Some(used)));
                    return Ok(());
                }
                Err(error) => error,
            };
            match error.as_service_error().map(cancelled_by) {
                Some(Cancelled::Condition) => return Err(StoreError::Conflict),
                Some(Cancelled::Meanwhile) => {
                    batches::wait(&mut patience, "transactions on the same items").await?;
                }
                Some(Cancelled::Refused) => {
                    return Err(StoreError::Refused(DisplayErrorContext(error).to_string()));
                }
                Some(Cancelled::Otherwise) | None => return Err(StoreError::of(error)),
            }
        }
        Err(StoreError::Throttled("transactions on the same items".into()))
    }
}

enum Cancelled {
    /// A condition did not hold.
    Condition,
    /// Somebody else wrote at the same time, or the table is busy.
    Meanwhile,
    /// An item is wrong.
    Refused,
    /// It was no cancellation.
    Otherwise,
}

fn cancelled_by(error: &TransactWriteItemsError) -> Cancelled {
    let reasons = match error {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            cancelled.cancellation_reasons()
        }
        TransactWriteItemsError::TransactionInProgressException(_) => return Cancelled::Meanwhile,
        _ => return Cancelled::Otherwise,
    };
    let any = |codes: &[&str]| {
        reasons.iter().filter_map(|reason| reason.code()).any(|code| codes.contains(&code))
    };
    if any(&["ConditionalCheckFailed"]) {
        Cancelled::Condition
    } else if any(&["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]) {
        Cancelled::Meanwhile
    } else {
        Cancelled::Refused
    }
}
