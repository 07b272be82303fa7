//! A collection is a log: an ordered chain of packed commits that every surface reads.

mod commit;
mod entry;
mod reader;

pub use commit::{Commit, MAX_BODY_BYTES, MAX_ENTRIES, pack, unpack};
pub use entry::{CollectionId, Entry, LogId, Marks, Membership, Op, Place};
pub use reader::{Reader, Seen};
