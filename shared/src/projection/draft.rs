//! An entry before it has a place in a log.

use crate::log::{Entry, Op, Place};
use crate::stix::Facets;
use crate::time::{Position, Version};

/// What an entry will say; its position is settled when it is appended.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    /// What happens.
    pub op: Op,
    /// The version's facets.
    pub facets: &'a Facets,
    /// The version's body.
    pub body: &'a str,
    /// The entry it takes the place of.
    pub replaces: Option<Place>,
    /// Where the membership began, if not with this entry.
    pub entered: Option<Position>,
    /// Whether it is the oldest version in the log.
    pub oldest: bool,
}

impl Draft<'_> {
    /// The version.
    pub fn version(&self) -> &Version {
        &self.facets.version
    }

    /// The entry at `position`; `entered` is where the membership began if the draft leaves it
    /// to the entry it is appended with.
    pub fn entry(&self, revision: u64, position: Position, entered: Position) -> Entry {
        Entry {
            op: self.op,
            id: self.facets.id.to_string(),
            version: self.facets.version.to_string(),
            spec_version: self.facets.spec_version,
            revision,
            position,
            entered: self.entered.unwrap_or(entered),
            replaces: self.replaces,
            oldest: self.oldest,
            body: self.body.to_owned(),
        }
    }
}
