//! What a collection's definition says of what was stored before it.

use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};

use super::CONCURRENCY;
use crate::id::ObjectId;
use crate::log::{CollectionId, LogId};
use crate::projection::{CLOCK_MARGIN_MICROS, belongs, holds_above, said_since};
use crate::services::{Definitions, Services};
use crate::store::{Head, StoreError, Tail};
use crate::time::Position;

/// Appenders that begin a generation at the same time; each loses to one that does the same.
const ATTEMPTS: u32 = 50;

/// Objects whose `HEAD`s are compared with the log at once.
const ADOPTED_AT_ONCE: usize = 500;

/// The backfill of one generation of a collection.
pub(super) struct Backfill {
    collection: CollectionId,
    generation: u64,
    definitions: Definitions,
}

impl Backfill {
    /// Begins, or goes on; `None` when the collection is of another generation, or gone.
    pub(super) async fn begin(
        services: &Services,
        collection: CollectionId,
        generation: u64,
    ) -> Result<Option<Self>, StoreError> {
        let definitions = services.definitions_within(Duration::ZERO).await?;
        let backfill = Self { collection, generation, definitions };
        if backfill.is_outdated() {
            return Ok(None);
        }
        backfill.begin_generation(services).await?;
        Ok(Some(backfill))
    }

    /// Has objects projected again of which the log says, since the definition's moment, what
    /// their `HEAD` does not know. Of two projectors of a revision, one appended by one of the
    /// definitions, and the other settled by the other, or is about to: its write finds another
    /// revision.
    pub(super) async fn adopt(
        &self,
        services: &Services,
        not_before: Position,
    ) -> Result<(), StoreError> {
        let store = services.store();
        let log = LogId::Collection(self.collection);
        let since = services.defined_by(not_before).minus(CLOCK_MARGIN_MICROS);
        for said in said_since(store, log, since).await?.chunks(ADOPTED_AT_ONCE) {
            let ids: Vec<ObjectId> = said.iter().map(|said| said.id.clone()).collect();
            let heads = store.heads(&ids, true).await?;
            for said in said {
                if heads.get(&said.id).is_some_and(|head| said.is_unknown_to(head, log)) {
                    store.reproject_since(&said.id, said.first, since).await?;
                }
            }
        }
        Ok(())
    }

    fn is_outdated(&self) -> bool {
        let collections = self.definitions.iter().map(|defined| &defined.collection);
        !collections
            .clone()
            .any(|one| one.id == self.collection && one.generation == self.generation)
    }

    /// Begins the generation in the log, so that whoever still goes by an older definition finds
    /// the number taken and evaluates anew. From then on nothing enters or leaves by the old one.
    async fn begin_generation(&self, services: &Services) -> Result<(), StoreError> {
        let (store, log) = (services.store(), LogId::Collection(self.collection));
        for _ in 0..ATTEMPTS {
            let last = store.last_commits(log, None, 1).await?;
            let tail = last.first().map_or_else(Tail::default, crate::log::Commit::tail);
            if tail.generation >= self.generation {
                return Ok(());
            }
            let at = store.position_now().max(tail.last.next()).round_up_to_millisecond();
            let next = Tail { seq: tail.seq + 1, last: at, generation: self.generation, ..tail };
            match store.put_commit(log, next, at, None).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(|_| ()),
            }
        }
        Err(StoreError::Throttled(format!("too many appenders to log {log}")))
    }

    /// Those of `heads` that stand in the collection and should not, or should and do not; and
    /// those that are pending: what a projector appended, or is about to append, for them may
    /// follow an older definition, and a new revision makes it decide afresh.
    pub(super) async fn misplaced(
        &self,
        services: &Services,
        heads: Vec<Head>,
    ) -> Result<Vec<ObjectId>, StoreError> {
        let checks: Vec<_> =
            heads.into_iter().map(|head| self.is_misplaced(services, head)).collect();
        let checked: Vec<Option<ObjectId>> =
            stream::iter(checks).buffered(CONCURRENCY).try_collect().await?;
        Ok(checked.into_iter().flatten().collect())
    }

    async fn is_misplaced(
        &self,
        services: &Services,
        head: Head,
    ) -> Result<Option<ObjectId>, StoreError> {
        let log = LogId::Collection(self.collection);
        let should = belongs(services, &self.definitions, &head, log).await?;
        let stands = head.memberships.get(&log).is_some_and(|known| !known.related);
        let misplaced = head.pending.is_some()
            || should != stands
            || holds_above(services, &self.definitions, &head, log).await?;
        Ok(misplaced.then(|| head.id().clone()))
    }

    /// The collection holds what it should.
    pub(super) async fn end(&self, services: &Services) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            let definitions = services.definitions_within(Duration::ZERO).await?;
            let now = definitions.iter().map(|defined| &defined.collection);
            let Some(now) = now.into_iter().find(|one| one.id == self.collection) else {
                return Ok(());
            };
            let over = now.generation != self.generation || now.rebuilding.is_none();
            if over || services.store().set_rebuilt(now).await? {
                break;
            }
        }
        services.definitions_within(Duration::ZERO).await?;
        Ok(())
    }
}
