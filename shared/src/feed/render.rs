//! What readers get: the bytes of one file, piece by piece.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use super::clean::{breaks_lines, one_line};
use super::definition::{Feed, FeedSettings};
use super::file::File;
use super::record::{Cell, Ioc, Record};
use super::{csv, sentinel, splunk};
use crate::tlp::Tlp;

/// What the lines above the rows say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Banner {
    /// When the edition was made; the end of its window.
    pub generated: DateTime<Utc>,
    /// Where the window begins.
    pub from: Option<DateTime<Utc>>,
    /// Rows in the file.
    pub rows: u64,
    /// The highest level a row may have.
    pub level: Tlp,
}

/// Writes one file: [`Renderer::begin`], [`Renderer::row`] for every IOC of every record,
/// [`Renderer::end`].
/// Of `csv.gz` it writes what is to be compressed.
#[derive(Clone, Debug)]
pub struct Renderer {
    file: File,
    settings: FeedSettings,
    rows: u64,
}

impl Renderer {
    /// A renderer of a feed's file.
    #[must_use]
    pub fn new(file: File, feed: &Feed) -> Self {
        Self { file, settings: feed.settings.clone(), rows: 0 }
    }

    /// Rows written so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What stands above the rows.
    pub fn begin(&self, banner: &Banner, out: &mut Vec<u8>) {
        match self.file {
            File::Csv | File::CsvGz => {
                if self.settings.banner {
                    out.extend(self.banner(banner).into_bytes());
                }
                if self.settings.include_header {
                    let names = self.settings.columns.iter().map(super::Column::name);
                    csv::header(names, self.settings.separator, out);
                }
            }
            File::Txt | File::Json => {}
            File::Splunk(kind) => csv::header(splunk::columns(kind).iter().copied(), ',', out),
            File::Sentinel => csv::header(sentinel::COLUMNS.into_iter(), ',', out),
        }
    }

    fn banner(&self, banner: &Banner) -> String {
        let at = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        format!(
            "# feed: {}\r\n# generated: {}\r\n# window: {}/{}\r\n# rows: {}\r\n# tlp: TLP:{}\r\n",
            self.settings.name,
            at(banner.generated),
            banner.from.map_or_else(|| "..".to_owned(), at),
            at(banner.generated),
            banner.rows,
            banner.level.name().to_ascii_uppercase(),
        )
    }

    /// The row of one of a record's IOCs, if the file has one for it. Row by row, because a record
    /// may have thousands, and each repeats its description.
    pub fn row(&mut self, record: &Record, ioc: &Ioc, out: &mut Vec<u8>) {
        let guard = self.settings.formula_guard;
        let written = match self.file {
            File::Csv | File::CsvGz => {
                csv::row(&self.settings, record, ioc, out);
                true
            }
            File::Txt => value(ioc, out),
            File::Json => {
                json_line(&self.object(record, ioc).to_string(), out);
                true
            }
            File::Splunk(kind) => splunk::row(kind, guard, record, ioc, out),
            File::Sentinel => sentinel::row(guard, record, ioc, out),
        };
        self.rows += u64::from(written);
    }

    /// What stands below the rows.
    pub fn end(&self, out: &mut Vec<u8>) {
        if self.settings.banner && matches!(self.file, File::Csv | File::CsvGz) {
            out.extend(format!("# END {} rows\r\n", self.rows).into_bytes());
        }
    }

    /// A row as JSON: the columns in their order, lists as lists, without what is absent.
    fn object(&self, record: &Record, ioc: &Ioc) -> Ordered {
        let columns = self.settings.columns.iter().zip(&record.cells);
        let members = columns.filter_map(|(column, cell)| {
            let value = match cell {
                Cell::Empty => return None,
                Cell::Text(text) => Value::from(text.as_str()),
                Cell::Number(number) => {
                    serde_json::from_str(number).unwrap_or_else(|_| number.as_str().into())
                }
                Cell::List(entries) => entries.clone().into(),
                Cell::IocType => csv::type_name(record, ioc).into(),
                Cell::IocValue if ioc.value.is_empty() => return None,
                Cell::IocValue => ioc.value.as_str().into(),
            };
            Some((column.name().to_owned(), value))
        });
        Ordered(members.collect())
    }
}

/// An object whose members keep their order.
struct Ordered(Vec<(String, Value)>);

impl std::fmt::Display for Ordered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("{")?;
        for (index, (name, value)) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{}:{value}", Value::from(name.as_str()))?;
        }
        f.write_str("}")
    }
}

/// A line of NDJSON. What some readers end a line at is escaped; in JSON it stands in texts alone,
/// where it may be (RFC 8259, section 7).
fn json_line(json: &str, out: &mut Vec<u8>) {
    if json.contains(breaks_lines) {
        for c in json.chars() {
            if breaks_lines(c) {
                out.extend(format!("\\u{:04x}", u32::from(c)).into_bytes());
            } else {
                out.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    } else {
        out.extend(json.as_bytes());
    }
    out.push(b'\n');
}

fn value(ioc: &Ioc, out: &mut Vec<u8>) -> bool {
    if ioc.kind.is_some() {
        out.extend(one_line(&ioc.value).as_bytes());
        out.push(b'\n');
    }
    ioc.kind.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order() {
        let members = vec![("b".to_owned(), 1.into()), ("a\"".to_owned(), Value::Null)];
        assert_eq!(Ordered(members).to_string(), r#"{"b":1,"a\"":null}"#);
        assert_eq!(Ordered(Vec::new()).to_string(), "{}");
    }

    #[test]
    fn a_line_of_json_is_one_whatever_ends_a_line_elsewhere() {
        let text = "a\u{85}b\u{2028}c\u{2029}d\u{7f}e\r\n\u{b}\t\"\\\u{1F980}";
        let mut out = Vec::new();
        json_line(&Value::from(text).to_string(), &mut out);
        let line = String::from_utf8(out).unwrap();
        assert!(!line.trim_end_matches('\n').contains(breaks_lines), "{line:?}");
        assert!(line.contains("a\\u0085b\\u2028c\\u2029d"), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), text);
    }
}
