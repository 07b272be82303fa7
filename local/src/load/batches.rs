//! From a file to requests, read as a stream.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use shared::ioc::{CsvRecords, IocError, IocLines, IocRecord, Numbered};
use shared::stix::splitter::{Piece, SplitError, SplitLimits, Splitter};
use thiserror::Error;
use tokio::sync::mpsc::Sender;

use super::Progress;
use super::batch::{Batch, Cargo, Record};
use super::format::{Format, HEAD_BYTES};
use super::report::{Place, Rejection};
use super::source;

const CHUNK: usize = 128 * 1024;
/// Well over what the service keeps, so that it is the service that says what is too large.
const MAX_OBJECT: usize = 1024 * 1024;

/// Why a file cannot be read to its end.
#[derive(Debug, Error)]
pub enum LoadFileError {
    /// The file, or what it is compressed with, cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It holds nothing that can be loaded.
    #[error(
        "is neither STIX (a bundle, an envelope, an array, or an object a line) nor IOCs (an \
         object a line, an array, or CSV with a header that names type and value)"
    )]
    Unknown,
    /// The JSON around the objects is wrong.
    #[error("{0}")]
    Split(#[from] SplitError),
    /// The CSV or the array as a whole cannot be used.
    #[error("line {line}: {error}")]
    Iocs {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        error: IocError,
    },
}

/// What comes out of a file.
#[derive(Debug)]
pub(super) enum Found {
    /// Something to send.
    Batch(Batch),
    /// Something that cannot be sent.
    Rejected(Rejection),
}

/// Reads a file to its end, or until nobody takes what comes out.
pub(super) fn read(
    file: &Path,
    progress: &Arc<Progress>,
    queue: &Sender<Found>,
) -> Result<(), LoadFileError> {
    let (head, rest) = source::peek(source::open(file, progress)?, HEAD_BYTES)?;
    let format = Format::of(file, &head).ok_or(LoadFileError::Unknown)?;
    let text = source::chain(head, rest);
    let cargo = match format {
        Format::Stix | Format::StixLines => Cargo::Stix,
        _ => Cargo::Iocs,
    };
    let mut out = Out { queue, batch: Batch::new(cargo), open: true };
    match format {
        Format::Empty => {}
        Format::Stix | Format::IocArray => elements(text, cargo, &mut out)?,
        Format::StixLines => stix_lines(text, &mut out)?,
        Format::IocLines => {
            let mut lines = IocLines::new();
            chunks(text, &mut out, |chunk, out| out.iocs(lines.push(chunk)))?;
            out.iocs(lines.finish())?;
        }
        Format::IocCsv => {
            let mut rows = CsvRecords::new();
            chunks(text, &mut out, |chunk, out| out.iocs(rows.push(chunk)))?;
            out.iocs(rows.finish())?;
        }
    }
    out.flush();
    Ok(())
}

fn chunks<'a>(
    mut text: impl Read,
    out: &mut Out<'a>,
    mut take: impl FnMut(&[u8], &mut Out<'a>) -> Result<(), LoadFileError>,
) -> Result<(), LoadFileError> {
    let mut chunk = vec![0; CHUNK];
    while out.open {
        let length = match text.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        take(chunk.get(..length).unwrap_or_default(), out)?;
    }
    Ok(())
}

fn elements(text: impl Read, cargo: Cargo, out: &mut Out<'_>) -> Result<(), LoadFileError> {
    let mut splitter = Splitter::new(SplitLimits { max_element_bytes: MAX_OBJECT });
    chunks(text, out, |chunk, out| {
        let mut pieces = Vec::new();
        let split = splitter.push(chunk, &mut pieces);
        for piece in pieces {
            match (piece, cargo) {
                (Piece::Object { index, raw }, Cargo::Stix) => out.stix(Place::Index(index), raw),
                (Piece::Object { index, raw }, Cargo::Iocs) => {
                    let record = IocRecord::from_json(&String::from_utf8_lossy(&raw));
                    out.ioc(Place::Index(index), record);
                }
                (Piece::TooLarge { index, bytes, id }, _) => {
                    out.too_large(Place::Index(index), id, bytes);
                }
            }
        }
        Ok(split?)
    })?;
    // Cut short because nobody listens any more, the text has not ended.
    if out.open {
        splitter.finish()?;
    }
    Ok(())
}

fn stix_lines(text: impl Read, out: &mut Out<'_>) -> Result<(), LoadFileError> {
    let mut text = BufReader::with_capacity(CHUNK, text);
    let mut number = 0;
    while out.open {
        let mut line = Vec::new();
        let limit = MAX_OBJECT as u64 + 1;
        if text.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        number += 1;
        let mut length = line.len() as u64;
        if length == limit && !line.ends_with(b"\n") {
            length += skip_line(&mut text)?;
            out.too_large(Place::Line(number), None, length);
            continue;
        }
        let object = line.trim_ascii();
        if !object.is_empty() {
            out.stix(Place::Line(number), object.to_vec());
        }
    }
    Ok(())
}

fn skip_line(text: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = text.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |end| end + 1);
        text.consume(length);
        skipped += length as u64;
        if end.is_some() || length == 0 {
            return Ok(skipped);
        }
    }
}

/// Gathers records into batches and hands them on.
struct Out<'a> {
    queue: &'a Sender<Found>,
    batch: Batch,
    /// Whether somebody still takes what comes out.
    open: bool,
}

impl Out<'_> {
    /// An element of a STIX file. One that is no JSON would spoil the request it goes in.
    fn stix(&mut self, place: Place, json: Vec<u8>) {
        #[derive(Deserialize)]
        struct Named {
            id: Option<serde_json::Value>,
        }
        match serde_json::from_slice::<Named>(&json) {
            Ok(named) => {
                let id = named.id.and_then(|id| id.as_str().map(str::to_owned));
                self.push(Record { place, id, json });
            }
            Err(error) => {
                let reason = format!("not usable JSON: {error}");
                self.reject(Rejection::here(place, None, "invalid_json", reason));
            }
        }
    }

    fn iocs(&mut self, found: impl IntoIterator<Item = Numbered>) -> Result<(), LoadFileError> {
        for (line, record) in found {
            match record {
                Err(error) if error.ends_body() => {
                    return Err(LoadFileError::Iocs { line, error });
                }
                record => self.ioc(Place::Line(line), record),
            }
        }
        Ok(())
    }

    fn ioc(&mut self, place: Place, record: Result<IocRecord, IocError>) {
        match record {
            Ok(record) => {
                let json = wire(&record).to_string().into_bytes();
                self.push(Record { place, id: None, json });
            }
            Err(error) => {
                self.reject(Rejection::here(place, None, "invalid_ioc", error.to_string()));
            }
        }
    }

    fn too_large(&mut self, place: Place, id: Option<String>, bytes: u64) {
        let reason = format!("the object has {bytes} bytes, at most 380 KB are kept");
        self.reject(Rejection::here(place, id, "object_too_large", reason));
    }

    fn push(&mut self, record: Record) {
        if !self.batch.fits(record.json.len()) {
            self.flush();
        }
        self.batch.push(record);
    }

    fn reject(&mut self, rejection: Rejection) {
        self.hand_on(Found::Rejected(rejection));
    }

    fn flush(&mut self) {
        let next = Batch::new(self.batch.cargo);
        let batch = std::mem::replace(&mut self.batch, next);
        if !batch.records.is_empty() {
            self.hand_on(Found::Batch(batch));
        }
    }

    fn hand_on(&mut self, read: Found) {
        self.open = self.open && self.queue.blocking_send(read).is_ok();
    }
}

/// An IOC as the service takes it.
fn wire(record: &IocRecord) -> serde_json::Value {
    let mut object = json!({ "type": record.kind, "value": record.value });
    let texts = [
        ("confidence", &record.confidence),
        ("first_seen", &record.first_seen),
        ("last_seen", &record.last_seen),
        ("valid_until", &record.valid_until),
        ("source", &record.source),
        ("description", &record.description),
        ("tlp", &record.tlp),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            object[name] = json!(text);
        }
    }
    for (name, list) in [("tags", &record.tags), ("mitre", &record.mitre)] {
        if !list.is_empty() {
            object[name] = json!(list);
        }
    }
    if let Some(revoked) = record.revoked {
        object["revoked"] = json!(revoked);
    }
    object
}

#[cfg(test)]
mod tests;
