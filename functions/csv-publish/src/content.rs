//! The records of a new edition: those of the last one, merged with what changed.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use shared::feed::{Merge, Skipped, Window};

use crate::changes::Changes;
use crate::error::PublishError;
use crate::spool::{Effort, Spool, SpoolReader, SpoolWriter};

/// The records of a new edition.
pub struct Content {
    /// In the order of the file.
    pub records: Spool,
    /// How many there are.
    pub objects: u64,
    /// Rows they make.
    pub rows: u64,
    /// The first moment at which one is in the file no more, in microseconds since 1970.
    pub next: Option<i64>,
    /// SHA-256 of all of them, in hexadecimal.
    pub digest: String,
    /// Those without rows because they exceed a bound.
    pub skipped: Skipped,
}

/// Merges what changed with the records of the last edition, if it is carried on.
pub fn merge(
    changes: Changes,
    old: Option<Spool>,
    window: Window,
    now: DateTime<Utc>,
) -> Result<Content, PublishError> {
    let old: Option<SpoolReader> = old.map(|old| old.frames()).transpose()?;
    let merged = Merge {
        old: old.into_iter().flatten().peekable(),
        new: changes.records.sorted()?.peekable(),
        latest: &changes.latest,
        window,
        now,
    };
    let mut records = SpoolWriter::new(Effort::Some)?;
    let (mut digest, mut objects, mut rows, mut next) = (Sha256::new(), 0, 0, None::<i64>);
    let mut skipped = Skipped::default();
    for merged in merged {
        let merged = merged?;
        records.push(&merged.frame)?;
        digest.update(merged.frame.bytes());
        match merged.frame.skip {
            Some(reason) => skipped.add(&merged.frame.id, reason),
            None => objects += 1,
        }
        rows += u64::from(merged.frame.rows);
        next = match (next, merged.leaves) {
            (Some(next), Some(leaves)) => Some(next.min(leaves)),
            (next, leaves) => next.or(leaves),
        };
    }
    let digest = format!("{:x}", digest.finalize());
    Ok(Content { records: records.finish()?, objects, rows, next, digest, skipped })
}
