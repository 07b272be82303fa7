//! The access table: definitions of feeds, all in one partition, so that one Query brings them.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use thiserror::Error;
use uuid::Uuid;

use super::access::access_key;
use super::definitions::definition_key;
use super::item::{Item, ReadItem, number, text};
use super::transaction::{self, Condition, Made};
use super::{Store, StoreError};
use crate::audit::{Action, Actor, AuditRecord, Kind};
use crate::collection::Collection;
use crate::feed::{Feed, FeedFault, FeedId, FeedSettings};
use crate::log::CollectionId;

const PARTITION: &str = "FEEDS";

/// On a definition whose feed is being deleted.
const ENDING: &str = "ending";

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
    pub async fn create_feed(
        &self,
        actor: &Actor,
        settings: FeedSettings,
    ) -> Result<Feed, DefineFeedError> {
        let (settings, collection) = self.checked_feed(settings, None).await?;
        let (id, saved) = (FeedId(Uuid::new_v4()), Some(self.now()));
        let feed = Feed { id, revision: 1, collection, saved, settings };
        let mut items = vec![self.put_new_feed_item(definition(&feed)?)?];
        items.extend(self.using(&feed)?);
        items.extend(self.aliases_of(None, &feed)?);
        let record = AuditRecord::new(self.now(), actor, Action::Create, Kind::Feed.named(id));
        items.extend(self.audited(&record.to(&feed.shown()))?);
        match self.transact(items).await? {
            Made::Done => Ok(feed),
            Made::Refused(places) if places.contains(&COLLECTION) => Err(gone(&feed.settings)),
            Made::Refused(_) => Err(DefineFeedError::Taken),
        }
    }

    /// Changes a feed that is still as `known`. Columns are only ever appended, and it stays with
    /// its collection. What is published stays until the next run, which makes it anew.
    ///
    /// # Errors
    /// When the settings are not right, the alias is taken, somebody else changed the feed
    /// meanwhile, or the store fails.
    pub async fn change_feed(
        &self,
        actor: &Actor,
        known: &Feed,
        settings: FeedSettings,
    ) -> Result<Feed, DefineFeedError> {
        let (settings, collection) = self.checked_feed(settings, Some(known)).await?;
        if collection != known.collection {
            return Err(DefineFeedError::OtherCollection);
        }
        settings.check_change(&known.settings)?;
        let (revision, saved) = (known.revision + 1, Some(self.now()));
        let changed = Feed { revision, saved, settings, ..known.clone() };
        let table = &self.names().access;
        let put = transaction::put(table, definition(&changed)?, staying_at(known.revision))?;
        let mut items = vec![put];
        items.extend(self.using(&changed)?);
        items.extend(self.aliases_of(Some(known), &changed)?);
        let resource = Kind::Feed.named(known.id);
        let record = AuditRecord::new(self.now(), actor, Action::Update, resource);
        items.extend(self.audited(&record.from(&known.shown()).to(&changed.shown()))?);
        match self.transact(items).await? {
            Made::Done => Ok(changed),
            Made::Refused(places) if places.contains(&DEFINITION) => Err(DefineFeedError::Changed),
            Made::Refused(places) if places.contains(&COLLECTION) => Err(gone(&changed.settings)),
            Made::Refused(_) => Err(DefineFeedError::Taken),
        }
    }

    /// Deletes a feed that is still as `known`, and what was published of it. From its first step
    /// on nobody can change it, or publish it for longer than a moment.
    ///
    /// # Errors
    /// When somebody else changed it meanwhile, and nothing is deleted; or when the store fails:
    /// the feed is there until its files are gone, so asking again finishes it.
    pub async fn delete_feed(&self, actor: &Actor, known: &Feed) -> Result<(), DefineFeedError> {
        let table = &self.names().access;
        let place = access_key(PARTITION, feed_key(known.id));
        let mut items = vec![transaction::delete(table, place, at_revision(known.revision))?];
        items.push(self.mark(known, "DELETE feeds :feed")?);
        if let Some(alias) = &known.settings.alias {
            items.push(self.delete_alias(&alias.to_string())?);
        }
        let resource = Kind::Feed.named(known.id);
        let record = AuditRecord::new(self.now(), actor, Action::Delete, resource);
        items.extend(self.audited(&record.from(&known.shown()))?);
        // No file goes before it is sure that the feed does.
        if let Made::Refused(_) = self.transact(vec![self.end(known)?]).await? {
            return Err(DefineFeedError::Changed);
        }
        self.delete_all_editions(known.id).await?;
        match self.transact(items).await? {
            Made::Done => Ok(()),
            Made::Refused(_) => Err(DefineFeedError::Changed),
        }
    }

    /// The write that says a feed is being deleted.
    fn end(&self, known: &Feed) -> Result<TransactWriteItem, StoreError> {
        let place = access_key(PARTITION, feed_key(known.id));
        let values = Item::from([
            (":rev".to_owned(), number(known.revision)),
            (":ending".to_owned(), AttributeValue::Bool(true)),
        ]);
        let unchanged = Condition::with("rev = :rev", values);
        transaction::update(&self.names().access, place, "SET ending = :ending", unchanged)
    }

    /// Whether a feed is there, and not being deleted, at this moment.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn is_feed_defined(&self, id: FeedId) -> Result<bool, StoreError> {
        // A Query, as who publishes has the right to read all feeds, and needs no further one.
        let query = self
            .dynamodb()
            .query()
            .table_name(&self.names().access)
            .key_condition_expression("pk = :pk AND sk = :sk")
            .expression_attribute_values(":pk", text(PARTITION))
            .expression_attribute_values(":sk", text(feed_key(id)))
            .consistent_read(true);
        let found = self.query_all(query).await?;
        Ok(found.first().is_some_and(|item| !item.contains_key(ENDING)))
    }

    /// What a feed that publishes this collection is called, if there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn feed_of(&self, collection: CollectionId) -> Result<Option<String>, StoreError> {
        let feeds = self.feeds().await?;
        Ok(feeds.iter().find(|feed| feed.collection == collection).map(Feed::slug))
    }

    /// The write that holds only if no feed publishes a collection: part of the transaction that
    /// deletes it.
    pub(super) fn used_by_no_feed(
        &self,
        collection: CollectionId,
    ) -> Result<TransactWriteItem, StoreError> {
        let unused = Condition::that("attribute_not_exists(feeds)");
        transaction::delete(&self.names().access, users_key(collection), unused)
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
        let item = self.get_feed_item(feed_key(id)).await?;
        item.map(|item| read(&item)).transpose()
    }

    /// All feeds, in order of id.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn feeds(&self) -> Result<Vec<Feed>, StoreError> {
        self.feed_items().await?.iter().map(read).collect()
    }

    /// All feeds but those that are being deleted, in order of id.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn feeds_to_publish(&self) -> Result<Vec<Feed>, StoreError> {
        let items = self.feed_items().await?;
        items.iter().filter(|item| !item.contains_key(ENDING)).map(read).collect()
    }

    async fn feed_items(&self) -> Result<Vec<Item>, StoreError> {
        let query = self
            .dynamodb()
            .query()
            .table_name(&self.names().access)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", text(PARTITION))
            .expression_attribute_values(":prefix", text("F#"))
            .consistent_read(true);
        self.query_all(query).await
    }

    /// Settings that are right, and the collection they name. They name it by id: its alias may
    /// become another's.
    async fn checked_feed(
        &self,
        mut settings: FeedSettings,
        known: Option<&Feed>,
    ) -> Result<(FeedSettings, CollectionId), DefineFeedError> {
        settings.check()?;
        let all = self.collections().await?;
        let kept = known.filter(|known| known.settings.collection == settings.collection);
        let named = |one: &Collection| match kept {
            Some(known) => one.id == known.collection,
            None => one.is_called(&settings.collection),
        };
        let found = all.into_iter().find(named).ok_or_else(|| gone(&settings))?;
        if settings.public && !found.may_be_published() {
            return Err(DefineFeedError::NotPublic(found.level().name().to_ascii_uppercase()));
        }
        settings.collection = found.id.to_string();
        Ok((settings, found.id))
    }

    /// That its collection is there, and a note by the collection that the feed uses it: the next
    /// two of a transaction after the definition.
    fn using(&self, feed: &Feed) -> Result<[TransactWriteItem; 2], StoreError> {
        let place = definition_key(feed.collection);
        let there = transaction::check(&self.names().collections, place, "attribute_exists(id)")?;
        Ok([there, self.mark(feed, "ADD feeds :feed")?])
    }

    /// Changes the note of which feeds use a collection. It is a set, so what is sent twice says
    /// the same as what is sent once.
    fn mark(&self, feed: &Feed, change: &str) -> Result<TransactWriteItem, StoreError> {
        let set = AttributeValue::Ss(vec![feed.id.to_string()]);
        let values = Condition::given(Item::from([(":feed".to_owned(), set)]));
        transaction::update(&self.names().access, users_key(feed.collection), change, values)
    }

    /// A read that may be a moment behind, at half the price.
    async fn get_feed_item(&self, sk: String) -> Result<Option<Item>, StoreError> {
        let get = self
            .dynamodb()
            .get_item()
            .table_name(&self.names().access)
            .set_key(Some(access_key(PARTITION, sk)));
        self.get(get).await
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
        let place = access_key(PARTITION, format!("A#{alias}"));
        transaction::delete(&self.names().access, place, Condition::none())
    }

    fn put_new_feed_item(&self, item: Item) -> Result<TransactWriteItem, StoreError> {
        let absent = Condition::that("attribute_not_exists(pk)");
        transaction::put(&self.names().access, item, absent)
    }
}

/// Places in the transaction of a feed.
const DEFINITION: usize = 0;
const COLLECTION: usize = 1;

fn gone(settings: &FeedSettings) -> DefineFeedError {
    DefineFeedError::NoCollection(settings.collection.chars().take(80).collect())
}

fn at_revision(known: u64) -> Condition {
    Condition::with("rev = :rev", Item::from([(":rev".to_owned(), number(known))]))
}

/// The same of a feed that is not being deleted.
fn staying_at(known: u64) -> Condition {
    let values = Item::from([(":rev".to_owned(), number(known))]);
    Condition::with("rev = :rev AND attribute_not_exists(ending)", values)
}

fn feed_key(id: FeedId) -> String {
    format!("F#{id}")
}

/// Where the feeds that use a collection are noted.
fn users_key(collection: CollectionId) -> Item {
    access_key(PARTITION, format!("C#{collection}"))
}

fn definition(feed: &Feed) -> Result<Item, StoreError> {
    let document = serde_json::to_string(feed).map_err(|e| StoreError::Damaged(e.to_string()))?;
    let mut item = access_key(PARTITION, feed_key(feed.id));
    item.insert("def".into(), text(document));
    item.insert("rev".into(), number(feed.revision));
    Ok(item)
}

fn read(item: &Item) -> Result<Feed, StoreError> {
    serde_json::from_str(item.text("def")?)
        .map_err(|e| StoreError::Damaged(format!("definition of a feed: {e}")))
}
