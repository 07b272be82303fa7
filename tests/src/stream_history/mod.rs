//! Random histories with readers of live streams, who connect, drop and resume at any frame: what
//! they are told is the collection in the end, and on the way nothing they could not know.

mod log;
mod object;
mod reader;

use chrono::{SecondsFormat, TimeDelta, Utc};
use shared::collection::Collection;
use shared::id::ObjectId;
use shared::log::LogId;
use uuid::Uuid;

use crate::event_stream::Frame;
use crate::history::{History, Step, Which, kinds, settings, tenant};
use crate::lab::Lab;
use crate::model::{Content, Kind, SOON_MINUTES, body, version_of_slot};

use log::Log;
use reader::Reader;

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

impl Run {
    async fn start(history: &History) -> Result<Self, String> {
        let lab = Lab::start(3, |_| None).await;
        let kinds = kinds(&history.kinds);
        let mut author = false;
        let mut id = |kind: &Kind| {
            let object_type = match kind {
                Kind::Indicator => "indicator",
                // The first of them writes the others.
                Kind::Malware if !std::mem::replace(&mut author, true) => "identity",
                Kind::Malware => "malware",
                Kind::Relationship { .. } => "relationship",
                Kind::Marking => "marking-definition",
                Kind::Observable => "domain-name",
            };
            ObjectId::from_parts(object_type, Uuid::new_v4())
        };
        let ids = kinds.iter().map(&mut id).collect();
        let soon = Utc::now() + TimeDelta::minutes(SOON_MINUTES);
        let soon = soon.to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut collections = Vec::new();
        let mut readers = Vec::new();
        for (at, definition) in history.collections.iter().enumerate() {
            collections.push(lab.create(lab.instance(0), settings(at, definition)).await?);
            for dependencies in [true, false] {
                readers.push(Reader::new(at, dependencies));
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
                let body = authored(body, content, &ids);
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
        let known = &self.collections[self.readers[at].collection];
        let collection = self.lab.collection(known).await;
        let log = self.log(&collection).await;
        let reader = &mut self.readers[at];
        let ceiling = collection.settings.ceiling;
        let parameters =
            format!("finite=true&no-dependencies={}&from={}", !reader.dependencies, reader.cursor);
        let services = self.lab.instance(at);
        services.definitions_within(std::time::Duration::ZERO).await.map_err(|e| e.to_string())?;
        let text = self.lab.stream(services, &collection, &parameters).await;
        reader.connect();
        let mut events = 0;
        for (index, frame) in Frame::all_of(&text).iter().enumerate() {
            if index == 0 {
                reader.cursor.clone_from(&frame.id);
                continue;
            }
            events += usize::from(frame.is_event());
            let told = |error| format!("reader {at}, {}: {error}\n{text}", frame.id);
            reader.take(frame, &log, ceiling).map_err(told)?;
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

    async fn log(&self, collection: &Collection) -> Log {
        Log::read(self.lab.witness().store(), LogId::Collection(collection.id)).await
    }

    async fn compare(&self, at: usize) -> Result<(), String> {
        let reader = &self.readers[at];
        reader.compare(&self.log(&self.collections[reader.collection]).await)
    }
}

/// The object, every other time by the author there is. Who is marked with what they define
/// themselves makes a cycle.
fn authored(body: String, content: &Content, ids: &[String]) -> String {
    let author = ids.iter().find(|id| id.starts_with("identity--"));
    match author.filter(|_| content.number > 0) {
        Some(author) => body.replacen('{', &format!(r#"{{"created_by_ref":"{author}","#), 1),
        None => body,
    }
}
