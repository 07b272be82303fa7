//! From entries of the log to events: the part of a connection that knows what the reader has.

use std::collections::{HashSet, VecDeque};
use std::time::Instant;

use shared::id::ObjectId;
use shared::log::{Entry, Op, Seen, Tailer};
use shared::services::{Defined, Services};
use shared::stix::{Facets, StixObject};
use shared::store::StoreError;
use shared::time::Position;

use crate::awaited::Awaited;
use crate::cache::Cache;
use crate::event_id::{EventId, LAST_PLACE, Stamp};
use crate::frame::Frames;
use crate::group::{Plan, Planner};
use crate::knowledge::{Knowledge, Telling};
use crate::making::{self, Made, Main, make};
use crate::order::{Order, Ordering, Step};
use crate::render::Referer;
use crate::resolver::{Lookup, ends};
use crate::round::{Reader, Round};

/// Entries that are told in one round.
const ENTRIES: usize = 32;

/// A round ends early once it has made this many bytes.
const BYTES: usize = 256 * 1024;

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
    /// What its ids say.
    stamp: Stamp,
    /// What lies after this was appended when the reader had read all there was.
    live_after: Option<Position>,
    knowledge: Knowledge,
    cache: Cache,
    awaited: Awaited,
}

impl Teller {
    /// A teller for a reader that knows so much.
    #[must_use]
    pub fn new(
        knowledge: Knowledge,
        stamp: Stamp,
        replay: Position,
        joins: bool,
        deletes: bool,
    ) -> Self {
        Self {
            joins,
            deletes,
            replay,
            stamp,
            live_after: None,
            knowledge,
            cache: Cache::default(),
            awaited: Awaited::default(),
        }
    }

    /// All there was at `moment` was told. From the first such moment on, entries are told as they
    /// happen.
    pub fn is_current_at(&mut self, moment: Position) {
        self.stamp.is_current_at(moment);
        self.live_after.get_or_insert(moment);
    }

    /// Whether an entry was appended while the reader had read to the end, however late it is.
    fn is_live(&self, position: Position) -> bool {
        position > self.replay && self.live_after.is_some_and(|after| position > after)
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
        for (seen, object) in entries.iter().zip(&round.objects) {
            if frames.len() >= BYTES {
                break;
            }
            let object = object.as_ref();
            let position = seen.entry.position;
            // Who drops within the group comes again for all of it.
            let within = self.knowledge.has_passed(position.minus(1));
            let made = self.group(seen, object, &round);
            pending.pop_front();
            if !made.is_empty() && self.is_live(position) {
                told.oldest_live = told.oldest_live.or(Some(position));
            }
            told.events += u32::try_from(made.len()).unwrap_or(u32::MAX);
            let passed = (within, self.knowledge.has_passed(position));
            self.write(&mut frames, position, passed, made);
        }
        told.frames = frames.take();
        Ok(told)
    }

    /// The id of a reader that was told of everything up to a position.
    #[must_use]
    pub fn told_through(&self, position: Position) -> EventId {
        let id = EventId::through(position).having_passed(self.knowledge.has_passed(position));
        self.stamp.id(id)
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
        let held = |id: &ObjectId| self.cache.holds(id, now);
        let mut planner = Planner::new(&round.lookup, Some(&own.id), &held);
        planner.refer(own);
        let (links, more) = self.links(own, seen.entry.position, round);
        planner.join(&links, telling == Telling::Create);
        let plan = planner.plan();
        let known = self.is_known(own, telling);
        let order = Ordering::of(&plan, Some(own), known, &round.lookup, &held);
        let sent: HashSet<&ObjectId> = order.beside().chain([&own.id]).collect();
        let has = |id: &ObjectId| sent.contains(id) || held(id);
        let lacking: Vec<ObjectId> = own.refs.iter().filter(|id| !has(id)).cloned().collect();
        if !order.steps.contains(&Step::Own) {
            self.knowledge.skip(seen);
            self.wait(&own.id, &lacking);
            return Vec::new();
        }
        let truncated = plan.truncated || order.truncated || (more && self.joins);
        let referer = self.referer(seen);
        let main = Main { object, telling, referer, truncated, known };
        let Some(made) = make(&order, Some(&main), round, &held) else {
            self.knowledge.skip(seen);
            return Vec::new();
        };
        self.wait(&own.id, &lacking);
        self.awaited.came(&own.id);
        self.remember(&plan, &order, seen.entry.position, &round.lookup, now);
        self.cache.insert(own, now);
        self.knowledge.sent(seen);
        made
    }

    /// Who has an object may be sent what joins it to others first. That a relationship was
    /// withheld before this connection, no position says.
    fn is_known(&self, own: &Facets, telling: Telling) -> bool {
        let Telling::Update(place) = telling else { return false };
        own.ends.is_none() || self.knowledge.was_sent(own.id.as_str(), place)
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
        let (restored, in_part) = if entry.op == Op::Leave {
            self.restore(&id, entry.position, round)
        } else {
            (Vec::new(), false)
        };
        let main = making::deleted(&parsed, object, self.referer(seen), in_part, round);
        main.into_iter().chain(restored).collect()
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
    /// Says whether there are some that are not sent: those that are known wait for it, too.
    fn restore(&mut self, id: &ObjectId, at: Position, round: &Round) -> (Vec<Made>, bool) {
        let links = round.links.get(id);
        let member = |link: &ObjectId| round.lookup.get(link).and_then(|thing| thing.member);
        let members: Vec<ObjectId> = links
            .into_iter()
            .flat_map(|links| &links.ids)
            .filter(|link| is_member_before(member(link), at))
            .cloned()
            .collect();
        let more = links.is_some_and(|links| links.more);
        if round.lookup.shown(id).is_none() {
            for member in members {
                self.wait(&member, std::slice::from_ref(id));
            }
            return (Vec::new(), false);
        }
        let now = Instant::now();
        let held = |id: &ObjectId| self.cache.holds(id, now);
        let mut planner = Planner::new(&round.lookup, None, &held);
        planner.join(&members, true);
        let plan = planner.plan();
        let order = Ordering::of(&plan, None, false, &round.lookup, &held);
        let made = make(&order, None, round, &held).unwrap_or_default();
        let sent: HashSet<&ObjectId> = order.beside().collect();
        for member in members.iter().filter(|member| !sent.contains(member)) {
            self.wait(member, std::slice::from_ref(id));
        }
        self.remember(&plan, &order, at, &round.lookup, now);
        (made, more || plan.truncated || order.truncated)
    }

    /// What joins an object to others and is to be sent with it, and whether there is more: all of
    /// it, or only members that waited for it.
    fn links(&self, own: &Facets, at: Position, round: &Round) -> (Vec<ObjectId>, bool) {
        let Some(links) = round.links.get(&own.id) else { return (Vec::new(), false) };
        let member = |id: &ObjectId| round.lookup.get(id).and_then(|thing| thing.member);
        let mut met = HashSet::new();
        let joining = links.ids.iter().map(|id| (id, self.joins));
        let waiting = self.awaited.of(&own.id).map(|id| (id, false));
        let ids = joining
            .chain(waiting)
            .filter(|(id, wanted)| *wanted || is_member_before(member(id), at))
            .filter(|(id, _)| met.insert(*id))
            .map(|(id, _)| id.clone())
            .collect();
        (ids, links.more)
    }

    /// Gives the events of a group their ids: whoever has the last, has the group. `passed`:
    /// whether versions may have been passed over for who drops within the group, and for who does
    /// after it.
    fn write(&self, frames: &mut Frames, at: Position, passed: (bool, bool), made: Vec<Made>) {
        let last = made.len().saturating_sub(1);
        for (index, one) in made.into_iter().enumerate() {
            let place =
                if index == last { LAST_PLACE } else { u16::try_from(index).unwrap_or(LAST_PLACE) };
            let passed = if index == last { passed.1 } else { passed.0 };
            let id = self.stamp.id(EventId::new(at, place).having_passed(passed));
            frames.event(id, one.kind.name(), &one.json);
        }
    }

    fn referer(&self, seen: &Seen) -> Referer {
        if seen.entry.position <= self.replay { Referer::Init } else { Referer::Live }
    }

    fn wait(&mut self, who: &ObjectId, for_what: &[ObjectId]) {
        for id in for_what {
            self.awaited.note(id, who);
        }
    }

    fn remember(
        &mut self,
        plan: &Plan,
        order: &Order,
        at: Position,
        lookup: &Lookup,
        now: Instant,
    ) {
        let after: HashSet<&ObjectId> = plan.after.iter().collect();
        for thing in order.beside().filter_map(|id| lookup.get(id)) {
            self.cache.insert(&thing.facets, now);
            let id = thing.facets.id.as_str();
            if after.contains(&thing.facets.id) && is_member_before(thing.member, at) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_before_the_end_of_the_log_was_read_is_not_told_as_it_happens() {
        let at = Position::from_micros;
        let knowledge = Knowledge::new(at(5), at(0), at(0));
        let stamp = Stamp::new(at(20), None);
        let mut teller = Teller::new(knowledge, stamp, at(30), false, true);
        assert!(!teller.is_live(at(50)), "it may be catching up");
        teller.is_current_at(at(25));
        teller.is_current_at(at(40));
        assert!(!teller.is_live(at(28)), "a part of the replay");
        assert!(teller.is_live(at(35)));
        assert!(!teller.is_live(at(25)));
    }
}
