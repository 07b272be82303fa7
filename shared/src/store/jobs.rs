//! Passes over the whole base that are under way: one item each, in the collections table, whose
//! stream calls the function that carries them out, again after every step.

use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{Item, ReadItem, key, number, text};
use super::{Store, StoreError};
use crate::access::TenantId;
use crate::log::CollectionId;
use crate::time::Position;

/// The partition of all jobs, so that one Query finds them, and a stream's filter too.
const PARTITION: &str = "JOBS";

/// Partition and sort key of the note of the last sweep.
const SWEPT: &str = "SWEPT";

/// What a pass over the base is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// Objects stored before a collection was created or changed come to stand in it as they
    /// should.
    Backfill {
        /// The collection.
        collection: CollectionId,
        /// The generation of its definition.
        generation: u64,
    },
    /// Objects left pending, for whatever reason, are projected.
    Sweep,
    /// The log of a collection that was deleted goes.
    DropLog {
        /// The collection that was.
        collection: CollectionId,
    },
    /// The keys of a tenant that was deleted are revoked, its subscriptions ended.
    CloseTenant {
        /// The tenant.
        tenant: TenantId,
    },
}

impl fmt::Display for JobKind {
    /// The job's sort key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backfill { collection, generation } => {
                write!(f, "BACKFILL#{collection}#{generation}")
            }
            Self::Sweep => f.write_str("SWEEP"),
            Self::DropLog { collection } => write!(f, "DROP#{collection}"),
            Self::CloseTenant { tenant } => write!(f, "CLOSE#{tenant}"),
        }
    }
}

impl JobKind {
    /// Reads a sort key.
    #[must_use]
    pub fn parse(sort_key: &str) -> Option<Self> {
        if sort_key == "SWEEP" {
            return Some(Self::Sweep);
        }
        if let Some(collection) = sort_key.strip_prefix("DROP#") {
            let collection = CollectionId(collection.parse().ok()?);
            return Some(Self::DropLog { collection });
        }
        if let Some(tenant) = sort_key.strip_prefix("CLOSE#") {
            return Some(Self::CloseTenant { tenant: tenant.parse().ok()? });
        }
        let (collection, generation) = sort_key.strip_prefix("BACKFILL#")?.split_once('#')?;
        Some(Self::Backfill {
            collection: CollectionId(collection.parse().ok()?),
            generation: generation.parse().ok()?,
        })
    }
}

/// How far a pass came: the last item that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanPlace {
    pub(super) id: String,
    pub(super) sk: String,
}

/// A pass that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What for.
    pub kind: JobKind,
    /// Nothing is looked at before this moment.
    pub not_before: Position,
    /// Where to go on; the beginning if absent.
    pub reached: Option<ScanPlace>,
    /// When it last came forward.
    pub beat: Position,
    /// It was done once, and is done a second time.
    pub second: bool,
}

impl Job {
    /// A job that begins at `not_before`.
    #[must_use]
    pub fn new(kind: JobKind, now: Position, not_before: Position) -> Self {
        Self { kind, not_before, reached: None, beat: now, second: false }
    }

    pub(super) fn to_item(&self) -> Item {
        let mut item = key(PARTITION, self.kind.to_string());
        item.insert("after".into(), number(self.not_before.micros()));
        item.insert("beat".into(), number(self.beat.micros()));
        if self.second {
            item.insert("again".into(), number(1));
        }
        if let Some(place) = &self.reached {
            item.insert("at".into(), text(&place.id));
            item.insert("at_sk".into(), text(&place.sk));
        }
        item
    }

    fn from_item(item: &Item) -> Result<Self, StoreError> {
        let sk = item.text("sk")?;
        let kind = JobKind::parse(sk).ok_or_else(|| StoreError::Damaged(format!("job {sk}")))?;
        let reached = match (item.text("at"), item.text("at_sk")) {
            (Ok(id), Ok(sk)) => Some(ScanPlace { id: id.to_owned(), sk: sk.to_owned() }),
            _ => None,
        };
        Ok(Self {
            kind,
            not_before: Position::from_micros(item.required_number("after")?),
            reached,
            beat: Position::from_micros(item.required_number("beat")?),
            second: item.number("again")?.is_some(),
        })
    }
}

/// The job a stream record's keys name, if it is one.
#[must_use]
pub fn job_named(id: &str, sk: &str) -> Option<JobKind> {
    (id == PARTITION).then(|| JobKind::parse(sk)).flatten()
}

impl Store {
    /// Adds a job; says whether it was new.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn add_job(&self, job: &Job) -> Result<bool, StoreError> {
        match self.put_collection_item(job.to_item(), Some("attribute_not_exists(id)")).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// All jobs under way.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn jobs(&self) -> Result<Vec<Job>, StoreError> {
        let query = self
            .dynamodb()
            .query()
            .table_name(&self.names().collections)
            .key_condition_expression("id = :id")
            .expression_attribute_values(":id", text(PARTITION))
            .consistent_read(true);
        self.query_all(query).await?.iter().map(Job::from_item).collect()
    }

    /// One job, if it is still under way.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn job(&self, kind: &JobKind) -> Result<Option<Job>, StoreError> {
        let get = self
            .dynamodb()
            .get_item()
            .table_name(&self.names().collections)
            .set_key(Some(key(PARTITION, kind.to_string())))
            .consistent_read(true);
        let item = self.get(get).await?;
        item.as_ref().map(Job::from_item).transpose()
    }

    /// Writes down how far a job came, which calls the function again. Where two carry out the
    /// same job, both write what they know: a step taken twice does no harm.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the job is over.
    pub async fn advance_job(&self, job: &Job) -> Result<(), StoreError> {
        self.put_collection_item(job.to_item(), Some("attribute_exists(id)")).await
    }

    /// When the base was last swept.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn last_sweep(&self) -> Result<Option<Position>, StoreError> {
        let get = self
            .dynamodb()
            .get_item()
            .table_name(&self.names().collections)
            .set_key(Some(key(SWEPT, SWEPT)));
        let item = self.get(get).await?;
        let at = item.as_ref().map(|item| item.required_number("at")).transpose()?;
        Ok(at.map(Position::from_micros))
    }

    /// Writes down when the base was last swept.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn set_last_sweep(&self, at: Position) -> Result<(), StoreError> {
        let mut item = key(SWEPT, SWEPT);
        item.insert("at".into(), number(at.micros()));
        self.put_collection_item(item, None).await
    }

    /// A job is over.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn end_job(&self, kind: &JobKind) -> Result<(), StoreError> {
        let delete = self
            .dynamodb()
            .delete_item()
            .table_name(&self.names().collections)
            .set_key(Some(key(PARTITION, kind.to_string())));
        self.delete(delete).await
    }
}

impl ScanPlace {
    pub(super) fn start_key(&self) -> Item {
        std::collections::HashMap::from([
            ("id".to_owned(), AttributeValue::S(self.id.clone())),
            ("sk".to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_reads_back_as_it_was_written() {
        let collection = CollectionId(uuid::Uuid::from_u128(7));
        let tenant = "acme".parse().unwrap();
        for kind in [
            JobKind::Sweep,
            JobKind::Backfill { collection, generation: 3 },
            JobKind::DropLog { collection },
            JobKind::CloseTenant { tenant },
        ] {
            let mut job =
                Job::new(kind.clone(), Position::from_micros(5), Position::from_micros(9));
            assert_eq!(Job::from_item(&job.to_item()).unwrap(), job);
            job.reached = Some(ScanPlace { id: "identity--x".into(), sk: "HEAD".into() });
            assert_eq!(Job::from_item(&job.to_item()).unwrap(), job);
            assert_eq!(job_named("JOBS", &kind.to_string()), Some(kind));
        }
        assert_eq!(job_named("DEFINITIONS", "SWEEP"), None);
        assert_eq!(JobKind::parse("BACKFILL#x#1"), None);
    }
}
