//! The lists that notifications stand in, and the partitions they lie in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::access::TenantId;
use crate::notification::{EntityType, Kind, Named, Notification, SourceType};

/// A list of a tenant's notifications.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// All of one kind.
    Kind(Kind),
    /// Those about one entity, from sources of one type.
    Entity(String, SourceType),
    /// Those from one source, about entities of one type.
    Source(String, EntityType),
    /// Those of one kind with a tag.
    Tag(String, Kind),
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
            Self::Kind(kind) => {
                partition(&["kind", tenant, kind.source.name(), kind.entity.name()])
            }
            Self::Entity(id, source) => partition(&["entity", tenant, id, source.name()]),
            Self::Source(id, entity) => partition(&["source", tenant, id, entity.name()]),
            Self::Tag(tag, kind) => {
                partition(&["tag", tenant, tag, kind.source.name(), kind.entity.name()])
            }
        }
    }

    /// Every list a notification stands in.
    #[must_use]
    pub fn of(notification: &Notification) -> Vec<Self> {
        let kind = notification.kind();
        let mut lists = vec![
            Self::Kind(kind),
            Self::Entity(notification.entity.id.clone(), kind.source),
            Self::Source(notification.source.id.clone(), kind.entity),
        ];
        lists.extend(notification.tags.iter().map(|tag| Self::Tag(tag.clone(), kind)));
        lists
    }
}
