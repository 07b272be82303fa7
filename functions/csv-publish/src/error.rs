//! What can go wrong in a run.

use shared::feed::FrameError;
use shared::store::StoreError;
use thiserror::Error;

/// Why a run failed.
#[derive(Debug, Error)]
pub enum HandleError {
    /// Not an event of a schedule.
    #[error("not an event of a schedule, whose `time` is like 2026-05-15T08:30:00Z: {0}")]
    Event(#[from] serde_json::Error),
    /// The definitions could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Some feeds could not be published; the log says why.
    #[error("{0} feeds could not be published")]
    Feeds(usize),
}

/// Why a feed was not published. Its last edition stays.
#[derive(Debug, Error)]
pub enum PublishError {
    /// The collection is gone.
    #[error("the feed's collection is gone: delete the feed")]
    NoCollection,
    /// Tables or bucket failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The temporary folder failed.
    #[error("temporary file: {0}")]
    Temporary(#[from] std::io::Error),
    /// The last edition's records cannot be read.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A record is longer than any.
    #[error("a record of {0} bytes")]
    TooLong(usize),
    /// The merge was cut short.
    #[error("the merge ended early: {0}")]
    Merge(String),
}
