//! What is published of a feed: the document that readers and the next run begin with.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::file::File;
use crate::time::Position;
use crate::tlp::Tlp;

/// An edition of a feed. Its files never change; the next edition has files of its own, and this
/// document is exchanged for the next one in a single step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edition {
    /// Names the folder of its files.
    pub id: String,
    /// When it was made: the end of its window.
    pub generated: DateTime<Utc>,
    /// Where its window begins; absent: it holds everything.
    pub from: Option<DateTime<Utc>>,
    /// The highest TLP level its rows may have.
    pub level: Tlp,
    /// Its files.
    pub files: Vec<PublishedFile>,
    /// Where the next run goes on.
    pub state: State,
    /// The edition before, whose files are still there.
    pub previous: Option<String>,
    /// Those that were replaced a moment ago: their files are still there too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<Replaced>,
}

/// An edition that another one took the place of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// Its id.
    pub id: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A file of an edition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedFile {
    /// Which.
    pub file: File,
    /// Its size.
    pub bytes: u64,
    /// Its rows.
    pub rows: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// Where the next run goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The position up to which the log was read.
    pub reached: Position,
    /// The commit with which to go on.
    pub next_seq: u64,
    /// The moment for which this holds.
    pub as_of: DateTime<Utc>,
    /// The first moment at which something ages out or expires.
    pub next: Option<DateTime<Utc>>,
    /// [`super::Feed::fingerprint`] of the definition it was made by.
    pub fingerprint: String,
    /// Objects in it.
    pub records: u64,
    /// SHA-256 of its records, in hexadecimal.
    pub digest: String,
}

impl Edition {
    /// Rows of its fullest file; those of Splunk hold one kind of IOC each.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).max().unwrap_or(0)
    }

    /// Bytes of all its files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The edition's file of this kind.
    #[must_use]
    pub fn file(&self, file: File) -> Option<&PublishedFile> {
        self.files.iter().find(|published| published.file == file)
    }
}
