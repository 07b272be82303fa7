//! What every handler is given: the store, the settings, and what an instance may remember for
//! a while.

use std::collections::HashMap;
use std::env;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use thiserror::Error;
use tokio::sync::OnceCell;

use crate::access::{ApiKey, KeyId, Plan, PlanName, TenantId};
use crate::clock::Clock;
use crate::collection::{Collection, CollectionSettings};
use crate::filter::Filter;
use crate::id::ObjectId;
use crate::limiter::Limiter;
use crate::log::CollectionId;
use crate::projection::Projector;
use crate::stix::{Marking, marking_defined_by};
use crate::store::{DefineCollectionError, Names, Store, StoreError};
use crate::time::Position;

/// Definitions are read again after this long, in a deployed function.
const DEFINITION_MEMORY: Duration = Duration::from_secs(30);
/// Keys are asked for again after this long, so that a revoked one stops within a minute.
const KEY_MEMORY: Duration = Duration::from_secs(30);
/// Plans are read again after this long.
const PLAN_MEMORY: Duration = Duration::from_secs(30);
/// What writing down a key's last use may take.
const NOTE_PATIENCE: Duration = Duration::from_secs(1);
/// A name that is not found is looked up again if the definitions are older than this.
const DEFINITION_PATIENCE: Duration = Duration::from_secs(1);
/// A marking's level is read again after this long.
const MARKING_MEMORY: Duration = Duration::from_mins(1);
/// More than this many remembered keys or markings are forgotten at once.
const MEMORY_BOUND: usize = 10_000;

/// How a deployment is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Tables and bucket.
    pub names: Names,
    /// The URL clients reach the service by; absent: the forwarded scheme and host.
    pub public_base_url: Option<String>,
    /// The TAXII API root's path segment.
    pub taxii_root: String,
    /// Definitions of collections are read again after this long.
    pub definition_memory: Duration,
    /// The clock.
    pub clock: Clock,
}

/// Why the environment is not enough.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// A variable is not set.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
}

impl Settings {
    /// Reads `IOCAST_OBJECTS_TABLE`, `IOCAST_COLLECTIONS_TABLE`, `IOCAST_ACCESS_TABLE`,
    /// `IOCAST_BUCKET`, and, if set, `IOCAST_PUBLIC_BASE_URL` and `IOCAST_TAXII_ROOT`
    /// (default `intel`).
    ///
    /// # Errors
    /// Names the variable that is not set.
    pub fn from_env() -> Result<Self, SettingsError> {
        let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let required = |name| set(name).ok_or(SettingsError::Missing(name));
        Ok(Self {
            names: Names {
                objects: required("IOCAST_OBJECTS_TABLE")?,
                collections: required("IOCAST_COLLECTIONS_TABLE")?,
                access: required("IOCAST_ACCESS_TABLE")?,
                bucket: required("IOCAST_BUCKET")?,
            },
            public_base_url: set("IOCAST_PUBLIC_BASE_URL"),
            taxii_root: set("IOCAST_TAXII_ROOT").unwrap_or_else(|| "intel".to_owned()),
            definition_memory: DEFINITION_MEMORY,
            clock: Clock::default(),
        })
    }
}

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

type Remembered<K, V> = Mutex<HashMap<K, (Instant, V)>>;

/// What handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct Services(Arc<Inner>);

struct Inner {
    store: Store,
    settings: Settings,
    keys: Remembered<KeyId, ApiKey>,
    plans: Remembered<PlanName, Arc<Plan>>,
    limiter: Limiter,
    markings: Remembered<ObjectId, (Instant, TenantId, Marking)>,
    definitions: RwLock<Option<(Instant, Definitions)>>,
    cursor_secret: OnceCell<[u8; 32]>,
    projector: Projector,
}

fn recall<K: std::hash::Hash + Eq, V: Clone>(
    memory: &Remembered<K, V>,
    key: &K,
    span: Duration,
) -> Option<V> {
    let memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
    memory.get(key).filter(|(at, _)| at.elapsed() < span).map(|(_, value)| value.clone())
}

fn remember<K: std::hash::Hash + Eq, V>(memory: &Remembered<K, V>, key: K, value: V) {
    let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
    if memory.len() >= MEMORY_BOUND {
        memory.clear();
    }
    memory.insert(key, (Instant::now(), value));
}

impl Services {
    /// Services over these clients.
    #[must_use]
    pub fn new(
        dynamodb: aws_sdk_dynamodb::Client,
        s3: aws_sdk_s3::Client,
        settings: Settings,
    ) -> Self {
        let store = Store::new(dynamodb, s3, settings.names.clone(), settings.clock.clone());
        Self(Arc::new(Inner {
            projector: Projector::new(store.clone()),
            store,
            settings,
            keys: Mutex::default(),
            plans: Mutex::default(),
            limiter: Limiter::default(),
            markings: Mutex::default(),
            definitions: RwLock::default(),
            cursor_secret: OnceCell::new(),
        }))
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The projector of this instance.
    #[must_use]
    pub fn projector(&self) -> &Projector {
        &self.0.projector
    }

    /// The stored key with this public id, remembered for half a minute.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn key(&self, id: &KeyId) -> Result<Option<ApiKey>, StoreError> {
        if let Some(key) = recall(&self.0.keys, id, KEY_MEMORY) {
            return Ok(Some(key));
        }
        let key = self.0.store.key(id).await?;
        if let Some(key) = &key {
            remember(&self.0.keys, id.clone(), key.clone());
        }
        Ok(key)
    }

    /// The plan of this name, remembered for half a minute. One that is not there is one that
    /// grants nothing, see [`Plan::gone`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn plan(&self, name: &PlanName) -> Result<Arc<Plan>, StoreError> {
        if let Some(plan) = recall(&self.0.plans, name, PLAN_MEMORY) {
            return Ok(plan);
        }
        let plan = self.0.store.plan(name).await?;
        let plan = Arc::new(plan.unwrap_or_else(|| Plan::gone(name.clone())));
        remember(&self.0.plans, name.clone(), plan.clone());
        Ok(plan)
    }

    /// Writes down that a key is used today, once a day, as far as this instance knows. That it
    /// fails keeps no request from being served.
    pub async fn note_use(&self, key: &ApiKey) {
        let today = self.0.store.now().date_naive();
        if key.last_used.is_some_and(|day| day >= today) {
            return;
        }
        // Remembered first, so that of many requests at once one writes.
        if !self.remember_use(&key.id, today) {
            return;
        }
        // Nobody waits for a table that does not take it: the next instance writes it down.
        let noted = self.0.store.note_use(&key.id, today);
        match tokio::time::timeout(NOTE_PATIENCE, noted).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, key = %key.id, "the day of its last use is not written down");
            }
            Err(_) => tracing::warn!(key = %key.id, "its last use is not written down in time"),
        }
    }

    /// Says no when the use of that day is remembered already. How long the key is remembered
    /// stays as it is: a revoked one must go.
    fn remember_use(&self, id: &KeyId, on: NaiveDate) -> bool {
        let mut keys = self.0.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, known)) = keys.get_mut(id) else { return true };
        let before = known.last_used.replace(on);
        before.is_none_or(|day| day < on)
    }

    /// What counts requests against their plans.
    #[must_use]
    pub fn limiter(&self) -> &Limiter {
        &self.0.limiter
    }

    /// What a marking id that is none of OASIS' own stands for on an object of `owner`, as of
    /// `since` or later. Only the operator's definitions and the owner's own count: nobody lowers
    /// the level of what belongs to somebody else by defining a marking it names.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn marking(
        &self,
        id: &ObjectId,
        owner: &TenantId,
        since: Option<Instant>,
    ) -> Result<Marking, StoreError> {
        let fresh =
            |(asked, _, _): &(Instant, TenantId, Marking)| since.is_none_or(|since| *asked > since);
        let known = match recall(&self.0.markings, id, MARKING_MEMORY).filter(fresh) {
            Some(known) => Some(known),
            None => self.read_marking(id).await?,
        };
        Ok(match known {
            Some((_, definer, marking)) if definer.is_operator() || definer == *owner => marking,
            _ => Marking::Unknown,
        })
    }

    /// A marking, who defined it, and when that was read; only known ones are remembered.
    async fn read_marking(
        &self,
        id: &ObjectId,
    ) -> Result<Option<(Instant, TenantId, Marking)>, StoreError> {
        let asked = Instant::now();
        let head = self.0.store.head(id).await?.filter(|head| !head.deleted);
        let known = head.map(|head| (asked, head.owner.clone(), marking_defined_by(&head.json)));
        if let Some(known) = &known {
            remember(&self.0.markings, id.clone(), known.clone());
        }
        Ok(known)
    }

    /// Forgets what a marking id stands for, because its definition changed.
    pub fn forget_marking(&self, id: &ObjectId) {
        self.0.markings.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

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

    /// Creates a collection; this instance knows it at once, others within half a minute.
    ///
    /// # Errors
    /// When the settings are not right, the alias or title is taken, or the store fails.
    pub async fn create_collection(
        &self,
        settings: CollectionSettings,
    ) -> Result<Collection, DefineCollectionError> {
        let after = self.backfill_after();
        let collection = self.0.store.create_collection(settings, after).await?;
        self.definitions_within(Duration::ZERO).await?;
        Ok(collection)
    }

    /// Changes a collection that is still as `known`; this instance goes by it at once, others
    /// within half a minute, and what is stored already is re-evaluated after that.
    ///
    /// # Errors
    /// When the settings are not right, the alias or title is taken, somebody else changed the
    /// collection meanwhile, or the store fails.
    pub async fn change_collection(
        &self,
        known: &Collection,
        settings: CollectionSettings,
    ) -> Result<Collection, DefineCollectionError> {
        let after = self.backfill_after();
        let changed = self.0.store.change_collection(known, settings, after).await;
        self.definitions_within(Duration::ZERO).await?;
        changed
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

    /// The secret that authenticates cursors.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn cursor_secret(&self) -> Result<[u8; 32], StoreError> {
        self.0.cursor_secret.get_or_try_init(|| self.0.store.cursor_secret()).await.copied()
    }
}
