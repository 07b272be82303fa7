//! One feed, from its last edition to the next.

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use shared::collection::Collection;
use shared::feed::{Banner, Edition, Feed, Merge, Replaced, State};
use shared::services::Services;
use shared::store::{EditionTag, Store, StoreError};
use uuid::Uuid;

use crate::changes::{self, Changes};
use crate::error::PublishError;
use crate::outputs;
use crate::progress::Progress;
use crate::spool::{Effort, Spool, SpoolReader, SpoolWriter};

/// The name of an edition's records among its files.
pub(crate) const STATE: &str = "state";

/// What left the collection is told of for 30 days: an edition that was read longer ago cannot be
/// carried on.
const MEMORY: TimeDelta = TimeDelta::days(29);

/// How far the log was read is written down once a day at the least, changes or not: what has been
/// the same for longer than [`MEMORY`] would be made anew else.
const NOTED_WITHIN: TimeDelta = TimeDelta::days(1);

/// Links to the files of an edition, and answers that began with it, end this long after the next
/// one took its place.
const LINGERS: TimeDelta = TimeDelta::minutes(10);

/// Who writes an edition is at it for 15 minutes at the most.
const AT_WORK: TimeDelta = TimeDelta::hours(1);

/// What to publish.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The feed.
    pub feed: &'a Feed,
    /// All collections, read since the log was last written by an older definition.
    pub collections: &'a [Collection],
    /// Reads the whole log and writes all files anew, whatever the last edition holds.
    pub rebuild: bool,
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
    /// A word for it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Published(_) => "published",
            Self::Unchanged => "unchanged",
            Self::Noted => "noted",
            Self::Overtaken => "overtaken",
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
    let feed = request.feed;
    let found = request.collections.iter().find(|one| one.id == feed.collection);
    let collection = found.ok_or(PublishError::NoCollection)?;
    let store = services.store();
    let known = store.edition(feed.id).await?;
    let last = known.as_ref().map(|(edition, _)| edition);
    // No edition is older than the one before, whatever the clocks say.
    let now = last.map_or(store.now(), |last| last.state.as_of.max(store.now()));
    let carried = last.filter(|last| !request.rebuild && can_be_carried_on(last, feed, now));
    let mut run = Run { services, feed, collection, now, progress, known: known.as_ref() };
    if let Some(last) = carried {
        let reached = Some((last.state.reached, last.state.next_seq));
        let changes = changes::read(services, feed, collection, reached, progress).await?;
        let due = last.state.next.is_some_and(|next| next <= now);
        if changes.latest.is_empty() && !due {
            return run.nothing_new(last, changes.reached).await;
        }
        if let Some(old) = open_state(store, feed, last).await? {
            match run.next_edition(changes, Some(old)).await {
                // What is kept beside the files cannot be read: it is made anew.
                Err(PublishError::Frame(_) | PublishError::Temporary(_)) => {}
                done => return done,
            }
        }
        run.now = last.state.as_of.max(store.now());
    }
    let changes = changes::read(services, feed, collection, None, progress).await?;
    run.next_edition(changes, None).await
}

fn can_be_carried_on(last: &Edition, feed: &Feed, now: DateTime<Utc>) -> bool {
    last.state.fingerprint == feed.fingerprint() && now - last.state.as_of < MEMORY
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

struct Run<'a> {
    services: &'a Services,
    feed: &'a Feed,
    collection: &'a Collection,
    now: DateTime<Utc>,
    progress: &'a Progress,
    known: Option<&'a (Edition, EditionTag)>,
}

/// The records of a new edition.
struct Content {
    records: Spool,
    objects: u64,
    rows: u64,
    next: Option<i64>,
    digest: String,
}

impl Run<'_> {
    async fn nothing_new(
        &self,
        last: &Edition,
        (reached, next_seq): (shared::time::Position, u64),
    ) -> Result<Outcome, PublishError> {
        // Entries that make no rows were read for nothing, and would be again next time.
        let noted = self.now - last.state.as_of < NOTED_WITHIN
            && last.level == self.collection.level()
            && last.state.next_seq == next_seq;
        if noted {
            return Ok(Outcome::Unchanged);
        }
        let state = State { reached, next_seq, as_of: self.now, ..last.state.clone() };
        self.note(Edition { state, ..last.clone() }).await
    }

    /// Exchanges the document of an edition whose files stay as they are.
    async fn note(&self, edition: Edition) -> Result<Outcome, PublishError> {
        let edition = Edition { level: self.collection.level(), ..edition };
        self.exchange(&edition)
            .await
            .map(|done| if done { Outcome::Noted } else { Outcome::Overtaken })
    }

    /// Makes an edition the present one; `false` when somebody else was faster.
    async fn exchange(&self, edition: &Edition) -> Result<bool, PublishError> {
        let known = self.known.map(|(_, tag)| tag);
        match self.services.store().put_edition(self.feed.id, edition, known).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Merges what changed with the last edition's records, if it is carried on.
    async fn next_edition(
        &self,
        changes: Changes,
        old: Option<Spool>,
    ) -> Result<Outcome, PublishError> {
        let whole = old.is_none();
        let (reached, next_seq) = changes.reached;
        let (window, now) = (self.feed.window(), self.now);
        let merging = tokio::task::spawn_blocking(move || merge(changes, old, window, now));
        let content = merging.await.map_err(|error| PublishError::Merge(error.to_string()))??;
        self.progress.set_kept(content.objects);
        let state = State {
            reached,
            next_seq,
            as_of: now,
            next: content.next.and_then(DateTime::from_timestamp_micros),
            fingerprint: self.feed.fingerprint(),
            records: content.objects,
            digest: content.digest.clone(),
        };
        let same = |last: &&Edition| {
            last.state.fingerprint == state.fingerprint && last.state.digest == state.digest
        };
        let last = self.known.map(|(edition, _)| edition);
        // Who asks for all anew, or lacks what is kept beside the files, is not helped by a note.
        if let Some(last) = last.filter(same).filter(|_| !whole) {
            return self.note(Edition { state, ..last.clone() }).await;
        }
        self.write(content, state, whole).await
    }

    async fn write(
        &self,
        content: Content,
        state: State,
        whole: bool,
    ) -> Result<Outcome, PublishError> {
        let (store, feed) = (self.services.store(), self.feed);
        let (moment, (chance, _)) =
            (self.now.format("%Y%m%dT%H%M%S"), Uuid::new_v4().as_u64_pair());
        let id = format!("{moment}-{chance:016x}");
        let from = feed.window().begins(self.now);
        let level = self.collection.level();
        let banner = Banner { generated: self.now, from, rows: content.rows, level };
        let written =
            outputs::write(store, feed, &id, &content.records, &banner, self.progress).await;
        let files = match written {
            Ok(files) => files,
            Err(error) => {
                self.take_back(&id).await;
                return Err(error);
            }
        };
        let bytes = files.iter().map(|file| file.bytes).sum();
        let last = self.known.map(|(last, _)| last);
        let previous = last.map(|last| last.id.clone());
        let replaced = last.map(|last| replaced(last, self.now)).unwrap_or_default();
        let generated = self.now;
        let edition = Edition { id, generated, from, level, files, state, previous, replaced };
        if !self.exchange(&edition).await? {
            self.take_back(&edition.id).await;
            return Ok(Outcome::Overtaken);
        }
        self.tidy(&edition).await;
        let (rows, objects) = (content.rows, content.objects);
        Ok(Outcome::Published(Published { edition: edition.id, rows, objects, bytes, whole }))
    }

    /// Deletes the files of an edition that nobody will read.
    async fn take_back(&self, id: &str) {
        if let Err(error) = self.services.store().delete_edition(self.feed.id, id).await {
            tracing::warn!(feed = %self.feed.id, edition = id, %error, "files not deleted");
        }
    }

    /// Deletes what nobody reads any more, and what runs left that were killed. What cannot be
    /// deleted now, the next edition's run deletes.
    async fn tidy(&self, edition: &Edition) {
        let mut keep = vec![edition.id.as_str()];
        keep.extend(edition.previous.as_deref());
        keep.extend(edition.replaced.iter().map(|replaced| replaced.id.as_str()));
        let store = self.services.store();
        let since = Utc::now() - AT_WORK;
        if let Err(error) = store.delete_editions(self.feed.id, &keep, since).await {
            tracing::warn!(feed = %self.feed.id, %error, "old editions not deleted");
        }
    }
}

/// The editions that readers may have begun with once `last` is replaced at `now`: itself, and
/// those before it that were replaced a moment ago.
fn replaced(last: &Edition, now: DateTime<Utc>) -> Vec<Replaced> {
    let before = last.replaced.iter().filter(|replaced| now - replaced.at <= LINGERS).cloned();
    before.chain([Replaced { id: last.id.clone(), at: now }]).collect()
}

fn merge(
    changes: Changes,
    old: Option<Spool>,
    window: shared::feed::Window,
    now: DateTime<Utc>,
) -> Result<Content, PublishError> {
    let old: Option<SpoolReader> = old.map(|old| old.frames()).transpose()?;
    let merged = Merge {
        old: old.into_iter().flatten().peekable(),
        new: changes.records.sorted()?.peekable(),
        latest: &changes.latest,
        window,
        now,
    };
    let mut records = SpoolWriter::new(Effort::Some)?;
    let (mut digest, mut objects, mut rows, mut next) = (Sha256::new(), 0, 0, None::<i64>);
    for merged in merged {
        let merged = merged?;
        records.push(&merged.frame)?;
        digest.update(merged.frame.bytes());
        objects += 1;
        rows += u64::from(merged.frame.rows);
        next = match (next, merged.leaves) {
            (Some(next), Some(leaves)) => Some(next.min(leaves)),
            (next, leaves) => next.or(leaves),
        };
    }
    let digest = format!("{:x}", digest.finalize());
    Ok(Content { records: records.finish()?, objects, rows, next, digest })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_edition_stays_until_its_successor_is_ten_minutes_old() {
        let at = |minute: i64| DateTime::from_timestamp(minute * 60, 0).unwrap();
        let mut edition: Edition = serde_json::from_value(json!({
            "id": "0", "generated": at(0), "from": null, "level": "clear", "files": [],
            "previous": null,
            "state": {"reached": 0, "next_seq": 1, "as_of": at(0), "next": null,
                "fingerprint": "", "records": 0, "digest": ""},
        }))
        .unwrap();
        // Of a day ago, then one a minute.
        for minute in 1440..1470 {
            let replaced = replaced(&edition, at(minute));
            edition = Edition { id: minute.to_string(), replaced, ..edition };
            // What was replaced ten minutes ago is what was made eleven minutes ago.
            let oldest = if minute <= 1450 { 0 } else { minute - 11 };
            let ids: Vec<i64> =
                edition.replaced.iter().map(|one| one.id.parse().unwrap()).collect();
            assert_eq!(ids.first(), Some(&oldest), "{minute}: {ids:?}");
            assert_eq!(ids.last().copied(), Some(if minute == 1440 { 0 } else { minute - 1 }));
            assert!(ids.len() <= 11, "{ids:?}");
        }
    }
}
