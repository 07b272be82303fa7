//! What subscribers to a topic are told of one indicator, and which of them may know.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::access::TenantId;
use crate::ingestion::level_of;
use crate::notification::{
    Entity, Named, Notification, NotificationId, Source, SourceType, expiry_of, kept_tags,
};
use crate::services::{Defined, Services};
use crate::store::{Fed, Head, StoreError, Telling};
use crate::subscription::{Subscription, SubscriptionSource};
use crate::time::Position;
use crate::tlp::Tlp;

/// What is subscribed to.
pub(super) struct Topic {
    source: Source,
    /// The collection, if it is one.
    collection: Option<Arc<Defined>>,
    /// The actor's level: its name stands in every notification.
    level: Tlp,
}

impl Topic {
    /// The topic of a source; `None` when there is no such thing any more.
    pub async fn of(
        services: &Services,
        source: &SubscriptionSource,
    ) -> Result<Option<Self>, StoreError> {
        let (label, collection, level) = match source {
            SubscriptionSource::Collection(id) => {
                let Some(defined) = services.collection_by_id(*id).await? else { return Ok(None) };
                (defined.collection.settings.title.clone(), Some(defined), Tlp::Clear)
            }
            SubscriptionSource::ThreatActor(id) => {
                let head = services.store().head(id).await?;
                let Some(head) = head.filter(|head| !head.deleted) else { return Ok(None) };
                let level = level_of(services, &head.facets, &head.owner, None).await?;
                (head.facets.name.clone().unwrap_or_else(|| id.to_string()), None, level)
            }
        };
        let source = Source { kind: source.kind(), id: source.id(), label };
        Ok(Some(Self { source, collection, level }))
    }
}

/// One indicator, as subscribers are told of it.
pub(super) struct Told {
    fed: Fed,
    entities: Vec<Entity>,
    labels: Vec<String>,
    level: Tlp,
    /// The tenants that own it or a relationship that leads to the actor: nobody else is told of
    /// what belongs to a tenant.
    owners: Vec<TenantId>,
}

impl Told {
    /// Reads what there is to tell. Nothing, where the indicator or a relationship that leads to
    /// the actor is gone.
    pub async fn of(services: &Services, topic: &Topic, fed: &Fed) -> Result<Self, StoreError> {
        let mut told = Self {
            fed: fed.clone(),
            entities: Vec::new(),
            labels: Vec::new(),
            level: topic.level,
            owners: Vec::new(),
        };
        let ids: Vec<_> = std::iter::once(&fed.object).chain(&fed.through).cloned().collect();
        let heads = services.store().heads(&ids, true).await?;
        let alive =
            |head: &&Head| !head.deleted && (head.facets.is_indicator() || !head.facets.revoked);
        let through: Option<Vec<&Head>> =
            fed.through.iter().map(|id| heads.get(id).filter(alive)).collect();
        let indicator = heads.get(&fed.object).filter(alive);
        let (Some(indicator), Some(through)) = (indicator, through) else { return Ok(told) };
        for head in through.into_iter().chain([indicator]) {
            let level = level_of(services, &head.facets, &head.owner, None).await?;
            told.level = told.level.max(level);
            told.owners.push(head.owner.clone());
        }
        if topic.source.kind == SourceType::Collection {
            // Whatever entered a collection, its readers read.
            told.owners.clear();
        }
        told.entities = Entity::named_by(&indicator.facets.iocs);
        told.labels.clone_from(&indicator.facets.labels);
        Ok(told)
    }

    /// The next values after the first `done`, `count` at most.
    pub fn values(&self, done: usize, count: usize) -> Option<&[Entity]> {
        let left = self.entities.get(done..).filter(|left| !left.is_empty())?;
        left.get(..count.min(left.len()))
    }

    /// How far the telling came once `done` values are told, and of the next ones those up to a
    /// subscriber.
    pub fn telling(&self, done: usize, subscriber: Option<TenantId>) -> Telling {
        let mut digest = Sha256::new();
        for entity in &self.entities {
            digest.update(entity.kind.name());
            digest.update([0]);
            digest.update(&entity.id);
            digest.update([0]);
        }
        let mut values = [0; 16];
        values.iter_mut().zip(digest.finalize()).for_each(|(to, from)| *to = from);
        Telling { object: self.fed.object.clone(), values, values_done: done, subscriber }
    }

    /// Where a telling goes on: where it stood, if that was of this indicator with these values,
    /// else at the beginning.
    pub fn resumed(&self, stood: Option<Telling>) -> Telling {
        let begun = self.telling(0, None);
        let same = |stood: &Telling| stood.object == begun.object && stood.values == begun.values;
        stood.filter(same).unwrap_or(begun)
    }

    /// What it is because of.
    pub fn cause(&self) -> Position {
        self.fed.cause
    }

    /// Whether a tenant may be told.
    pub fn may_know(&self, topic: &Topic, tenant: &TenantId) -> bool {
        let owned = |owner: &TenantId| owner.is_operator() || owner == tenant;
        let reads = |defined: &Arc<Defined>| defined.collection.is_read_by(tenant);
        self.owners.iter().all(owned) && topic.collection.as_ref().is_none_or(reads)
    }

    /// The notification of one value for one subscriber.
    pub fn notification(
        &self,
        topic: &Topic,
        subscriber: &Subscription,
        entity: &Entity,
        now: Position,
    ) -> Notification {
        let source = topic.source.clone();
        let id = NotificationId::new(self.fed.cause, &subscriber.tenant, &source, entity);
        let names = std::iter::once(source.label.as_str());
        let tags = kept_tags(names.chain(self.labels.iter().map(String::as_str)));
        Notification {
            id,
            entity: entity.clone(),
            source,
            tags,
            hunting: None,
            object: Some(self.fed.object.clone()),
            level: self.level,
            stored: now,
            expires: expiry_of(id, subscriber.retention_days),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ObjectId;
    use crate::notification::EntityType;

    fn told(object: u128, domains: &[&str]) -> Told {
        let entity = |name: &&str| Entity::named(EntityType::Domain, name).unwrap();
        Told {
            fed: Fed {
                object: ObjectId::from_parts("indicator", uuid::Uuid::from_u128(object)),
                cause: Position::from_micros(1),
                through: Vec::new(),
            },
            entities: domains.iter().map(entity).collect(),
            labels: Vec::new(),
            level: Tlp::Clear,
            owners: Vec::new(),
        }
    }

    #[test]
    fn counts_hold_for_the_same_object_with_the_same_values() {
        let one = told(1, &["a.example.com", "b.example.com"]);
        let stood = one.telling(1, Some("acme".parse().unwrap()));
        assert_eq!(one.resumed(Some(stood.clone())), stood);
        let another = told(2, &["a.example.com", "b.example.com"]);
        assert_eq!(another.resumed(Some(stood.clone())), another.telling(0, None));
        for domains in [&["c.example.com", "b.example.com"][..], &["b.example.com"], &[]] {
            let changed = told(1, domains);
            assert_eq!(changed.resumed(Some(stood.clone())), changed.telling(0, None));
        }
        assert_eq!(one.resumed(None), one.telling(0, None));
    }
}
