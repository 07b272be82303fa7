//! The lists that notifications stand in, and the partitions they lie in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::access::TenantId;
use crate::notification::{Named, Notification, Shelf, SourceType};
use crate::tlp::Tlp;

/// A list of a tenant's notifications, all of one level: who may not see them reads none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// All of one kind.
    Kind(Shelf),
    /// Those about one entity, from sources of one type. An entity has one type.
    Entity(String, SourceType, Tlp),
    /// Those of one kind from one source.
    Source(String, Shelf),
    /// Those of one kind with a tag.
    Tag(String, Shelf),
}

/// The partition that belongs to these words, in 22 characters: a posting has 100 bytes at most.
pub(super) fn partition(words: &[&str]) -> String {
    let mut hash = Sha256::new();
    for word in words {
        hash.update(u64::try_from(word.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(word);
    }
    let digest = hash.finalize();
    URL_SAFE_NO_PAD.encode(digest.get(..16).unwrap_or_default())
}

pub(super) fn main_partition(tenant: &TenantId) -> String {
    format!("N#{tenant}")
}

impl List {
    pub(super) fn partition(&self, tenant: &TenantId) -> String {
        let tenant = tenant.as_str();
        let (facet, value, place) = match self {
            Self::Entity(id, source, level) => {
                return partition(&["entity", tenant, id, source.name(), level.name()]);
            }
            Self::Kind(place) => ("kind", "", place),
            Self::Source(id, place) => ("source", id.as_str(), place),
            Self::Tag(tag, place) => ("tag", tag.as_str(), place),
        };
        let Shelf { kind, level } = place;
        let names = [kind.source.name(), kind.entity.name(), level.name()];
        partition(&[&[facet, tenant, value], &names[..]].concat())
    }

    /// Every list a notification stands in.
    #[must_use]
    pub fn of(notification: &Notification) -> Vec<Self> {
        let shelf = notification.shelf();
        let mut lists = vec![
            Self::Kind(shelf),
            Self::Entity(notification.entity.id.clone(), shelf.kind.source, shelf.level),
            Self::Source(notification.source.id.clone(), shelf),
        ];
        lists.extend(notification.tags.iter().map(|tag| Self::Tag(tag.clone(), shelf)));
        lists
    }
}
