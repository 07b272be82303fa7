//! What became of one object that came in.

use thiserror::Error;

use crate::id::ObjectId;
use crate::ioc::IocError;
use crate::stix::Rejection;
use crate::time::Version;
use crate::tlp::Tlp;

/// How an accepted object changed the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The id was new, or had been deleted.
    Created,
    /// It is the newest version now.
    Updated,
    /// The version was stored already.
    Unchanged,
    /// Older than what is stored: kept as history.
    Stale,
    /// The id was deleted at this or a newer version.
    Deleted,
}

impl Kind {
    /// The name in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Stale => "stale",
            Self::Deleted => "deleted",
        }
    }
}

/// An object that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What it changed.
    pub kind: Kind,
    /// Its id.
    pub id: ObjectId,
    /// The version it has here.
    pub version: Version,
    /// The revision to be projected before every collection shows it.
    pub revision: u64,
    /// The same version is stored with other content, which stays.
    pub content_differs: bool,
}

/// An object that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its id, as far as it had one.
    pub id: Option<String>,
    /// Its version, likewise.
    pub version: Option<String>,
    /// Why.
    pub why: Refusal,
}

/// Why an object is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// It is not what STIX requires.
    #[error(transparent)]
    Object(#[from] Rejection),
    /// The IOC is not usable.
    #[error(transparent)]
    Ioc(#[from] IocError),
    /// Another owner wrote this id first.
    #[error("the id belongs to another owner, who alone may change it: use an id of your own")]
    NotOwner,
    /// One request holds too many versions of one object.
    #[error("the request holds too many versions of this object: send the rest in another")]
    TooManyVersions,
    /// A client deleted the version from the collection, or the newest one and with it what is
    /// older.
    #[error("the version was deleted from this collection: only a newer one comes back")]
    RemovedHere,
    /// The object's level is above what the collection takes.
    #[error("the object is TLP:{level}, the collection takes no more than TLP:{ceiling}")]
    AboveCeiling {
        /// The object's level.
        level: Tlp,
        /// The collection's ceiling.
        ceiling: Tlp,
    },
    /// The object's level is above the writer's clearance.
    #[error("the object is TLP:{level}, your key is cleared for TLP:{clearance}")]
    AboveClearance {
        /// The object's level.
        level: Tlp,
        /// The key's clearance.
        clearance: Tlp,
    },
    /// The collection does not take objects of this specification.
    #[error("the object is STIX {0}, which the collection does not take")]
    SpecVersion(&'static str),
    /// The stored indicator cannot take the IOC in.
    #[error("the stored indicator cannot be merged with: {0}")]
    Merge(String),
}

impl Refusal {
    /// A stable name for the fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Object(rejection) => rejection.code(),
            Self::Ioc(_) => "invalid_ioc",
            Self::NotOwner => "not_owner",
            Self::RemovedHere => "removed",
            Self::TooManyVersions => "too_many_versions",
            Self::AboveCeiling { .. } => "above_ceiling",
            Self::AboveClearance { .. } => "above_clearance",
            Self::SpecVersion(_) => "spec_version",
            Self::Merge(_) => "merge_failed",
        }
    }
}

/// What became of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is stored.
    Accepted(Accepted),
    /// It is not.
    Refused(Refused),
}

impl Outcome {
    /// A refusal of an object of this id and version.
    #[must_use]
    pub fn refused(id: &ObjectId, version: &Version, why: Refusal) -> Self {
        Self::Refused(Refused { id: Some(id.to_string()), version: Some(version.to_string()), why })
    }
}
