//! The packed form of a commit: immutable, compressed as one, read without parsing any object.

use super::entry::Entry;
use crate::store::codec::{self, CodecError};
use crate::time::Position;

/// Entries one commit holds at the most. A page of 100 touches at most two commits, and a put
/// of this many costs the same units per entry as a larger one.
pub const MAX_ENTRIES: usize = 128;

/// Bytes of object bodies one commit holds at the most (unless a single object is larger):
/// compressed it stays far below the 400 KB of an item.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// One commit of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its number in the log, from 1, dense.
    pub seq: u64,
    /// The first number it stands for: lower than `seq` after compaction.
    pub from: u64,
    /// The generation of the collection's definition under which it was decided.
    pub generation: u64,
    /// The position of its first entry (of the commit itself if it has none).
    pub first: Position,
    /// The highest position it covers: always a whole millisecond.
    pub last: Position,
    /// Compressed bytes of log since the last hint, this commit included.
    pub since_hint: u64,
    /// Its entries, in order of position.
    pub entries: Vec<Entry>,
}

/// The compressed entries of a commit.
///
/// # Errors
/// When zstd fails.
pub fn pack(entries: &[Entry]) -> Result<Vec<u8>, CodecError> {
    codec::compress(&postcard::to_allocvec(entries)?)
}

/// The entries of a packed commit.
///
/// # Errors
/// When the bytes are not what [`pack`] wrote.
pub fn unpack(blob: &[u8]) -> Result<Vec<Entry>, CodecError> {
    Ok(postcard::from_bytes(&codec::expand(blob)?)?)
}
