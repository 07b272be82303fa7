//! What subscribers to a topic are told of one indicator, and which of them may know.

use std::sync::Arc;

use crate::access::TenantId;
use crate::ingestion::level_of;
use crate::notification::{
    Entity, Notification, NotificationId, Source, SourceType, expiry_of, kept_tags,
};
use crate::services::{Defined, Services};
use crate::store::{Fed, Head, StoreError};
use crate::subscription::{Subscription, SubscriptionSource};
use crate::time::Position;
use crate::tlp::Tlp;

/// What is subscribed to.
pub(super) struct Topic {
    source: Source,
    /// The collection, if it is one.
    collection: Option<Arc<Defined>>,
}

impl Topic {
    /// The topic of a source; `None` when there is no such thing any more.
    pub async fn of(
        services: &Services,
        source: &SubscriptionSource,
    ) -> Result<Option<Self>, StoreError> {
        let (label, collection) = match source {
            SubscriptionSource::Collection(id) => {
                let Some(defined) = services.collection_by_id(*id).await? else { return Ok(None) };
                (defined.collection.settings.title.clone(), Some(defined))
            }
            SubscriptionSource::ThreatActor(id) => {
                let head = services.store().head(id).await?;
                let Some(head) = head.filter(|head| !head.deleted) else { return Ok(None) };
                (head.facets.name.clone().unwrap_or_else(|| id.to_string()), None)
            }
        };
        let source = Source { kind: source.kind(), id: source.id(), label };
        Ok(Some(Self { source, collection }))
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
            level: Tlp::Clear,
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
