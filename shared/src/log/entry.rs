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
    /// Indicators of STIX 2.1 of one TLP level, active or not (revoked or expired); of all IOC types
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

impl LogId {
    /// The logs every deployment has, whatever its collections.
    pub fn built_in() -> impl Iterator<Item = Self> {
        Tlp::ALL.into_iter().flat_map(|level| {
            std::iter::once(None).chain(IocType::ALL.into_iter().map(Some)).flat_map(move |kind| {
                [true, false].map(|active| Self::Indicators { level, kind, active })
            })
        })
    }
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

/// Where an entry was appended: the commit's sequence number, and the index within the commit.
/// It stays the entry's identity when compaction moves it: memberships, [`Entry::replaces`] and
/// marks go on naming it.
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
