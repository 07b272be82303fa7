//! The lists that notifications stand in, and the partitions they lie in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::access::TenantId;
use crate::notification::{EntityType, Kind, Named, Notification, Shelf, SourceType};
use crate::tlp::Tlp;

/// A list of a tenant's notifications, all of one level: who may not see them reads none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// All of one kind.
    Kind(Shelf),
    /// Those about one entity, from sources of one type.
    Entity(String, SourceType, Tlp),
    /// Those from one source, about entities of one type.
    Source(String, EntityType, Tlp),
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
        match self {
            Self::Kind(Shelf { kind: Kind { source, entity }, level }) => {
                partition(&["kind", tenant, source.name(), entity.name(), level.name()])
            }
            Self::Entity(id, source, level) => {
                partition(&["entity", tenant, id, source.name(), level.name()])
            }
            Self::Source(id, entity, level) => {
                partition(&["source", tenant, id, entity.name(), level.name()])
            }
            Self::Tag(tag, Shelf { kind: Kind { source, entity }, level }) => {
                partition(&["tag", tenant, tag, source.name(), entity.name(), level.name()])
            }
        }
    }

    /// Every list a notification stands in.
    #[must_use]
    pub fn of(notification: &Notification) -> Vec<Self> {
        let shelf @ Shelf { kind, level } = notification.shelf();
        let mut lists = vec![
            Self::Kind(shelf),
            Self::Entity(notification.entity.id.clone(), kind.source, level),
            Self::Source(notification.source.id.clone(), kind.entity, level),
        ];
        lists.extend(notification.tags.iter().map(|tag| Self::Tag(tag.clone(), shelf)));
        lists
    }
}
