//! Sending one request: what it consumed is asked for and counted, whatever comes of it.

use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use aws_sdk_dynamodb::operation::get_item::builders::GetItemFluentBuilder;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::scan::ScanOutput;
use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity::Total;

use super::item::Item;
use super::{Store, StoreError};

/// Items one request of [`Store::query_all`] asks for.
const PAGE: i32 = 500;

/// Whether a write was done: that its condition does not hold is no error.
pub(super) fn held<T>(sent: Result<T, StoreError>) -> Result<bool, StoreError> {
    match sent {
        Ok(_) => Ok(true),
        Err(StoreError::Conflict) => Ok(false),
        Err(error) => Err(error),
    }
}

impl Store {
    /// The item, if it is there.
    pub(super) async fn get(&self, get: GetItemFluentBuilder) -> Result<Option<Item>, StoreError> {
        let sent = get.return_consumed_capacity(Total).send().await;
        let answer = sent.map_err(StoreError::of)?;
        self.meter().read(answer.consumed_capacity());
        Ok(answer.item)
    }

    /// One page.
    pub(super) async fn query(&self, query: QueryFluentBuilder) -> Result<QueryOutput, StoreError> {
        let sent = query.return_consumed_capacity(Total).send().await;
        let answer = sent.map_err(StoreError::of)?;
        self.meter().read(answer.consumed_capacity());
        Ok(answer)
    }

    /// Every item, page after page.
    pub(super) async fn query_all(
        &self,
        query: QueryFluentBuilder,
    ) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut from: Option<Item> = None;
        loop {
            let page = query.clone().limit(PAGE).set_exclusive_start_key(from.take());
            let answer = self.query(page).await?;
            items.extend(answer.items.unwrap_or_default());
            from = answer.last_evaluated_key;
            if from.is_none() {
                return Ok(items);
            }
        }
    }

    /// One page.
    pub(super) async fn scan(&self, scan: ScanFluentBuilder) -> Result<ScanOutput, StoreError> {
        let sent = scan.return_consumed_capacity(Total).send().await;
        let answer = sent.map_err(StoreError::of)?;
        self.meter().read(answer.consumed_capacity());
        Ok(answer)
    }

    /// # Errors
    /// [`StoreError::Conflict`] when the condition does not hold.
    pub(super) async fn put(&self, put: PutItemFluentBuilder) -> Result<(), StoreError> {
        let sent = put.return_consumed_capacity(Total).send().await;
        let answer = self.written(sent.map_err(StoreError::of))?;
        self.meter().write(answer.consumed_capacity());
        Ok(())
    }

    /// # Errors
    /// [`StoreError::Conflict`] when the condition does not hold.
    pub(super) async fn update(
        &self,
        update: UpdateItemFluentBuilder,
    ) -> Result<UpdateItemOutput, StoreError> {
        let sent = update.return_consumed_capacity(Total).send().await;
        let answer = self.written(sent.map_err(StoreError::of))?;
        self.meter().write(answer.consumed_capacity());
        Ok(answer)
    }

    /// # Errors
    /// [`StoreError::Conflict`] when the condition does not hold.
    pub(super) async fn delete(&self, delete: DeleteItemFluentBuilder) -> Result<(), StoreError> {
        let sent = delete.return_consumed_capacity(Total).send().await;
        let answer = self.written(sent.map_err(StoreError::of))?;
        self.meter().write(answer.consumed_capacity());
        Ok(())
    }

    fn written<T>(&self, sent: Result<T, StoreError>) -> Result<T, StoreError> {
        if matches!(sent, Err(StoreError::Conflict)) {
            self.meter().refused_write();
        }
        sent
    }
}
