//! What the log says since the last edition, or all of it.

use std::collections::HashMap;
use std::time::Instant;

use chrono::{DateTime, Utc};
use shared::access::TenantId;
use shared::collection::Collection;
use shared::feed::{Feed, Latest, Markings, Record, Shape, Window, frame, row_level};
use shared::id::ObjectId;
use shared::log::{LogId, Op, Reader, Seen};
use shared::services::Services;
use shared::stix::{Facets, Marking, markings_to_resolve};
use shared::time::{Position, Timestamp, Version};
use shared::tlp::Tlp;

use crate::authors::Authors;
use crate::error::PublishError;
use crate::progress::Progress;
use crate::sorter::Sorter;

/// Entries a run expects: so much is asked for at once.
const FEW: usize = 1000;
/// The same where the whole log is read.
const MANY: usize = 100_000;
/// Marking definitions remembered in one run.
const MARKINGS: usize = 10_000;

/// What the log says.
#[derive(Debug)]
pub struct Changes {
    /// The records of what stands, older entries of the same object among them.
    pub records: Sorter,
    /// Which of them is the latest, and what is gone.
    pub latest: Latest,
    /// Where the next run goes on.
    pub reached: (Position, u64),
    /// What the levels of these records rest on.
    pub markings: Markings,
    /// The highest of their levels.
    pub highest: Option<Tlp>,
}

/// What a log is read for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The feed.
    pub feed: &'a Feed,
    /// Its collection, read before the log is.
    pub collection: &'a Collection,
    /// What markings stand for, as far as that was read already.
    pub markings: &'a HashMap<ObjectId, Marking>,
    /// The moment of the edition.
    pub now: DateTime<Utc>,
}

/// Reads the log of a feed's collection to its end: from where the last edition was `reached`, or
/// from its beginning.
pub async fn read(
    services: &Services,
    subject: Subject<'_>,
    reached: Option<(Position, u64)>,
    progress: &Progress,
) -> Result<Changes, PublishError> {
    let Subject { feed, collection, markings, now } = subject;
    let begun = Instant::now();
    let log = LogId::Collection(feed.collection);
    let (after, seq, wanted) = match reached {
        Some((after, seq)) => (after, Some(seq), FEW),
        None => (Position::default(), None, MANY),
    };
    let mut reader = Reader::new(services.store(), log, after, seq).await?;
    let mut reading = Reading {
        services,
        begun,
        shape: Shape::of(feed),
        window: feed.window(),
        now,
        ceiling: collection.level(),
        markings: markings.clone(),
        authors: Authors::default(),
        named: Markings::default(),
        highest: None,
    };
    let (mut records, mut latest) = (Sorter::new(feed.window()), Latest::default());
    while let Some(seen) = reader.next(wanted).await? {
        progress.add_read();
        let id = &seen.entry.id;
        match seen.entry.op {
            Op::Enter | Op::Update if seen.current => match reading.record(&seen).await? {
                Some(record) => {
                    latest.stands(id, record.position);
                    records.push(frame(&record)?)?;
                }
                None => latest.goes(id),
            },
            Op::Leave => latest.goes(id),
            // What took the place of an entry stands further on.
            Op::Enter | Op::Update | Op::History | Op::Related | Op::Unrelate => {}
        }
    }
    let Reading { named, highest, .. } = reading;
    Ok(Changes { records, latest, reached: reader.reached(), markings: named, highest })
}

struct Reading<'a> {
    services: &'a Services,
    begun: Instant,
    shape: Shape,
    window: Window,
    now: DateTime<Utc>,
    ceiling: Tlp,
    markings: HashMap<ObjectId, Marking>,
    authors: Authors,
    named: Markings,
    highest: Option<Tlp>,
}

impl Reading<'_> {
    async fn record(&mut self, seen: &Seen) -> Result<Option<Record>, PublishError> {
        let entry = &seen.entry;
        let version = entry.version.parse::<Timestamp>().map(Version);
        let read = version.map_err(|error| error.to_string()).and_then(|version| {
            Facets::of_stored(&entry.body, version).map_err(|error| error.to_string())
        });
        let (facets, members) = match read {
            Ok(read) => read,
            // One object that cannot be read is no reason to keep all others from readers.
            Err(error) => {
                tracing::error!(id = entry.id, error, "an object of a log cannot be read");
                return Ok(Some(self.shape.unreadable(&entry.id, entry.entered, entry.position)));
            }
        };
        self.resolve(&facets).await?;
        let level = self.level(&facets);
        let author = match self.shape.author(&facets, &members) {
            Some(id) => self.authors.name(self.services, id, self.ceiling).await?,
            None => None,
        };
        let places = (entry.entered, entry.position);
        let record = self.shape.record(&facets, &members, level, author, places);
        let in_file = |record: &Record| self.window.holds(record.date, record.until, self.now);
        if record.as_ref().is_some_and(in_file) {
            self.highest = self.highest.max(Some(level));
            for id in markings_to_resolve(&facets) {
                self.named.add(id, self.marking(id), self.now);
            }
        }
        Ok(record)
    }

    /// Reads what the object's markings stand for, unless that is known. What this instance
    /// remembers from earlier runs may be from before the edition that is carried on.
    async fn resolve(&mut self, facets: &Facets) -> Result<(), PublishError> {
        for id in markings_to_resolve(facets) {
            if self.markings.contains_key(id) {
                continue;
            }
            if self.markings.len() >= MARKINGS {
                self.markings.clear();
            }
            let since = Some(self.begun);
            let marking = self.services.marking(id, &TenantId::operator(), since).await?;
            self.markings.insert(id.clone(), marking);
        }
        Ok(())
    }

    fn marking(&self, id: &ObjectId) -> Marking {
        self.markings.get(id).copied().unwrap_or(Marking::Unknown)
    }

    /// The object's level, as far as the operator defined its markings.
    fn level(&self, facets: &Facets) -> Tlp {
        row_level(facets, self.ceiling, |id| self.marking(id))
    }
}
