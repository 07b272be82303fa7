//! What a log holds: entries, and where they lie.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::stix::{IocType, SpecVersion};
use crate::time::Position;
use crate::tlp::Tlp;
use uuid::Uuid;

/// A collection's id: a `UUIDv4`, as TAXII clients insist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CollectionId(pub Uuid);

impl fmt::Display for CollectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// Which log: a collection's, or one of those every deployment has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LogId {
    /// A collection's log.
    Collection(CollectionId),
    /// Indicators of one TLP level, active or not (revoked or expired); of all IOC types
    /// (`kind` absent) or of one. The export merges these by level.
    Indicators {
        /// The TLP level.
        level: Tlp,
        /// The IOC type, or all.
        kind: Option<IocType>,
        /// Neither revoked nor expired.
        active: bool,
    },
}

impl fmt::Display for LogId {
    /// The log's partition key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Collection(id) => id.fmt(f),
            Self::Indicators { level, kind, active } => {
                let kind = kind.map_or("all", IocType::name);
                let state = if *active { "active" } else { "inactive" };
                write!(f, "indicators#{level}#{kind}#{state}")
            }
        }
    }
}

/// Where an entry lies: its commit's sequence number, and its index within the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Sequence number of the commit.
    pub seq: u64,
    /// Index within the commit.
    pub index: u16,
}

/// What happened to an object in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// The object became a member.
    Enter,
    /// A member has another current version.
    Update,
    /// The object is no longer a member; the body is its last one.
    Leave,
    /// A relationship or sighting that is no member itself, with an end that is one.
    Related,
    /// Such a relationship or sighting was deleted, or has no such end any more.
    Unrelate,
    /// An older version of a member that became known late: never the current one.
    History,
}

impl Op {
    /// Whether the entry puts a version of an object into the log.
    #[must_use]
    pub const fn holds_version(self) -> bool {
        matches!(self, Self::Enter | Self::Update | Self::History)
    }
}

/// One entry, as it is packed in a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What happened.
    pub op: Op,
    /// The object's id.
    pub id: String,
    /// The object's version, exactly as it came.
    pub version: String,
    /// The specification the object is written in.
    pub spec_version: SpecVersion,
    /// The revision of the object's `HEAD` that this entry projects.
    pub revision: u64,
    /// The entry's own position.
    pub position: Position,
    /// The position at which the present membership began; the entry's own for [`Op::Enter`].
    pub entered: Position,
    /// The entry this one takes the place of.
    pub replaces: Option<Place>,
    /// Whether this was the oldest version of its object in this log when it was appended.
    pub oldest: bool,
    /// The object, verbatim JSON.
    pub body: String,
}

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
    pub fn is_oldest(&self, index: usize, at_first: bool) -> bool {
        let latest = |marks: &[(u16, u64)]| {
            let of = marks.iter().filter(|(marked, _)| usize::from(*marked) == index);
            of.map(|(_, revision)| *revision).max()
        };
        match (latest(&self.now_oldest), latest(&self.not_oldest)) {
            (None, None) => at_first,
            (now, not) => now > not,
        }
    }
}

/// An object's present membership in a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// Where its current entry lies.
    pub place: Place,
    /// The current entry's position.
    pub position: Position,
    /// Where this membership began.
    pub entered: Position,
    /// The version that is current here, if it is not the one in the object's `HEAD`.
    pub version: Option<crate::time::Version>,
    /// Whether the entry is [`Op::Related`]: the object is no member itself.
    pub related: bool,
}
