//! A log as a whole: its commits, and what its entries say.

use std::collections::{BTreeMap, BTreeSet};

use shared::log::{Commit, LogId, Reader, Seen};
use shared::store::Consistency;
use shared::time::Position;

use crate::lab::Lab;
use crate::model::Model;

/// A log, read by its readers.
pub(super) struct Log {
    pub(super) id: LogId,
    pub(super) entries: Vec<Seen>,
}

pub(super) async fn collection(lab: &Lab, model: &Model, at: usize) -> Result<Log, String> {
    let id = LogId::Collection(model.collections[at].0.id);
    check(lab, id).await?;
    read(lab, id).await
}

/// The log as a reader meets it.
pub(super) async fn read(lab: &Lab, id: LogId) -> Result<Log, String> {
    let store = lab.witness().store();
    let failed = |error: shared::store::StoreError| format!("{id}: {error}");
    let mut reader = Reader::new(store, id, Position::default(), None).await.map_err(failed)?;
    let mut entries: Vec<Seen> = Vec::new();
    while let Some(seen) = reader.next(1000).await.map_err(failed)? {
        let last = entries.last().map(|last| last.entry.position);
        if last.is_some_and(|last| last >= seen.entry.position) {
            return Err(format!("{id}: a position does not rise: {seen:?}"));
        }
        entries.push(seen);
    }
    Ok(Log { id, entries })
}

/// Numbers are dense, positions rise, the last of each commit is a whole millisecond, and what a
/// revision has to say stands in one commit.
pub(super) async fn check(lab: &Lab, id: LogId) -> Result<(), String> {
    let store = lab.witness().store();
    let mut commits: Vec<Commit> = Vec::new();
    let mut from = 1;
    loop {
        let read = store.commits_from(id, from, 1000, Consistency::Strong).await;
        let (some, more) = read.map_err(|error| format!("{id}: {error}"))?;
        from = some.last().map_or(from, |(last, _)| last.seq + 1);
        commits.extend(some.into_iter().map(|(commit, _)| commit));
        if !more {
            break;
        }
    }
    let mut expected = 1;
    let mut last = Position::default();
    let mut generation = 0;
    let mut places: BTreeMap<(String, u64), BTreeSet<u64>> = BTreeMap::new();
    for commit in &commits {
        let what = format!("{id}: commit {} (from {})", commit.seq, commit.from);
        if commit.from > expected || commit.seq < expected {
            return Err(format!("{what}: {expected} was to come"));
        }
        expected = commit.seq + 1;
        if commit.generation < generation {
            return Err(format!("{what}: generation {} again", commit.generation));
        }
        generation = commit.generation;
        if commit.last.micros() % 1000 != 0 {
            return Err(format!("{what}: its last position is no whole millisecond"));
        }
        for (origin, entry) in commit.placed() {
            // What compaction left behind holds the same entries once more.
            if entry.position <= last && commit.rewrites > 0 {
                continue;
            }
            if entry.position <= last || entry.position > commit.last {
                return Err(format!("{what}: position {} after {last}", entry.position));
            }
            last = entry.position;
            let revision = (entry.id.clone(), entry.revision);
            places.entry(revision).or_default().insert(origin.place.seq);
        }
        last = last.max(commit.last);
    }
    match places.iter().find(|(_, seqs)| seqs.len() > 1) {
        Some((revision, seqs)) => Err(format!("{id}: {revision:?} was said in commits {seqs:?}")),
        None => Ok(()),
    }
}
