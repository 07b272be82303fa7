//! An object of a feed as it is kept beside the published files.

use serde::{Deserialize, Serialize};

use crate::stix::IocType;
use crate::time::Timestamp;
use crate::tlp::Tlp;

/// The content of one column for one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cell {
    /// The object has no such attribute.
    Empty,
    /// A text.
    Text(String),
    /// A number, as it is spelt in JSON.
    Number(String),
    /// Several texts.
    List(Vec<String>),
    /// The type of the row's IOC.
    IocType,
    /// The value of the row's IOC.
    IocValue,
}

/// What one row of an object is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ioc {
    /// The IOC's type; absent of an object that names none.
    pub kind: Option<IocType>,
    /// The IOC's value, or the object's name.
    pub value: String,
}

/// What the fixed columns of Splunk and Sentinel are made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// `name`.
    pub name: String,
    /// `description`.
    pub description: String,
    /// `confidence`.
    pub confidence: Option<u8>,
    /// The TLP level.
    pub tlp: Tlp,
    /// `valid_from`, else `created`.
    pub valid_from: Option<Timestamp>,
    /// `valid_until`.
    pub valid_until: Option<Timestamp>,
    /// `labels`.
    pub tags: Vec<String>,
    /// `indicator_types`.
    pub threat_types: Vec<String>,
    /// Whether it is revoked.
    pub revoked: bool,
}

/// Why an object has no rows though its collection holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// It would make more than [`MAX_ROWS`] rows.
    TooManyRows,
    /// Its rows would have more than [`MAX_BYTES`] bytes.
    TooManyBytes,
    /// It cannot be read as STIX.
    Unreadable,
}

/// Rows one object may make.
pub const MAX_ROWS: usize = 1_000;
/// Bytes of text the rows of one object may have together.
pub const MAX_BYTES: usize = 4 << 20;

/// An object of a feed: what its rows are written from, and when they go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The date that decides, in microseconds since 1970.
    pub date: i64,
    /// The object's id.
    pub id: String,
    /// The position of the entry it was made from.
    pub position: u64,
    /// When it ceases to be valid, in microseconds since 1970, if the feed cares.
    pub until: Option<i64>,
    /// Its rows: how many [`Record::iocs`] has.
    pub rows: u32,
    /// Why it has none, if it was skipped.
    pub skip: Option<Skip>,
    /// One for each column of the definition.
    pub cells: Vec<Cell>,
    /// One for each row.
    pub iocs: Vec<Ioc>,
    /// For Splunk and Sentinel, where the feed has them.
    pub facts: Option<Facts>,
}

impl Record {
    /// The same object without its rows.
    #[must_use]
    pub fn skipped(self, skip: Skip) -> Self {
        let (cells, iocs) = (Vec::new(), Vec::new());
        Self { rows: 0, skip: Some(skip), cells, iocs, facts: None, ..self }
    }

    /// Bytes of text in all its rows, before anything is quoted.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let repeated: usize = self.cells.iter().map(Cell::bytes).sum::<usize>()
            + self.facts.as_ref().map_or(0, Facts::bytes);
        let values: usize = self.iocs.iter().map(|ioc| ioc.value.len()).sum();
        repeated.saturating_mul(self.iocs.len()).saturating_add(values)
    }
}

impl Cell {
    fn bytes(&self) -> usize {
        match self {
            Self::Empty | Self::IocType | Self::IocValue => 0,
            Self::Text(text) | Self::Number(text) => text.len(),
            Self::List(entries) => bytes_of(entries),
        }
    }
}

impl Facts {
    fn bytes(&self) -> usize {
        let texts = self.name.len() + self.description.len();
        texts + bytes_of(&self.tags) + bytes_of(&self.threat_types)
    }
}

fn bytes_of(entries: &[String]) -> usize {
    entries.iter().map(|entry| entry.len() + 1).sum()
}
