//! A commit on its way into another: what of it is kept.

use crate::log::{Commit, CommitMarks, Entry, LogId, Op, Origin};
use crate::time::Position;

/// Leave entries are kept this long: a reader of changes that stays away longer begins anew.
pub(super) const LEAVES_KEPT_MICROS: u64 = 30 * 24 * 3600 * 1_000_000;

/// The same where nobody reads changes. A leave makes void what it takes the place of until that
/// is marked, and tells projectors that come late; an invocation ends within minutes, and what
/// fails is projected again long before a day is over.
pub(super) const LEAVES_KEPT_BUILT_IN_MICROS: u64 = 24 * 3600 * 1_000_000;

/// What the readers of a log ask for, and so what is kept of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retention {
    /// Every version of what is there, and what left: a collection.
    Versions,
    /// What is there, as it is now: what the export reads.
    Current,
}

impl Retention {
    pub(super) fn of(log: LogId) -> Self {
        match log {
            LogId::Collection(_) => Self::Versions,
            LogId::Indicators { .. } => Self::Current,
        }
    }

    /// Whether nobody asks for an entry any more, apart from versions that left.
    fn is_over(self, entry: &Entry, superseded: bool, now: Position) -> bool {
        let kept = match self {
            Self::Versions => LEAVES_KEPT_MICROS,
            Self::Current => LEAVES_KEPT_BUILT_IN_MICROS,
        };
        let expired = entry.position < now.minus(kept);
        match entry.op {
            Op::Related => superseded,
            Op::Unrelate => superseded || expired,
            Op::Leave => expired,
            // Superseded versions of a collection are read by `match[version]=all`.
            Op::Enter | Op::Update | Op::History => superseded && self == Self::Current,
        }
    }
}

/// A commit that may be merged with its neighbours.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// The commit; its entries and origins are those that are kept.
    commit: Commit,
    /// How many entries it holds, the dead ones included.
    held: usize,
    /// The first number it stands for that none before it does.
    pub(super) from: u64,
    /// The first number that the commit stood for when it was read: others may have deleted what
    /// stood for the numbers from there on.
    pub(super) covers: u64,
    marks: CommitMarks,
    retention: Retention,
    now: Position,
}

impl Candidate {
    /// What there is to keep of `commit`, of which everything appended before `from` is in the
    /// commits before it.
    pub(super) fn new(
        commit: Commit,
        marks: &CommitMarks,
        from: u64,
        (retention, now): (Retention, Position),
    ) -> Self {
        let covers = commit.from;
        let marks = marks.within(from, commit.seq);
        let own: Vec<(Origin, Entry)> = std::iter::zip(commit.origins, commit.entries)
            .filter(|(origin, _)| origin.place.seq >= from)
            .collect();
        let held = own.len();
        let kept = own.into_iter().filter_map(|(mut origin, entry)| {
            origin.superseded |= marks.superseded(origin.place);
            let dead =
                marks.removed(origin.place) || retention.is_over(&entry, origin.superseded, now);
            (!dead).then_some((origin, entry))
        });
        let (origins, entries) = kept.unzip();
        let commit = Commit { entries, origins, ..commit };
        Self { commit, held, from, covers, marks, retention, now }
    }

    /// Takes in what a later commit says of the entries it has in common with this one. What was
    /// folded there may have no marks any more; an entry that it claims and lacks was dead.
    pub(super) fn agree_with(&mut self, later: &Commit) {
        let (commit, retention, now) = (&mut self.commit, self.retention, self.now);
        let own = std::mem::take(&mut commit.origins).into_iter();
        let kept =
            own.zip(std::mem::take(&mut commit.entries)).filter_map(|(mut origin, entry)| {
                if origin.place.seq >= later.from {
                    let same = later.origins.iter().find(|other| other.place == origin.place)?;
                    origin.superseded |= same.superseded;
                }
                let over = retention.is_over(&entry, origin.superseded, now);
                (!over).then_some((origin, entry))
            });
        (commit.origins, commit.entries) = kept.unzip();
    }

    pub(super) fn seq(&self) -> u64 {
        self.commit.seq
    }

    pub(super) fn rewrites(&self) -> u64 {
        self.commit.rewrites
    }

    /// How many entries it holds, dead ones included.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// How many of them are kept.
    pub(super) fn kept(&self) -> usize {
        self.commit.entries.len()
    }

    /// The bytes of the bodies that are kept.
    pub(super) fn bytes(&self) -> usize {
        self.commit.entries.iter().map(|entry| entry.body.len()).sum()
    }

    /// Its items of marks that have nothing more to say once what is kept is written: those that
    /// say nothing of a kept entry but what is folded in. The order of marks of the oldest version
    /// must not be lost, so these are never folded.
    pub(super) fn spent_marks(&self) -> impl Iterator<Item = (u64, &crate::log::Marks)> {
        self.marks.by_commit().filter(|(seq, marks)| {
            let mut own = self.commit.origins.iter().filter(|origin| origin.place.seq == *seq);
            !own.any(|origin| marks.dates(origin.place.index))
        })
    }

    /// Appends `next`, which follows it.
    pub(super) fn append(mut self, next: Self) -> Self {
        let (mut entries, mut origins) = (self.commit.entries, self.commit.origins);
        entries.extend(next.commit.entries);
        origins.extend(next.commit.origins);
        let first = self.commit.first;
        for (seq, marks) in next.marks.by_commit() {
            self.marks.insert(seq, marks.clone());
        }
        Self {
            commit: Commit { first, entries, origins, ..next.commit },
            held: self.held + next.held,
            from: self.from,
            covers: self.covers.min(next.covers),
            marks: self.marks,
            retention: self.retention,
            now: self.now,
        }
    }

    /// The commit as it is to be written.
    pub(super) fn into_commit(self) -> Commit {
        Commit { from: self.from, ..self.commit }
    }
}
