//! What became of a file: the result written beside it.

use serde::Serialize;
use shared::ingestion::{Kind, Outcome};

/// Rejections that are listed one by one; the rest is counted.
const LISTED: usize = 10_000;

/// Counts, and the rejections with their reasons.
#[derive(Debug, Default)]
pub struct Tally {
    created: usize,
    updated: usize,
    unchanged: usize,
    stale: usize,
    deleted: usize,
    /// How many were refused.
    pub rejected: usize,
    /// Why the file could not be read to its end; what was read before it stays.
    pub error: Option<String>,
    rejections: Vec<Rejection>,
}

#[derive(Debug, Serialize)]
struct Rejection {
    /// Index from 0 of a STIX object, line from 1 of an IOC.
    place: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    code: &'static str,
    reason: String,
}

impl Tally {
    /// Adds one outcome.
    pub fn add(&mut self, place: usize, outcome: Outcome) {
        match outcome {
            Outcome::Accepted(accepted) => {
                let count = match accepted.kind {
                    Kind::Created => &mut self.created,
                    Kind::Updated => &mut self.updated,
                    Kind::Unchanged => &mut self.unchanged,
                    Kind::Stale => &mut self.stale,
                    Kind::Deleted => &mut self.deleted,
                };
                *count += 1;
            }
            Outcome::Refused(refused) => {
                self.rejected += 1;
                if self.rejections.len() < LISTED {
                    self.rejections.push(Rejection {
                        place,
                        id: refused.id,
                        code: refused.why.code(),
                        reason: refused.why.to_string(),
                    });
                }
            }
        }
    }

    /// Objects that changed the store.
    pub fn accepted(&self) -> usize {
        self.created + self.updated + self.stale
    }

    /// The result file for the drop called `key`.
    pub fn to_json(&self, key: &str) -> Vec<u8> {
        let result = serde_json::json!({
            "key": key,
            "accepted": self.accepted(),
            "created": self.created,
            "updated": self.updated,
            "stale": self.stale,
            "unchanged": self.unchanged,
            "deleted": self.deleted,
            "rejected": self.rejected,
            "rejections": self.rejections,
            "rejections_not_listed": self.rejected - self.rejections.len(),
            "error": self.error,
        });
        result.to_string().into_bytes()
    }
}
