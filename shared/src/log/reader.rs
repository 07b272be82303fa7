//! Reading a log in order, from any position, at the price of the commits touched.

use std::collections::VecDeque;

use super::walk::{Seen, Taken, Walk};
use super::{Commit, LogId};
use crate::store::{Consistency, Store, StoreError};
use crate::time::Position;

/// Commits older than this are read eventually consistent, at half the price.
pub(super) const SETTLED_MICROS: u64 = 60_000_000;

/// How often a gap is read again before it counts as damage.
pub(super) const GAP_RETRIES: u32 = 5;

/// Reads a log forward.
pub struct Reader<'a> {
    store: &'a Store,
    log: LogId,
    walk: Walk,
    /// Items the last Query asked for.
    asked: usize,
    ready: VecDeque<Seen>,
    /// Entries a commit held on average so far, to ask for no more commits than needed.
    commits_read: usize,
    entries_read: usize,
    ended: bool,
}

impl<'a> Reader<'a> {
    /// A reader of the entries after `after`; `seq` is the commit to begin with, if known: the one
    /// in which the first entry after `after` was appended, or one before it.
    ///
    /// # Errors
    /// When the hint cannot be read.
    pub async fn new(
        store: &'a Store,
        log: LogId,
        after: Position,
        seq: Option<u64>,
    ) -> Result<Self, StoreError> {
        let next_seq = match seq {
            Some(seq) => seq,
            None if after == Position::default() => 1,
            None => store.search_start(log, after).await?,
        };
        Ok(Self {
            store,
            log,
            walk: Walk::new(after, next_seq),
            asked: 0,
            ready: VecDeque::new(),
            commits_read: 0,
            entries_read: 0,
            ended: false,
        })
    }

    /// Where a reader goes on that has taken every entry so far: position and commit for
    /// [`Reader::new`].
    #[must_use]
    pub fn reached(&self) -> (Position, u64) {
        (self.walk.reached(), self.walk.next_seq())
    }

    /// The next entry, or `None` at the end of the log. `wanted` says how many more the caller
    /// expects to take, so that about as much is read.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn next(&mut self, wanted: usize) -> Result<Option<Seen>, StoreError> {
        while self.ready.is_empty() {
            if self.ended {
                return Ok(None);
            }
            self.read_more(wanted.max(1)).await?;
        }
        Ok(self.ready.pop_front())
    }

    /// Items to ask for: commits that should hold `wanted` entries. Small commits may be followed
    /// by large ones, so few are asked for at once: a wrong guess stays cheap, and a log of single
    /// entries, until it is compacted, takes more rounds.
    fn items_for(&mut self, wanted: usize) -> i32 {
        let commits = match self.entries_read {
            0 if self.walk.reached() == Position::default() => 2,
            0 => wanted.div_ceil(super::MAX_ENTRIES) + 1,
            entries => (wanted * self.commits_read).div_ceil(entries) + 1,
        };
        // A handful of full commits is what a page may read in vain and stay within its bound.
        let handful = wanted.div_ceil(100) + 4;
        let bound = if self.asked == 0 { commits } else { handful.min(self.asked * 2) };
        self.asked = commits.min(bound).clamp(2, 1000);
        i32::try_from(self.asked).unwrap_or(2)
    }

    async fn read_more(&mut self, wanted: usize) -> Result<(), StoreError> {
        let items = self.items_for(wanted);
        let settled = self.store.position_now().minus(SETTLED_MICROS);
        // How old the beginning of a log is, is not known; its first few commits tell.
        let reached = self.walk.reached();
        let mut consistency = if reached == Position::default() || reached >= settled {
            Consistency::Strong
        } else {
            Consistency::Eventual
        };
        for _ in 0..GAP_RETRIES {
            let next = self.walk.next_seq();
            let (commits, more) =
                self.store.commits_from(self.log, next, items, consistency).await?;
            let young =
                |commit: &Commit| consistency == Consistency::Eventual && commit.last >= settled;
            let whole = !commits.iter().any(|(commit, _)| young(commit));
            let old = commits.into_iter().take_while(|(commit, _)| !young(commit));
            let taken = self.walk.take(old, &mut self.ready);
            match taken {
                Taken::Gap | Taken::Nothing if consistency == Consistency::Eventual => {
                    consistency = Consistency::Strong;
                }
                Taken::Nothing if !more && whole => {
                    self.ended = true;
                    return Ok(());
                }
                Taken::Nothing | Taken::Gap => {}
                Taken::Some { commits, entries } => {
                    self.commits_read += commits;
                    self.entries_read += entries;
                    self.ended = !more && consistency == Consistency::Strong;
                    return Ok(());
                }
            }
        }
        let lacking = self.walk.next_seq();
        Err(StoreError::Damaged(format!("log {} lacks commit {lacking}", self.log)))
    }
}
