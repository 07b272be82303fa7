//! A consumer, as `OpenCTI`'s are: creates and updates put, deletes cascade. It holds every event
//! against the log, what it has, and where it began.

use std::collections::{BTreeMap, BTreeSet};

use json_patch::Patch;
use serde_json::Value;
use shared::log::{Entry, Op, Place};
use shared::time::Position;
use shared::tlp::Tlp;

use super::log::Log;
use super::object::{ends, plain, refs};
use crate::event_stream::Frame;

/// The last event of a group has this place.
const LAST_PLACE: u64 = 999;

/// What a reader has of an object.
#[derive(Debug)]
pub struct Held {
    /// As it was sent last.
    pub object: Value,
    /// Why it was sent last.
    pub referer: String,
    /// Where the version lies that was sent for its own sake; none if it came with another since.
    place: Option<Place>,
    /// Since when it has the object, and when it was sent it last: as so-many-eth event.
    since: usize,
    at: usize,
}

/// A reader.
#[derive(Debug)]
pub struct Reader {
    /// Which collection it reads.
    pub collection: usize,
    /// Whether with dependencies.
    pub dependencies: bool,
    /// The id it was sent last.
    pub cursor: String,
    /// What it has.
    pub has: BTreeMap<String, Held>,
    /// Up to where it had everything when this connection began.
    begun: Position,
    /// The place of its last event within its group.
    last: (Position, u64),
    /// Every version it was ever sent for its own sake.
    versions: BTreeSet<(String, Place)>,
    /// It may have been passed by versions when this connection began, by the id it came with.
    unsure: bool,
    /// What this connection was sent for its own sake.
    told: BTreeSet<String>,
    /// Events so far.
    count: usize,
}

fn parts(id: &str) -> Result<(Position, u64), String> {
    let (ms, rest) = id.split_once('-').ok_or_else(|| format!("id {id}"))?;
    let (ms, rest): (u64, u64) = (ms.parse().unwrap(), rest.parse().unwrap());
    if rest >= 1_000_000 {
        return Err(format!("id {id}"));
    }
    Ok((Position::from_micros(ms * 1000 + rest / 1000), rest % 1000))
}

impl Reader {
    /// One that begins with the present state.
    pub fn new(collection: usize, dependencies: bool) -> Self {
        Self {
            collection,
            dependencies,
            cursor: "0".to_owned(),
            has: BTreeMap::new(),
            begun: Position::default(),
            last: (Position::default(), LAST_PLACE),
            versions: BTreeSet::new(),
            unsure: false,
            told: BTreeSet::new(),
            count: 0,
        }
    }

    /// It connects again, with the cursor it has: a group of which it has a part comes again.
    pub fn connect(&mut self) {
        let (position, place) = self.last;
        self.begun = if place == LAST_PLACE { position } else { position.minus(1) };
        self.unsure = self.cursor.split_once("-0").is_some_and(|(_, rest)| !rest.is_empty());
        self.told.clear();
    }

    /// It is sent a frame after the first.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn take(&mut self, frame: &Frame, log: &Log, ceiling: Tlp) -> Result<(), String> {
        self.cursor.clone_from(&frame.id);
        let at = parts(&frame.id)?;
        if !frame.is_event() {
            self.last = self.last.max(at);
            return Ok(());
        }
        self.follows(at)?;
        self.last = at;
        let id = frame.object_id().to_owned();
        let seen = log.at(at.0).ok_or_else(|| format!("{} is no entry's", frame.id))?;
        let referer = frame.data["origin"]["referer"].as_str().unwrap_or_default().to_owned();
        let own = referer != "dependencies";
        if own && seen.entry.id != id {
            return Err(format!("{id} is sent for {}, as {referer}", seen.entry.id));
        }
        if own && frame.event != "delete" && !self.told.insert(id.clone()) {
            return Err(format!("{id} is told of twice"));
        }
        if frame.event == "delete" {
            if !own {
                return Err(format!("a delete of {id} for {}", seen.entry.id));
            }
            self.may_be_gone(&seen.entry, log)?;
            self.drop_with_relationships(&id);
            return Ok(());
        }
        let object = &frame.data["data"];
        self.may_be_shown(&id, object, ceiling)?;
        if own {
            if !seen.current && seen.entry.op != Op::Related {
                return Err(format!("{id} was sent though another version is current"));
            }
            self.is_compared(&seen.entry, frame, log)?;
            self.versions.insert((id.clone(), seen.place));
        } else if frame.event != "create" {
            return Err(format!("a dependency is sent as {}", frame.event));
        }
        let place = own.then_some(seen.place);
        self.count += 1;
        let at = self.count;
        let since = self.has.get(&id).map_or(at, |held| held.since);
        self.has.insert(id, Held { object: object.clone(), referer, place, since, at });
        Ok(())
    }

    /// Ids rise, and nothing comes again but the group of which it had a part.
    fn follows(&self, at: (Position, u64)) -> Result<(), String> {
        let again = self.last.1 != LAST_PLACE && at.0 == self.last.0;
        if at > self.last || (again && self.begun < at.0) {
            return Ok(());
        }
        Err(format!("{at:?} after {:?}", self.last))
    }

    /// A delete is of what it has, or could have seen: its membership began where it had been.
    fn may_be_gone(&self, entry: &Entry, log: &Log) -> Result<(), String> {
        let id = entry.id.as_str();
        let could = match entry.op {
            Op::Leave => entry.entered <= self.begun && entry.entered < entry.position,
            Op::Unrelate if entry.entered < entry.position => entry.entered <= self.begun,
            Op::Unrelate => {
                let body: Value = serde_json::from_str(&entry.body).unwrap();
                ends(&body).iter().any(|end| log.had_member(end, self.begun))
            }
            _ => return Err(format!("a delete of {id} for {:?}", entry.op)),
        };
        if could || self.has.contains_key(id) {
            return Ok(());
        }
        Err(format!("a delete of {id}, which it has not and cannot have seen: {entry:?}"))
    }

    /// It refers to nothing that was not sent, and is not above the ceiling.
    fn may_be_shown(&self, id: &str, object: &Value, ceiling: Tlp) -> Result<(), String> {
        let named = refs(object);
        if let Some(unknown) = named.iter().find(|one| **one != id && !self.has.contains_key(**one))
        {
            return Err(format!("{id} refers to {unknown}"));
        }
        let marked = named.iter().filter_map(|id| Tlp::of_marking_id(id)).max();
        if !id.starts_with("marking-definition--") && marked > Some(ceiling) {
            return Err(format!("{id} is above TLP:{ceiling}"));
        }
        Ok(())
    }

    /// An update is of the very version it has, and leads back to it; who has that version is told
    /// of an update.
    fn is_compared(&self, entry: &Entry, frame: &Frame, log: &Log) -> Result<(), String> {
        let id = entry.id.as_str();
        let held = self.has.get(id).and_then(|held| held.place);
        let replaced = entry.replaces.filter(|_| matches!(entry.op, Op::Update | Op::Related));
        let context = &frame.data["context"];
        if frame.event == "create" {
            let version = replaced.filter(|place| held == Some(*place) && !self.unsure);
            if version.and_then(|place| log.appended_at(place)).is_some() {
                return Err(format!("a create of {id}, though it has what this replaces"));
            }
            let bare = context.as_object().is_none_or(|all| all.keys().all(|k| k == "truncated"));
            return if bare { Ok(()) } else { Err(format!("a create of {id} with {context}")) };
        }
        let place = replaced.ok_or_else(|| format!("an update of {id} for {entry:?}"))?;
        // A relationship may have been withheld for want of an end, of which no cursor tells.
        let joins = id.starts_with("relationship--");
        if !joins && !self.versions.contains(&(id.to_owned(), place)) {
            return Err(format!("an update of {id} from {place:?}, but it has {held:?}"));
        }
        let before = log.appended_at(place).ok_or("an update from what is not there")?;
        let before: Value = serde_json::from_str(&before.body).unwrap();
        let patched = |name: &str, from: &Value| -> Result<Value, String> {
            let patch: Patch = serde_json::from_value(context[name].clone())
                .map_err(|error| format!("{name} of {id}: {error}"))?;
            let mut value = from.clone();
            json_patch::patch(&mut value, &patch).map_err(|error| format!("{name}: {error}"))?;
            Ok(value)
        };
        let data = &frame.data["data"];
        let back = patched("reverse_patch", data)?;
        // What it referred to may be withheld by now.
        let named = refs(&back);
        if plain(&back, |_| true) != plain(&before, |one| named.contains(&one)) {
            return Err(format!("{id}: reverse_patch leads to {back}, not {before}"));
        }
        if patched("patch", &back)? != *data {
            return Err(format!("{id}: the patches do not lead there and back"));
        }
        Ok(())
    }

    fn drop_with_relationships(&mut self, id: &str) {
        self.has.remove(id);
        let joined = self.has.iter().filter(|(_, held)| ends(&held.object).contains(&id));
        let joined: Vec<String> = joined.map(|(id, _)| id.clone()).collect();
        for one in joined {
            self.drop_with_relationships(&one);
        }
    }

    /// Every member is there as it is; what else is there came because something refers to it, or
    /// follows an end that is there.
    ///
    /// # Errors
    /// What is not.
    pub fn compare(&self, log: &Log) -> Result<(), String> {
        let members = log.members();
        for (id, seen) in &members {
            let body: Value = serde_json::from_str(&seen.entry.body).unwrap();
            let Some(held) = self.has.get(*id) else {
                // A relationship waits for an end that it cannot have, or that is no member.
                if ends(&body).iter().any(|end| !members.contains_key(end)) {
                    continue;
                }
                return Err(format!("it lacks {id}: {self:#?}"));
            };
            let known = |id: &str| self.has.contains_key(id);
            // What came later than who names it is not put in after a reconnect.
            let named = refs(&held.object);
            let late = |id: &str| self.has.get(id).is_some_and(|one| one.since > held.at);
            let expected = plain(&body, |id| known(id) && (named.contains(&id) || !late(id)));
            let has = plain(&held.object, known);
            if expected != has {
                return Err(format!("it has {has}, not {expected}"));
            }
        }
        for (id, held) in &self.has {
            let follows = self.dependencies && log.relates(id);
            if !members.contains_key(id.as_str()) && held.referer != "dependencies" && !follows {
                return Err(format!("it still has {id} ({})", held.referer));
            }
        }
        Ok(())
    }
}
