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
    /// One for each column of the definition.
    pub cells: Vec<Cell>,
    /// One for each row.
    pub iocs: Vec<Ioc>,
    /// For Splunk and Sentinel, where the feed has them.
    pub facts: Option<Facts>,
}
