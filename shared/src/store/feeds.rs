//! The access table: definitions of feeds, all in one partition, so that one Query brings them.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Put, ReturnConsumedCapacity, TransactWriteItem,
};
use thiserror::Error;
use uuid::Uuid;

use super::access::access_key;
use super::item::{Item, ReadItem, number, text};
use super::{Store, StoreError};
use crate::collection::Collection;
use crate::feed::{Feed, FeedFault, FeedId, FeedSettings};

const PARTITION: &str = "FEEDS";

/// Why a feed could not be created or changed.
#[derive(Debug, Error)]
pub enum DefineFeedError {
    /// A member of the settings is wrong.
    #[error(transparent)]
    Settings(#[from] FeedFault),
    /// There is no such collection.
    #[error("`collection`: there is no collection {0:?}; give the id or alias of one")]
    NoCollection(String),
    /// What everybody can read must be clear.
    #[error(
        "`public`: the collection may hold objects up to TLP:{0}; make the collection public itself, or lower its ceiling to clear"
    )]
    NotPublic(String),
    /// A feed stays with its collection.
    #[error("`collection`: a feed stays with its collection; make another feed for another one")]
    OtherCollection,
    /// The alias belongs to another feed.
    #[error("`alias`: another feed has it")]
    Taken,
    /// Somebody else changed or deleted the feed.
    #[error("the feed was changed by somebody else meanwhile; read it again")]
    Changed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Creates a feed. Its first edition is made within two minutes.
    ///
    /// # Errors
    /// When the settings are not right, the alias is taken, or the store fails.
    pub async fn create_feed(&self, settings: FeedSettings) -> Result<Feed, DefineFeedError> {
        let collection = self.feed_collection(&settings).await?;
        let id = FeedId(Uuid::new_v4());
        let feed = Feed { id, revision: 1, collection: collection.id, settings };
        let mut items = vec![self.put_new_feed_item(definition(&feed)?)?];
        items.extend(self.aliases_of(None, &feed)?);
        self.transact_feed(items, DefineFeedError::Taken).await?;
        Ok(feed)
    }

    /// Changes a feed that is still as `known`. Columns are only ever appended, and it stays with
    /// its collection. What is published stays until the next run, which makes it anew.
    ///
    /// # Errors
    /// When the settings are not right, the alias is taken, somebody else changed the feed
    /// meanwhile, or the store fails.
    pub async fn change_feed(
        &self,
        known: &Feed,
        settings: FeedSettings,
    ) -> Result<Feed, DefineFeedError> {
        let collection = self.feed_collection(&settings).await?;
        if collection.id != known.collection {
            return Err(DefineFeedError::OtherCollection);
        }
        settings.check_change(&known.settings)?;
        let changed = Feed { revision: known.revision + 1, settings, ..known.clone() };
        let put = put_over(known.revision);
        let mut items = vec![self.put_feed_item(put, definition(&changed)?)?];
        items.extend(self.aliases_of(Some(known), &changed)?);
        match self.transact_feed(items, DefineFeedError::Changed).await {
            // Which of the conditions failed is told by what stands there now.
            Err(DefineFeedError::Changed) if self.is_still(known).await? => {
                Err(DefineFeedError::Taken)
            }
            done => done.map(|()| changed),
        }
    }

    /// Deletes a feed that is still as `known`, and what was published of it.
    ///
    /// # Errors
    /// When somebody else changed it meanwhile, or the store fails. If only its files could not be
    /// deleted, nobody reads them any more; deleting it again is refused as changed.
    pub async fn delete_feed(&self, known: &Feed) -> Result<(), DefineFeedError> {
        let delete = Delete::builder()
            .table_name(&self.names().access)
            .set_key(Some(access_key(PARTITION, definition_key(known.id))))
            .condition_expression("rev = :rev")
            .expression_attribute_values(":rev", number(known.revision))
            .build()
            .map_err(|e| StoreError::Unavailable(e.to_string()))?;
        let mut items = vec![TransactWriteItem::builder().delete(delete).build()];
        if let Some(alias) = &known.settings.alias {
            items.push(self.delete_alias(&alias.to_string())?);
        }
        self.transact_feed(items, DefineFeedError::Changed).await?;
        self.delete_all_editions(known.id).await?;
        Ok(())
    }

    /// The feed called `name`, its id or alias.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn feed(&self, name: &str) -> Result<Option<Feed>, StoreError> {
        let id = match Uuid::try_parse(name) {
            Ok(id) => FeedId(id),
            Err(_) => match self.get_feed_item(format!("A#{name}")).await? {
                Some(item) => FeedId(
                    Uuid::try_parse(item.text("feed")?)
                        .map_err(|_| StoreError::Damaged(format!("alias of a feed {name}")))?,
                ),
                None => return Ok(None),
            },
        };
        let item = self.get_feed_item(definition_key(id)).await?;
        item.map(|item| read(&item)).transpose()
    }

    /// All feeds, in order of id.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn feeds(&self) -> Result<Vec<Feed>, StoreError> {
        let mut feeds = Vec::new();
        let mut from: Option<Item> = None;
        loop {
            let answer = self
                .dynamodb()
                .query()
                .table_name(&self.names().access)
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":pk", text(PARTITION))
                .expression_attribute_values(":prefix", text("F#"))
                .consistent_read(true)
                .limit(500)
                .set_exclusive_start_key(from.take())
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(StoreError::of)?;
            self.meter().read(answer.consumed_capacity());
            for item in answer.items() {
                feeds.push(read(item)?);
            }
            from = answer.last_evaluated_key;
            if from.is_none() {
                return Ok(feeds);
            }
        }
    }

    /// The collection that settings name, if all of them are right.
    async fn feed_collection(
        &self,
        settings: &FeedSettings,
    ) -> Result<Collection, DefineFeedError> {
        settings.check()?;
        let all = self.collections().await?;
        let name = &settings.collection;
        let Some(found) = all.into_iter().find(|one| one.is_called(name)) else {
            return Err(DefineFeedError::NoCollection(name.chars().take(80).collect()));
        };
        if settings.public && !found.may_be_published() {
            return Err(DefineFeedError::NotPublic(found.level().name().to_ascii_uppercase()));
        }
        Ok(found)
    }

    /// A read that may be a moment behind, at half the price.
    async fn get_feed_item(&self, sk: String) -> Result<Option<Item>, StoreError> {
        let answer = self
            .dynamodb()
            .get_item()
            .table_name(&self.names().access)
            .set_key(Some(access_key(PARTITION, sk)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::of)?;
        self.meter().read(answer.consumed_capacity());
        Ok(answer.item)
    }

    async fn is_still(&self, known: &Feed) -> Result<bool, StoreError> {
        Ok(self.feeds().await?.iter().any(|one| one == known))
    }

    /// Takes the alias of `now`, and frees that of `before` if it is no longer used.
    fn aliases_of(
        &self,
        before: Option<&Feed>,
        now: &Feed,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let old = before.and_then(|feed| feed.settings.alias.as_ref());
        let new = now.settings.alias.as_ref();
        let mut items = Vec::new();
        if old == new {
            return Ok(items);
        }
        if let Some(alias) = new {
            let mut item = access_key(PARTITION, format!("A#{alias}"));
            item.insert("feed".into(), text(now.id.to_string()));
            items.push(self.put_new_feed_item(item)?);
        }
        if let Some(alias) = old {
            items.push(self.delete_alias(&alias.to_string())?);
        }
        Ok(items)
    }

    fn delete_alias(&self, alias: &str) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.names().access)
            .set_key(Some(access_key(PARTITION, format!("A#{alias}"))))
            .build()
            .map_err(|e| StoreError::Unavailable(e.to_string()))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    fn put_new_feed_item(&self, item: Item) -> Result<TransactWriteItem, StoreError> {
        self.put_feed_item(Put::builder().condition_expression("attribute_not_exists(pk)"), item)
    }

    fn put_feed_item(&self, put: PutBuilder, item: Item) -> Result<TransactWriteItem, StoreError> {
        let put = put
            .table_name(&self.names().access)
            .set_item(Some(item))
            .build()
            .map_err(|e| StoreError::Unavailable(e.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    async fn transact_feed(
        &self,
        items: Vec<TransactWriteItem>,
        conflict: DefineFeedError,
    ) -> Result<(), DefineFeedError> {
        let sent = self
            .dynamodb()
            .transact_write_items()
            .set_transact_items(Some(items))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match sent {
            Ok(answer) => {
                answer.consumed_capacity().iter().for_each(|used| self.meter().write(Some(used)));
                Ok(())
            }
            Err(error) if error.as_service_error().is_some_and(condition_failed) => Err(conflict),
            Err(error) => Err(StoreError::of(error).into()),
        }
    }
}

fn put_over(revision: u64) -> PutBuilder {
    Put::builder()
        .condition_expression("rev = :rev")
        .expression_attribute_values(":rev", number(revision))
}

fn definition_key(id: FeedId) -> String {
    format!("F#{id}")
}

fn definition(feed: &Feed) -> Result<Item, StoreError> {
    let text_of_feed =
        serde_json::to_string(feed).map_err(|e| StoreError::Damaged(e.to_string()))?;
    let mut item = access_key(PARTITION, definition_key(feed.id));
    item.insert("def".into(), AttributeValue::S(text_of_feed));
    item.insert("rev".into(), number(feed.revision));
    Ok(item)
}

fn read(item: &Item) -> Result<Feed, StoreError> {
    serde_json::from_str(item.text("def")?)
        .map_err(|e| StoreError::Damaged(format!("definition of a feed: {e}")))
}

fn condition_failed(error: &TransactWriteItemsError) -> bool {
    use TransactWriteItemsError as E;
    matches!(error, E::TransactionCanceledException(canceled) if canceled
        .cancellation_reasons()
        .iter()
        .any(|reason| reason.code() == Some("ConditionalCheckFailed")))
}
