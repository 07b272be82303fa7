//! One feed, from its last edition to the next.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use shared::collection::Collection;
use shared::feed::{Edition, Feed};
use shared::id::ObjectId;
use shared::services::Services;
use shared::stix::Marking;
use shared::store::{Claim, EditionTag, Store, StoreError};

use crate::changes::{self, Changes, Subject};
use crate::error::PublishError;
use crate::progress::Progress;
use crate::run::Run;
use crate::spool::Spool;

/// The name of an edition's records among its files.
pub(crate) const STATE: &str = "state";

/// What left the collection is told of for 30 days: an edition that was read longer ago cannot be
/// carried on.
const MEMORY: TimeDelta = TimeDelta::days(29);

/// What to publish.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The feed.
    pub feed: &'a Feed,
    /// Reads the whole log and writes all files anew, whatever the last edition holds.
    pub rebuild: bool,
    /// Leaves the feed to whoever claimed it.
    pub heeds_claims: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is a new edition.
    Published(Published),
    /// Nothing is new, and nothing was written.
    Unchanged,
    /// What is new changes no row: only how far the log was read was written down.
    Noted,
    /// Somebody else published meanwhile; theirs holds.
    Overtaken,
    /// Somebody else is at work on what is new.
    Claimed,
    /// The feed was deleted meanwhile, and what was written of it, too.
    Deleted,
}

/// A new edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its id.
    pub edition: String,
    /// Rows of its CSV.
    pub rows: u64,
    /// Objects in it.
    pub objects: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Whether the whole log was read for it.
    pub whole: bool,
}

impl Outcome {
    /// Whether the feed is as new as it can be.
    #[must_use]
    pub const fn is_new(&self) -> bool {
        matches!(self, Self::Published(_) | Self::Unchanged | Self::Noted)
    }

    /// A word for it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Published(_) => "published",
            Self::Unchanged => "unchanged",
            Self::Noted => "noted",
            Self::Overtaken => "overtaken",
            Self::Claimed => "claimed",
            Self::Deleted => "deleted",
        }
    }
}

/// Publishes what is new of a feed. Readers see the edition before or the new one, whole, whatever
/// fails on the way and whoever else publishes.
///
/// # Errors
/// When the collection is gone, or tables, bucket or temporary files fail. The last edition stays.
pub async fn publish(
    services: &Services,
    request: Request<'_>,
    progress: &Progress,
) -> Result<Outcome, PublishError> {
    let (feed, store) = (request.feed, services.store());
    // Before any log is read: what a definition no longer allows has left the log by then.
    let collection = store.collection(feed.collection).await?.ok_or(PublishError::NoCollection)?;
    let known = store.edition(feed.id).await?;
    let known = known.as_ref();
    let last = known.map(|(edition, _)| edition);
    // No edition is older than the one before, whatever the clocks say.
    let now = last.map_or(store.now(), |last| last.state.as_of.max(store.now()));
    let mut publishing =
        Publishing { services, request, collection, now, progress, known, present: HashMap::new() };
    let mut changes = None;
    if let Some(last) = last.filter(|last| publishing.may_carry_on(last))
        && publishing.levels_hold(last).await?
    {
        let read = publishing.read(Some(last)).await?;
        let due = last.state.next.is_some_and(|next| next <= now);
        if read.latest.is_empty() && !due {
            return publishing.run().nothing_new(last, read.reached).await;
        }
        changes = Some(read);
    }
    let Some(claim) = publishing.claim().await? else { return Ok(Outcome::Claimed) };
    let done = publishing.next_edition(changes).await;
    if let Err(error) = store.unclaim_feed(feed.id, &claim).await {
        tracing::warn!(feed = %feed.id, %error, "a claim stays for a while");
    }
    done
}

struct Publishing<'a> {
    services: &'a Services,
    request: Request<'a>,
    collection: Collection,
    now: DateTime<Utc>,
    progress: &'a Progress,
    known: Option<&'a (Edition, EditionTag)>,
    /// What markings stand for now, as far as that was read.
    present: HashMap<ObjectId, Marking>,
}

impl Publishing<'_> {
    fn may_carry_on(&self, last: &Edition) -> bool {
        !self.request.rebuild
            && last.state.fingerprint == self.request.feed.fingerprint()
            // Rows of unknown markings have the collection's level, and the banner says it.
            && last.level == self.collection.level()
            && self.now - last.state.as_of < MEMORY
    }

    /// Whether the rows of an edition have the levels they would have now.
    async fn levels_hold(&mut self, last: &Edition) -> Result<bool, PublishError> {
        let markings = &last.state.markings;
        self.present = match markings.ids() {
            none if none.is_empty() => HashMap::new(),
            ids => self.services.markings(&ids).await?,
        };
        Ok(markings.hold(&self.present, self.now))
    }

    async fn claim(&self) -> Result<Option<Claim>, StoreError> {
        let (store, feed) = (self.services.store(), self.request.feed.id);
        if self.request.heeds_claims {
            store.claim_feed(feed).await
        } else {
            store.claim_feed_anyway(feed).await
        }
    }

    /// Reads what the log says since an edition, or all of it.
    async fn read(&self, last: Option<&Edition>) -> Result<Changes, PublishError> {
        let subject = Subject {
            feed: self.request.feed,
            collection: &self.collection,
            markings: &self.present,
            now: self.now,
        };
        let reached = last.map(|last| (last.state.reached, last.state.next_seq));
        changes::read(self.services, subject, reached, self.progress).await
    }

    fn run(&self) -> Run<'_> {
        Run {
            services: self.services,
            feed: self.request.feed,
            level: self.collection.level(),
            now: self.now,
            progress: self.progress,
            known: self.known,
        }
    }

    /// Carries the last edition on by what changed since; without that, makes it anew.
    async fn next_edition(&mut self, changes: Option<Changes>) -> Result<Outcome, PublishError> {
        let store = self.services.store();
        if let Some((changes, (last, _))) = changes.zip(self.known) {
            if let Some(old) = open_state(store, self.request.feed, last).await? {
                match self.run().next_edition(changes, Some(old)).await {
                    // What is kept beside the files cannot be read: it is made anew.
                    Err(PublishError::Frame(_) | PublishError::Temporary(_)) => {}
                    done => return done,
                }
            }
            self.now = last.state.as_of.max(store.now());
        }
        let changes = self.read(None).await?;
        self.run().next_edition(changes, None).await
    }
}

/// The records of an edition; `None` when they are gone.
async fn open_state(
    store: &Store,
    feed: &Feed,
    last: &Edition,
) -> Result<Option<Spool>, PublishError> {
    let opened = store.open_feed_file(feed.id, &last.id, STATE, None).await?;
    let Some(mut body) = opened else { return Ok(None) };
    let mut spool = Spool::empty()?;
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        spool.append(&bytes)?;
    }
    Ok(Some(spool))
}
