//! What is published of a feed: the document that readers and the next run begin with.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::file::File;
use super::markings::Markings;
use super::record::Skip;
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
    /// When it took the place of the one before; absent of editions that are older than this note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<DateTime<Utc>>,
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
    /// What the levels of its rows rest on.
    #[serde(default)]
    pub markings: Markings,
    /// Objects that have no rows because they exceed a bound.
    #[serde(default)]
    pub skipped: Skipped,
}

/// Objects in the window that a feed leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// How many there are.
    pub objects: u64,
    /// The first of them, in the order of the file.
    pub listed: Vec<SkippedObject>,
}

/// An object that a feed leaves out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedObject {
    /// Its id.
    pub id: String,
    /// Why.
    pub reason: Skip,
}

impl Skipped {
    /// Objects that are listed by their ids.
    const LISTED: usize = 100;

    /// Counts an object, and lists it while there is room.
    pub fn add(&mut self, id: &str, reason: Skip) {
        self.objects += 1;
        if self.listed.len() < Self::LISTED {
            self.listed.push(SkippedObject { id: id.to_owned(), reason });
        }
    }
}

impl Edition {
    /// When its files became what readers get, to the second.
    #[must_use]
    pub fn modified(&self) -> DateTime<Utc> {
        let modified = self.published.unwrap_or(self.generated);
        DateTime::from_timestamp(modified.timestamp(), 0).unwrap_or(modified)
    }

    /// The same of an edition that takes this one's place at `now`: no two editions have the same,
    /// as HTTP's dates know seconds only.
    #[must_use]
    pub fn modified_next(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now.max(self.modified() + TimeDelta::seconds(1))
    }

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// As they were written before an edition knew when it was published, and its markings.
    fn old() -> Edition {
        serde_json::from_value(json!({
            "id": "e", "generated": "2026-11-22T08:30:15.5Z", "from": null, "level": "clear",
            "files": [], "previous": null,
            "state": {"reached": 0, "next_seq": 1, "as_of": "2026-11-22T08:30:15.5Z",
                "next": null, "fingerprint": "", "records": 0, "digest": ""},
        }))
        .unwrap()
    }

    #[test]
    fn an_older_edition_is_read_and_one_that_is_written_comes_back() {
        let mut edition = old();
        assert_eq!(edition.modified(), at("2026-11-22T08:30:15Z"));
        edition.published = Some(at("2026-11-22T08:31:00Z"));
        let marking = "marking-definition--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69".parse().unwrap();
        edition.state.markings.add(
            &marking,
            crate::stix::Marking::Level(Tlp::Green),
            at("2026-11-22T08:31:00Z"),
        );
        let json = serde_json::to_string(&edition).unwrap();
        assert_eq!(serde_json::from_str::<Edition>(&json).unwrap(), edition);
    }

    #[test]
    fn no_two_editions_were_modified_in_the_same_second() {
        let edition = old();
        let same = at("2026-11-22T08:30:15.9Z");
        assert_eq!(edition.modified_next(same), at("2026-11-22T08:30:16Z"));
        // Whatever the clocks say.
        assert_eq!(edition.modified_next(at("2026-11-22T07:00:00Z")), at("2026-11-22T08:30:16Z"));
        assert_eq!(edition.modified_next(at("2026-11-22T09:00:00Z")), at("2026-11-22T09:00:00Z"));
    }
}
