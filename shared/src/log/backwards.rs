//! Which entries a reader meets that goes from the end of a log to its beginning, whatever
//! compaction does to the commits meanwhile. Pure.

use std::collections::{HashSet, VecDeque};

use super::{Commit, CommitMarks, Entry, Op};
use crate::store::LogPart;
use crate::time::Position;

/// What came of taking parts of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chain {
    /// They follow each other.
    Whole,
    /// The number that comes next is in none of them.
    Gap,
}

/// How far a log was read.
///
/// The marks of a commit stand after it when reading backwards, down to the first number it
/// stands for; between them may lie leftovers of a compaction. So a commit is held until
/// everything down to that number was seen.
#[derive(Debug)]
pub(crate) struct Backwards {
    /// Only entries before this position count.
    below: Option<Position>,
    /// The highest number whose entries were not met yet; unknown at the end of the log.
    next: Option<u64>,
    held: Vec<Commit>,
    marks: CommitMarks,
    /// Objects whose state at the beginning is known: by an entry that was met.
    met: HashSet<String>,
}

impl Backwards {
    /// A walk over the entries before `below`, none of which was appended in a commit after
    /// `next`; or over all.
    pub(crate) fn new(below: Option<Position>, next: Option<u64>) -> Self {
        let (held, marks, met) = (Vec::new(), CommitMarks::default(), HashSet::new());
        Self { below, next, held, marks, met }
    }

    /// The number of the commit that comes next.
    pub(crate) fn next(&self) -> Option<u64> {
        self.next
    }

    /// The commit that comes next, if it was read, but perhaps not all its marks: from which number
    /// on it stands, and how many entries in it count.
    pub(crate) fn held(&self) -> Option<(u64, usize)> {
        let next = self.next?;
        let commit = self.covering(next)?;
        let counts = commit.entries.iter().filter(|entry| self.counts(entry));
        Some((commit.from, counts.count()))
    }

    /// The position of the newest entry in that commit.
    pub(crate) fn newest_held(&self) -> Option<Position> {
        let next = self.next?;
        let commit = self.covering(next)?;
        let own = commit.placed().filter(|(origin, _)| origin.place.seq <= next);
        let newest = own.map(|(_, entry)| entry.position).max().unwrap_or(commit.last);
        Some(self.below.map_or(newest, |below| newest.min(below)))
    }

    /// Takes parts in descending order of their keys, and gives what is certain to `ready`.
    pub(crate) fn take(&mut self, parts: Vec<LogPart>, ready: &mut VecDeque<Entry>) -> Chain {
        for part in parts {
            if self.release(part.seq(), ready) == Chain::Gap {
                return Chain::Gap;
            }
            match part {
                LogPart::Marks(seq, marks) => self.marks.insert(seq, marks),
                LogPart::Commit(commit) => {
                    let next = *self.next.get_or_insert(commit.seq);
                    // Leftovers of which another commit holds everything are passed over.
                    if commit.from <= next {
                        self.held.push(commit);
                    }
                }
            }
        }
        Chain::Whole
    }

    /// Says that there is nothing more down to number `from`.
    pub(crate) fn end(&mut self, from: u64, ready: &mut VecDeque<Entry>) -> Chain {
        let taken = self.release(from.saturating_sub(1), ready);
        let lacking = from <= 1 && self.next.is_some_and(|next| next > 0);
        if lacking { Chain::Gap } else { taken }
    }

    /// Gives the entries of commits of which everything was seen, as keys of number `seq` come now.
    fn release(&mut self, seq: u64, ready: &mut VecDeque<Entry>) -> Chain {
        while let Some(next) = self.next.filter(|next| *next > seq) {
            let Some(index) = self.index_covering(next) else { return Chain::Gap };
            if self.held.get(index).is_none_or(|commit| commit.from <= seq) {
                return Chain::Whole;
            }
            let commit = self.held.swap_remove(index);
            self.next = Some(commit.from.saturating_sub(1));
            self.give(commit, next, ready);
            let next = commit_floor(self.next);
            self.held.retain(|held| held.from <= next);
        }
        Chain::Whole
    }

    /// Of several that stand for a number, the last was written last: what it lacks is dead.
    fn index_covering(&self, number: u64) -> Option<usize> {
        let covers = |commit: &Commit| commit.from <= number && number <= commit.seq;
        let covering = self.held.iter().enumerate().filter(|(_, commit)| covers(commit));
        covering.max_by_key(|(_, commit)| commit.seq).map(|(index, _)| index)
    }

    fn covering(&self, number: u64) -> Option<&Commit> {
        self.index_covering(number).and_then(|index| self.held.get(index))
    }

    fn counts(&self, entry: &Entry) -> bool {
        self.below.is_none_or(|below| entry.position < below)
    }

    /// Gives the entries of `commit` that were appended up to number `through`.
    fn give(&mut self, commit: Commit, through: u64, ready: &mut VecDeque<Entry>) {
        let placed = commit.origins.into_iter().zip(commit.entries).rev();
        for (origin, entry) in placed.filter(|(origin, _)| origin.place.seq <= through) {
            let tells = matches!(entry.op, Op::Enter | Op::Update | Op::Leave);
            if !tells || !self.counts(&entry) || !self.met.insert(entry.id.clone()) {
                continue;
            }
            let superseded = origin.superseded || self.marks.superseded(origin.place);
            // Who begins at the end has met what superseded an entry, or that came since.
            let overtaken = superseded && self.below.is_some();
            if entry.op != Op::Leave && !overtaken && !self.marks.removed(origin.place) {
                ready.push_back(entry);
            }
        }
    }
}

fn commit_floor(next: Option<u64>) -> u64 {
    next.unwrap_or(u64::MAX)
}
