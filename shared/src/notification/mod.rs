//! Notifications: what a tenant's IOC stream holds (contract: ioc-stream).
//!
//! Pure but for [`list`], [`deletion`] and [`feed`], which work over the store.

pub mod cursor;
pub mod deletion;
mod entity;
pub mod feed;
pub mod filter;
mod id;
mod kind;
pub mod list;
mod posting;
mod source_key;
#[cfg(test)]
pub(crate) mod testing;
mod visibility;
mod walk;
mod ways;

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::access::Caller;
use crate::id::ObjectId;
use crate::services::Services;
use crate::store::StoreError;
use crate::time::Position;
use crate::tlp::Tlp;

pub use entity::{Entity, EntityError};
pub use id::{NotificationId, NotificationIdError};
pub use kind::{EntityType, Kind, Kinds, Named, Origin, Shelf, SourceType};
pub use posting::Posting;
pub use source_key::source_key;

/// Tags one notification may have.
pub const MAX_TAGS: usize = 40;
/// Characters a tag may have.
pub const MAX_TAG_CHARS: usize = 200;

/// What triggered a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// What it is.
    pub kind: SourceType,
    /// Its id.
    pub id: String,
    /// Its name, for people.
    pub label: String,
}

/// What a hunting engine says of a match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HuntingInfo {
    /// The rule that matched.
    pub rule_name: String,
    /// The rule's tags.
    pub rule_tags: Vec<String>,
    /// What matched, as a hexdump with `*begin_highlight*` and `*end_highlight*`.
    pub snippet: String,
    /// Where the file was uploaded from.
    pub source_country: String,
    /// Who uploaded it, in a form that cannot be turned back; see [`source_key`].
    pub source_key: String,
    /// Where the match was found.
    pub match_source: Option<String>,
    /// Whether it was found in a file within the file.
    pub match_in_subfile: Option<bool>,
}

/// One notification of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Its id, which says when it was caused.
    pub id: NotificationId,
    /// What it is about.
    pub entity: Entity,
    /// What triggered it.
    pub source: Source,
    /// Its tags, without repeats.
    pub tags: Vec<String>,
    /// What a hunting engine said; only for such.
    pub hunting: Option<HuntingInfo>,
    /// The indicator behind it, whose present level decides who may see it.
    pub object: Option<ObjectId>,
    /// Its TLP level when it was made.
    pub level: Tlp,
    /// When it was stored.
    pub stored: Position,
    /// When it ceases to be kept, in Unix seconds.
    pub expires: u64,
}

impl Notification {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        Kind { source: self.source.kind, entity: self.entity.kind }
    }

    /// Its kind and level.
    #[must_use]
    pub const fn shelf(&self) -> Shelf {
        Shelf { kind: self.kind(), level: self.level }
    }

    /// Whether it is kept no longer.
    #[must_use]
    pub const fn is_over(&self, now: Position) -> bool {
        self.expires <= now.micros() / 1_000_000
    }
}

/// When a notification that is kept for some days ceases to be, in Unix seconds.
#[must_use]
pub fn expiry_of(id: NotificationId, days: NonZeroU32) -> u64 {
    id.seconds().saturating_add(u64::from(days.get()) * 86_400)
}

/// Tags as they are kept: trimmed, not empty, without repeats, none too long, and not too many.
#[must_use]
pub fn kept_tags<'a>(tags: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for tag in tags {
        let tag: String = tag.trim().chars().take(MAX_TAG_CHARS).collect();
        if !tag.is_empty() && kept.len() < MAX_TAGS && !kept.contains(&tag) {
            kept.push(tag);
        }
    }
    kept
}

/// The caller's notification with this id; `None` where there is none it may see.
///
/// # Errors
/// When the store fails.
pub async fn one(
    services: &Services,
    caller: &Caller,
    id: &str,
) -> Result<Option<Notification>, StoreError> {
    let Ok(id) = id.parse() else { return Ok(None) };
    let found = services.store().notification(&caller.tenant, id).await?;
    let found = found.into_iter().collect();
    Ok(visibility::visible(services, found, caller.clearance).await?.pop())
}

/// Whether the caller may know of an object: it is there, the operator's or its own, and not
/// above its clearance.
///
/// # Errors
/// When the store fails.
pub async fn may_know_object(
    services: &Services,
    caller: &Caller,
    id: &ObjectId,
) -> Result<bool, StoreError> {
    let head = services.store().head(id).await?.filter(|head| !head.deleted);
    let Some(head) = head else { return Ok(false) };
    let owned = head.owner.is_operator() || head.owner == caller.tenant;
    let level = crate::ingestion::level_of(services, &head.facets, &head.owner, None).await?;
    Ok(owned && level <= caller.clearance)
}
