//! What subscribers to a topic are told of one indicator, and which of them may know.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::ways::all_ways;
use crate::access::TenantId;
use crate::id::ObjectId;
use crate::ingestion::level_of;
use crate::log::{CollectionId, LogId};
use crate::notification::{
    Entity, Named, Notification, NotificationId, Source, expiry_of, kept_tags,
};
use crate::projection::belongs;
use crate::services::{Defined, Definitions, Services};
use crate::store::{Cause, Fed, Head, Path, StoreError, Telling, Way};
use crate::subscription::{Subscription, SubscriptionSource};
use crate::time::Position;
use crate::tlp::Tlp;

/// A topic is looked at anew when it is older than this: who is no reader any more is not told for
/// as long as a step takes.
const TOPIC_AGE: Duration = Duration::from_secs(5);

/// What is subscribed to.
pub(super) struct Topic {
    subject: SubscriptionSource,
    source: Source,
    /// The collection, if it is one, among all of them.
    collection: Option<(Arc<Defined>, Definitions)>,
    /// The actor's level: its name stands in every notification.
    level: Tlp,
    /// When it was looked at.
    read: Instant,
}

impl Topic {
    /// The topic of a source, as it is now; `None` when there is no such thing any more. What this
    /// instance remembers of collections does not count: readers and filters may be newer.
    pub async fn of(
        services: &Services,
        subject: &SubscriptionSource,
    ) -> Result<Option<Self>, StoreError> {
        let read = Instant::now();
        let (label, collection, level) = match subject {
            SubscriptionSource::Collection(id) => {
                let all = services.definitions_within(Duration::ZERO).await?;
                let defined = all.iter().find(|defined| defined.collection.id == *id).cloned();
                let Some(defined) = defined else { return Ok(None) };
                (defined.collection.settings.title.clone(), Some((defined, all)), Tlp::Clear)
            }
            SubscriptionSource::ThreatActor(id) => {
                let head = services.store().head(id).await?;
                let Some(head) = head.filter(|head| !head.deleted) else { return Ok(None) };
                let since = Some(head.known_at);
                let level = level_of(services, &head.facets, &head.owner, since).await?;
                (head.facets.name.clone().unwrap_or_else(|| id.to_string()), None, level)
            }
        };
        let source = Source { kind: subject.kind(), id: subject.id(), label };
        Ok(Some(Self { subject: subject.clone(), source, collection, level, read }))
    }

    /// Looks at it anew where that was long ago; says whether it is still there.
    pub async fn renew(&mut self, services: &Services) -> Result<bool, StoreError> {
        if self.read.elapsed() < TOPIC_AGE {
            return Ok(true);
        }
        let Some(present) = Self::of(services, &self.subject).await? else { return Ok(false) };
        *self = present;
        Ok(true)
    }

    /// Whether the newest version of an indicator belongs in the collection. It may not be
    /// projected yet, so where the indicator stands is no answer.
    async fn holds(
        &self,
        services: &Services,
        id: CollectionId,
        indicator: &Head,
    ) -> Result<bool, StoreError> {
        let Some((_, definitions)) = &self.collection else { return Ok(false) };
        Ok(!indicator.removed_from(id, indicator.version())
            && belongs(services, definitions, indicator, LogId::Collection(id)).await?)
    }
}

/// One indicator, as subscribers are told of it.
pub(super) struct Told {
    fed: Fed,
    /// Whether it is to be told now: what only rose may have left the collection by that.
    belongs: bool,
    entities: Vec<Entity>,
    labels: Vec<String>,
    /// Why it is told, the lowest level first.
    reasons: Vec<Reason>,
}

/// One reason to tell of an indicator: that it is in the collection, or one way to the actor.
struct Reason {
    /// The highest level of all it is made of.
    level: Tlp,
    /// The tenants that own a part of it: nobody else is told of what belongs to a tenant.
    owners: Vec<TenantId>,
}

impl Told {
    /// Reads what there is to tell. Nothing, where the indicator is gone, or belongs in the
    /// collection no longer, or where every way that led from it to the actor is gone.
    pub async fn of(services: &Services, topic: &Topic, fed: &Fed) -> Result<Self, StoreError> {
        let mut told = Self {
            fed: fed.clone(),
            belongs: true,
            entities: Vec::new(),
            labels: Vec::new(),
            reasons: Vec::new(),
        };
        if let (Cause::Rose(_), SubscriptionSource::ThreatActor(actor)) =
            (fed.cause, &topic.subject)
        {
            // Others may know of it by a way that did not rise.
            told.fed.ways = all_ways(services.store(), &fed.object, actor).await?;
        }
        let fed = &told.fed;
        let onward = fed.ways.iter().filter_map(|way| way.onward.as_ref());
        let mut ids: Vec<ObjectId> = onward.flat_map(|(a, b)| [a.clone(), b.clone()]).collect();
        ids.extend(fed.ways.iter().map(|way| way.first.clone()));
        ids.push(fed.object.clone());
        ids.sort();
        ids.dedup();
        let heads = services.store().heads(&ids, true).await?;
        let Some(indicator) = heads.get(&fed.object).filter(|head| !head.deleted) else {
            return Ok(told);
        };
        match &topic.subject {
            // Whatever is in a collection, its readers read. Another version may have come since
            // one entered, and is told only if it is theirs to read as well.
            SubscriptionSource::Collection(id) => {
                told.belongs = topic.holds(services, *id, indicator).await?;
                if told.belongs || matches!(told.fed.cause, Cause::Rose(_)) {
                    let (facets, since) = (&indicator.facets, Some(indicator.known_at));
                    let level = level_of(services, facets, &indicator.owner, since).await?;
                    let level = level.max(topic.level);
                    told.reasons.push(Reason { level, owners: Vec::new() });
                }
            }
            SubscriptionSource::ThreatActor(actor) => {
                for way in &told.fed.ways {
                    let Some(parts) = parts(way, indicator, actor, &heads) else { continue };
                    told.reasons.push(Reason::of(services, topic, &parts).await?);
                }
                told.reasons.sort_by_key(|reason| reason.level);
            }
        }
        if !told.reasons.is_empty() {
            told.entities = Entity::named_by(&indicator.facets.iocs);
            told.labels.clone_from(&indicator.facets.labels);
        }
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
        for level in self.levels() {
            digest.update([level as u8]);
        }
        let mut values = [0; 16];
        values.iter_mut().zip(digest.finalize()).for_each(|(to, from)| *to = from);
        Telling { object: self.fed.object.clone(), values, values_done: done, subscriber }
    }

    /// The levels of all reasons to tell of it.
    pub fn levels(&self) -> impl Iterator<Item = Tlp> + '_ {
        self.reasons.iter().map(|reason| reason.level)
    }

    /// Where a telling goes on: where it stood, if that was of this indicator with these values,
    /// else at the beginning.
    pub fn resumed(&self, stood: Option<Telling>) -> Telling {
        let begun = self.telling(0, None);
        let same = |stood: &Telling| stood.object == begun.object && stood.values == begun.values;
        stood.filter(same).unwrap_or(begun)
    }

    /// Why it is told.
    pub fn cause(&self) -> Cause {
        self.fed.cause
    }

    /// Whether it is to be told now, and not only to be moved.
    pub fn belongs(&self) -> bool {
        self.belongs
    }

    /// The level at which a subscriber is told: that of the lowest reason it may know; `None` where
    /// it may know none, or what came did before it subscribed.
    pub fn level_for(&self, topic: &Topic, subscriber: &Subscription) -> Option<Tlp> {
        let tenant = &subscriber.tenant;
        if matches!(self.fed.cause, Cause::Came(at) if at < subscriber.since) {
            return None;
        }
        let owned = |owner: &TenantId| owner.is_operator() || owner == tenant;
        let reads = |(one, _): &(Arc<Defined>, _)| one.collection.is_read_by(tenant);
        let knows = |reason: &&Reason| reason.owners.iter().all(owned);
        let reason = self.reasons.iter().find(knows)?;
        topic.collection.as_ref().is_none_or(reads).then_some(reason.level)
    }

    /// The notification of one value for one subscriber, yet to be stored.
    pub fn notification(
        &self,
        topic: &Topic,
        (subscriber, level): (&Subscription, Tlp),
        entity: &Entity,
    ) -> Notification {
        let source = topic.source.clone();
        let id =
            NotificationId::new(self.fed.cause.position(), &subscriber.tenant, &source, entity);
        let names = std::iter::once(source.label.as_str());
        let tags = kept_tags(names.chain(self.labels.iter().map(String::as_str)));
        Notification {
            id,
            entity: entity.clone(),
            source,
            tags,
            hunting: None,
            object: Some(self.fed.object.clone()),
            level,
            stored: Position::default(),
            expires: expiry_of(id, subscriber.retention_days),
        }
    }
}

impl Reason {
    async fn of(services: &Services, topic: &Topic, parts: &[&Head]) -> Result<Self, StoreError> {
        let mut reason = Self { level: topic.level, owners: Vec::new() };
        for head in parts {
            let since = Some(head.known_at);
            let level = level_of(services, &head.facets, &head.owner, since).await?;
            reason.level = reason.level.max(level);
            reason.owners.push(head.owner.clone());
        }
        Ok(reason)
    }
}

/// What a way is made of, if it still leads from the indicator to the actor.
fn parts<'a>(
    way: &Way,
    indicator: &'a Head,
    actor: &ObjectId,
    heads: &'a HashMap<ObjectId, Head>,
) -> Option<Vec<&'a Head>> {
    let leads = |relationship: &ObjectId, from: &ObjectId, to: &ObjectId| {
        let head = heads.get(relationship)?;
        let path = Path::of(&head.facets).filter(|_| !head.deleted && !head.facets.revoked)?;
        (path.from == *from && path.to == *to).then_some(head)
    };
    let Some((carrier, second)) = &way.onward else {
        return Some(vec![indicator, leads(&way.first, indicator.id(), actor)?]);
    };
    let first = leads(&way.first, indicator.id(), carrier)?;
    let second = leads(second, carrier, actor)?;
    let carrier = heads.get(carrier).filter(|head| !head.deleted)?;
    Some(vec![indicator, first, carrier, second])
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
                cause: Cause::Came(Position::from_micros(1)),
                ways: Vec::new(),
            },
            belongs: true,
            entities: domains.iter().map(entity).collect(),
            labels: Vec::new(),
            reasons: Vec::new(),
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
