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

/// Objects looked up for one round of events: what is read well within the time after which a
/// round is given up. Beyond it references count as withheld, and what is sent says so.
const BOUND: usize = 4_000;

/// Objects looked up at once.
const STEP: usize = 1_000;

/// Relationships of one object that are sent with it, and that are looked at for them: there may
/// be others that are nothing to this stream.
const MAX_RELATIONSHIPS: usize = 1_000;
const MAX_LOOKED_AT: usize = 5_000;
const PAGE: i32 = 1_000;

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
    /// What may be named though it is deleted.
    gone: HashSet<ObjectId>,
    /// So many were followed.
    followed: usize,
    /// There was more than is looked up.
    cut: bool,
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

    /// Whether an id may be named: of what may be shown, or might be if it were not deleted.
    #[must_use]
    pub fn names(&self, id: &ObjectId) -> bool {
        self.gone.contains(id) || self.shown(id).is_some()
    }

    /// Whether the object, or an end of it, was not looked up, as there was too much.
    #[must_use]
    pub fn misses(&self, id: &ObjectId) -> bool {
        let unknown = |id: &ObjectId| self.cut && !self.things.contains_key(id);
        unknown(id) || self.get(id).is_some_and(|thing| ends(&thing.facets).any(unknown))
    }

    /// Adds an object that is known already.
    #[cfg(test)]
    pub(crate) fn add(&mut self, thing: Thing) {
        self.things.insert(thing.facets.id.clone(), Some(thing));
    }

    /// Says that there was more than was looked up.
    #[cfg(test)]
    pub(crate) fn cut(&mut self) {
        self.cut = true;
    }

    /// Looks up what is not known yet, and what that refers to, to the end: the first of `ids`
    /// first, and no more than a round can wait for.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn follow(
        &mut self,
        services: &Services,
        defined: &Defined,
        ids: impl IntoIterator<Item = ObjectId>,
    ) -> Result<(), StoreError> {
        let mut wanted = self.unknown(ids);
        for _ in 0..ROUNDS {
            let room = BOUND.saturating_sub(self.followed);
            self.cut |= wanted.len() > room;
            wanted.truncate(room);
            if wanted.is_empty() {
                return Ok(());
            }
            self.followed += wanted.len();
            for ids in wanted.chunks(STEP) {
                self.look_up(services, defined, ids).await?;
            }
            let found = wanted.iter().filter_map(|id| self.get(id));
            let named: Vec<ObjectId> =
                found.flat_map(|thing| thing.facets.refs.iter().cloned()).collect();
            wanted = self.unknown(named);
        }
        self.cut |= !wanted.is_empty();
        Ok(())
    }

    /// Those that are not known, each once.
    fn unknown(&self, ids: impl IntoIterator<Item = ObjectId>) -> Vec<ObjectId> {
        let mut met = HashSet::new();
        let unknown = ids.into_iter().filter(|id| !self.things.contains_key(id));
        unknown.filter(|id| met.insert(id.clone())).collect()
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
            let admitted = match heads.remove(id) {
                Some(head) => admitted(services, defined, head).await?,
                None => Admitted::No,
            };
            let thing = match admitted {
                Admitted::Present(thing) => Some(*thing),
                Admitted::Gone => {
                    self.gone.insert(id.clone());
                    None
                }
                Admitted::No => None,
            };
            self.things.insert(id.clone(), thing.or_else(|| standard(id)));
        }
        Ok(())
    }

    /// Adds what another found.
    pub fn extend(&mut self, other: Self) {
        self.things.extend(other.things);
        self.gone.extend(other.gone);
    }
}

/// The ends of a relationship or sighting; of anything else none.
pub fn ends(facets: &Facets) -> impl Iterator<Item = &ObjectId> {
    facets.ends.iter().flat_map(|ends| ends.sources.iter().chain(&ends.targets))
}

/// The relationships and sightings of an object, and what was looked up on the way. Where there are
/// more than are sent, those are passed over that this stream does not show: whoever made them
/// must not crowd the others out.
///
/// # Errors
/// When the store fails.
pub async fn links_of(
    services: &Services,
    defined: &Defined,
    id: &ObjectId,
) -> Result<(Links, Lookup), StoreError> {
    let (mut links, mut lookup) = (Links::default(), Lookup::default());
    let mut after: Option<ObjectId> = None;
    let mut looked_at = 0;
    loop {
        let (ids, more) = services.store().follow_relationships(id, after, PAGE).await?;
        looked_at += ids.len();
        if looked_at == ids.len() && !more {
            return Ok((Links { ids, more }, lookup));
        }
        after = ids.last().cloned();
        lookup.look_up(services, defined, &ids).await?;
        links.ids.extend(ids.into_iter().filter(|id| lookup.get(id).is_some()));
        links.more = more || links.ids.len() > MAX_RELATIONSHIPS;
        links.ids.truncate(MAX_RELATIONSHIPS);
        if !more || links.ids.len() == MAX_RELATIONSHIPS || looked_at >= MAX_LOOKED_AT {
            return Ok((links, lookup));
        }
    }
}

/// What the stream makes of an object that is stored.
enum Admitted {
    /// It may be shown.
    Present(Box<Thing>),
    /// It is deleted; else it might be.
    Gone,
    /// It is above the ceiling, of a specification the collection does not take, or of somebody
    /// whose objects do not enter it.
    No,
}

async fn admitted(
    services: &Services,
    defined: &Defined,
    head: Head,
) -> Result<Admitted, StoreError> {
    let settings = &defined.collection.settings;
    let takes = settings.spec_versions.contains(&head.facets.spec_version)
        && defined.takes_from(&head.owner);
    if !takes || level_of(services, &head.facets, &head.owner, None).await? > settings.ceiling {
        return Ok(Admitted::No);
    }
    if head.deleted {
        return Ok(Admitted::Gone);
    }
    let log = LogId::Collection(defined.collection.id);
    let member = head.memberships.get(&log).filter(|membership| !membership.related);
    let (member, entered) = member.map(|known| (known.position, known.entered)).unzip();
    let thing = Thing { facets: head.facets, json: head.json, member, entered };
    Ok(Admitted::Present(Box::new(thing)))
}

/// A TLP marking that nobody stored.
fn standard(id: &ObjectId) -> Option<Thing> {
    let json = standard_marking(id.as_str())?.to_string();
    let object = StixObject::parse(json.as_bytes(), chrono::DateTime::UNIX_EPOCH).ok()?;
    Some(Thing { facets: object.facets, json: object.json, member: None, entered: None })
}
