//! CSV feeds (contract: csv-feed): a collection as a flat file for a rolling period.
//!
//! Nothing here does I/O or asks a clock. An entry of the log becomes a [`Record`]
//! ([`Shape::record`]), records are kept in the order of the file beside it and merged with what
//! changed (`merge`), and a [`Renderer`] for each [`File`] writes what readers get.

mod check;
mod clean;
mod column;
mod csv;
mod definition;
mod edition;
mod file;
mod frame;
mod id;
mod late;
mod markings;
mod merge;
mod record;
mod render;
mod sentinel;
mod shape;
mod splunk;
mod standard;
mod values;
mod window;

pub use check::FeedFault;
pub use column::{Column, Path, PathError};
pub use definition::{DateField, Feed, FeedSettings, Format, Order};
pub use edition::{Edition, PublishedFile, Replaced, Skipped, SkippedObject, State};
pub use file::{File, SplunkKind};
pub use frame::{Frame, FrameError, frame};
pub use id::{FeedId, IdHash};
pub use late::{due_since, is_late};
pub use markings::{Markings, row_level};
pub use merge::{Latest, Merge, Merged};
pub use record::{Cell, Facts, Ioc, MAX_BYTES, MAX_ROWS, Record, Skip};
pub use render::{Banner, Renderer};
pub use shape::Shape;
pub use standard::Standard;
pub use window::Window;

#[cfg(test)]
mod tests;
