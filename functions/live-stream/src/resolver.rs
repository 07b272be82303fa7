//! What stands behind the ids that objects refer to, as far as this stream may show it.

use std::collections::{HashMap, HashSet};

use shared::id::ObjectId;
use shared::ingestion::level_of;
use shared::log::LogId;
use shared::services::{Defined, Services};
use shared::stix::{Facets, StixObject, standard_marking};
use shared::store::{Head, StoreError};
use shared::time::Position;

/// References of references are followed this far.
const ROUNDS: usize = 12;

/// Objects looked up for one round of events, beyond which references count as withheld.
const BOUND: usize = 20_000;

/// Relationships of one object that are looked up.
const MAX_RELATIONSHIPS: i32 = 1_000;

/// An object that may be shown.
#[derive(Clone, Debug)]
pub struct Thing {
    /// What is known of it.
    pub facets: Facets,
    /// Its newest version, verbatim.
    pub json: String,
    /// Where its current entry in this stream's log lies, if it is a member of the collection.
    pub member: Option<Position>,
    /// Where that membership began.
    pub entered: Option<Position>,
}

/// Relationships and sightings of an object, and whether there are more.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// Their ids.
    pub ids: Vec<ObjectId>,
    /// There are more than are looked up.
    pub more: bool,
}

/// What was looked up for one round of events: each object once, in batches.
#[derive(Debug, Default)]
pub struct Lookup {
    things: HashMap<ObjectId, Option<Thing>>,
}

impl Lookup {
    /// An object, if it may be shown by itself.
    #[must_use]
    pub fn get(&self, id: &ObjectId) -> Option<&Thing> {
        self.things.get(id)?.as_ref()
    }

    /// An object, if it may be shown: a relationship only with its ends.
    #[must_use]
    pub fn shown(&self, id: &ObjectId) -> Option<&Thing> {
        self.shown_within(id, 8)
    }

    fn shown_within(&self, id: &ObjectId, depth: usize) -> Option<&Thing> {
        let thing = self.get(id)?;
        let whole =
            ends(&thing.facets).all(|end| depth > 0 && self.shown_within(end, depth - 1).is_some());
        whole.then_some(thing)
    }

    /// Adds an object that is known already.
    #[cfg(test)]
    pub(crate) fn add(&mut self, thing: Thing) {
        self.things.insert(thing.facets.id.clone(), Some(thing));
    }

    /// Looks up what is not known yet, and what that refers to, to the end.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn follow(
        &mut self,
        services: &Services,
        defined: &Defined,
        ids: impl IntoIterator<Item = ObjectId>,
    ) -> Result<(), StoreError> {
        let mut wanted: HashSet<ObjectId> = ids.into_iter().collect();
        for _ in 0..ROUNDS {
            wanted.retain(|id| !self.things.contains_key(id));
            if wanted.is_empty() || self.things.len() > BOUND {
                break;
            }
            let ids: Vec<ObjectId> = wanted.drain().collect();
            self.look_up(services, defined, &ids).await?;
            let found = ids.iter().filter_map(|id| self.get(id));
            wanted.extend(found.flat_map(|thing| thing.facets.refs.iter().cloned()));
        }
        Ok(())
    }

    async fn look_up(
        &mut self,
        services: &Services,
        defined: &Defined,
        ids: &[ObjectId],
    ) -> Result<(), StoreError> {
        let store = services.store();
        let mut heads = store.follow_heads(ids.to_vec(), false).await?;
        // What is too new for a read at half the price. A marking of the standard that is not there
        // is known all the same.
        let missing: Vec<ObjectId> = ids
            .iter()
            .filter(|id| !heads.contains_key(id) && standard_marking(id.as_str()).is_none())
            .cloned()
            .collect();
        if !missing.is_empty() {
            heads.extend(store.follow_heads(missing, true).await?);
        }
        for id in ids {
            let thing = match heads.remove(id) {
                Some(head) => admitted(services, defined, head).await?,
                None => None,
            };
            self.things.insert(id.clone(), thing.or_else(|| standard(id)));
        }
        Ok(())
    }
}

/// The ends of a relationship or sighting; of anything else none.
pub fn ends(facets: &Facets) -> impl Iterator<Item = &ObjectId> {
    facets.ends.iter().flat_map(|ends| ends.sources.iter().chain(&ends.targets))
}

/// The relationships and sightings of an object.
///
/// # Errors
/// When the store fails.
pub async fn links_of(services: &Services, id: &ObjectId) -> Result<Links, StoreError> {
    let (ids, more) = services.store().follow_relationships(id, MAX_RELATIONSHIPS).await?;
    Ok(Links { ids, more })
}

/// The object, unless it is deleted, above the ceiling, of a specification the collection does
/// not take, or of somebody whose objects do not enter it.
async fn admitted(
    services: &Services,
    defined: &Defined,
    head: Head,
) -> Result<Option<Thing>, StoreError> {
    let settings = &defined.collection.settings;
    let takes = !head.deleted
        && settings.spec_versions.contains(&head.facets.spec_version)
        && defined.takes_from(&head.owner);
    if !takes || level_of(services, &head.facets, &head.owner, None).await? > settings.ceiling {
        return Ok(None);
    }
    let log = LogId::Collection(defined.collection.id);
    let member = head.memberships.get(&log).filter(|membership| !membership.related);
    let (member, entered) = member.map(|known| (known.position, known.entered)).unzip();
    Ok(Some(Thing { facets: head.facets, json: head.json, member, entered }))
}

/// A TLP marking that nobody stored.
fn standard(id: &ObjectId) -> Option<Thing> {
    let json = standard_marking(id.as_str())?.to_string();
    let object = StixObject::parse(json.as_bytes(), chrono::DateTime::UNIX_EPOCH).ok()?;
    Some(Thing { facets: object.facets, json: object.json, member: None, entered: None })
}
