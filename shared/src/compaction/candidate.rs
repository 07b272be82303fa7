//! A commit on its way into another: what of it is kept.

use crate::log::{Commit, CommitMarks, Entry, Op, Origin};
use crate::time::Position;

/// Leave entries are kept this long: a reader of changes that stays away longer begins anew.
pub(super) const LEAVES_KEPT_MICROS: u64 = 30 * 24 * 3600 * 1_000_000;

/// A commit that may be merged with its neighbours.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// The commit; its entries and origins are those that are kept.
    commit: Commit,
    /// How many entries it holds, the dead ones included.
    held: usize,
    /// The first number it stands for that none before it does.
    pub(super) from: u64,
    marks: CommitMarks,
}

impl Candidate {
    /// What there is to keep of `commit`, of which everything appended before `from` is in the
    /// commits before it.
    pub(super) fn new(commit: Commit, marks: &CommitMarks, from: u64, now: Position) -> Self {
        let marks = marks.within(from, commit.seq);
        let own: Vec<(Origin, Entry)> = std::iter::zip(commit.origins, commit.entries)
            .filter(|(origin, _)| origin.place.seq >= from)
            .collect();
        let held = own.len();
        let kept = own.into_iter().filter_map(|(mut origin, entry)| {
            origin.superseded |= marks.superseded(origin.place);
            let dead = marks.removed(origin.place) || is_over(&entry, origin.superseded, now);
            (!dead).then_some((origin, entry))
        });
        let (origins, entries) = kept.unzip();
        Self { commit: Commit { entries, origins, ..commit }, held, from, marks }
    }

    /// Takes in what a later commit says of the entries it has in common with this one. What was
    /// folded there may have no marks any more; an entry that it claims and lacks was dead.
    pub(super) fn agree_with(&mut self, later: &Commit) {
        let commit = &mut self.commit;
        let own = std::mem::take(&mut commit.origins).into_iter();
        let kept =
            own.zip(std::mem::take(&mut commit.entries)).filter_map(|(mut origin, entry)| {
                if origin.place.seq >= later.from {
                    let same = later.origins.iter().find(|other| other.place == origin.place)?;
                    origin.superseded |= same.superseded;
                }
                Some((origin, entry))
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
            marks: self.marks,
        }
    }

    /// The commit as it is to be written.
    pub(super) fn into_commit(self) -> Commit {
        Commit { from: self.from, ..self.commit }
    }
}

/// Whether nobody asks for an entry any more, apart from versions that left.
fn is_over(entry: &Entry, superseded: bool, now: Position) -> bool {
    let expired = entry.position < now.minus(LEAVES_KEPT_MICROS);
    match entry.op {
        Op::Related => superseded,
        Op::Unrelate => superseded || expired,
        Op::Leave => expired,
        // Superseded versions are read by `match[version]=all`.
        Op::Enter | Op::Update | Op::History => false,
    }
}
