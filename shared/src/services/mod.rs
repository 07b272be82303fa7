//! What every handler is given: the store, the settings, and what an instance may remember for
//! a while.

mod definitions;
mod settings;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, Utc};
use tokio::sync::OnceCell;

use crate::access::{ApiKey, KeyId, Plan, PlanName, TenantId};
use crate::feed::FeedId;
use crate::id::ObjectId;
use crate::limiter::Limiter;
use crate::projection::Projector;
use crate::stix::{Marking, marking_defined_by};
use crate::store::{Store, StoreError};
pub use definitions::{Defined, Definitions};
pub use settings::{Settings, SettingsError, SourceKeySecret};

/// Keys are asked for again after this long, so that a revoked one stops within a minute.
const KEY_MEMORY: Duration = Duration::from_secs(30);
/// Plans are read again after this long.
const PLAN_MEMORY: Duration = Duration::from_secs(30);
/// What writing down a key's last use may take.
const NOTE_PATIENCE: Duration = Duration::from_secs(1);
/// A marking's level is read again after this long.
const MARKING_MEMORY: Duration = Duration::from_mins(1);
/// More than this many remembered keys or markings are forgotten at once.
const MEMORY_BOUND: usize = 10_000;

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
    looked_after: Mutex<HashMap<FeedId, DateTime<Utc>>>,
    definitions: RwLock<Option<(Instant, Definitions)>>,
    cursor_secret: OnceCell<[u8; 32]>,
    source_key_secret: OnceCell<Vec<u8>>,
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
    /// Services over the tables that `dynamodb` reaches and the bucket that `s3` leads to.
    #[must_use]
    pub fn new(
        dynamodb: aws_sdk_dynamodb::Client,
        s3: aws_sdk_s3::Config,
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
            looked_after: Mutex::default(),
            definitions: RwLock::default(),
            cursor_secret: OnceCell::new(),
            source_key_secret: OnceCell::new(),
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

    /// What markings that are none of OASIS' own stand for on objects of the operator, all read
    /// now. Their definitions may be a moment old, at half the price.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn markings(
        &self,
        ids: &[ObjectId],
    ) -> Result<HashMap<ObjectId, Marking>, StoreError> {
        let heads = self.0.store.heads(ids, false).await?;
        let marking = |id: &ObjectId| {
            let head = heads.get(id).filter(|head| !head.deleted && head.owner.is_operator());
            head.map_or(Marking::Unknown, |head| marking_defined_by(&head.json))
        };
        Ok(ids.iter().map(|id| (id.clone(), marking(id))).collect())
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

    /// Remembers that at a moment a feed was as new as it could be.
    pub fn feed_was_new(&self, id: FeedId, at: DateTime<Utc>) {
        let mut known = self.0.looked_after.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MEMORY_BOUND {
            known.clear();
        }
        known.insert(id, at);
    }

    /// When a feed was as new as it could be for the last time, as far as this instance knows.
    #[must_use]
    pub fn feed_was_new_at(&self, id: FeedId) -> Option<DateTime<Utc>> {
        self.0.looked_after.lock().unwrap_or_else(PoisonError::into_inner).get(&id).copied()
    }

    /// Forgets a plan, because it changed.
    pub fn forget_plan(&self, name: &PlanName) {
        self.0.plans.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// Forgets a key, because it changed.
    pub fn forget_key(&self, id: &KeyId) {
        self.0.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// The secret that authenticates cursors.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn cursor_secret(&self) -> Result<[u8; 32], StoreError> {
        self.0.cursor_secret.get_or_try_init(|| self.0.store.cursor_secret()).await.copied()
    }

    /// What submitters' ids are turned into source keys with: the configured secret, else one that
    /// the store makes on first need.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn source_key_secret(&self) -> Result<&[u8], StoreError> {
        let secret = self.0.source_key_secret.get_or_try_init(|| async {
            match &self.0.settings.source_key_secret {
                Some(secret) => Ok(secret.0.as_bytes().to_vec()),
                None => self.0.store.source_key_secret().await.map(Vec::from),
            }
        });
        secret.await.map(Vec::as_slice)
    }
}
