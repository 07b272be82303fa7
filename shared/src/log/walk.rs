//! Which entries a reader meets, whatever compaction does to the commits meanwhile.

use std::collections::VecDeque;

use super::{Commit, CommitMarks, Entry, Op, Origin, Place};
use crate::time::Position;

/// An entry as a reader meets it: with the marks that bear on it.
#[derive(Clone, Debug, PartialEq, Eq)]
// Each is a fact of its own, none a state of the others.
#[allow(clippy::struct_excessive_bools)]
pub struct Seen {
    /// The entry.
    pub entry: Entry,
    /// The commit it was appended in: a reader that goes on from here begins with that number.
    pub seq: u64,
    /// It is a current version of a member.
    pub current: bool,
    /// It holds a version that is in the collection, current or not.
    pub present: bool,
    /// It is the oldest version of its object in the collection.
    pub oldest: bool,
    /// Another entry took its place.
    pub superseded: bool,
    /// Where it was appended, the name that later entries have for it.
    pub place: Place,
}

/// What came of taking commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// There was none to take.
    Nothing,
    /// A number is missing before the first of them.
    Gap,
    /// This many commits, with this many entries.
    Some { commits: usize, entries: usize },
}

/// How far a log was read.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    next_seq: u64,
    reached: Position,
}

impl Walk {
    /// A walk over the entries after `after`, all of which were appended in commit `next_seq` or
    /// later.
    pub(crate) fn new(after: Position, next_seq: u64) -> Self {
        Self { next_seq, reached: after }
    }

    /// The number of the commit that comes next.
    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// The position up to which was read.
    pub(crate) fn reached(&self) -> Position {
        self.reached
    }

    /// Takes commits as far as their numbers are dense. Several may hold the same entry: one
    /// that was compacted after its neighbours were read, or leftovers of a compaction that did
    /// not come to its end. Only what lies after the position reached counts.
    pub(crate) fn take(
        &mut self,
        commits: impl Iterator<Item = (Commit, CommitMarks)>,
        ready: &mut VecDeque<Seen>,
    ) -> Taken {
        let (mut read, mut entries) = (0, 0);
        for (commit, marks) in commits {
            if commit.seq < self.next_seq {
                continue;
            }
            if commit.from > self.next_seq {
                if read == 0 {
                    return Taken::Gap;
                }
                break;
            }
            let before = self.reached;
            self.next_seq = commit.seq + 1;
            self.reached = before.max(commit.last);
            read += 1;
            entries += commit.entries.len();
            let placed = commit.origins.into_iter().zip(commit.entries);
            let after = placed.filter(|(_, entry)| entry.position > before);
            ready.extend(after.map(|(origin, entry)| see(entry, origin, &marks)));
        }
        if read == 0 { Taken::Nothing } else { Taken::Some { commits: read, entries } }
    }
}

fn see(entry: Entry, origin: Origin, marks: &CommitMarks) -> Seen {
    let place = origin.place;
    let present = entry.op.holds_version() && !marks.removed(place);
    let superseded = origin.superseded || marks.superseded(place);
    Seen {
        current: present && entry.op != Op::History && !superseded,
        oldest: present && marks.is_oldest(place, entry.oldest),
        present,
        superseded,
        place,
        seq: place.seq,
        entry,
    }
}
