//! Bodies of many IOCs: a bad one is reported by its number, its neighbours are read all the same.

mod csv_records;
mod json_array;
mod lines;
mod rows;

pub use csv_records::CsvRecords;
pub use json_array::json_array;
pub use lines::IocLines;

use super::error::IocError;
use super::record::IocRecord;

/// The most bytes one IOC may take in a body read as a stream: a line, or a CSV record.
pub const MAX_RECORD_BYTES: usize = 64 * 1024;

/// One IOC of a body, or why it cannot be read, with the number of the line (from 1) it begins
/// in; in a JSON array the number of the item.
pub type Numbered = (usize, Result<IocRecord, IocError>);

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Reads newline-delimited JSON, one object a line; blank lines are skipped.
#[must_use]
pub fn ndjson(body: &[u8]) -> Vec<Numbered> {
    let mut reader = IocLines::new();
    let mut found = reader.push(body);
    found.extend(reader.finish());
    found
}

/// Reads CSV (RFC 4180) under a header row; see [`CsvRecords`].
#[must_use]
pub fn csv(body: &[u8]) -> Vec<Numbered> {
    let mut reader = CsvRecords::new();
    let mut found = reader.push(body);
    found.extend(reader.finish());
    found
}

#[cfg(test)]
mod tests;
