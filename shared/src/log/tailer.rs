//! Following the end of a log: one Query a poll, however long nothing happens.

use std::collections::VecDeque;

use super::walk::{Seen, Taken, Walk};
use super::{Entry, LogId, Place};
use crate::store::{Consistency, Store, StoreError};
use crate::time::Position;

/// A number that is missing is read again this often before it counts as damage. An appender's
/// number may be seen before its predecessor's by a read that is no snapshot.
const GAP_RETRIES: u32 = 5;

/// Items that one Query asks for: a handful of full commits.
const ITEMS: i32 = 8;

/// What a poll brought.
#[derive(Debug)]
pub struct Polled {
    /// The entries after those of the poll before, in order of position.
    pub entries: Vec<Seen>,
    /// There may be more already.
    pub more: bool,
}

/// Reads a log forward, and goes on where it stands as often as it is asked.
#[derive(Debug)]
pub struct Tailer {
    store: Store,
    log: LogId,
    walk: Walk,
}

impl Tailer {
    /// A tailer over the entries after `after`; `seq` is the commit to begin with, if known: the
    /// one in which the first entry after `after` was appended, or one before it.
    ///
    /// # Errors
    /// When the hint cannot be read.
    pub async fn new(
        store: &Store,
        log: LogId,
        after: Position,
        seq: Option<u64>,
    ) -> Result<Self, StoreError> {
        let next_seq = match seq {
            Some(seq) => seq,
            None if after == Position::default() => 1,
            None => store.search_start(log, after).await?,
        };
        Ok(Self { store: store.clone(), log, walk: Walk::new(after, next_seq) })
    }

    /// The position up to which was read.
    #[must_use]
    pub fn reached(&self) -> Position {
        self.walk.reached()
    }

    /// Reads on: one Query, eventually consistent, half a read unit where nothing is new. What it
    /// does not see yet, the next poll will: numbers are dense, and a gap is read again.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn poll(&mut self) -> Result<Polled, StoreError> {
        let mut consistency = Consistency::Eventual;
        for _ in 0..GAP_RETRIES {
            let next = self.walk.next_seq();
            let (commits, more) =
                self.store.follow_commits(self.log, next, ITEMS, consistency).await?;
            let mut entries = VecDeque::new();
            match self.walk.take(commits.into_iter(), &mut entries) {
                Taken::Gap => consistency = Consistency::Strong,
                Taken::Nothing => return Ok(Polled { entries: Vec::new(), more }),
                Taken::Some { .. } => return Ok(Polled { entries: entries.into(), more }),
            }
        }
        let lacking = self.walk.next_seq();
        Err(StoreError::Damaged(format!("log {} lacks commit {lacking}", self.log)))
    }

    /// The entry that was appended at `place`, if compaction has not dropped it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn entry_at(&self, place: Place) -> Result<Option<Entry>, StoreError> {
        let read = self.store.commits_from(self.log, place.seq, 2, Consistency::Eventual).await?;
        let covering = read.0.into_iter().map(|(commit, _)| commit);
        Ok(covering
            .filter(|commit| commit.from <= place.seq && place.seq <= commit.seq)
            .flat_map(|commit| commit.origins.into_iter().zip(commit.entries))
            .find(|(origin, _)| origin.place == place)
            .map(|(_, entry)| entry))
    }
}
