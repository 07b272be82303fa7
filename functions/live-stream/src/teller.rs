//! From entries of the log to events: the part of a connection that knows what the reader has.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Instant;

use serde_json::{Map, Value};
use shared::id::ObjectId;
use shared::log::{Entry, Op, Seen, Tailer};
use shared::services::{Defined, Services};
use shared::stix::{Facets, StixObject};
use shared::store::StoreError;
use shared::time::Position;

use crate::cache::Cache;
use crate::event_id::{EventId, LAST_PLACE};
use crate::frame::Frames;
use crate::group::{Plan, Planner, has_its_ends};
use crate::knowledge::{Knowledge, Telling};
use crate::render::{self, Kind, Referer, Shown};
use crate::resolver::{Lookup, ends};
use crate::round::{Reader, Round};

/// Entries that are told in one round.
const ENTRIES: usize = 32;

/// A round ends early once it has made this many bytes.
const BYTES: usize = 256 * 1024;

/// Objects that others wait for, beyond which no more are noted.
const AWAITED: usize = 10_000;

/// What was made of some entries.
#[derive(Debug, Default)]
pub struct Told {
    /// Whole frames.
    pub frames: String,
    /// Events in them.
    pub events: u32,
    /// The position of the oldest entry told as it happened.
    pub oldest_live: Option<Position>,
}

/// Tells a reader of entries.
#[derive(Debug)]
pub struct Teller {
    /// Whether relationships are sent with what they join.
    pub joins: bool,
    /// Whether deletes are sent.
    pub deletes: bool,
    /// Up to here everything is a replay.
    pub replay: Position,
    knowledge: Knowledge,
    cache: Cache,
    /// Who waits for an object: members withheld, or sent without a reference to it, because it
    /// could not be shown.
    awaited: HashMap<ObjectId, HashSet<ObjectId>>,
}

/// One event of a group, rendered but for its id.
struct Made {
    kind: Kind,
    json: String,
}

impl Teller {
    /// A teller for a reader that knows so much.
    #[must_use]
    pub fn new(knowledge: Knowledge, replay: Position, joins: bool, deletes: bool) -> Self {
        let (cache, awaited) = (Cache::default(), HashMap::new());
        Self { joins, deletes, replay, knowledge, cache, awaited }
    }

    /// Tells of the first of `pending`, and takes off what it told of.
    ///
    /// # Errors
    /// When the store fails; what was not told stays.
    pub async fn tell(
        &mut self,
        services: &Services,
        defined: &Defined,
        tailer: &Tailer,
        pending: &mut VecDeque<Seen>,
    ) -> Result<Told, StoreError> {
        let entries: Vec<Seen> = pending.iter().take(ENTRIES).cloned().collect();
        let knowledge = &self.knowledge;
        let (joins, awaited) = (self.joins, &self.awaited);
        let reader = Reader { services, defined, tailer, knowledge, joins, awaited };
        let round = reader.read(&entries).await?;
        let mut frames = Frames::default();
        let mut told = Told::default();
        for (index, seen) in entries.iter().enumerate() {
            if frames.len() >= BYTES {
                break;
            }
            let object = round.objects.get(index).and_then(Option::as_ref);
            let position = seen.entry.position;
            // Who drops within the group comes again for all of it.
            let within = self.knowledge.has_passed(position.minus(1));
            let made = self.group(seen, object, &round);
            pending.pop_front();
            if !made.is_empty() && position > self.replay {
                told.oldest_live = told.oldest_live.or(Some(position));
            }
            told.events += u32::try_from(made.len()).unwrap_or(u32::MAX);
            write(&mut frames, position, (within, self.knowledge.has_passed(position)), made);
        }
        told.frames = frames.take();
        Ok(told)
    }

    /// The id of a reader that was told of everything up to a position.
    #[must_use]
    pub fn told_through(&self, position: Position) -> EventId {
        EventId::through(position).having_passed(self.knowledge.has_passed(position))
    }

    fn group(&mut self, seen: &Seen, object: Option<&StixObject>, round: &Round) -> Vec<Made> {
        match self.knowledge.tell(seen, self.joins) {
            Telling::Nothing => {
                self.knowledge.skip(seen);
                Vec::new()
            }
            Telling::Delete => self.delete(seen, object, round),
            telling @ (Telling::Create | Telling::Update(_)) => {
                if let Some(object) = object {
                    return self.put(seen, object, telling, round);
                }
                self.knowledge.skip(seen);
                Vec::new()
            }
        }
    }

    /// The events of an object that entered or changed.
    fn put(
        &mut self,
        seen: &Seen,
        object: &StixObject,
        telling: Telling,
        round: &Round,
    ) -> Vec<Made> {
        let own = &object.facets;
        let now = Instant::now();
        let anew = telling == Telling::Create;
        let plan = {
            let held = |id: &ObjectId| self.cache.holds(id, now);
            let mut planner = Planner::new(&round.lookup, Some(&own.id), &held);
            planner.refer(own);
            let (links, more) = self.links(own, seen.entry.position, round);
            planner.join(&links, anew);
            let mut plan = planner.plan();
            plan.truncated |= more && self.joins;
            plan
        };
        let planned: HashSet<&ObjectId> = plan.before.iter().chain(&plan.after).collect();
        let has =
            |id: &ObjectId| *id == own.id || planned.contains(id) || self.cache.holds(id, now);
        let lacking: Vec<ObjectId> = own.refs.iter().filter(|id| !has(id)).cloned().collect();
        if !has_its_ends(own, has) {
            self.knowledge.skip(seen);
            self.wait(&own.id, lacking);
            return Vec::new();
        }
        let Some((kind, main)) = main_event(self.referer(seen), object, telling, &plan, round, has)
        else {
            self.knowledge.skip(seen);
            return Vec::new();
        };
        let before = dependencies(&plan.before, &round.lookup, has);
        let after = dependencies(&plan.after, &round.lookup, has);
        // Who has the object from this connection may be sent what joins it to others first.
        let known = matches!(telling, Telling::Update(place) if self.knowledge.was_sent(own.id.as_str(), place));
        self.wait(&own.id, lacking);
        self.awaited.remove(&own.id);
        self.remember(&plan, seen.entry.position, &round.lookup, now);
        self.cache.insert(own, now);
        self.knowledge.sent(seen);
        let main = Made { kind, json: main };
        let mut made = before;
        if known {
            made.extend(after);
            made.push(main);
        } else {
            made.push(main);
            made.extend(after);
        }
        made
    }

    /// The events of an object that is gone.
    fn delete(&mut self, seen: &Seen, object: Option<&StixObject>, round: &Round) -> Vec<Made> {
        let entry = &seen.entry;
        let parsed = StixObject::parse(entry.body.as_bytes(), chrono::DateTime::UNIX_EPOCH);
        let Ok(parsed) = parsed else { return Vec::new() };
        let id = parsed.facets.id.clone();
        if !self.could_have_come(entry, &parsed.facets, round) {
            self.knowledge.skip(seen);
            return Vec::new();
        }
        self.knowledge.deleted(id.as_str());
        if !self.deletes {
            return Vec::new();
        }
        for lost in self.cache.delete(&id) {
            self.knowledge.cascaded(lost.as_str());
        }
        let shown = match object {
            Some(object) => render::shown(&object.facets, &object.json, |_| true),
            None => render::tombstone(&parsed.facets),
        };
        let referer = self.referer(seen);
        let main = shown.and_then(|shown| {
            render::event(Kind::Delete, referer, &parsed.facets, &shown, Map::new())
        });
        let Some(main) = written(main) else { return Vec::new() };
        let mut made = vec![Made { kind: Kind::Delete, json: main }];
        if entry.op == Op::Leave {
            made.extend(self.restore(&id, entry.position, round));
        }
        made
    }

    /// A relationship with no entry of its own came with an end: on this connection, or before it,
    /// if an end was in the collection then. Who has it though no end is left, drops it with that.
    fn could_have_come(&self, entry: &Entry, own: &Facets, round: &Round) -> bool {
        let alone = entry.op == Op::Unrelate && entry.entered == entry.position;
        let entered = |end: &ObjectId| round.lookup.get(end).and_then(|thing| thing.entered);
        let mut ends = ends(own);
        !alone
            || self.knowledge.has(own.id.as_str())
            || ends.any(|end| entered(end).is_some_and(|at| self.knowledge.was_there(at)))
    }

    /// The consumer drops every relationship of what was deleted. Members among them are still in
    /// the collection: they are sent again, with their end as what they depend on, or wait for it.
    fn restore(&mut self, id: &ObjectId, at: Position, round: &Round) -> Vec<Made> {
        let members: Vec<ObjectId> = round
            .links
            .get(id)
            .into_iter()
            .flat_map(|links| &links.ids)
            .filter(|link| is_member_before(round.lookup.get(link).and_then(|t| t.member), at))
            .cloned()
            .collect();
        if round.lookup.shown(id).is_none() {
            for member in members {
                self.wait(&member, vec![id.clone()]);
            }
            return Vec::new();
        }
        let now = Instant::now();
        let plan = {
            let held = |id: &ObjectId| self.cache.holds(id, now);
            let mut planner = Planner::new(&round.lookup, None, &held);
            planner.join(&members, true);
            planner.plan()
        };
        let planned: HashSet<&ObjectId> = plan.before.iter().chain(&plan.after).collect();
        let has = |id: &ObjectId| planned.contains(id) || self.cache.holds(id, now);
        let mut made = dependencies(&plan.before, &round.lookup, has);
        made.extend(dependencies(&plan.after, &round.lookup, has));
        self.remember(&plan, at, &round.lookup, now);
        made
    }

    /// What joins an object to others and is to be sent with it, and whether there is more: all of
    /// it, or only members that waited for it.
    fn links(&self, own: &Facets, at: Position, round: &Round) -> (Vec<ObjectId>, bool) {
        let Some(links) = round.links.get(&own.id) else { return (Vec::new(), false) };
        let waiting = self.awaited.get(&own.id).into_iter().flatten();
        let mut ids: Vec<ObjectId> = Vec::new();
        for id in links.ids.iter().chain(waiting) {
            let member = round.lookup.get(id).and_then(|thing| thing.member);
            let wanted = if self.joins { links.ids.contains(id) } else { false };
            if (wanted || is_member_before(member, at)) && !ids.contains(id) {
                ids.push(id.clone());
            }
        }
        (ids, links.more)
    }

    fn referer(&self, seen: &Seen) -> Referer {
        if seen.entry.position <= self.replay { Referer::Init } else { Referer::Live }
    }

    fn wait(&mut self, who: &ObjectId, for_what: Vec<ObjectId>) {
        for id in for_what {
            if self.awaited.len() < AWAITED {
                self.awaited.entry(id).or_default().insert(who.clone());
            }
        }
    }

    fn remember(&mut self, plan: &Plan, at: Position, lookup: &Lookup, now: Instant) {
        for thing in plan.before.iter().chain(&plan.after).filter_map(|id| lookup.get(id)) {
            self.cache.insert(&thing.facets, now);
            let id = thing.facets.id.as_str();
            if plan.after.contains(&thing.facets.id) && is_member_before(thing.member, at) {
                self.knowledge.sent_member(id);
            } else {
                self.knowledge.sent_dependency(id);
            }
        }
    }
}

/// Whether an object's own entry, if it is a member, lies before `at`: else it is still to come.
fn is_member_before(member: Option<Position>, at: Position) -> bool {
    member.is_some_and(|member| member < at)
}

fn main_event(
    referer: Referer,
    object: &StixObject,
    telling: Telling,
    plan: &Plan,
    round: &Round,
    has: impl Fn(&ObjectId) -> bool + Copy,
) -> Option<(Kind, String)> {
    let shown = written(render::shown(&object.facets, &object.json, has))?;
    let (kind, mut context) = compared(telling, &shown, round, has);
    if plan.truncated {
        context.insert("truncated".to_owned(), Value::Bool(true));
    }
    let event = render::event(kind, referer, &object.facets, &shown, context);
    written(event).map(|json| (kind, json))
}

/// An update is one only with the version it replaces to compare with.
fn compared(
    telling: Telling,
    shown: &Shown,
    round: &Round,
    has: impl Fn(&ObjectId) -> bool,
) -> (Kind, Map<String, Value>) {
    let Telling::Update(place) = telling else { return (Kind::Create, Map::new()) };
    let before = round.replaced.get(&place);
    let context = before.and_then(|before| {
        // What only it refers to, the reader had with it.
        let had = |id: &ObjectId| has(id) || round.lookup.shown(id).is_some();
        let before = written(render::shown(&before.facets, &before.json, had))?;
        written(render::patches(&before, shown))
    });
    context.map_or((Kind::Create, Map::new()), |context| (Kind::Update, context))
}

fn dependencies(
    ids: &[ObjectId],
    lookup: &Lookup,
    has: impl Fn(&ObjectId) -> bool + Copy,
) -> Vec<Made> {
    let things = ids.iter().filter_map(|id| lookup.get(id));
    let made = things.filter_map(|thing| {
        let shown = written(render::shown(&thing.facets, &thing.json, has))?;
        let referer = Referer::Dependencies;
        let event = render::event(Kind::Create, referer, &thing.facets, &shown, Map::new());
        written(event).map(|json| Made { kind: Kind::Create, json })
    });
    made.collect()
}

/// What is stored is JSON; if it is not, the log says so and the stream goes on.
fn written<T>(made: Result<T, serde_json::Error>) -> Option<T> {
    made.inspect_err(|error| tracing::error!(%error, "an object cannot be sent")).ok()
}

/// Gives the events of a group their ids: whoever has the last, has the group. `passed`: whether
/// versions may have been passed over for who drops within the group, and for who does after it.
fn write(frames: &mut Frames, position: Position, passed: (bool, bool), made: Vec<Made>) {
    let last = made.len().saturating_sub(1);
    for (index, one) in made.into_iter().enumerate() {
        let place =
            if index == last { LAST_PLACE } else { u16::try_from(index).unwrap_or(LAST_PLACE) };
        let passed = if index == last { passed.1 } else { passed.0 };
        let id = EventId::new(position, place).having_passed(passed);
        frames.event(id, one.kind.name(), &one.json);
    }
}
