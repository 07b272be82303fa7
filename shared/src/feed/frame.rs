//! A record in bytes, of which only what orders it is read until its rows are written.

use serde::Deserialize;
use thiserror::Error;

use super::record::{Record, Skip};

/// A record in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// [`Record::date`]
    pub date: i64,
    /// [`Record::id`]
    pub id: String,
    /// [`Record::position`]
    pub position: u64,
    /// [`Record::until`]
    pub until: Option<i64>,
    /// [`Record::rows`]
    pub rows: u32,
    /// [`Record::skip`]
    pub skip: Option<Skip>,
    bytes: Vec<u8>,
}

/// Why bytes are no record.
#[derive(Debug, Error)]
#[error("not a record of a feed: {0}")]
pub struct FrameError(#[from] postcard::Error);

/// The first members of [`Record`], in its order.
#[derive(Deserialize)]
struct Head {
    date: i64,
    id: String,
    position: u64,
    until: Option<i64>,
    rows: u32,
    skip: Option<Skip>,
}

/// A record in bytes.
///
/// # Errors
/// When it cannot be serialised, which no record of ours does.
pub fn frame(record: &Record) -> Result<Frame, FrameError> {
    Ok(Frame {
        date: record.date,
        id: record.id.clone(),
        position: record.position,
        until: record.until,
        rows: record.rows,
        skip: record.skip,
        bytes: postcard::to_allocvec(record)?,
    })
}

impl Frame {
    /// Reads the beginning of a record.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, FrameError> {
        let (head, _): (Head, _) = postcard::take_from_bytes(&bytes)?;
        let Head { date, id, position, until, rows, skip } = head;
        Ok(Self { date, id, position, until, rows, skip, bytes })
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The whole record.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn record(&self) -> Result<Record, FrameError> {
        Ok(postcard::from_bytes(&self.bytes)?)
    }
}
