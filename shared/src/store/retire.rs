//! The collections table: what is left of a collection that was deleted.

use futures::stream::{self, StreamExt, TryStreamExt};

use super::item::{Item, ReadItem, key, text};
use super::{Store, StoreError};
use crate::log::CollectionId;

/// Items found by one Query.
const ITEMS: i32 = 250;
/// Deletions under way at once.
const CONCURRENCY: usize = 25;

impl Store {
    /// Deletes some items of the log of a collection that was deleted; says whether there may be
    /// more.
    ///
    /// # Errors
    /// When the table cannot be read or written: what is deleted by then is.
    pub async fn drop_some_of_log(&self, collection: CollectionId) -> Result<bool, StoreError> {
        let query = self
            .dynamodb()
            .query()
            .table_name(&self.names().collections)
            .key_condition_expression("id = :id")
            .expression_attribute_values(":id", text(collection.to_string()))
            .projection_expression("sk")
            .consistent_read(true)
            .limit(ITEMS);
        let answer = self.query(query).await?;
        let keys = answer
            .items()
            .iter()
            .map(|item| Ok(self.drop_item(key(collection.to_string(), item.text("sk")?))));
        let deletions = keys.collect::<Result<Vec<_>, StoreError>>()?;
        stream::iter(deletions).buffer_unordered(CONCURRENCY).try_collect::<Vec<()>>().await?;
        Ok(answer.last_evaluated_key.is_some())
    }

    async fn drop_item(&self, key: Item) -> Result<(), StoreError> {
        let delete =
            self.dynamodb().delete_item().table_name(&self.names().collections).set_key(Some(key));
        self.delete(delete).await
    }
}
