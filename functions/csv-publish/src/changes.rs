//! What the log says since the last edition, or all of it.

use std::collections::HashMap;

use shared::access::TenantId;
use shared::collection::Collection;
use shared::feed::{Feed, Latest, Shape, frame};
use shared::id::ObjectId;
use shared::log::{LogId, Op, Reader, Seen};
use shared::services::Services;
use shared::stix::{Facets, Marking, level, markings_to_resolve};
use shared::time::{Position, Timestamp, Version};
use shared::tlp::Tlp;

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
}

/// Reads the log of a feed's collection to its end: from where the last edition was `reached`, or
/// from its beginning.
pub async fn read(
    services: &Services,
    feed: &Feed,
    collection: &Collection,
    reached: Option<(Position, u64)>,
    progress: &Progress,
) -> Result<Changes, PublishError> {
    let log = LogId::Collection(feed.collection);
    let (after, seq, wanted) = match reached {
        Some((after, seq)) => (after, Some(seq), FEW),
        None => (Position::default(), None, MANY),
    };
    let mut reader = Reader::new(services.store(), log, after, seq).await?;
    let mut reading = Reading {
        services,
        shape: Shape::of(feed),
        ceiling: collection.level(),
        markings: HashMap::new(),
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
    Ok(Changes { records, latest, reached: reader.reached() })
}

struct Reading<'a> {
    services: &'a Services,
    shape: Shape,
    ceiling: Tlp,
    markings: HashMap<ObjectId, Marking>,
}

impl Reading<'_> {
    async fn record(&mut self, seen: &Seen) -> Result<Option<shared::feed::Record>, PublishError> {
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
                return Ok(None);
            }
        };
        let level = self.level(&facets).await?;
        Ok(self.shape.record(&facets, &members, level, entry.entered, entry.position))
    }

    /// The object's level. A marking that only a tenant defined, or nobody, counts as the highest
    /// the collection may hold.
    async fn level(&mut self, facets: &Facets) -> Result<Tlp, PublishError> {
        for id in markings_to_resolve(facets) {
            if self.markings.contains_key(id) {
                continue;
            }
            if self.markings.len() >= MARKINGS {
                self.markings.clear();
            }
            let marking = self.services.marking(id, &TenantId::operator(), None).await?;
            self.markings.insert(id.clone(), marking);
        }
        let known = |id: &ObjectId| self.markings.get(id).copied().unwrap_or(Marking::Unknown);
        Ok(level(facets, known).min(self.ceiling))
    }
}
