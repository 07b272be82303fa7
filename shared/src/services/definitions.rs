//! Definitions of collections: what an instance remembers of them, and how they change.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::Services;
use crate::access::TenantId;
use crate::audit::Actor;
use crate::collection::{Collection, CollectionSettings};
use crate::filter::Filter;
use crate::log::CollectionId;
use crate::store::{DefineCollectionError, StoreError};
use crate::time::Position;

/// A name that is not found is looked up again if the definitions are older than this.
const DEFINITION_PATIENCE: Duration = Duration::from_secs(1);

/// A collection with its filter ready.
#[derive(Debug)]
pub struct Defined {
    /// The collection.
    pub collection: Collection,
    /// Its filter, checked.
    pub filter: Filter,
}

impl Defined {
    /// Whether objects of `owner` may enter: the operator's and those of tenants that may write
    /// to the collection, or everybody's if the filter says so.
    #[must_use]
    pub fn takes_from(&self, owner: &TenantId) -> bool {
        self.collection.takes_from(owner) || self.filter.owner_any()
    }
}

/// All definitions at one moment.
pub type Definitions = Arc<Vec<Arc<Defined>>>;

impl Services {
    /// All definitions, at most half a minute old.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn definitions(&self) -> Result<Definitions, StoreError> {
        self.definitions_within(self.0.settings.definition_memory).await
    }

    /// All definitions, at most as old as `age`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn definitions_within(&self, age: Duration) -> Result<Definitions, StoreError> {
        let known = self.0.definitions.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, definitions)) = known
            && at.elapsed() < age
        {
            return Ok(definitions);
        }
        let asked = Instant::now();
        let defined = self.0.store.collections().await?.into_iter().map(|collection| {
            let filter = Filter::compile(&collection.settings.filter, &collection.authors)
                .map_err(|e| StoreError::Damaged(format!("filter of {}: {e}", collection.id)))?;
            Ok(Arc::new(Defined { collection, filter }))
        });
        let definitions: Definitions = Arc::new(defined.collect::<Result<_, StoreError>>()?);
        *self.0.definitions.write().unwrap_or_else(PoisonError::into_inner) =
            Some((asked, definitions.clone()));
        Ok(definitions)
    }

    /// The collection called `name`, its id or alias.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn collection(&self, name: &str) -> Result<Option<Arc<Defined>>, StoreError> {
        self.find(|collection| collection.is_called(name)).await
    }

    /// The collection with this id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn collection_by_id(
        &self,
        id: CollectionId,
    ) -> Result<Option<Arc<Defined>>, StoreError> {
        self.find(|collection| collection.id == id).await
    }

    async fn find(
        &self,
        wanted: impl Fn(&Collection) -> bool,
    ) -> Result<Option<Arc<Defined>>, StoreError> {
        for age in [self.0.settings.definition_memory, DEFINITION_PATIENCE] {
            let definitions = self.definitions_within(age).await?;
            if let Some(found) = definitions.iter().find(|defined| wanted(&defined.collection)) {
                return Ok(Some(found.clone()));
            }
        }
        Ok(None)
    }

    /// Creates a collection, for the service itself; this instance knows it at once, others
    /// within half a minute.
    ///
    /// # Errors
    /// When the settings are not right, the alias or title is taken, or the store fails.
    pub async fn create_collection(
        &self,
        settings: CollectionSettings,
    ) -> Result<Collection, DefineCollectionError> {
        self.create_collection_as(&Actor::System, settings).await
    }

    /// Creates a collection; this instance knows it at once, others within half a minute.
    ///
    /// # Errors
    /// When the settings are not right, the alias or title is taken, or the store fails.
    pub async fn create_collection_as(
        &self,
        actor: &Actor,
        settings: CollectionSettings,
    ) -> Result<Collection, DefineCollectionError> {
        let after = self.backfill_after();
        let collection = self.0.store.create_collection(actor, settings, after).await?;
        self.relearn().await;
        Ok(collection)
    }

    /// Changes a collection that is still as `known`, for the service itself.
    ///
    /// # Errors
    /// As [`Services::change_collection_as`].
    pub async fn change_collection(
        &self,
        known: &Collection,
        settings: CollectionSettings,
    ) -> Result<Collection, DefineCollectionError> {
        self.change_collection_as(&Actor::System, known, settings).await
    }

    /// Changes a collection that is still as `known`; this instance goes by it at once, others
    /// within half a minute, and what is stored already is re-evaluated after that.
    ///
    /// # Errors
    /// When the settings are not right, the alias or title is taken, somebody else changed the
    /// collection meanwhile, or the store fails.
    pub async fn change_collection_as(
        &self,
        actor: &Actor,
        known: &Collection,
        settings: CollectionSettings,
    ) -> Result<Collection, DefineCollectionError> {
        let after = self.backfill_after();
        let changed = self.0.store.change_collection(actor, known, settings, after).await;
        self.relearn().await;
        changed
    }

    /// Deletes a collection that is still as `known`; this instance knows it no longer, others
    /// within half a minute, and its log goes after that.
    ///
    /// # Errors
    /// When somebody else changed the collection meanwhile, or the store fails.
    pub async fn delete_collection(
        &self,
        actor: &Actor,
        known: &Collection,
    ) -> Result<(), DefineCollectionError> {
        let after = self.backfill_after();
        let deleted = self.0.store.delete_collection(actor, known, after).await;
        self.relearn().await;
        deleted
    }

    /// Reads the definitions anew after a change, or forgets them: what is done is not told as
    /// failed because reading it back did.
    async fn relearn(&self) {
        if let Err(error) = self.definitions_within(Duration::ZERO).await {
            tracing::warn!(%error, "definitions are read again when they are needed");
            *self.0.definitions.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// When no projector goes by definitions of before this moment any more: their memory once,
    /// and once more for what is under way and for clocks that differ.
    fn backfill_after(&self) -> Position {
        let now = self.0.store.position_now().micros();
        Position::from_micros(now.saturating_add(self.unlearning_micros()))
    }

    /// The moment of the definition whose backfill begins at `not_before`.
    #[must_use]
    pub(crate) fn defined_by(&self, not_before: Position) -> Position {
        not_before.minus(self.unlearning_micros())
    }

    fn unlearning_micros(&self) -> u64 {
        u64::try_from(2 * self.0.settings.definition_memory.as_micros()).unwrap_or(0)
    }
}
