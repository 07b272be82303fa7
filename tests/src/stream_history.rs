//! Random histories with readers of live streams, who connect, drop and resume at any frame: what
//! they are told is the collection in the end, and on the way nothing they could not know.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::Value;
use shared::collection::Collection;
use shared::id::ObjectId;
use shared::log::{LogId, Op, Reader as LogReader};
use shared::time::Position;
use shared::tlp::Tlp;
use uuid::Uuid;

use crate::event_stream::Frame;
use crate::history::{History, Step, Which, kinds, settings, tenant};
use crate::lab::Lab;
use crate::model::{Kind, SOON_MINUTES, body, version_of_slot};

const OPENCTI: &str = "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba";

/// How often everything is tried to bring to rest.
const TURNS: usize = 40;

/// Carries out `history` with readers of every collection, with dependencies and without.
///
/// # Errors
/// What a reader was told wrongly.
pub async fn run(history: &History) -> Result<(), String> {
    let mut run = Run::start(history).await?;
    let done = run.all(&history.steps).await;
    run.lab.end().await;
    done
}

struct Run {
    lab: Lab,
    kinds: Vec<Kind>,
    ids: Vec<ObjectId>,
    collections: Vec<Collection>,
    readers: Vec<Reader>,
    soon: String,
}

/// A consumer, as `OpenCTI`'s are: creates and updates put, deletes cascade.
#[derive(Debug)]
struct Reader {
    collection: usize,
    dependencies: bool,
    cursor: String,
    /// Where this connection began.
    begun: String,
    has: BTreeMap<String, (Value, String)>,
    ever: BTreeSet<String>,
}

fn refs(value: &Value, found: &mut Vec<String>) {
    let Some(members) = value.as_object() else { return };
    for (name, member) in members {
        if name.ends_with("_ref") {
            found.extend(member.as_str().map(str::to_owned));
        } else if name.ends_with("_refs") {
            let listed = member.as_array().into_iter().flatten().filter_map(Value::as_str);
            found.extend(listed.map(str::to_owned));
        }
    }
}

fn ends(value: &Value) -> Vec<&str> {
    ["source_ref", "target_ref"].iter().filter_map(|name| value[name].as_str()).collect()
}

/// The object without our extension and without references to what a reader does not have.
fn plain(value: &Value, has: impl Fn(&str) -> bool) -> Value {
    let mut value = value.clone();
    let members = value.as_object_mut().expect("an object");
    if let Some(extensions) = members.get_mut("extensions").and_then(Value::as_object_mut) {
        extensions.remove(OPENCTI);
        if extensions.is_empty() {
            members.remove("extensions");
        }
    }
    members.retain(|name, member| {
        if let Some(list) = member.as_array_mut().filter(|_| name.ends_with("_refs")) {
            list.retain(|id| id.as_str().is_none_or(&has));
            return !list.is_empty();
        }
        true
    });
    value
}

impl Reader {
    fn take(&mut self, frame: &Frame, ceiling: Tlp) -> Result<(), String> {
        self.cursor.clone_from(&frame.id);
        if !frame.is_event() {
            return Ok(());
        }
        let object = &frame.data["data"];
        let id = frame.object_id().to_owned();
        if frame.event == "delete" {
            // What lies before where it began it could have seen.
            if !self.ever.contains(&id) && self.begun == "0" {
                return Err(format!("a delete of what it never saw: {id}"));
            }
            self.drop_with_relationships(&id);
            return Ok(());
        }
        let mut named = Vec::new();
        refs(object, &mut named);
        if let Some(unknown) = named.iter().find(|one| **one != id && !self.has.contains_key(*one))
        {
            return Err(format!("{} of {id} refers to {unknown}: {:?}", frame.event, frame.id));
        }
        let marked = named.iter().filter_map(|id| Tlp::of_marking_id(id));
        if id.split("--").next() != Some("marking-definition") && marked.max() > Some(ceiling) {
            return Err(format!("{id} is above TLP:{ceiling}"));
        }
        if frame.event == "update" {
            self.check_update(&id, frame)?;
        }
        let referer = frame.data["origin"]["referer"].as_str().unwrap_or_default().to_owned();
        self.ever.insert(id.clone());
        self.has.insert(id, (object.clone(), referer));
        Ok(())
    }

    fn check_update(&self, id: &str, frame: &Frame) -> Result<(), String> {
        let context = &frame.data["context"];
        if !context["patch"].is_array() || !context["reverse_patch"].is_array() {
            return Err(format!("an update of {id} without its patches"));
        }
        Ok(())
    }

    fn drop_with_relationships(&mut self, id: &str) {
        self.has.remove(id);
        let joined = self.has.iter().filter(|(_, (object, _))| ends(object).contains(&id));
        let joined: Vec<String> = joined.map(|(id, _)| id.clone()).collect();
        for one in joined {
            self.drop_with_relationships(&one);
        }
    }
}

impl Run {
    async fn start(history: &History) -> Result<Self, String> {
        let lab = Lab::start(3, std::convert::identity).await;
        let kinds = kinds(&history.kinds);
        let id = |kind: &Kind| {
            let object_type = match kind {
                Kind::Indicator => "indicator",
                Kind::Malware => "malware",
                Kind::Relationship { .. } => "relationship",
                Kind::Marking => "marking-definition",
                Kind::Observable => "domain-name",
            };
            ObjectId::from_parts(object_type, Uuid::new_v4())
        };
        let ids = kinds.iter().map(id).collect();
        let soon = Utc::now() + TimeDelta::minutes(SOON_MINUTES);
        let soon = soon.to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut collections = Vec::new();
        let mut readers = Vec::new();
        for (at, definition) in history.collections.iter().enumerate() {
            collections.push(lab.create(lab.instance(0), settings(at, definition)).await?);
            for dependencies in [true, false] {
                let cursor = "0".to_owned();
                let (has, ever, begun) = (BTreeMap::new(), BTreeSet::new(), cursor.clone());
                readers.push(Reader { collection: at, dependencies, cursor, begun, has, ever });
            }
        }
        Ok(Self { lab, kinds, ids, collections, readers, soon })
    }

    async fn all(&mut self, steps: &[Step]) -> Result<(), String> {
        for (number, step) in steps.iter().enumerate() {
            let told = |error| format!("step {number}, {step:?}: {error}");
            self.step(step).await.map_err(told)?;
        }
        self.rest().await?;
        for reader in 0..self.readers.len() {
            while self.read(reader, usize::MAX).await? > 0 {}
            self.compare(reader).await.map_err(|error| format!("reader {reader}: {error}"))?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Together(one, other) => {
                futures::join!(self.execute(one), self.execute(other));
            }
            Step::Backfill(by) => drop(self.lab.backfill(*by).await),
            Step::Sweep(by) => self.lab.sweep(*by).await,
            Step::Expire(by) => self.lab.expire(*by).await,
            Step::Compact(by) => {
                let ids: Vec<_> = self.collections.iter().map(|one| one.id).collect();
                self.lab.compact(*by, &ids).await;
            }
            Step::Skew(by, millis) => {
                self.lab.skew(*by, TimeDelta::milliseconds(i64::from(*millis)));
            }
            Step::Pass(minutes) => self.lab.wait(TimeDelta::minutes(i64::from(*minutes))),
            Step::Read(reader, frames) => {
                let reader = reader % self.readers.len();
                self.read(reader, usize::from(*frames)).await?;
            }
            single => self.execute(single).await,
        }
        Ok(())
    }

    /// What a step does to the product; what it refuses is refused.
    async fn execute(&self, step: &Step) {
        let at = |object: &usize| object % self.ids.len();
        let collection = |number: &usize| &self.collections[number % self.collections.len()];
        match step {
            Step::Write { by, object, slot, owner, into, content } => {
                let ids: Vec<String> = self.ids.iter().map(ToString::to_string).collect();
                let (at, version) = (at(object), version_of_slot(*slot));
                let body = body(self.kinds[at], &ids[at], &ids, &version, content, &self.soon);
                let into = into.as_ref().map(collection);
                let _ = self.lab.write(*by, &tenant(*owner), &body, into).await;
            }
            Step::Delete(by, object, owner) => {
                let _ = self.lab.delete(*by, &tenant(*owner), &self.ids[at(object)]).await;
            }
            Step::Remove(by, number, object, which) => {
                let version = match which {
                    Which::Last => "last".to_owned(),
                    Which::First => "first".to_owned(),
                    Which::All => "all".to_owned(),
                    Which::Slot(slot) => version_of_slot(*slot),
                };
                let rest =
                    format!("objects/{}/?match%5Bversion%5D={version}", self.ids[at(object)]);
                let services = self.lab.instance(*by);
                let _ = self.lab.taxii(services, "DELETE", collection(number), &rest).await;
            }
            Step::Project { by, mask, each } => {
                let picked = (0..self.ids.len()).filter(|at| mask & (1 << (at % 8)) != 0);
                let ids: Vec<ObjectId> = picked.map(|at| self.ids[at].clone()).collect();
                let size = if *each { 1 } else { ids.len().max(1) };
                for part in ids.chunks(size) {
                    self.lab.project(*by, part).await;
                }
            }
            Step::Change(by, number, definition) => {
                let services = self.lab.instance(*by);
                let at = number % self.collections.len();
                let settings = settings(at, definition);
                let _ = self.lab.change(services, collection(number), settings).await;
            }
            Step::Then(one, other) => {
                Box::pin(self.execute(one)).await;
                Box::pin(self.execute(other)).await;
            }
            _ => {}
        }
    }

    /// A reader connects, takes so many frames after the first, and drops.
    async fn read(&mut self, at: usize, frames: usize) -> Result<usize, String> {
        let reader = &mut self.readers[at];
        let collection = self.lab.collection(&self.collections[reader.collection]).await;
        let ceiling = collection.settings.ceiling;
        let parameters =
            format!("finite=true&no-dependencies={}&from={}", !reader.dependencies, reader.cursor);
        let services = self.lab.instance(at);
        services.definitions_within(std::time::Duration::ZERO).await.map_err(|e| e.to_string())?;
        let text = self.lab.stream(services, &collection, &parameters).await;
        let mut events = 0;
        reader.begun.clone_from(&reader.cursor);
        let mut last = reader.cursor.clone();
        for (index, frame) in Frame::all_of(&text).iter().enumerate() {
            if index > 0 && frame.is_event() {
                let parts = |id: &str| Frame { id: id.to_owned(), ..frame.clone() }.id_parts();
                if events > 0 && parts(&last) >= frame.id_parts() {
                    return Err(format!("id {} after {last}", frame.id));
                }
                last.clone_from(&frame.id);
                events += 1;
            }
            reader.take(frame, ceiling).map_err(|error| format!("reader {at}: {error}\n{text}"))?;
            if index >= frames {
                break;
            }
        }
        Ok(events)
    }

    async fn rest(&mut self) -> Result<(), String> {
        for turn in 0..TURNS {
            for _ in 0..2 {
                self.lab.project(turn, &self.ids).await;
            }
            let done = self.lab.backfill(turn).await;
            self.lab.expire(turn).await;
            let heads = self.lab.heads(&self.ids).await;
            if done && heads.values().all(|head| head.pending.is_none()) {
                return Ok(());
            }
        }
        Err("it does not come to rest".to_owned())
    }

    /// Every member is there as it is; what else is there came because something refers to it.
    async fn compare(&self, at: usize) -> Result<(), String> {
        let reader = &self.readers[at];
        let log = LogId::Collection(self.collections[reader.collection].id);
        let store = self.lab.witness().store();
        let mut read = LogReader::new(store, log, Position::default(), None).await.unwrap();
        let mut members = BTreeMap::new();
        while let Some(seen) = read.next(1000).await.unwrap() {
            if seen.current && seen.entry.op != Op::History {
                let body: Value = serde_json::from_str(&seen.entry.body).unwrap();
                members.insert(seen.entry.id, body);
            }
        }
        for (id, body) in &members {
            let Some((has, _)) = reader.has.get(id) else {
                // A relationship waits for an end that it cannot have, or that is no member.
                if ends(body).iter().any(|end| !members.contains_key(*end)) {
                    continue;
                }
                return Err(format!("it lacks {id}: {reader:#?}"));
            };
            let known = |id: &str| reader.has.contains_key(id);
            let (expected, has) = (plain(body, known), plain(has, known));
            if expected != has {
                return Err(format!("it has {has}, not {expected}"));
            }
        }
        for (id, (_, referer)) in &reader.has {
            if !members.contains_key(id) && referer != "dependencies" {
                let related =
                    ends(&reader.has[id].0).iter().any(|end| reader.has.contains_key(*end));
                if !(reader.dependencies && related) {
                    return Err(format!("it still has {id} ({referer})"));
                }
            }
        }
        Ok(())
    }
}
