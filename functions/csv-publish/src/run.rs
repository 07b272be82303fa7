//! One run that has read what is new: the files of the next edition, and the exchange.

use chrono::{DateTime, TimeDelta, Utc};
use shared::feed::{Banner, Edition, Feed, Replaced, State};
use shared::services::Services;
use shared::store::{EditionTag, StoreError};
use shared::time::Position;
use shared::tlp::Tlp;
use uuid::Uuid;

use crate::changes::Changes;
use crate::content::{self, Content};
use crate::error::PublishError;
use crate::outputs;
use crate::progress::Progress;
use crate::publish::{Outcome, Published};
use crate::spool::Spool;

/// How far the log was read is written down once a day at the least, changes or not: what has been
/// the same for longer than the log remembers would be made anew else.
const NOTED_WITHIN: TimeDelta = TimeDelta::days(1);

/// Links to the files of an edition, and answers that began with it, end this long after the next
/// one took its place.
const LINGERS: TimeDelta = TimeDelta::minutes(10);

/// Who writes an edition is at it for 15 minutes at the most.
const AT_WORK: TimeDelta = TimeDelta::hours(1);

/// What one run works with.
pub struct Run<'a> {
    /// The tables and the bucket.
    pub services: &'a Services,
    /// The feed.
    pub feed: &'a Feed,
    /// The highest level its collection may hold.
    pub level: Tlp,
    /// The moment of the edition.
    pub now: DateTime<Utc>,
    /// How far it is.
    pub progress: &'a Progress,
    /// The edition it began with.
    pub known: Option<&'a (Edition, EditionTag)>,
}

/// What became of an exchange.
enum Exchanged {
    /// The edition is the present one.
    Done,
    /// Another one took the place.
    Overtaken,
    /// Refused, or not known to be done: the edition may be taken back, or not.
    Failed { error: StoreError, may_come: bool },
}

impl Run<'_> {
    /// Ends a run that found nothing; now and then it is written down how far the log was read.
    pub async fn nothing_new(
        &self,
        last: &Edition,
        (reached, next_seq): (Position, u64),
    ) -> Result<Outcome, PublishError> {
        // Entries that make no rows were read for nothing, and would be again next time.
        let noted = self.now - last.state.as_of < NOTED_WITHIN && last.state.next_seq == next_seq;
        if noted {
            return Ok(Outcome::Unchanged);
        }
        let state = State { reached, next_seq, as_of: self.now, ..last.state.clone() };
        self.note(Edition { state, ..last.clone() }).await
    }

    /// Exchanges the document of an edition whose files stay as they are.
    async fn note(&self, edition: Edition) -> Result<Outcome, PublishError> {
        let exchanged = self.exchange(&edition).await;
        if !matches!(exchanged, Exchanged::Overtaken) && !self.is_defined().await {
            return Ok(Outcome::Deleted);
        }
        match exchanged {
            Exchanged::Done => Ok(Outcome::Noted),
            Exchanged::Overtaken => Ok(Outcome::Overtaken),
            Exchanged::Failed { error, .. } => Err(error.into()),
        }
    }

    /// Makes an edition the present one.
    async fn exchange(&self, edition: &Edition) -> Exchanged {
        let (store, tag) = (self.services.store(), self.known.map(|(_, tag)| tag));
        let error = match store.put_edition(self.feed.id, edition, tag).await {
            Ok(()) => return Exchanged::Done,
            Err(StoreError::Conflict) => return Exchanged::Overtaken,
            Err(error) if !error.passes() => return Exchanged::Failed { error, may_come: false },
            Err(error) => error,
        };
        // Nobody knows what became of it: what stands there tells.
        match store.edition(self.feed.id).await {
            Ok(Some((found, _))) if found == *edition => Exchanged::Done,
            Ok(Some((_, found))) if Some(&found) != tag => Exchanged::Overtaken,
            // Where no answer came, or none that says so, it may be on its way still.
            Ok(_) | Err(_) => {
                let may_come = !matches!(error, StoreError::Throttled(_));
                Exchanged::Failed { error, may_come }
            }
        }
    }

    /// Whether the feed is still there after the exchange; if not, what is there of it goes. That
    /// cannot be asked is no reason to doubt it.
    async fn is_defined(&self) -> bool {
        let (store, feed) = (self.services.store(), self.feed.id);
        match store.is_feed_defined(feed).await {
            Ok(true) => true,
            Ok(false) => {
                if let Err(error) = store.delete_all_editions(feed).await {
                    tracing::warn!(%feed, %error, "files of a deleted feed may be left");
                }
                false
            }
            Err(error) => {
                tracing::warn!(%feed, %error, "not known whether the feed is there still");
                true
            }
        }
    }

    /// Merges what changed with the last edition's records, if it is carried on, and publishes
    /// that.
    pub async fn next_edition(
        &self,
        changes: Changes,
        old: Option<Spool>,
    ) -> Result<Outcome, PublishError> {
        let whole = old.is_none();
        let (reached, next_seq) = changes.reached;
        let (window, now) = (self.feed.window(), self.now);
        let last = self.known.map(|(edition, _)| edition);
        let markings = match last.filter(|_| !whole) {
            Some(last) => last.state.markings.and(&changes.markings, now),
            None => changes.markings.clone(),
        };
        // What is above the collection's level is about to leave it, or that was just raised.
        let level = Some(self.level).max(changes.highest).unwrap_or(self.level);
        let merging =
            tokio::task::spawn_blocking(move || content::merge(changes, old, window, now));
        let content = merging.await.map_err(|error| PublishError::Merge(error.to_string()))??;
        self.progress.set_kept(content.objects);
        if content.skipped.objects > 0 {
            let (feed, objects) = (self.feed.id, content.skipped.objects);
            tracing::warn!(%feed, objects, "objects that exceed a bound have no rows");
        }
        let state = State {
            reached,
            next_seq,
            as_of: now,
            next: content.next.and_then(DateTime::from_timestamp_micros),
            fingerprint: self.feed.fingerprint(),
            records: content.objects,
            digest: content.digest.clone(),
            markings,
            skipped: content.skipped.clone(),
        };
        let same = |last: &&Edition| {
            last.level == level
                && last.state.fingerprint == state.fingerprint
                && last.state.digest == state.digest
        };
        // Who asks for all anew, or lacks what is kept beside the files, is not helped by a note.
        if let Some(last) = last.filter(same).filter(|_| !whole) {
            return self.note(Edition { state, ..last.clone() }).await;
        }
        self.write(content, state, level, whole).await
    }

    async fn write(
        &self,
        content: Content,
        state: State,
        level: Tlp,
        whole: bool,
    ) -> Result<Outcome, PublishError> {
        let (store, feed) = (self.services.store(), self.feed);
        let (moment, (chance, _)) =
            (self.now.format("%Y%m%dT%H%M%S"), Uuid::new_v4().as_u64_pair());
        let id = format!("{moment}-{chance:016x}");
        let from = feed.window().begins(self.now);
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
        // Not when the run began: who fetched the file before meanwhile is to see that it changed.
        let now = store.now();
        let published = Some(last.map_or(now, |last| last.modified_next(now)));
        let replaced = last.map(|last| replaced(last, now)).unwrap_or_default();
        let generated = self.now;
        let edition =
            Edition { id, generated, from, published, level, files, state, previous, replaced };
        match self.exchange(&edition).await {
            Exchanged::Done => {}
            Exchanged::Overtaken => {
                self.take_back(&edition.id).await;
                return Ok(Outcome::Overtaken);
            }
            Exchanged::Failed { .. } if !self.is_defined().await => return Ok(Outcome::Deleted),
            Exchanged::Failed { error, may_come } => {
                // What may come to be read after all goes with a later edition.
                if !may_come {
                    self.take_back(&edition.id).await;
                }
                return Err(error.into());
            }
        }
        if !self.is_defined().await {
            return Ok(Outcome::Deleted);
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
