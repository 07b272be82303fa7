//! Reading a log from its newest entry backwards, at the price of the commits touched.

use std::collections::VecDeque;

use super::backwards::{Backwards, Chain};
use super::reader::{GAP_RETRIES, SETTLED_MICROS};
use super::{Entry, LogId, MAX_ENTRIES};
use crate::store::{Consistency, LogPart, Store, StoreError, UpTo};
use crate::time::Position;

/// Items one Query of marks asks for: more than a commit has unless it was made of very many.
const MARKS_AT_ONCE: i32 = 200;

/// Reads the current versions of a log's members, newest first.
///
/// The end of the log is read consistently, and commits of the last minute too; older ones are
/// not. Whoever begins at the end misses nothing that changes meanwhile: an object that gets
/// another version while its log is read comes as it was at the beginning.
pub(super) struct Newest<'a> {
    store: &'a Store,
    log: LogId,
    walk: Backwards,
    /// The part of the log not read yet; `None` once there is none.
    unread: Option<UpTo>,
    /// Nothing that is not read yet lies after this position.
    reached: Position,
    /// Items the last Query asked for.
    asked: usize,
    commits_read: usize,
    entries_read: usize,
    ready: VecDeque<Entry>,
}

impl<'a> Newest<'a> {
    /// A reader of the entries before `below`, or of all: nothing is read yet but, for the former,
    /// a hint.
    pub(super) async fn new(
        store: &'a Store,
        log: LogId,
        below: Option<Position>,
    ) -> Result<Self, StoreError> {
        let hint = match below {
            Some(below) => store.search_end(log, below).await?,
            None => None,
        };
        Ok(Self {
            store,
            log,
            walk: Backwards::new(below, hint),
            unread: Some(hint.map_or(UpTo::End, UpTo::Commit)),
            reached: below.unwrap_or(Position::from_micros(u64::MAX)),
            asked: 0,
            commits_read: 0,
            entries_read: 0,
            ready: VecDeque::new(),
        })
    }

    /// Which log.
    pub(super) fn log(&self) -> LogId {
        self.log
    }

    /// No entry still to come lies after this position; `None` when none is to come.
    pub(super) fn bound(&self) -> Option<Position> {
        if let Some(entry) = self.ready.front() {
            return Some(entry.position);
        }
        match (self.walk.newest_held(), self.unread) {
            (Some(held), _) => Some(held),
            (None, Some(_)) => Some(self.reached),
            (None, None) => None,
        }
    }

    /// The next entry, if it is read already.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        self.ready.pop_front()
    }

    /// Reads on, about as much as `wanted` entries take.
    pub(super) async fn read_more(&mut self, wanted: usize) -> Result<(), StoreError> {
        let mut consistency = self.consistency();
        for _ in 0..GAP_RETRIES {
            let Some(to) = self.unread else { return Ok(()) };
            let (from, items) = self.range(wanted.max(1));
            let (parts, more) =
                self.store.log_backwards(self.log, from, to, items, consistency).await?;
            for part in &parts {
                if let LogPart::Commit(commit) = part {
                    self.reached = self.reached.min(commit.first);
                    self.commits_read += 1;
                    self.entries_read += commit.entries.len();
                }
            }
            let last = parts.last().map(LogPart::before);
            let mut taken = self.walk.take(parts, &mut self.ready);
            if taken == Chain::Whole && !more {
                taken = self.walk.end(from, &mut self.ready);
            }
            if taken == Chain::Whole {
                self.unread = match (last, more) {
                    (Some(last), true) => Some(last),
                    _ if from > 1 => Some(UpTo::Before(from)),
                    _ => None,
                };
                return Ok(());
            }
            // Compaction moved what was to come into a commit with a higher number, or this is
            // an old state of the table.
            self.unread = Some(self.cover().await?);
            consistency = Consistency::Strong;
        }
        Err(self.damaged())
    }

    /// The commit that stands for the number that comes next.
    async fn cover(&mut self) -> Result<UpTo, StoreError> {
        let next = self.walk.next().unwrap_or(1);
        let (found, _) = self.store.commits_from(self.log, next, 2, Consistency::Strong).await?;
        match found.first() {
            Some((commit, _)) if commit.from <= next => Ok(UpTo::Commit(commit.seq)),
            _ => Err(self.damaged()),
        }
    }

    fn damaged(&self) -> StoreError {
        let lacking = self.walk.next().unwrap_or(0);
        StoreError::Damaged(format!("log {} lacks commit {lacking}", self.log))
    }

    fn consistency(&self) -> Consistency {
        let settled = self.store.position_now().minus(SETTLED_MICROS);
        if self.reached < settled { Consistency::Eventual } else { Consistency::Strong }
    }

    /// From which number on to read next, and how many items. Only the marks of a commit, where
    /// that holds enough. The very end alone at first: it costs double, and of several logs that
    /// are read together few may have anything to say. Then ever more, so that no more is read in
    /// vain than was needed.
    fn range(&mut self, wanted: usize) -> (u64, i32) {
        if let Some((from, held)) = self.walk.held()
            && held >= wanted
        {
            return (from, MARKS_AT_ONCE);
        }
        let commits = match self.entries_read {
            0 => wanted.div_ceil(MAX_ENTRIES),
            entries => (wanted * self.commits_read).div_ceil(entries),
        };
        self.asked = match self.asked {
            0 => 1,
            // The commit after the last that is needed tells that all marks were read.
            asked => (commits + 1).min(asked * 2).clamp(2, 100),
        };
        (1, i32::try_from(self.asked).unwrap_or(2))
    }
}
