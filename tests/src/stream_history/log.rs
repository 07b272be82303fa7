//! The log of a collection as it stands while a reader reads: what an event is held against.

use std::collections::BTreeMap;

use shared::log::{Entry, LogId, Op, Place, Reader, Seen};
use shared::store::Store;
use shared::time::Position;

/// All entries that are left, by position.
pub struct Log {
    entries: BTreeMap<Position, Seen>,
}

impl Log {
    /// Reads it.
    pub async fn read(store: &Store, log: LogId) -> Self {
        let mut reader = Reader::new(store, log, Position::default(), None).await.unwrap();
        let mut entries = BTreeMap::new();
        while let Some(seen) = reader.next(1000).await.unwrap() {
            entries.insert(seen.entry.position, seen);
        }
        Self { entries }
    }

    /// The entry at a position.
    pub fn at(&self, position: Position) -> Option<&Seen> {
        self.entries.get(&position)
    }

    /// The entry that was appended at a place.
    pub fn appended_at(&self, place: Place) -> Option<&Entry> {
        self.entries.values().find(|seen| seen.place == place).map(|seen| &seen.entry)
    }

    /// The current entries of members, by id.
    pub fn members(&self) -> BTreeMap<&str, &Seen> {
        let current = self.entries.values().filter(|seen| seen.current);
        current.map(|seen| (seen.entry.id.as_str(), seen)).collect()
    }

    /// Whether an object was a member up to some position, by an entry that is left.
    pub fn had_member(&self, id: &str, until: Position) -> bool {
        self.entries.values().any(|seen| {
            let entry = &seen.entry;
            entry.id == id && entry.op != Op::Related && entry.entered <= until
        })
    }

    /// Whether a relationship that is no member follows one of its ends.
    pub fn relates(&self, id: &str) -> bool {
        let last = self.entries.values().rev().find(|seen| seen.entry.id == id);
        last.is_some_and(|seen| seen.entry.op == Op::Related)
    }
}
