//! An object's `HEAD` item: its newest version and where it stands in every log.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::item::{Item, ReadItem, binary, key, number, text};
use super::{Expiry, StoreError, codec};
use crate::access::TenantId;
use crate::id::ObjectId;
use crate::log::{CollectionId, LogId, Membership};
pub use crate::stix::ContentHash;
use crate::stix::Facets;
use crate::time::{Position, Version};
use crate::tlp::Tlp;

/// Versions of an object that a client deleted from a collection: never brought back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// Every version up to and including this one.
    pub through: Option<Version>,
    /// Single versions above it.
    pub versions: Vec<Version>,
}

impl Removal {
    /// Whether `version` was deleted.
    #[must_use]
    pub fn covers(&self, version: &Version) -> bool {
        self.through.as_ref().is_some_and(|through| version <= through)
            || self.versions.contains(version)
    }
}

/// What a `HEAD` carries beside the object; most objects have none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Collections a client put it into explicitly.
    pub posted: BTreeSet<CollectionId>,
    /// Older versions that still wait to be projected.
    pub history: Vec<Version>,
    /// Versions deleted from collections.
    pub removals: BTreeMap<CollectionId, Removal>,
    /// Whether older versions are stored.
    pub has_older: bool,
    /// Deleted and made anew, by this revision, before a projector saw the deletion: what entered
    /// by an earlier one leaves before it enters again.
    pub left: Option<u64>,
    /// The moment for which it is listed to expire.
    pub expires: Option<Expiry>,
    /// From what to what a relationship leads towards a threat actor, by what is settled.
    pub leads: Option<(ObjectId, ObjectId)>,
    /// An indicator, malware or campaign of which the deletion is settled.
    pub gone: bool,
    /// The level at which subscribers were told of what it is a part of, by what is settled; none
    /// where that is the lowest.
    pub told_at: Option<Tlp>,
}

/// The `HEAD` of an object.
#[derive(Clone, Debug)]
pub struct Head {
    /// Facets of the newest version.
    pub facets: Facets,
    /// The newest version, verbatim JSON.
    pub json: String,
    /// Equal for equal content.
    pub content: ContentHash,
    /// Who wrote the id first.
    pub owner: TenantId,
    /// Rises with every write that projection must see.
    pub revision: u64,
    /// The last revision whose projection is done; 0 for none.
    pub projected: u64,
    /// Since when a revision waits for projection.
    pub pending: Option<Position>,
    /// The last revision that was asked for only because a collection's definition changed, while
    /// nothing else was pending: nobody is notified of what enters by it. 0 for none.
    pub quiet: u64,
    /// Deleted: this is a tombstone at the highest known version.
    pub deleted: bool,
    /// Where it stands in the logs, as of `projected`.
    pub memberships: BTreeMap<LogId, Membership>,
    /// The rest.
    pub state: State,
    /// When this was read, or made, at the latest: what is read after that is at least as new.
    pub known_at: Instant,
}

/// An older version of an object.
#[derive(Clone, Debug)]
pub struct OldVersion {
    /// Its facets.
    pub facets: Facets,
    /// Verbatim JSON.
    pub json: String,
    /// Where its own entries lie. Valid only while the object's membership has not begun anew.
    pub entries: BTreeMap<LogId, Membership>,
    /// Whether it was ever projected: as the newest version then, or as history.
    pub projected: bool,
}

impl OldVersion {
    /// Whether it has an entry of its own in the collection's log.
    #[must_use]
    pub fn is_in(&self, collection: CollectionId) -> bool {
        self.entries.contains_key(&LogId::Collection(collection))
    }
}

impl Head {
    /// The object's id.
    #[must_use]
    pub fn id(&self) -> &ObjectId {
        &self.facets.id
    }

    /// The head's next revision, pending since its oldest revision that is not projected.
    #[must_use]
    pub fn next_revision(&self, now: DateTime<Utc>) -> Self {
        let pending = self.pending.unwrap_or_else(|| Position::at_or_before(now));
        Self { revision: self.revision + 1, pending: Some(pending), ..self.clone() }
    }

    /// Whether this, found in the store, is what putting `other` wrote: nobody else comes to the
    /// same revision at the same microsecond with the same content.
    #[must_use]
    pub(super) fn is_write_of(&self, other: &Self) -> bool {
        self.revision == other.revision
            && self.projected == other.projected
            && self.pending == other.pending
            && self.content == other.content
            && self.facets.version == other.facets.version
            && self.owner == other.owner
            && self.deleted == other.deleted
            && self.state == other.state
    }

    /// The newest version.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.facets.version
    }

    /// The version that is current in a log in which it has `membership`.
    #[must_use]
    pub fn version_in<'a>(&'a self, membership: &'a Membership) -> &'a Version {
        membership.version.as_ref().unwrap_or(&self.facets.version)
    }

    /// Whether a client deleted `version` from `collection`.
    #[must_use]
    pub fn removed_from(&self, collection: CollectionId, version: &Version) -> bool {
        self.state.removals.get(&collection).is_some_and(|removal| removal.covers(version))
    }

    pub(super) fn to_item(&self) -> Result<Item, StoreError> {
        let mut item = key(self.facets.id.as_str(), "HEAD");
        item.insert("z".into(), binary(body_blob(&self.facets, &self.json)?));
        item.insert("hash".into(), binary(self.content.0));
        item.insert("own".into(), text(self.owner.to_string()));
        item.insert("rev".into(), number(self.revision));
        if self.projected > 0 {
            item.insert("prj".into(), number(self.projected));
        }
        if let Some(since) = self.pending {
            item.insert("pending".into(), number(since.micros()));
        }
        if self.quiet > 0 {
            item.insert("quiet".into(), number(self.quiet));
        }
        if self.deleted {
            item.insert("del".into(), AttributeValue::Bool(true));
        }
        if !self.memberships.is_empty() {
            item.insert("mem".into(), memberships_value(&self.memberships)?);
        }
        if self.state != State::default() {
            item.insert("st".into(), state_value(&self.state)?);
        }
        Ok(item)
    }

    pub(super) fn from_item(item: &Item) -> Result<Self, StoreError> {
        let (facets, json) = open_body(item)?;
        let hash = item.required_bytes("hash")?;
        let content = hash.try_into().map_err(|_| StoreError::Damaged("hash".into()))?;
        Ok(Self {
            facets,
            json,
            content: ContentHash(content),
            owner: item
                .text("own")?
                .parse()
                .map_err(|_| StoreError::Damaged("owner is no tenant".into()))?,
            revision: item.required_number("rev")?,
            projected: item.number("prj")?.unwrap_or(0),
            pending: item.number("pending")?.map(Position::from_micros),
            quiet: item.number("quiet")?.unwrap_or(0),
            deleted: matches!(item.get("del"), Some(AttributeValue::Bool(true))),
            memberships: item.bytes("mem").map_or(Ok(BTreeMap::new()), postcard::from_bytes)?,
            state: item.bytes("st").map_or(Ok(State::default()), read_state)?,
            known_at: Instant::now(),
        })
    }
}

impl OldVersion {
    pub(super) fn from_item(item: &Item) -> Result<Self, StoreError> {
        let (facets, json) = open_body(item)?;
        let entries = item.bytes("mem").map_or(Ok(BTreeMap::new()), postcard::from_bytes)?;
        // Kept from a projected `HEAD`, or given its entries, however few, by a projection.
        let projected = item.bytes("mem").is_some() || item.number("prj")?.unwrap_or(0) > 0;
        Ok(Self { facets, json, entries, projected })
    }
}

pub(super) fn memberships_value(
    memberships: &BTreeMap<LogId, Membership>,
) -> Result<AttributeValue, StoreError> {
    Ok(binary(postcard::to_allocvec(memberships)?))
}

/// Those of before `told_at` end without it.
fn read_state(bytes: &[u8]) -> Result<State, postcard::Error> {
    postcard::from_bytes(bytes).or_else(|_| postcard::from_bytes(&[bytes, &[0]].concat()))
}

pub(super) fn state_value(state: &State) -> Result<AttributeValue, StoreError> {
    Ok(binary(postcard::to_allocvec(state)?))
}

/// Facets and text share one blob: the facets' strings stand in the text and cost nothing.
pub(super) fn body_blob(facets: &Facets, json: &str) -> Result<Vec<u8>, StoreError> {
    Ok(codec::compress(&postcard::to_allocvec(&(json, facets))?)?)
}

fn open_body(item: &Item) -> Result<(Facets, String), StoreError> {
    let (json, facets) = postcard::from_bytes(&codec::expand(item.required_bytes("z")?)?)?;
    Ok((facets, json))
}
