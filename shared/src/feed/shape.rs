//! From an entry of the log to the record of a feed.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::clean::{cut, cut_list};
use super::column::Column;
use super::definition::{DateField, Feed, Format};
use super::record::{Cell, Facts, Ioc, MAX_BYTES, MAX_ROWS, Record, Skip};
use super::standard::Standard;
use super::values::iocs;
use crate::id::ObjectId;
use crate::ioc::EXTENSION_ID;
use crate::stix::Facets;
use crate::time::{Position, Timestamp};
use crate::tlp::Tlp;

/// What records of a feed are made of.
#[derive(Clone, Debug)]
pub struct Shape {
    columns: Vec<Column>,
    date: DateField,
    only_active: bool,
    facts: bool,
    /// Characters between the entries of a list.
    separator: usize,
}

/// An object and its entry.
struct Subject<'a> {
    facets: &'a Facets,
    members: &'a Map<String, Value>,
    level: Tlp,
    author: Option<&'a str>,
    entered: Position,
    position: Position,
    separator: usize,
}

impl Shape {
    /// The shape of a feed's records.
    #[must_use]
    pub fn of(feed: &Feed) -> Self {
        let settings = &feed.settings;
        let fixed = |format: &Format| matches!(format, Format::Splunk | Format::Sentinel);
        Self {
            columns: settings.columns.clone(),
            date: settings.date,
            only_active: settings.only_active,
            facts: settings.formats.iter().any(fixed),
            separator: settings.list_separator.chars().count(),
        }
    }

    /// The author whose name a row of the object shows as its source.
    #[must_use]
    pub fn author<'a>(
        &self,
        facets: &'a Facets,
        members: &Map<String, Value>,
    ) -> Option<&'a ObjectId> {
        let shown = self.columns.contains(&Column::Standard(Standard::Source));
        facets.author.as_ref().filter(|_| shown && sources(members).is_empty())
    }

    /// The record of an object that entered its collection at `entered`, whose present entry is
    /// at `position`, whose TLP level is `level`, and whose author has this name. `None` when it is
    /// revoked and the feed leaves that out. What exceeds a bound is a record without rows.
    #[must_use]
    pub fn record(
        &self,
        facets: &Facets,
        members: &Map<String, Value>,
        level: Tlp,
        author: Option<&str>,
        (entered, position): (Position, Position),
    ) -> Option<Record> {
        if self.only_active && facets.revoked {
            return None;
        }
        let separator = self.separator;
        let subject = Subject { facets, members, level, author, entered, position, separator };
        let until = facets.valid_until.as_ref().filter(|_| self.only_active);
        let iocs = iocs(facets, members);
        let empty = Record {
            date: subject.date(self.date),
            id: facets.id.as_str().to_owned(),
            position: position.micros(),
            until: until.map(|until| until.at().timestamp_micros()),
            rows: 0,
            skip: None,
            cells: Vec::new(),
            iocs: Vec::new(),
            facts: None,
        };
        if iocs.len() > MAX_ROWS {
            return Some(empty.skipped(Skip::TooManyRows));
        }
        let record = Record {
            rows: u32::try_from(iocs.len()).unwrap_or(u32::MAX),
            cells: self.columns.iter().map(|column| subject.cell(column, &iocs)).collect(),
            iocs,
            facts: self.facts.then(|| subject.facts()),
            ..empty
        };
        Some(if record.bytes() > MAX_BYTES { record.skipped(Skip::TooManyBytes) } else { record })
    }

    /// The record of an object that cannot be read.
    #[must_use]
    pub fn unreadable(&self, id: &str, entered: Position, position: Position) -> Record {
        let at = if self.date == DateField::Changed { position } else { entered };
        Record {
            date: i64::try_from(at.micros()).unwrap_or(i64::MAX),
            id: id.to_owned(),
            position: position.micros(),
            until: None,
            rows: 0,
            skip: Some(Skip::Unreadable),
            cells: Vec::new(),
            iocs: Vec::new(),
            facts: None,
        }
    }
}

impl Subject<'_> {
    fn date(&self, field: DateField) -> i64 {
        let entered = i64::try_from(self.entered.micros()).unwrap_or(i64::MAX);
        let or_entered = |timestamp: Option<&Timestamp>| {
            timestamp.map_or(entered, |timestamp| timestamp.at().timestamp_micros())
        };
        match field {
            DateField::Added => entered,
            DateField::Changed => i64::try_from(self.position.micros()).unwrap_or(i64::MAX),
            DateField::Created => or_entered(self.facets.created.as_ref()),
            DateField::Modified => or_entered(self.facets.modified.as_ref()),
        }
    }

    fn cell(&self, column: &Column, iocs: &[Ioc]) -> Cell {
        match column {
            Column::Standard(standard) => self.standard(*standard),
            Column::Attribute { path, types, .. } => {
                let path = types.get(self.facets.object_type()).or(path.as_ref());
                let cell = path.map_or(Cell::Empty, |path| path.read(self.members));
                // An IOC is compared to the letter, in whatever column it stands.
                let is_ioc =
                    |text: &str| iocs.iter().any(|ioc| ioc.kind.is_some() && ioc.value == text);
                match cell {
                    Cell::Text(long) if !is_ioc(&long) => text(Some(&long)),
                    Cell::List(entries) => self.list(&entries),
                    cell => cell,
                }
            }
        }
    }

    fn standard(&self, standard: Standard) -> Cell {
        let facets = self.facets;
        match standard {
            Standard::Id => Cell::Text(facets.id.as_str().to_owned()),
            Standard::Type => Cell::IocType,
            Standard::Value => Cell::IocValue,
            Standard::Confidence => {
                facets.confidence.map_or(Cell::Empty, |n| Cell::Number(n.to_string()))
            }
            Standard::Tlp => Cell::Text(self.level.name().to_owned()),
            Standard::FirstSeen => match (self.member("first_seen"), &facets.valid_from) {
                (Some(seen), _) => text(Some(seen)),
                (None, from) => time(from.as_ref()),
            },
            Standard::LastSeen => text(self.last_seen()),
            Standard::ValidUntil => time(facets.valid_until.as_ref()),
            Standard::Tags => self.list(&facets.labels),
            Standard::Mitre => self.list(&facets.techniques),
            Standard::Source => self.source(),
            Standard::Description => text(self.member("description")),
            Standard::Name => text(facets.name.as_deref()),
            Standard::Created => time(facets.created.as_ref()),
            Standard::Modified => time(facets.modified.as_ref()),
            Standard::Added => Cell::Text(moment(self.entered)),
            Standard::Changed => Cell::Text(moment(self.position)),
            Standard::Revoked => Cell::Text(facets.revoked.to_string()),
        }
    }

    fn member(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    /// Indicators have no such member, so plain IOCs keep it in our extension.
    fn last_seen(&self) -> Option<&str> {
        let extension = || self.members.get("extensions")?.get(EXTENSION_ID)?.get("last_seen");
        self.member("last_seen").or_else(|| extension()?.as_str())
    }

    fn source(&self) -> Cell {
        match sources(self.members) {
            names if names.is_empty() => text(self.author),
            names => self.list(&names),
        }
    }

    fn list(&self, entries: &[String]) -> Cell {
        if entries.is_empty() { Cell::Empty } else { Cell::List(cut_list(entries, self.separator)) }
    }

    fn facts(&self) -> Facts {
        let facets = self.facets;
        Facts {
            name: cut(facets.name.as_deref().unwrap_or_default()).to_owned(),
            description: cut(self.member("description").unwrap_or_default()).to_owned(),
            confidence: facets.confidence,
            tlp: self.level,
            valid_from: facets.valid_from.clone().or_else(|| facets.created.clone()),
            valid_until: facets.valid_until.clone(),
            tags: cut_list(&facets.labels, 1),
            threat_types: cut_list(&facets.indicator_types, 1),
            revoked: facets.revoked,
        }
    }
}

fn text(text: Option<&str>) -> Cell {
    text.map_or(Cell::Empty, |text| Cell::Text(cut(text).to_owned()))
}

fn time(timestamp: Option<&Timestamp>) -> Cell {
    text(timestamp.map(Timestamp::as_str))
}

/// Who reported the object: the names of its references that are no catalogue's, each once.
fn sources(members: &Map<String, Value>) -> Vec<String> {
    let references = members.get("external_references").and_then(Value::as_array);
    let mut names: Vec<String> = Vec::new();
    let mut known = HashSet::new();
    for reference in references.into_iter().flatten() {
        let name = reference.get("source_name").and_then(Value::as_str).unwrap_or_default();
        // References to catalogues say what it is, not who reported it.
        let catalogue = name.starts_with("mitre") || matches!(name, "" | "cve" | "capec");
        if !catalogue && known.insert(name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn moment(position: Position) -> String {
    let micros = i64::try_from(position.micros()).unwrap_or(i64::MAX);
    let at = DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC);
    Timestamp::millis(at).as_str().to_owned()
}
