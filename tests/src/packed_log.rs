//! A log filled without ingest: packed commits as projection makes them, put straight into it.
//! Reading a page touches nothing else, and tens of thousands of objects take seconds.

use shared::log::{Commit, Entry, LogId, Op, pack};
use shared::stix::SpecVersion;
use shared::store::{Store, StoreError, Tail};
use shared::time::Position;

use crate::fixtures::Object;

/// Appends `objects`, which nobody has seen, `per_commit` of them together. Returns the position
/// of each.
pub async fn append(
    store: &Store,
    log: LogId,
    objects: &[Object],
    per_commit: usize,
) -> Vec<Position> {
    let last = store.last_commits(log, None, 1).await.unwrap();
    let mut tail = last.first().map_or_else(Tail::default, Commit::tail);
    let mut positions = Vec::with_capacity(objects.len());
    for part in objects.chunks(per_commit) {
        let mut next = store.position_now().max(tail.last.next());
        let seq = tail.seq + 1;
        let mut entries = Vec::with_capacity(part.len());
        for (index, object) in part.iter().enumerate() {
            // The last position of a commit is a whole millisecond.
            let last = index + 1 == part.len();
            let position = if last { next.round_up_to_millisecond() } else { next };
            entries.push(entry(object, position));
            positions.push(position);
            next = position.next();
        }
        let first = entries.first().map(|entry| entry.position).unwrap();
        let last = entries.last().map(|entry| entry.position).unwrap();
        let blob = pack(&entries).unwrap();
        let after = Tail { seq, last, ..tail };
        tail = match store.put_commit(log, after, first, Some(blob)).await {
            // It was put, its answer came too late, and the SDK put it again.
            Err(StoreError::Conflict) => {
                let last = store.last_commits(log, None, 1).await.unwrap();
                let ours = last.into_iter().find(|one| one.seq == seq && one.first == first);
                ours.expect("nobody else appends").tail()
            }
            put => put.unwrap(),
        };
    }
    positions
}

fn entry(object: &Object, position: Position) -> Entry {
    Entry {
        op: Op::Enter,
        id: object.id().to_owned(),
        version: object.version().to_owned(),
        spec_version: SpecVersion::V21,
        revision: 1,
        position,
        entered: position,
        replaces: None,
        oldest: true,
        body: object.json().to_string(),
    }
}
