//! A collection filled without ingest: packed commits as projection makes them, put straight into
//! its log by the store. The reading path touches nothing else, and a million objects take half a
//! minute.

use futures::stream::{self, StreamExt};
use shared::collection::Collection;
use shared::log::{Commit, Entry, LogId, MAX_ENTRIES, Op, pack};
use shared::stix::SpecVersion;
use shared::store::{Store, Tail};
use shared::time::Position;

use crate::indicator::Series;
use crate::system::System;

/// Commits on their way at once.
const CONCURRENCY: usize = 6;
/// From commit to commit.
const STEP_MICROS: u64 = 1_000;

/// A filled collection.
#[derive(Debug, Clone)]
pub struct PackedLog {
    /// The collection.
    pub collection: Collection,
    /// Objects in it.
    pub objects: usize,
    /// Bytes of its commits, as stored.
    pub bytes: usize,
    /// Where the log ended when the collection was new.
    begun: Tail,
    base: Position,
}

impl PackedLog {
    /// A collection of its own with `objects` indicators.
    pub async fn fill(system: &System, objects: usize) -> Self {
        let collection = system.empty_collection(&format!("Benchmark {objects}")).await;
        let store = system.services().store();
        let last = store.last_commits(LogId::Collection(collection.id), None, 1).await;
        let begun =
            last.expect("the log is readable").first().map_or_else(Tail::default, Commit::tail);
        let base = store.position_now().max(begun.last.next()).round_up_to_millisecond();
        let mut log = Self { collection, objects, bytes: 0, begun, base };
        let known = log.clone();
        let puts = stream::iter(log.seq_of(0)..=log.seq_of(objects - 1))
            .map(|seq| known.put(store, seq))
            .buffer_unordered(CONCURRENCY);
        log.bytes = puts.fold(0, |sum, bytes| std::future::ready(sum + bytes)).await;
        log
    }

    /// The log.
    pub fn id(&self) -> LogId {
        LogId::Collection(self.collection.id)
    }

    /// The path of its objects.
    pub fn path(&self) -> String {
        format!("/taxii2/intel/collections/{}/objects/", self.collection.id)
    }

    /// The sequence number of the commit that holds an object.
    pub fn seq_of(&self, index: usize) -> u64 {
        self.begun.seq + (index / MAX_ENTRIES) as u64 + 1
    }

    /// The position of an object.
    pub fn position(&self, index: usize) -> Position {
        let within = (index % MAX_ENTRIES + 1) as u64;
        let last_of_commit = index % MAX_ENTRIES + 1 == MAX_ENTRIES || index + 1 == self.objects;
        let begun = self.base.micros() + self.seq_of(index) * STEP_MICROS;
        // The last position of a commit is a whole millisecond.
        Position::from_micros(if last_of_commit { begun + STEP_MICROS } else { begun + within })
    }

    async fn put(&self, store: &Store, seq: u64) -> usize {
        let log = self.clone();
        let packing = tokio::task::spawn_blocking(move || log.pack(seq));
        let (first, last, blob) = packing.await.expect("packed");
        let bytes = blob.len();
        let tail = Tail { seq, last, generation: self.collection.generation, since_hint: 0 };
        store.put_commit(self.id(), tail, first, Some(blob)).await.expect("put");
        bytes
    }

    fn pack(&self, seq: u64) -> (Position, Position, Vec<u8>) {
        let begin = usize::try_from(seq - self.seq_of(0)).unwrap_or(0) * MAX_ENTRIES;
        let end = self.objects.min(begin + MAX_ENTRIES);
        let entries: Vec<Entry> = (begin..end).map(|index| self.entry(index)).collect();
        let blob = pack(&entries).expect("entries pack");
        (self.position(begin), self.position(end - 1), blob)
    }

    /// Appends one more full commit of objects nobody has seen.
    pub async fn append(&self, store: &Store) {
        let seq = self.seq_of(self.objects - 1) + 1;
        let last = self.position(self.objects - 1);
        let first = store.position_now().max(last).round_up_to_millisecond().next();
        let at = |index: u64| Position::from_micros(first.micros() + index);
        let last = at(MAX_ENTRIES as u64).round_up_to_millisecond();
        let entries: Vec<Entry> =
            (0..MAX_ENTRIES).map(|index| entry(2, index, at(index as u64))).collect();
        let tail = Tail { seq, last, generation: self.collection.generation, since_hint: 0 };
        let blob = pack(&entries).expect("entries pack");
        store.put_commit(self.id(), tail, first, Some(blob)).await.expect("put");
    }

    fn entry(&self, index: usize) -> Entry {
        entry(1, index, self.position(index))
    }
}

fn entry(series: u64, index: usize, position: Position) -> Entry {
    let made = Series(series).indicator(index);
    Entry {
        op: Op::Enter,
        id: made.id,
        version: made.version,
        spec_version: SpecVersion::V21,
        revision: 1,
        position,
        entered: position,
        replaces: None,
        oldest: true,
        body: made.json,
    }
}
