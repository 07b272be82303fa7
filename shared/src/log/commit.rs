//! The packed form of a commit: compressed as one, read without parsing any object. What was
//! appended never changes; compaction may put one commit in the place of several.

use serde::{Deserialize, Serialize};

use super::Place;
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
    /// The first number it stands for: lower than `seq` after compaction. It holds every entry
    /// appended in commits `from` to `seq` that is not dead.
    pub from: u64,
    /// How often compaction wrote it anew.
    pub rewrites: u64,
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
    /// Where each of them comes from.
    pub origins: Vec<Origin>,
}

/// Where an entry of a commit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Where it was appended.
    pub place: Place,
    /// A newer version of the object is current: a mark that compaction folded in.
    pub superseded: bool,
}

impl Origin {
    /// The origins of `count` entries that lie where they were appended, in commit `seq`.
    #[must_use]
    pub fn own(seq: u64, count: usize) -> Vec<Self> {
        let indexes = (0..=u16::MAX).take(count);
        indexes.map(|index| Self { place: Place { seq, index }, superseded: false }).collect()
    }
}

impl Commit {
    /// Its entries, each with its origin.
    pub fn placed(&self) -> impl Iterator<Item = (Origin, &Entry)> {
        self.origins.iter().copied().zip(&self.entries)
    }
}

/// An origin as it is packed.
#[derive(Serialize, Deserialize)]
struct PackedOrigin {
    /// How many commits before the one it is packed in.
    back: u64,
    index: u16,
    superseded: bool,
}

/// The compressed entries of a commit that lie where they were appended: origins take no bytes.
///
/// # Errors
/// When zstd fails.
pub fn pack(entries: &[Entry]) -> Result<Vec<u8>, CodecError> {
    codec::compress(&postcard::to_allocvec(entries)?)
}

/// The compressed entries of a commit, and where each of them comes from.
///
/// # Errors
/// When zstd fails.
pub fn pack_moved(commit: &Commit) -> Result<Vec<u8>, CodecError> {
    let mut bytes = postcard::to_allocvec(&commit.entries)?;
    let packed = commit.origins.iter().map(|origin| PackedOrigin {
        back: commit.seq.saturating_sub(origin.place.seq),
        index: origin.place.index,
        superseded: origin.superseded,
    });
    bytes.extend(postcard::to_allocvec(&packed.collect::<Vec<_>>())?);
    codec::compress(&bytes)
}

/// The entries of commit `seq` and their origins.
///
/// # Errors
/// When the bytes are not what [`pack`] or [`pack_moved`] wrote.
pub fn unpack(seq: u64, blob: &[u8]) -> Result<(Vec<Entry>, Vec<Origin>), CodecError> {
    let bytes = codec::expand(blob)?;
    let (entries, rest): (Vec<Entry>, _) = postcard::take_from_bytes(&bytes)?;
    if rest.is_empty() {
        let origins = Origin::own(seq, entries.len());
        return Ok((entries, origins));
    }
    let packed: Vec<PackedOrigin> = postcard::from_bytes(rest)?;
    let origins = packed.into_iter().map(|packed| {
        let seq = seq.checked_sub(packed.back)?;
        let place = Place { seq, index: packed.index };
        Some(Origin { place, superseded: packed.superseded })
    });
    let origins: Option<Vec<Origin>> = origins.collect();
    let origins = origins.filter(|origins| origins.len() == entries.len());
    Ok((entries, origins.ok_or(postcard::Error::DeserializeBadEncoding)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Op;
    use crate::stix::SpecVersion;

    fn entry(position: u64) -> Entry {
        Entry {
            op: Op::Enter,
            id: "indicator--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69".into(),
            version: "2026-01-01T00:00:00Z".into(),
            spec_version: SpecVersion::V21,
            revision: 1,
            position: Position::from_micros(position),
            entered: Position::from_micros(position),
            replaces: None,
            oldest: true,
            body: r#"{"type":"indicator"}"#.into(),
        }
    }

    #[test]
    fn origins_are_read_back() {
        let entries = vec![entry(1), entry(2)];
        let own = Origin::own(7, 2);
        assert_eq!(unpack(7, &pack(&entries).unwrap()).unwrap(), (entries.clone(), own.clone()));
        let moved = vec![Origin { place: Place { seq: 3, index: 4 }, superseded: true }, own[1]];
        let commit = Commit {
            seq: 7,
            from: 3,
            rewrites: 1,
            generation: 1,
            first: Position::from_micros(1),
            last: Position::from_micros(2),
            since_hint: 0,
            entries: entries.clone(),
            origins: moved.clone(),
        };
        let packed = pack_moved(&commit).unwrap();
        assert_eq!(unpack(7, &packed).unwrap(), (entries, moved));
        assert!(unpack(2, &packed).is_err(), "an origin before the first commit");
        let short = Commit { origins: vec![own[0]], ..commit };
        assert!(unpack(7, &pack_moved(&short).unwrap()).is_err(), "an entry without origin");
    }
}
