//! Reading a log in order, from any position, at the price of the commits touched.

use std::collections::VecDeque;

use super::{Commit, Entry, LogId, Marks, Op};
use crate::store::{Consistency, Store, StoreError};
use crate::time::Position;

/// Commits older than this are read eventually consistent, at half the price.
const SETTLED_MICROS: u64 = 60_000_000;

/// How often a gap is read again before it counts as damage.
const GAP_RETRIES: u32 = 5;

/// An entry as a reader meets it: with the marks that bear on it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The entry.
    pub entry: Entry,
    /// The commit it lies in.
    pub seq: u64,
    /// It is a current version of a member.
    pub current: bool,
    /// It holds a version that is in the collection, current or not.
    pub present: bool,
    /// It is the oldest version of its object in the collection.
    pub oldest: bool,
}

/// Reads a log forward.
pub struct Reader<'a> {
    store: &'a Store,
    log: LogId,
    after: Position,
    next_seq: u64,
    /// The position up to which was read.
    reached: Position,
    /// Items the last Query asked for.
    asked: usize,
    ready: VecDeque<Seen>,
    /// Entries a commit held on average so far, to ask for no more commits than needed.
    commits_read: usize,
    entries_read: usize,
    ended: bool,
}

impl<'a> Reader<'a> {
    /// A reader of the entries after `after`; `seq` is the commit to begin with, if known.
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
            after,
            next_seq,
            reached: after,
            asked: 0,
            ready: VecDeque::new(),
            commits_read: 0,
            entries_read: 0,
            ended: false,
        })
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
        let settled = Position::now().minus(SETTLED_MICROS);
        let mut consistency =
            if self.reached < settled { Consistency::Eventual } else { Consistency::Strong };
        for _ in 0..GAP_RETRIES {
            let (commits, more) =
                self.store.commits_from(self.log, self.next_seq, items, consistency).await?;
            let young =
                |commit: &Commit| consistency == Consistency::Eventual && commit.last >= settled;
            let whole = !commits.iter().any(|(commit, _)| young(commit));
            let taken = self.take(commits.into_iter().take_while(|(commit, _)| !young(commit)));
            match taken {
                Taken::Gap | Taken::Nothing if consistency == Consistency::Eventual => {
                    consistency = Consistency::Strong;
                }
                Taken::Nothing if !more && whole => {
                    self.ended = true;
                    return Ok(());
                }
                Taken::Nothing | Taken::Gap => {}
                Taken::Some => {
                    self.ended = !more && consistency == Consistency::Strong;
                    return Ok(());
                }
            }
        }
        Err(StoreError::Damaged(format!("log {} lacks commit {}", self.log, self.next_seq)))
    }

    /// Takes commits as far as their numbers are dense.
    fn take(&mut self, commits: impl Iterator<Item = (Commit, Marks)>) -> Taken {
        let mut taken = Taken::Nothing;
        for (commit, marks) in commits {
            if commit.from > self.next_seq {
                return if matches!(taken, Taken::Some) { taken } else { Taken::Gap };
            }
            self.next_seq = commit.seq + 1;
            self.reached = self.reached.max(commit.last);
            self.commits_read += 1;
            self.entries_read += commit.entries.len();
            taken = Taken::Some;
            let (seq, after) = (commit.seq, self.after);
            let entries = commit.entries.into_iter().enumerate();
            self.ready.extend(
                entries
                    .filter(|(_, entry)| entry.position > after)
                    .map(|(index, entry)| see(entry, seq, index, &marks)),
            );
        }
        taken
    }
}

enum Taken {
    Nothing,
    Gap,
    Some,
}

fn see(entry: Entry, seq: u64, index: usize, marks: &Marks) -> Seen {
    let marked = |indexes: &[u16]| indexes.iter().any(|marked| usize::from(*marked) == index);
    let present = entry.op.holds_version() && !marked(&marks.removed);
    Seen {
        current: present && entry.op != Op::History && !marked(&marks.superseded),
        oldest: present && marks.is_oldest(index, entry.oldest),
        present,
        seq,
        entry,
    }
}
