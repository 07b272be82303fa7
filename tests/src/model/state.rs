//! What may be true of one object: what is stored of it, and where it stands in each collection.

use std::collections::{BTreeMap, BTreeSet};

use super::content::Content;
use super::{Observed, Owner, V};

/// A state of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    /// What is stored, if it was ever written.
    pub stored: Option<Stored>,
    /// Where it stands in the collections' logs.
    pub logs: BTreeMap<usize, Standing>,
}

/// What is stored of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stored {
    /// Who wrote it first.
    pub owner: Owner,
    /// All versions ever taken.
    pub versions: BTreeMap<V, Content>,
    /// The newest of them.
    pub newest: V,
    /// The newest is a tombstone.
    pub deleted: bool,
    /// The collections it was posted to.
    pub posted: BTreeSet<usize>,
    /// What clients deleted from collections.
    pub removals: BTreeMap<usize, Removal>,
    /// Older versions that projection has not seen.
    pub waiting: BTreeSet<V>,
    /// It was deleted and made anew, and projection has not seen that.
    pub left: bool,
    /// Projection has not seen the newest write.
    pub pending: bool,
}

/// Versions that clients deleted from a collection.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Removal {
    /// All up to this one.
    pub through: Option<V>,
    /// And these.
    pub versions: BTreeSet<V>,
}

/// Where an object stands in a collection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It is a member.
    Member {
        /// The version that is current.
        current: V,
        /// All versions that are there.
        present: BTreeSet<V>,
    },
    /// A relationship that is no member, with an end that is one, as of this version.
    Related(V),
}

impl Removal {
    /// Whether a version was deleted.
    pub fn covers(&self, version: &V) -> bool {
        self.versions.contains(version)
            || self.through.as_ref().is_some_and(|through| version <= through)
    }
}

impl Stored {
    /// What the newest version says.
    pub fn newest_content(&self) -> &Content {
        &self.versions[&self.newest]
    }

    /// Whether clients deleted a version from a collection.
    pub fn removed(&self, collection: usize, version: &V) -> bool {
        self.removals.get(&collection).is_some_and(|removal| removal.covers(version))
    }
}

impl State {
    /// Whether it is a member of a collection.
    pub fn is_member(&self, collection: usize) -> bool {
        matches!(self.logs.get(&collection), Some(Standing::Member { .. }))
    }

    /// Whether the `HEAD` may look so.
    pub fn looks_like(&self, seen: Option<&Observed>) -> bool {
        match (&self.stored, seen) {
            (None, None) => true,
            (Some(stored), Some(seen)) => {
                stored.newest == seen.newest
                    && stored.deleted == seen.deleted
                    && stored.pending == seen.pending
                    && stored.posted == seen.posted
            }
            _ => false,
        }
    }
}
