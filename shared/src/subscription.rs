//! What a tenant subscribes to, so that its IOC stream tells of it.

use std::fmt;
use std::num::NonZeroU32;

use serde_json::{Value, json};
use thiserror::Error;

use crate::access::TenantId;
use crate::id::ObjectId;
use crate::log::CollectionId;
use crate::notification::{Named, SourceType};
use crate::time::Position;

/// Subscriptions one tenant may have.
pub const MAX_SUBSCRIPTIONS: usize = 1000;

/// STIX types that stand for a threat actor.
const ACTOR_TYPES: [&str; 2] = ["threat-actor", "intrusion-set"];

/// Something that can be subscribed to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubscriptionSource {
    /// A collection: indicators that enter it.
    Collection(CollectionId),
    /// A threat actor or intrusion set: indicators that become related to it.
    ThreatActor(ObjectId),
}

/// Why a type and an id name nothing that can be subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SubscriptionSourceError {
    /// Another type.
    #[error("{0:?} cannot be subscribed to: use collection or threat_actor")]
    Type(String),
    /// No id of that type.
    #[error("{id:?} is no id of a {kind}: {expected}")]
    Id {
        /// The type.
        kind: &'static str,
        /// The id.
        id: String,
        /// What would be right.
        expected: &'static str,
    },
}

impl SubscriptionSource {
    /// Reads a type and an id.
    ///
    /// # Errors
    /// When there is no such type, or the id is none of that type.
    pub fn parse(kind: &str, id: &str) -> Result<Self, SubscriptionSourceError> {
        let shown = |text: &str| text.chars().take(80).collect::<String>();
        let bad = |kind: SourceType, expected| SubscriptionSourceError::Id {
            kind: kind.name(),
            id: shown(id),
            expected,
        };
        match SourceType::named(kind) {
            Some(kind @ SourceType::Collection) => uuid::Uuid::try_parse(id)
                .map(|id| Self::Collection(CollectionId(id)))
                .map_err(|_| bad(kind, "write the collection's UUID")),
            Some(kind @ SourceType::ThreatActor) => {
                id.parse::<ObjectId>().ok().filter(is_actor).map(Self::ThreatActor).ok_or_else(
                    || bad(kind, "write a STIX id, threat-actor--… or intrusion-set--…"),
                )
            }
            _ => Err(SubscriptionSourceError::Type(shown(kind))),
        }
    }

    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> SourceType {
        match self {
            Self::Collection(_) => SourceType::Collection,
            Self::ThreatActor(_) => SourceType::ThreatActor,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Collection(id) => id.to_string(),
            Self::ThreatActor(id) => id.to_string(),
        }
    }
}

/// Whether an object is a threat actor or an intrusion set.
#[must_use]
pub fn is_actor(id: &ObjectId) -> bool {
    ACTOR_TYPES.contains(&id.object_type())
}

/// Whether an object relates what indicates it to the actors it is attributed to.
#[must_use]
pub fn is_carrier(id: &ObjectId) -> bool {
    matches!(id.object_type(), "malware" | "campaign")
}

impl fmt::Display for SubscriptionSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.kind(), self.id())
    }
}

/// A tenant's subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Who is told.
    pub tenant: TenantId,
    /// Of what.
    pub source: SubscriptionSource,
    /// Of what was caused from then on.
    pub since: Position,
    /// How long its notifications are kept, as the tenant's plan was when it subscribed.
    pub retention_days: NonZeroU32,
}

impl Subscription {
    /// What operators call it: `<tenant>:<source_type>:<source_id>`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}:{}:{}", self.tenant, self.source.kind(), self.source.id())
    }

    /// How it is shown to operators, and written into the audit.
    #[must_use]
    pub fn shown(&self) -> Value {
        json!({
            "id": self.id(),
            "tenant": self.tenant,
            "source_type": self.source.kind().to_string(),
            "source_id": self.source.id(),
            "since": self.since.to_string(),
            "retention_days": self.retention_days,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTOR: &str = "threat-actor--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69";

    #[test]
    fn a_source_is_a_collection_or_an_actor() {
        let collection = "6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69";
        let source = SubscriptionSource::parse("collection", collection).unwrap();
        assert_eq!(source.to_string(), format!("collection#{collection}"));
        let set = ACTOR.replace("threat-actor", "intrusion-set");
        for id in [ACTOR, set.as_str()] {
            let source = SubscriptionSource::parse("threat_actor", id).unwrap();
            assert_eq!((source.kind(), source.id()), (SourceType::ThreatActor, id.to_owned()));
        }
        for (kind, id) in [
            ("collection", "demo"),
            ("threat_actor", collection),
            ("threat_actor", &ACTOR.replace("threat-actor", "malware")),
            ("hunting_ruleset", "x"),
            ("", ""),
        ] {
            assert!(SubscriptionSource::parse(kind, id).is_err(), "{kind} {id}");
        }
    }
}
