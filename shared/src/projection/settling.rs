//! Writing down where an object stands, once the logs say it.

use std::collections::BTreeMap;
use std::time::Instant;

use futures::stream::{self, StreamExt, TryStreamExt};

use super::append::Standings;
use super::{CONCURRENCY, Projector, Subject};
use crate::id::ObjectId;
use crate::log::{LogId, Membership};
use crate::services::Services;
use crate::stix::Marking;
use crate::store::{Head, OldVersion, StoreError};
use crate::time::Version;

/// A version's item that others write at the same time is written again, this often.
const RECORD_ATTEMPTS: u32 = 10;

/// What is to be recorded of one version: where its entry lies, or that it has none.
type Entries = BTreeMap<LogId, Option<Membership>>;

impl Projector {
    /// Writes down where the object stands now, and that its projection is done.
    pub(super) async fn settle(
        &self,
        services: &Services,
        subject: Subject,
        result: Standings,
    ) -> Result<(), StoreError> {
        let Subject { mut head, older, .. } = subject;
        if result.obsolete {
            return Ok(());
        }
        self.record_versions(&head, &older, &result).await?;
        if head.facets.object_type() == "marking-definition" {
            self.tell_marked(services, &head).await?;
        }
        head.memberships = result.memberships;
        head.state.history.clear();
        head.state.left = None;
        // If the object was written anew meanwhile, that revision's projection does the rest.
        self.store.settle(&head).await?;
        Ok(())
    }

    /// Records where the entries of older versions lie.
    async fn record_versions(
        &self,
        head: &Head,
        older: &[OldVersion],
        result: &Standings,
    ) -> Result<(), StoreError> {
        let mut entries: BTreeMap<Version, Entries> = BTreeMap::new();
        for version in &head.state.history {
            entries.entry(version.clone()).or_default();
        }
        for (log, version) in &result.lost {
            entries.entry(version.clone()).or_default().insert(*log, None);
        }
        for (log, version, membership) in &result.version_entries {
            entries.entry(version.clone()).or_default().insert(*log, Some(membership.clone()));
        }
        for (version, changed) in entries {
            let known = older.iter().find(|old| old.facets.version == version);
            let Some(known) = known else { continue };
            self.record_version(head.id(), known.clone(), changed).await?;
        }
        Ok(())
    }

    /// Changes what an older version's item says of its entries. Another projector may do the
    /// same at the same time: what it wrote is read, and changed.
    async fn record_version(
        &self,
        id: &ObjectId,
        mut known: OldVersion,
        changed: Entries,
    ) -> Result<(), StoreError> {
        for _ in 0..RECORD_ATTEMPTS {
            let mut all = known.entries.clone();
            for (log, entry) in &changed {
                match entry {
                    Some(entry) => drop(all.insert(*log, entry.clone())),
                    None => drop(all.remove(log)),
                }
            }
            if all == known.entries && known.projected {
                return Ok(());
            }
            let version = &known.facets.version;
            match self.store.set_version_entries(id, version, &known.entries, &all).await {
                Err(StoreError::Conflict) => {}
                done => return done,
            }
            let present = self.store.older_version(id, version).await?;
            known = present.ok_or(StoreError::Conflict)?;
        }
        Err(StoreError::Throttled("too many projectors of one object".into()))
    }

    /// A marking definition arrived or went: what names it is projected again.
    async fn tell_marked(&self, services: &Services, head: &Head) -> Result<(), StoreError> {
        services.forget_marking(head.id());
        let means = match services.marking(head.id(), &head.owner, Some(Instant::now())).await? {
            Marking::Level(level) => level.name(),
            Marking::NoLevel => "none",
            Marking::Unknown => "unknown",
        };
        let marked = self.store.marked_objects(head.id()).await?;
        let told = marked
            .into_iter()
            .filter(|marked| marked.resolved.as_deref() != Some(means))
            .map(|marked| self.tell(head.id(), marked.id, means));
        stream::iter(told.collect::<Vec<_>>())
            .buffer_unordered(CONCURRENCY)
            .try_collect::<Vec<()>>()
            .await?;
        Ok(())
    }

    async fn tell(
        &self,
        marking: &ObjectId,
        marked: ObjectId,
        means: &str,
    ) -> Result<(), StoreError> {
        self.store.reproject(&marked, self.store.position_now()).await?;
        self.store.set_marked_level(marking, &marked, means).await
    }
}
