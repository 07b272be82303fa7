//! What a write, a deletion and a deletion from a collection make of an object's state.

use std::collections::{BTreeMap, BTreeSet};

use super::content::{Content, Kind};
use super::state::{Standing, State, Stored};
use super::{Model, Owner, V};

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// The id was new, or had been deleted.
    Created,
    /// It is the newest version now.
    Updated,
    /// The version was stored already.
    Unchanged,
    /// An older version, kept.
    Stale,
    /// Deleted, at this or a newer version.
    Deleted,
    /// There is no such object, or version in the collection.
    Unknown,
    /// It was removed from the collection.
    Removed,
    /// It belongs to somebody else.
    NotOwner,
    /// It is above the collection's ceiling.
    Above,
}

/// An object that is sent.
#[derive(Debug, Clone)]
pub struct Write {
    /// Who sends it.
    pub owner: Owner,
    /// The collection it is posted to, if any.
    pub into: Option<usize>,
    /// Its version, or for an observable the one it was given.
    pub version: V,
    /// What it says.
    pub content: Content,
    /// Whether it was refused for its level, where that may be decided by a marking that was read
    /// a while ago.
    pub above: Option<bool>,
}

/// Which versions are deleted from a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removing {
    /// The last.
    Last,
    /// The first.
    First,
    /// All.
    All,
    /// This one.
    Exact(V),
}

impl Model {
    /// What a write makes of a state, and its answer.
    pub fn written(&self, at: usize, state: &State, write: &Write) -> Vec<(State, Answer)> {
        let kind = self.objects[at].kind;
        let unchanged = |answer| vec![(state.clone(), answer)];
        if let Some(into) = write.into {
            let level = self.level(kind, &write.content, write.owner);
            if write.above.unwrap_or(level > self.collections[into].1.ceiling) {
                return unchanged(Answer::Above);
            }
        }
        let Some(stored) = &state.stored else {
            return vec![(created(write), Answer::Created)];
        };
        let mut write = write.clone();
        let same_content = stored.newest_content().said_by(kind) == write.content.said_by(kind);
        if kind == Kind::Observable && same_content {
            write.version.clone_from(&stored.newest);
        }
        if let Some(into) = write.into
            && !stored.deleted
        {
            let gone = stored.removed(into, &stored.newest) && !state.logs.contains_key(&into);
            if stored.removed(into, &write.version) || (gone && write.version <= stored.newest) {
                return unchanged(Answer::Removed);
            }
        }
        let newer = write.version > stored.newest;
        let same = write.version == stored.newest;
        if stored.deleted {
            return match newer {
                false => unchanged(Answer::Deleted),
                true if stored.owner != write.owner => unchanged(Answer::NotOwner),
                true => vec![(recreated(state, stored, &write), Answer::Created)],
            };
        }
        if stored.owner != write.owner {
            let addable = same_content && stored.owner == Owner::Operator;
            if !(same && (addable || write.into.is_none())) {
                return unchanged(Answer::NotOwner);
            }
        }
        if newer {
            vec![(updated(state, stored, &write), Answer::Updated)]
        } else if same {
            vec![(posted(state, stored, &write), Answer::Unchanged)]
        } else {
            older(state, stored, &write)
        }
    }

    /// What a deletion from the base makes of a state.
    pub fn deleted(&self, state: &State, owner: Owner) -> Vec<(State, Answer)> {
        let Some(stored) = &state.stored else { return vec![(state.clone(), Answer::Unknown)] };
        if stored.owner != owner {
            return vec![(state.clone(), Answer::NotOwner)];
        }
        let mut stored = stored.clone();
        if !stored.deleted {
            stored.deleted = true;
            stored.pending = true;
            stored.posted.clear();
            stored.waiting.clear();
        }
        vec![(State { stored: Some(stored), logs: state.logs.clone() }, Answer::Deleted)]
    }

    /// What a deletion from a collection makes of a state: it is projected first.
    pub fn removed(
        &self,
        at: usize,
        state: &State,
        collection: usize,
        removing: &Removing,
    ) -> Vec<(State, Answer)> {
        let Some(stored) = &state.stored else { return vec![(state.clone(), Answer::Unknown)] };
        let projected =
            if stored.pending { self.project(at, state, self) } else { vec![state.clone()] };
        let each = projected.into_iter().map(|mut state| {
            let Some(Standing::Member { current, present }) = state.logs.get(&collection) else {
                return (state, Answer::Unknown);
            };
            let chosen: BTreeSet<V> = match removing {
                Removing::Last => BTreeSet::from([current.clone()]),
                Removing::First => present.first().cloned().into_iter().collect(),
                Removing::All => present.clone(),
                Removing::Exact(version) => {
                    present.iter().filter(|known| *known == version).cloned().collect()
                }
            };
            if chosen.is_empty() {
                return (state, Answer::Unknown);
            }
            if let Some(stored) = &mut state.stored {
                let removal = stored.removals.entry(collection).or_default();
                if *removing == Removing::All {
                    removal.through = removal.through.take().max(chosen.last().cloned());
                } else {
                    removal.versions.extend(chosen);
                }
                stored.pending = true;
            }
            (state, Answer::Deleted)
        });
        each.collect()
    }
}

fn updated(state: &State, stored: &Stored, write: &Write) -> State {
    let mut stored = stored.clone();
    // A version that projection has not seen is not skipped.
    if stored.pending {
        stored.waiting.insert(stored.newest.clone());
    }
    stored.versions.insert(write.version.clone(), write.content.clone());
    stored.newest.clone_from(&write.version);
    stored.posted.extend(write.into);
    stored.pending = true;
    State { stored: Some(stored), logs: state.logs.clone() }
}

fn created(write: &Write) -> State {
    let stored = Stored {
        owner: write.owner,
        versions: BTreeMap::from([(write.version.clone(), write.content.clone())]),
        newest: write.version.clone(),
        deleted: false,
        posted: write.into.into_iter().collect(),
        removals: BTreeMap::new(),
        waiting: BTreeSet::new(),
        left: false,
        pending: true,
    };
    State { stored: Some(stored), logs: BTreeMap::new() }
}

fn recreated(state: &State, stored: &Stored, write: &Write) -> State {
    let mut after = updated(state, stored, write);
    if let Some(now) = &mut after.stored {
        now.deleted = false;
        now.posted = write.into.into_iter().collect();
        now.waiting.clear();
        now.left = stored.pending;
    }
    after
}

fn posted(state: &State, stored: &Stored, write: &Write) -> State {
    let mut stored = stored.clone();
    if let Some(into) = write.into
        && stored.posted.insert(into)
    {
        stored.pending = true;
    }
    State { stored: Some(stored), logs: state.logs.clone() }
}

/// An older version. One that is known already may be asked for again or not: whether it was ever
/// seen by projection is more than a client can know.
fn older(state: &State, stored: &Stored, write: &Write) -> Vec<(State, Answer)> {
    let mut asked = stored.clone();
    let new = !stored.versions.contains_key(&write.version);
    asked.versions.entry(write.version.clone()).or_insert_with(|| write.content.clone());
    asked.waiting.insert(write.version.clone());
    let unposted = write.into.filter(|into| !stored.posted.contains(into));
    asked.posted.extend(write.into);
    asked.pending = true;
    let asked = State { stored: Some(asked), logs: state.logs.clone() };
    if new {
        return vec![(asked, Answer::Stale)];
    }
    let mut all = vec![(asked.clone(), Answer::Stale), (asked, Answer::Unchanged)];
    if unposted.is_none() {
        all.push((state.clone(), Answer::Unchanged));
    }
    all
}
