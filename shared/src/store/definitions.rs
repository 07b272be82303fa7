//! The collections table: definitions, all in one partition, so that one Query brings them.

use aws_sdk_dynamodb::types::{Put, ReturnConsumedCapacity, TransactWriteItem};
use thiserror::Error;
use uuid::Uuid;

use super::commits::Tail;
use super::item::{Item, ReadItem, key, text};
use super::{Store, StoreError};
use crate::collection::{Alias, Collection, CollectionSettings};
use crate::filter::{AuthorIds, Filter, FilterError};
use crate::log::{CollectionId, LogId};
use crate::time::Position;

const PARTITION: &str = "DEFINITIONS";

/// Why a collection could not be created.
#[derive(Debug, Error)]
pub enum CreateCollectionError {
    /// The filter is not right.
    #[error("filter: {0}")]
    Filter(#[from] FilterError),
    /// A filter names an author of whom nothing is stored.
    #[error("filter: no identity named {0:?} is stored; load it first, or give its id")]
    Author(String),
    /// TAXII clients use the title as a name.
    #[error("a title has 1 to 200 characters and no dot: {0:?}")]
    Title(String),
    /// The alias or the title belongs to another collection.
    #[error("another collection has this alias or title")]
    Taken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Creates a collection and the first commit of its log.
    ///
    /// # Errors
    /// When the settings are not right, the alias or title is taken, or the store fails.
    pub async fn create_collection(
        &self,
        settings: CollectionSettings,
    ) -> Result<Collection, CreateCollectionError> {
        let mut authors = AuthorIds::default();
        for name in Filter::author_names(&settings.filter) {
            let ids = self.identities_named(&name).await?;
            if ids.is_empty() {
                return Err(CreateCollectionError::Author(name));
            }
            authors.insert(&name, ids);
        }
        Filter::compile(&settings.filter, &authors)?;
        let title = settings.title.trim().to_owned();
        if title.is_empty() || title.chars().count() > 200 || title.contains('.') {
            return Err(CreateCollectionError::Title(title.chars().take(200).collect()));
        }
        let collection =
            Collection { id: CollectionId(Uuid::new_v4()), generation: 1, authors, settings };
        // The log begins before anybody can know of it.
        let now = Position::now().round_up_to_millisecond();
        let tail = Tail { seq: 1, last: now, generation: 1, since_hint: 0 };
        self.put_commit(LogId::Collection(collection.id), tail, now, None).await?;
        let definition =
            serde_json::to_string(&collection).map_err(|e| StoreError::Damaged(e.to_string()))?;
        let mut item = key(PARTITION, format!("C#{}", collection.id));
        item.insert("def".into(), text(definition));
        let mut items = vec![item, name_item("TITLE", &title.to_lowercase(), collection.id)];
        if let Some(alias) = &collection.settings.alias {
            items.push(name_item("ALIAS", &alias.to_string(), collection.id));
        }
        match self.put_all_new(items).await {
            Err(StoreError::Conflict) => Err(CreateCollectionError::Taken),
            Err(error) => Err(error.into()),
            Ok(()) => Ok(collection),
        }
    }

    async fn put_all_new(&self, items: Vec<Item>) -> Result<(), StoreError> {
        let puts = items
            .into_iter()
            .map(|item| {
                let put = Put::builder()
                    .table_name(&self.names().collections)
                    .set_item(Some(item))
                    .condition_expression("attribute_not_exists(id)")
                    .build()
                    .map_err(|e| StoreError::Unavailable(e.to_string()))?;
                Ok(TransactWriteItem::builder().put(put).build())
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        let sent = self
            .dynamodb()
            .transact_write_items()
            .set_transact_items(Some(puts))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match sent {
            Ok(answer) => {
                answer.consumed_capacity().iter().for_each(|used| self.meter().write(Some(used)));
                Ok(())
            }
            Err(error) if error.as_service_error().is_some_and(condition_failed) => {
                Err(StoreError::Conflict)
            }
            Err(error) => Err(StoreError::of(error)),
        }
    }

    /// All collections, in order of id.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn collections(&self) -> Result<Vec<Collection>, StoreError> {
        let mut collections = Vec::new();
        let mut from: Option<Item> = None;
        loop {
            let answer = self
                .dynamodb()
                .query()
                .table_name(&self.names().collections)
                .key_condition_expression("id = :id AND begins_with(sk, :prefix)")
                .expression_attribute_values(":id", text(PARTITION))
                .expression_attribute_values(":prefix", text("C#"))
                .consistent_read(true)
                .limit(500)
                .set_exclusive_start_key(from.take())
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(StoreError::of)?;
            self.meter().read(answer.consumed_capacity());
            for item in answer.items() {
                let definition = item.text("def")?;
                collections.push(
                    serde_json::from_str(definition)
                        .map_err(|e| StoreError::Damaged(format!("definition: {e}")))?,
                );
            }
            from = answer.last_evaluated_key;
            if from.is_none() {
                return Ok(collections);
            }
        }
    }
}

fn name_item(kind: &str, name: &str, id: CollectionId) -> Item {
    let mut item = key(PARTITION, format!("{kind}#{name}"));
    item.insert("collection".into(), text(id.to_string()));
    item
}

fn condition_failed(
    error: &aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError,
) -> bool {
    use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError as E;
    matches!(error, E::TransactionCanceledException(canceled) if canceled
        .cancellation_reasons()
        .iter()
        .any(|reason| reason.code() == Some("ConditionalCheckFailed")))
}

impl Collection {
    /// Whether it is reached by `name`, its id or its alias.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        let by_alias = |alias: &Alias| alias.to_string() == name;
        self.id.to_string() == name || self.settings.alias.as_ref().is_some_and(by_alias)
    }
}
