//! What has to be read before some entries can be told: all of it at once, in batches.

use std::collections::{HashMap, HashSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use shared::id::ObjectId;
use shared::log::{Entry, Op, Place, Seen, Tailer};
use shared::services::{Defined, Services};
use shared::stix::{Facets, Marking, StixObject, level, markings_to_resolve};
use shared::store::StoreError;

use crate::knowledge::{Knowledge, Telling};
use crate::resolver::{Links, Lookup, ends, links_of};

/// Reads side by side.
const CONCURRENCY: usize = 16;

/// What was read for one round.
pub struct Round {
    /// Objects that may be shown.
    pub lookup: Lookup,
    /// The objects the entries are about, by position in the round; none where one is above the
    /// ceiling.
    pub objects: Vec<Option<StixObject>>,
    /// What joins them to others, where that may matter.
    pub links: HashMap<ObjectId, Links>,
    /// The versions that were replaced.
    pub replaced: HashMap<Place, StixObject>,
}

/// Who reads a round.
pub struct Reader<'a> {
    /// Services.
    pub services: &'a Services,
    /// The stream.
    pub defined: &'a Defined,
    /// The log.
    pub tailer: &'a Tailer,
    /// The reader's knowledge.
    pub knowledge: &'a Knowledge,
    /// Whether relationships are sent with what they join.
    pub joins: bool,
    /// Objects that others wait for.
    pub awaited: &'a HashMap<ObjectId, HashSet<ObjectId>>,
}

impl Reader<'_> {
    /// Reads what `entries` need.
    ///
    /// # Errors
    /// When the store fails; nothing is told then.
    pub async fn read(&self, entries: &[Seen]) -> Result<Round, StoreError> {
        let objects: Vec<Option<StixObject>> =
            entries.iter().map(|seen| self.object(&seen.entry)).collect();
        let mut wanted: HashSet<ObjectId> = HashSet::new();
        let mut linked: HashSet<ObjectId> = HashSet::new();
        let mut places: HashSet<Place> = HashSet::new();
        for (seen, object) in entries.iter().zip(&objects) {
            let Ok(id) = seen.entry.id.parse::<ObjectId>() else { continue };
            match self.knowledge.tell(seen, self.joins) {
                Telling::Nothing => continue,
                Telling::Delete if seen.entry.op == Op::Leave => {
                    wanted.insert(id.clone());
                    linked.insert(id);
                    continue;
                }
                Telling::Delete => {
                    let parsed = parsed(&seen.entry);
                    wanted.extend(parsed.iter().flat_map(|one| ends(&one.facets).cloned()));
                    continue;
                }
                Telling::Update(place) => drop(places.insert(place)),
                Telling::Create => {}
            }
            // An update within these entries is told of by what the log has of them.
            places.extend(seen.entry.replaces.filter(|_| seen.entry.op == Op::Update));
            wanted.extend(object.iter().flat_map(|object| object.facets.refs.iter().cloned()));
            if self.needs_links(&id, seen.entry.op) {
                linked.insert(id.clone());
            }
            wanted.extend(self.awaited.get(&id).into_iter().flatten().cloned());
        }
        let links = self.links(linked).await?;
        wanted.extend(links.values().flat_map(|links| links.ids.iter().cloned()));
        let mut lookup = Lookup::default();
        lookup.follow(self.services, self.defined, wanted).await?;
        let replaced = self.replaced(places).await?;
        // What only the version before refers to; mostly there is nothing.
        let before = replaced.values().flat_map(|object| object.facets.refs.iter().cloned());
        lookup.follow(self.services, self.defined, before).await?;
        Ok(Round { lookup, objects, links, replaced })
    }

    /// Relationships are looked up where they are sent, and where members among them may have been
    /// withheld because this object was not there: on this connection, or before it.
    fn needs_links(&self, id: &ObjectId, op: Op) -> bool {
        let late = op == Op::Enter && !self.knowledge.begins_anew();
        self.joins || late || self.awaited.contains_key(id)
    }

    fn object(&self, entry: &Entry) -> Option<StixObject> {
        let object = parsed(entry)?;
        let object = StixObject { facets: versioned(object.facets, entry), ..object };
        (!above(&object.facets, self.defined)).then_some(object)
    }

    async fn links(&self, ids: HashSet<ObjectId>) -> Result<HashMap<ObjectId, Links>, StoreError> {
        stream::iter(ids)
            .map(|id| async move {
                let links = links_of(self.services, &id).await?;
                Ok::<_, StoreError>((id, links))
            })
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await
    }

    async fn replaced(
        &self,
        places: HashSet<Place>,
    ) -> Result<HashMap<Place, StixObject>, StoreError> {
        let read =
            stream::iter(places)
                .map(|place| async move {
                    Ok::<_, StoreError>((place, self.tailer.entry_at(place).await?))
                })
                .buffer_unordered(CONCURRENCY);
        let found: Vec<(Place, Option<Entry>)> = read.try_collect().await?;
        let known = found
            .into_iter()
            .filter_map(|(place, entry)| self.object(&entry?).map(|object| (place, object)));
        Ok(known.collect())
    }
}

fn parsed(entry: &Entry) -> Option<StixObject> {
    StixObject::parse(entry.body.as_bytes(), chrono::DateTime::UNIX_EPOCH).ok()
}

/// An object without a version of its own has the entry's.
fn versioned(mut facets: Facets, entry: &Entry) -> Facets {
    if let Ok(version) = entry.version.parse() {
        facets.version = shared::time::Version(version);
    }
    facets
}

/// Whether an object is above the ceiling by TLP's own markings. Markings that have to be looked
/// up were, when it entered the log.
fn above(facets: &Facets, defined: &Defined) -> bool {
    markings_to_resolve(facets).next().is_none()
        && level(facets, |_| Marking::Unknown) > defined.collection.settings.ceiling
}
