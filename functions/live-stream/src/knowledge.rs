//! What a reader knows, and so what an entry of the log means to it. Pure.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use shared::log::{Entry, Op, Place, Seen};
use shared::time::Position;

/// What an entry is to a reader (contract: live-stream, "When").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// Nothing: it concerns others, or what follows says it better.
    Nothing,
    /// The object is new to the reader, or of a version it cannot compare.
    Create,
    /// The reader has the version that was appended at the place.
    Update(Place),
    /// The reader could have seen the object, and it is gone.
    Delete,
}

/// How the reader came to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Had {
    /// As a member of the collection, of the version appended there.
    Own(Place),
    /// Only as something a member depends on.
    Dependency,
}

/// What one connection's reader was sent, and where it began. Ids are kept as hashes, so that a
/// replay of a million objects takes some megabytes.
#[derive(Debug)]
pub struct Knowledge {
    start: Position,
    /// A replay of the present state goes up to here: who is within it may not have seen what was
    /// replaced before it came.
    replay: Position,
    /// Up to here lies what may replace versions that were passed over before this connection.
    unsure: Position,
    had: HashMap<u64, Had>,
    /// Entries passed over in favour of later ones, by object.
    skipped: HashMap<u64, Place>,
    /// Those of them whose later one was not met yet.
    ahead: HashSet<u64>,
}

fn name(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

impl Knowledge {
    /// A reader that has everything up to `start`, the present state being replayed up to
    /// `replay`; but for what is replaced up to `unsure`, which it may never have had.
    #[must_use]
    pub fn new(start: Position, replay: Position, unsure: Position) -> Self {
        let (had, skipped, ahead) = (HashMap::new(), HashMap::new(), HashSet::new());
        Self { start, replay, unsure, had, skipped, ahead }
    }

    /// Whether a reader that drops at `position` may lack a version that lies before it, though
    /// it is current by what the reader was sent.
    #[must_use]
    pub fn has_passed(&self, position: Position) -> bool {
        !self.ahead.is_empty() || position < self.unsure
    }

    /// Whether a membership that began at `entered` is one the reader could have seen the
    /// beginning of before this connection.
    #[must_use]
    pub fn was_there(&self, entered: Position) -> bool {
        entered <= self.start
    }

    /// Whether the object was sent on this connection, and not deleted since.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.had.contains_key(&name(id))
    }

    /// Whether this is the reader's first connection: there is nothing it could have passed.
    #[must_use]
    pub fn begins_anew(&self) -> bool {
        self.start == Position::default()
    }

    /// What an entry means; `related`: whether relationships that are no members are of interest.
    #[must_use]
    pub fn tell(&self, seen: &Seen, related: bool) -> Telling {
        let entry = &seen.entry;
        match entry.op {
            Op::Enter if seen.current => Telling::Create,
            Op::Update if seen.current => self.compare(entry),
            Op::Related if related && !seen.superseded => self.compare(entry),
            Op::Leave if self.saw_member(entry) => Telling::Delete,
            Op::Unrelate if related && self.saw_related(entry) => Telling::Delete,
            _ => Telling::Nothing,
        }
    }

    fn compare(&self, entry: &Entry) -> Telling {
        let Some(replaced) = entry.replaces else { return Telling::Create };
        let name = name(&entry.id);
        let own = match self.had.get(&name) {
            Some(Had::Own(place)) => Some(*place),
            _ => None,
        };
        // Nothing of it was read on this connection: what was replaced lies before it.
        let untouched = own.is_none() && !self.skipped.contains_key(&name);
        let before = entry.entered <= self.start
            && self.start >= self.replay
            && entry.position > self.unsure;
        if own == Some(replaced) || (untouched && before) {
            Telling::Update(replaced)
        } else {
            Telling::Create
        }
    }

    /// A leave at its own beginning is for late projectors only.
    fn saw_member(&self, entry: &Entry) -> bool {
        let own = || matches!(self.had.get(&name(&entry.id)), Some(Had::Own(_)));
        entry.entered != entry.position && (entry.entered <= self.start || own())
    }

    /// One that begins with itself is of a relationship that came with one of its ends, if at all:
    /// who begins anew has it from this connection or not at all.
    fn saw_related(&self, entry: &Entry) -> bool {
        let before = entry.entered <= self.start;
        let with_an_end = entry.entered == entry.position && !self.begins_anew();
        before || with_an_end || self.had.contains_key(&name(&entry.id))
    }

    /// The entry was passed over.
    pub fn skip(&mut self, seen: &Seen) {
        let name = name(&seen.entry.id);
        match seen.entry.op {
            Op::Enter | Op::Update | Op::Related => {
                self.skipped.insert(name, seen.place);
                let last = seen.current || (seen.entry.op == Op::Related && !seen.superseded);
                if last {
                    self.ahead.remove(&name)
                } else {
                    self.ahead.insert(name)
                };
            }
            Op::Leave | Op::Unrelate => drop(self.ahead.remove(&name)),
            Op::History => {}
        }
    }

    /// The object of the entry was sent, of this entry's version.
    pub fn sent(&mut self, seen: &Seen) {
        let name = name(&seen.entry.id);
        self.skipped.remove(&name);
        self.ahead.remove(&name);
        self.had.insert(name, Had::Own(seen.place));
    }

    /// The object was sent because something refers to it.
    pub fn sent_dependency(&mut self, id: &str) {
        self.had.entry(name(id)).or_insert(Had::Dependency);
    }

    /// A member was sent once more, for the sake of another object.
    pub fn sent_member(&mut self, id: &str) {
        // No entry stands there: what comes next cannot be compared with it.
        self.had.insert(name(id), Had::Own(Place { seq: 0, index: 0 }));
    }

    /// Whether the reader has the version appended at `place` from this very connection.
    #[must_use]
    pub fn was_sent(&self, id: &str, place: Place) -> bool {
        self.had.get(&name(id)) == Some(&Had::Own(place))
    }

    /// A delete was sent, or would have been if the reader wanted any.
    pub fn deleted(&mut self, id: &str) {
        let name = name(id);
        self.skipped.remove(&name);
        self.ahead.remove(&name);
        self.had.remove(&name);
    }

    /// The reader lost a relationship because one of its ends was deleted.
    pub fn cascaded(&mut self, id: &str) {
        let name = name(id);
        if let Some(Had::Own(place)) = self.had.remove(&name) {
            self.skipped.insert(name, place);
        }
    }
}

#[cfg(test)]
mod tests;
