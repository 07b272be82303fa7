//! A feed's definition: which collection, which rows, which columns, who may read it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::column::Column;
use super::file::File;
use super::id::FeedId;
use super::standard::Standard;
use super::window::Window;
use crate::access::{PlanName, TenantId};
use crate::collection::Alias;
use crate::log::CollectionId;

/// Which of an object's dates decides whether it is in the window, and where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateField {
    /// When it entered the collection.
    #[default]
    Added,
    /// Its position in the collection's log, which every update moves.
    Changed,
    /// `created`; when it entered if it has none.
    Created,
    /// `modified`; when it entered if it has none.
    Modified,
}

/// The order of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// By date, the newest first.
    #[default]
    NewestFirst,
    /// By date, the oldest first.
    OldestFirst,
}

/// A form in which a feed is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Format {
    /// CSV with the feed's columns.
    #[serde(rename = "csv")]
    Csv,
    /// The same, compressed.
    #[serde(rename = "csv.gz")]
    CsvGz,
    /// One IOC value a line: what firewalls take as a block list.
    #[serde(rename = "txt")]
    Txt,
    /// NDJSON: one object a row, with the feed's columns as members.
    #[serde(rename = "json")]
    Json,
    /// The local intelligence files of Splunk Enterprise Security, one for each kind.
    #[serde(rename = "splunk")]
    Splunk,
    /// The CSV that Microsoft Sentinel imports.
    #[serde(rename = "sentinel")]
    Sentinel,
}

/// What an operator says of a feed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
// Each is a switch of its own to the operator, as the contract has it.
#[allow(clippy::struct_excessive_bools)]
pub struct FeedSettings {
    /// Shown to people, in the banner too; 1 to 200 characters on one line.
    pub name: String,
    /// Another name to reach it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<Alias>,
    /// The collection it publishes: id or alias.
    pub collection: String,
    /// The length of the period, in minutes; absent: everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolling_minutes: Option<u32>,
    /// The date that decides.
    #[serde(default)]
    pub date: DateField,
    /// The columns of `csv` and `json`.
    #[serde(default = "Standard::defaults")]
    pub columns: Vec<Column>,
    /// What stands between fields.
    #[serde(default = "comma")]
    pub separator: char,
    /// What stands between the entries of a list in one field.
    #[serde(default = "semicolon")]
    pub list_separator: String,
    /// Whether the names of the columns stand above the rows of `csv`.
    #[serde(default = "yes")]
    pub include_header: bool,
    /// Whether lines with `#` say above `csv` what it is, and below where it ends.
    #[serde(default = "yes")]
    pub banner: bool,
    /// Leaves out what is revoked or no longer valid.
    #[serde(default = "yes")]
    pub only_active: bool,
    /// Puts `'` before free text that a spreadsheet would take for a formula; never before IOCs.
    #[serde(default = "yes")]
    pub formula_guard: bool,
    /// The order of the rows.
    #[serde(default)]
    pub order: Order,
    /// How often it is looked after, in minutes.
    #[serde(default = "five")]
    pub publish_every_minutes: u32,
    /// Readable without a key. Takes effect only while its collection is public or holds nothing
    /// above TLP:CLEAR.
    #[serde(default)]
    pub public: bool,
    /// The plans that may read it; absent: every plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plans: Option<Vec<PlanName>>,
    /// The tenants that may read it; absent: every tenant that may read the collection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenants: Option<Vec<TenantId>>,
    /// The forms in which it is published.
    #[serde(default = "csv_forms")]
    pub formats: Vec<Format>,
}

fn comma() -> char {
    ','
}

fn semicolon() -> String {
    ";".to_owned()
}

fn yes() -> bool {
    true
}

fn five() -> u32 {
    5
}

fn csv_forms() -> Vec<Format> {
    vec![Format::Csv, Format::CsvGz]
}

/// A stored feed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feed {
    /// Its id.
    pub id: FeedId,
    /// Rises with every change.
    pub revision: u64,
    /// The collection that its settings name.
    pub collection: CollectionId,
    /// When it was made or last changed; absent of feeds that are older than this note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<DateTime<Utc>>,
    /// What the operator said.
    pub settings: FeedSettings,
}

/// Raised when the same definition makes other records or files than before.
const MAKE: u32 = 4;

impl Feed {
    /// What decides on records and files: while it stays the same, an edition can be carried on;
    /// when it changes, the next one is made from the whole log.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut settings = self.settings.clone();
        settings.alias = None;
        settings.collection = self.collection.to_string();
        settings.public = false;
        settings.plans = None;
        settings.tenants = None;
        settings.publish_every_minutes = 0;
        // Settings serialise: their maps have text keys.
        let text = serde_json::to_string(&settings).unwrap_or_default();
        let digest = Sha256::digest(format!("{MAKE} {text}").as_bytes());
        hex(&digest[..16])
    }

    /// What is in the file and for how long.
    #[must_use]
    pub fn window(&self) -> Window {
        Window {
            rolling_minutes: self.settings.rolling_minutes,
            only_active: self.settings.only_active,
            order: self.settings.order,
        }
    }

    /// The file's base name for readers: the alias, else the id.
    #[must_use]
    pub fn slug(&self) -> String {
        let alias = self.settings.alias.as_ref();
        alias.map_or_else(|| self.id.to_string(), ToString::to_string)
    }

    /// Whether it is reached by `name`, its id or its alias.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        let alias = self.settings.alias.as_ref();
        self.id.to_string() == name || alias.is_some_and(|alias| alias.to_string() == name)
    }

    /// Where each of its files is read, below the service's address.
    pub fn paths(&self) -> impl Iterator<Item = (File, String)> + '_ {
        let slug = self.slug();
        File::of(&self.settings).map(move |file| (file, format!("/feeds/{slug}.{}", file.suffix())))
    }

    /// How it is written into the audit: its settings, id and revision.
    #[must_use]
    pub fn shown(&self) -> Value {
        let mut shown = json!(self.settings);
        if let Value::Object(members) = &mut shown {
            members.insert("id".to_owned(), json!(self.id));
            members.insert("revision".to_owned(), json!(self.revision));
            members.insert("saved".to_owned(), json!(self.saved));
        }
        shown
    }
}

/// Bytes in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
