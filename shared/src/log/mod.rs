//! A collection is a log: an ordered chain of packed commits that every surface reads.

mod backwards;
mod commit;
mod entry;
mod marks;
mod merged;
mod newest;
mod reader;
mod tailer;
mod walk;

#[cfg(test)]
pub(crate) use backwards::{Backwards, Chain};
pub use commit::{Commit, MAX_BODY_BYTES, MAX_ENTRIES, Origin, pack, pack_moved, unpack};
pub use entry::{CollectionId, Entry, LogId, Membership, Op, Place};
pub use marks::{CommitMarks, Marks};
pub use merged::{Mark, NewestFirst};
pub use reader::Reader;
pub use tailer::{Polled, Tailer};
pub use walk::Seen;
#[cfg(test)]
pub(crate) use walk::{Taken, Walk};
