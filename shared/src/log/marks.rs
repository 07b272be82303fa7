//! Marks: what became of entries after they were appended.

use std::collections::BTreeMap;

use super::Place;

/// Which entries of a commit are no longer what they were when appended. Each is a set of
/// indexes that only grows, so marks may be set again without harm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// A newer version of the object is current.
    pub superseded: Vec<u16>,
    /// The version is no longer in the collection: the object left, or it was deleted there.
    pub removed: Vec<u16>,
    /// The object's oldest version is another, since the object's revision beside the index.
    pub not_oldest: Vec<(u16, u64)>,
    /// The object's oldest version is this one, since that revision.
    pub now_oldest: Vec<(u16, u64)>,
}

impl Marks {
    /// Whether the entry at `index` holds the oldest version of its object, which when appended
    /// it did or not. Of the two kinds of marks the later one holds.
    #[must_use]
    pub fn is_oldest(&self, index: u16, at_first: bool) -> bool {
        let latest = |marks: &[(u16, u64)]| {
            let of = marks.iter().filter(|(marked, _)| *marked == index);
            of.map(|(_, revision)| *revision).max()
        };
        match (latest(&self.now_oldest), latest(&self.not_oldest)) {
            (None, None) => at_first,
            (now, not) => now > not,
        }
    }

    /// Whether they say of the entry at `index` that it became the oldest version, or is it no
    /// longer: of such marks the order matters, so they are never folded into a commit.
    #[must_use]
    pub fn dates(&self, index: u16) -> bool {
        self.not_oldest.iter().chain(&self.now_oldest).any(|(marked, _)| *marked == index)
    }
}

/// The marks that bear on the entries of a commit, by the commit each entry was appended in:
/// several after compaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitMarks(BTreeMap<u64, Marks>);

impl CommitMarks {
    /// Adds the marks of the entries that were appended in commit `seq`.
    pub fn insert(&mut self, seq: u64, marks: Marks) {
        self.0.insert(seq, marks);
    }

    /// Those of the entries that were appended in commits `from` to `to`.
    #[must_use]
    pub fn within(&self, from: u64, to: u64) -> Self {
        if from > to {
            return Self::default();
        }
        Self(self.0.range(from..=to).map(|(seq, marks)| (*seq, marks.clone())).collect())
    }

    /// Each original commit that has marks.
    pub fn by_commit(&self) -> impl Iterator<Item = (u64, &Marks)> {
        self.0.iter().map(|(seq, marks)| (*seq, marks))
    }

    /// Whether a newer version than the entry's is current.
    #[must_use]
    pub fn superseded(&self, place: Place) -> bool {
        self.0.get(&place.seq).is_some_and(|marks| marks.superseded.contains(&place.index))
    }

    /// Whether the entry's version is no longer in the collection.
    #[must_use]
    pub fn removed(&self, place: Place) -> bool {
        self.0.get(&place.seq).is_some_and(|marks| marks.removed.contains(&place.index))
    }

    /// Whether the entry holds the oldest version of its object; see [`Marks::is_oldest`].
    #[must_use]
    pub fn is_oldest(&self, place: Place, at_first: bool) -> bool {
        let marks = self.0.get(&place.seq);
        marks.map_or(at_first, |marks| marks.is_oldest(place.index, at_first))
    }
}
