//! The collections table: definitions, all in one partition, so that one Query brings them.

use aws_sdk_dynamodb::types::TransactWriteItem;
use thiserror::Error;
use uuid::Uuid;

use super::commits::Tail;
use super::item::{Item, ReadItem, key, number, text};
use super::jobs::{Job, JobKind};
use super::transaction::{self, Condition, Made};
use super::{Store, StoreError};
use crate::audit::{Action, Actor, AuditRecord, Kind};
use crate::collection::{Alias, Collection, CollectionSettings};
use crate::filter::{AuthorIds, Filter, FilterError};
use crate::log::{CollectionId, LogId};
use crate::time::Position;

const PARTITION: &str = "DEFINITIONS";

/// Why a collection could not be created or changed.
#[derive(Debug, Error)]
pub enum DefineCollectionError {
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
    /// Feeds publish the collection.
    #[error("the feed {0} publishes the collection: delete it first, and others that do")]
    InUse(String),
    /// Somebody else changed the collection.
    #[error("the collection was changed by somebody else meanwhile; read it again")]
    Changed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Creates a collection, the first commit of its log, and the job that fills it from
    /// `backfill_after` on with what is stored already.
    ///
    /// # Errors
    /// When the settings are not right, the alias or title is taken, or the store fails.
    pub async fn create_collection(
        &self,
        actor: &Actor,
        settings: CollectionSettings,
        backfill_after: Position,
    ) -> Result<Collection, DefineCollectionError> {
        let (settings, authors) = self.checked(settings).await?;
        let rebuilding = Some(settings.ceiling);
        let id = CollectionId(Uuid::new_v4());
        let collection =
            Collection { id, revision: 1, generation: 1, rebuilding, authors, settings };
        // The log begins before anybody can know of it.
        let now = self.position_now().round_up_to_millisecond();
        let tail = Tail { seq: 1, last: now, generation: 1, since_hint: 0 };
        match self.put_commit(LogId::Collection(id), tail, now, None).await {
            // Nobody else knows of it: it was put, and the answer lost.
            Err(StoreError::Conflict) => {}
            begun => drop(begun?),
        }
        let mut items = vec![self.put_new(definition(&collection)?)?];
        items.extend(self.names_of(None, &collection)?);
        items.push(self.put_new(self.backfill(&collection, backfill_after))?);
        let record =
            AuditRecord::new(self.now(), actor, Action::Create, Kind::Collection.named(id));
        items.extend(self.audited(&record.to(&collection.shown()))?);
        match self.transact(items).await? {
            Made::Done => Ok(collection),
            Made::Refused(_) => Err(DefineCollectionError::Taken),
        }
    }

    /// Changes a collection that is still as `known`. Where the change selects other objects,
    /// the definition's generation rises and a job re-evaluates what is stored, from
    /// `backfill_after` on.
    ///
    /// # Errors
    /// When the settings are not right, the alias or title is taken, somebody else changed the
    /// collection meanwhile, or the store fails.
    pub async fn change_collection(
        &self,
        actor: &Actor,
        known: &Collection,
        settings: CollectionSettings,
        backfill_after: Position,
    ) -> Result<Collection, DefineCollectionError> {
        let (settings, authors) = self.checked(settings).await?;
        let mut changed = Collection { authors, settings, ..known.clone() };
        changed.revision += 1;
        let anew = !changed.selects_as(known);
        if anew {
            changed.generation += 1;
            // Until the job is done the log holds what entered under the old definition.
            let highest = known.rebuilding.max(Some(known.settings.ceiling));
            changed.rebuilding = highest.max(Some(changed.settings.ceiling));
        }
        let mut items = vec![self.put_over(definition(&changed)?, known.revision)?];
        if anew {
            items.push(self.put_new(self.backfill(&changed, backfill_after))?);
        }
        items.extend(self.names_of(Some(known), &changed)?);
        let resource = Kind::Collection.named(known.id);
        let record = AuditRecord::new(self.now(), actor, Action::Update, resource);
        items.extend(self.audited(&record.from(&known.shown()).to(&changed.shown()))?);
        match self.transact(items).await? {
            Made::Done => Ok(changed),
            // The definition comes first.
            Made::Refused(places) if places.contains(&0) => Err(DefineCollectionError::Changed),
            Made::Refused(_) => Err(DefineCollectionError::Taken),
        }
    }

    /// Deletes a collection that is still as `known` and that no feed publishes: nobody finds it
    /// any more, its names are free, and a job deletes its log from `after` on, when no projector
    /// goes by the definition any more.
    ///
    /// # Errors
    /// [`DefineCollectionError::InUse`], [`DefineCollectionError::Changed`], or when the store
    /// fails.
    pub async fn delete_collection(
        &self,
        actor: &Actor,
        known: &Collection,
        after: Position,
    ) -> Result<(), DefineCollectionError> {
        if let Some(feed) = self.feed_of(known.id).await? {
            return Err(DefineCollectionError::InUse(feed));
        }
        let table = &self.names().collections;
        let unchanged = Condition::with(
            "rev = :rev",
            Item::from([(":rev".to_owned(), number(known.revision))]),
        );
        let place = definition_key(known.id);
        let mut items = vec![transaction::delete(table, place, unchanged)?];
        // A feed that is made at this very moment is in the way, or finds no collection.
        items.push(self.used_by_no_feed(known.id)?);
        for (kind, name) in names(known) {
            let place = key(PARTITION, format!("{kind}#{name}"));
            items.push(transaction::delete(table, place, Condition::none())?);
        }
        let job = JobKind::DropLog { collection: known.id };
        let job = Job::new(job, self.position_now(), after);
        items.push(transaction::put(table, job.to_item(), Condition::none())?);
        let resource = Kind::Collection.named(known.id);
        let record = AuditRecord::new(self.now(), actor, Action::Delete, resource);
        items.extend(self.audited(&record.from(&known.shown()))?);
        match self.transact(items).await? {
            Made::Done => Ok(()),
            // The definition comes first.
            Made::Refused(places) if places.contains(&0) => Err(DefineCollectionError::Changed),
            Made::Refused(_) => {
                let feed = self.feed_of(known.id).await?;
                Err(feed.map_or(DefineCollectionError::Changed, DefineCollectionError::InUse))
            }
        }
    }

    /// The job of this generation of a collection is done: its log holds what it should. Says
    /// whether that could be written down; if not, somebody changed the collection meanwhile.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn set_rebuilt(&self, collection: &Collection) -> Result<bool, StoreError> {
        let mut rebuilt = collection.clone();
        rebuilt.rebuilding = None;
        rebuilt.revision += 1;
        let put = self.put_over(definition(&rebuilt)?, collection.revision)?;
        Ok(self.transact(vec![put]).await? == Made::Done)
    }

    async fn checked(
        &self,
        mut settings: CollectionSettings,
    ) -> Result<(CollectionSettings, AuthorIds), DefineCollectionError> {
        let mut authors = AuthorIds::default();
        for name in Filter::author_names(&settings.filter) {
            let ids = self.identities_named(&name).await?;
            if ids.is_empty() {
                return Err(DefineCollectionError::Author(name));
            }
            authors.insert(&name, ids);
        }
        Filter::compile(&settings.filter, &authors)?;
        let title = settings.title.trim().to_owned();
        if title.is_empty() || title.chars().count() > 200 || title.contains('.') {
            return Err(DefineCollectionError::Title(title.chars().take(200).collect()));
        }
        settings.title = title;
        Ok((settings, authors))
    }

    fn backfill(&self, collection: &Collection, not_before: Position) -> Item {
        let (collection, generation) = (collection.id, collection.generation);
        let kind = JobKind::Backfill { collection, generation };
        Job::new(kind, self.position_now(), not_before).to_item()
    }

    /// Takes the names of `now`, and frees those of `before` that are no longer used.
    fn names_of(
        &self,
        before: Option<&Collection>,
        now: &Collection,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let (old, new) = (before.map(names).unwrap_or_default(), names(now));
        let taken = new.iter().filter(|name| !old.contains(name)).map(|(kind, name)| {
            let mut item = key(PARTITION, format!("{kind}#{name}"));
            item.insert("collection".into(), text(now.id.to_string()));
            self.put_new(item)
        });
        let freed = old.iter().filter(|name| !new.contains(name)).map(|(kind, name)| {
            let place = key(PARTITION, format!("{kind}#{name}"));
            transaction::delete(&self.names().collections, place, Condition::none())
        });
        taken.chain(freed).collect()
    }

    fn put_new(&self, item: Item) -> Result<TransactWriteItem, StoreError> {
        let absent = Condition::that("attribute_not_exists(id)");
        transaction::put(&self.names().collections, item, absent)
    }

    fn put_over(&self, item: Item, revision: u64) -> Result<TransactWriteItem, StoreError> {
        let values = Item::from([(":rev".to_owned(), number(revision))]);
        let unchanged = Condition::with("rev = :rev", values);
        transaction::put(&self.names().collections, item, unchanged)
    }

    /// All collections, in order of id.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn collections(&self) -> Result<Vec<Collection>, StoreError> {
        let query = self
            .dynamodb()
            .query()
            .table_name(&self.names().collections)
            .key_condition_expression("id = :id AND begins_with(sk, :prefix)")
            .expression_attribute_values(":id", text(PARTITION))
            .expression_attribute_values(":prefix", text("C#"))
            .consistent_read(true);
        self.query_all(query).await?.iter().map(read).collect()
    }

    /// The collection with this id.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn collection(&self, id: CollectionId) -> Result<Option<Collection>, StoreError> {
        // A Query, as who asks has the right to read logs, and needs no further one.
        let query = self
            .dynamodb()
            .query()
            .table_name(&self.names().collections)
            .key_condition_expression("id = :id AND sk = :sk")
            .expression_attribute_values(":id", text(PARTITION))
            .expression_attribute_values(":sk", text(format!("C#{id}")))
            .consistent_read(true);
        self.query_all(query).await?.first().map(read).transpose()
    }
}

fn read(item: &Item) -> Result<Collection, StoreError> {
    serde_json::from_str(item.text("def")?)
        .map_err(|e| StoreError::Damaged(format!("definition: {e}")))
}

/// Where a collection's definition lies, as long as there is the collection.
pub(super) fn definition_key(id: CollectionId) -> Item {
    key(PARTITION, format!("C#{id}"))
}

fn definition(collection: &Collection) -> Result<Item, StoreError> {
    let definition =
        serde_json::to_string(collection).map_err(|e| StoreError::Damaged(e.to_string()))?;
    let mut item = definition_key(collection.id);
    item.insert("def".into(), text(definition));
    item.insert("rev".into(), number(collection.revision));
    Ok(item)
}

/// What no other collection may be called.
fn names(collection: &Collection) -> Vec<(&'static str, String)> {
    let alias = collection.settings.alias.as_ref().map(|alias| ("ALIAS", alias.to_string()));
    let title = ("TITLE", collection.settings.title.to_lowercase());
    std::iter::once(title).chain(alias).collect()
}

impl Collection {
    /// Whether it is reached by `name`, its id or its alias.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        let by_alias = |alias: &Alias| alias.to_string() == name;
        self.id.to_string() == name || self.settings.alias.as_ref().is_some_and(by_alias)
    }
}
