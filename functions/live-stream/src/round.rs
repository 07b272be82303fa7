//! What has to be read before some entries can be told: all of it at once, in batches.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use futures::stream::{self, StreamExt, TryStreamExt};
use shared::id::ObjectId;
use shared::ingestion::level_of;
use shared::log::{Entry, Op, Place, Seen, Tailer};
use shared::services::{Defined, Services};
use shared::stix::{Facets, Marking, StixObject, level, markings_to_resolve};
use shared::store::StoreError;

use crate::awaited::Awaited;
use crate::knowledge::{Knowledge, Telling};
use crate::resolver::{Links, Lookup, links_of};

/// Reads side by side.
const CONCURRENCY: usize = 16;

/// Entries whose relationships are read side by side, and how many objects those of a round may
/// name together: with more of them it ends early, so that it ends in time.
const AT_ONCE: usize = 16;
const ENOUGH: usize = 2_000;

/// What was read for one round.
pub struct Round {
    /// Objects that may be shown.
    pub lookup: Lookup,
    /// The objects that the first entries are about, one for each entry that the round tells of;
    /// none where one may not be shown.
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
    pub awaited: &'a Awaited,
}

/// What an entry needs.
#[derive(Default)]
struct Need {
    /// What its object refers to, and what waits for it.
    wanted: Vec<ObjectId>,
    /// Whose relationships.
    linked: Option<ObjectId>,
    /// Versions.
    places: Vec<Place>,
}

impl Reader<'_> {
    /// Reads what `entries` need, or the first of them, if that is much.
    ///
    /// # Errors
    /// When the store fails; nothing is told then.
    pub async fn read(&self, entries: &[Seen]) -> Result<Round, StoreError> {
        let mut objects: Vec<Option<StixObject>> =
            entries.iter().map(|seen| self.object(&seen.entry)).collect();
        let mut needs: Vec<Need> = entries.iter().map(|seen| self.need(seen)).collect();
        let (mut links, mut lookup) = (HashMap::new(), Lookup::default());
        let (mut covered, mut named) = (0, 0);
        while covered < needs.len() && named <= ENOUGH {
            let until = needs.len().min(covered + AT_ONCE);
            for (id, found, looked_up) in self.links(&needs[covered..until]).await? {
                links.insert(id, found);
                lookup.extend(looked_up);
            }
            for need in &needs[covered..until] {
                let joined = need.linked.as_ref().and_then(|id| links.get(id));
                named += need.wanted.len() + joined.map_or(0, |links| links.ids.len());
                covered += 1;
                if named > ENOUGH {
                    break;
                }
            }
        }
        needs.truncate(covered);
        objects.truncate(covered);
        self.resolve_leaves(entries, &mut objects).await?;
        // What is referred to comes before what joins, should there be too much.
        let wanted = needs.iter().flat_map(|need| need.wanted.iter().cloned());
        lookup.follow(self.services, self.defined, wanted).await?;
        let linked = needs.iter().filter_map(|need| links.get(need.linked.as_ref()?));
        let joining: Vec<ObjectId> = linked.flat_map(|links| links.ids.iter().cloned()).collect();
        lookup.follow(self.services, self.defined, joining).await?;
        let places = needs.iter().flat_map(|need| need.places.iter().copied()).collect();
        let replaced = self.replaced(places).await?;
        // What only the version before refers to; mostly there is nothing.
        let before = replaced.values().flat_map(|object| object.facets.refs.iter().cloned());
        lookup.follow(self.services, self.defined, before).await?;
        Ok(Round { lookup, objects, links, replaced })
    }

    fn need(&self, seen: &Seen) -> Need {
        let mut need = Need::default();
        let telling = self.knowledge.tell(seen, self.joins);
        if telling == Telling::Nothing {
            return need;
        }
        let Some(object) = parsed(&seen.entry) else { return need };
        let id = object.facets.id;
        match telling {
            Telling::Nothing => {}
            Telling::Delete => {
                need.wanted = object.facets.refs;
                if seen.entry.op == Op::Leave {
                    need.wanted.insert(0, id.clone());
                    need.linked = Some(id);
                }
            }
            telling @ (Telling::Create | Telling::Update(_)) => {
                if let Telling::Update(place) = telling {
                    need.places.push(place);
                }
                // An update within these entries is told of by what the log has of them.
                need.places.extend(seen.entry.replaces.filter(|_| seen.entry.op == Op::Update));
                need.wanted = object.facets.refs;
                need.wanted.extend(self.awaited.of(&id).cloned());
                if self.needs_links(&id, seen.entry.op) {
                    need.linked = Some(id);
                }
            }
        }
        need
    }

    /// Relationships are looked up where they are sent, and where members among them may have been
    /// withheld because this object was not there: on this connection, or before it.
    fn needs_links(&self, id: &ObjectId, op: Op) -> bool {
        let late = op == Op::Enter && !self.knowledge.begins_anew();
        self.joins || late || self.awaited.has(id)
    }

    fn object(&self, entry: &Entry) -> Option<StixObject> {
        let object = parsed(entry)?;
        let object = StixObject { facets: versioned(object.facets, entry), ..object };
        (!above(&object.facets, self.defined)).then_some(object)
    }

    /// What leaves may be shown only if it could still enter but for the filter. Its markings were
    /// not looked up for this log, and whoever wrote it may be none whose objects it takes by now.
    async fn resolve_leaves(
        &self,
        entries: &[Seen],
        objects: &mut [Option<StixObject>],
    ) -> Result<(), StoreError> {
        let since = Instant::now();
        let mut leaves: Vec<&mut Option<StixObject>> = Vec::new();
        for (seen, object) in entries.iter().zip(objects) {
            if self.knowledge.tell(seen, self.joins) == Telling::Delete {
                leaves.extend(object.is_some().then_some(object));
            } else if matches!(seen.entry.op, Op::Leave | Op::Unrelate) {
                // Should it become one by what this round tells first, its id is enough.
                *object = None;
            }
        }
        if leaves.is_empty() {
            return Ok(());
        }
        let id = self.defined.collection.id;
        // A definition of before these entries would not do: it may be why they are there.
        let definitions = self.services.definitions_within(since.elapsed()).await?;
        let defined = definitions.iter().find(|defined| defined.collection.id == id);
        let ids = leaves.iter().filter_map(|object| Some(object.as_ref()?.facets.id.clone()));
        let heads = self.services.store().follow_heads(ids.collect(), false).await?;
        for leaving in leaves {
            let Some(object) = leaving.as_ref() else { continue };
            let facets = &object.facets;
            let shown = match (defined, heads.get(&facets.id)) {
                (Some(defined), Some(head)) if defined.takes_from(&head.owner) => {
                    let level = level_of(self.services, facets, &head.owner, Some(since)).await?;
                    level <= defined.collection.settings.ceiling
                }
                _ => false,
            };
            if !shown {
                *leaving = None;
            }
        }
        Ok(())
    }

    async fn links(&self, needs: &[Need]) -> Result<Vec<(ObjectId, Links, Lookup)>, StoreError> {
        let ids: HashSet<ObjectId> = needs.iter().filter_map(|need| need.linked.clone()).collect();
        stream::iter(ids)
            .map(|id| async move {
                let (links, lookup) = links_of(self.services, self.defined, &id).await?;
                Ok::<_, StoreError>((id, links, lookup))
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
/// up were, when it entered the log; of what leaves it they are looked up again.
fn above(facets: &Facets, defined: &Defined) -> bool {
    markings_to_resolve(facets).next().is_none()
        && level(facets, |_| Marking::Unknown) > defined.collection.settings.ceiling
}
