//! From chunks of a file's text to candidates, each with its place in the file.

use shared::ingestion::Candidate;
use shared::ioc::{CsvRecords, IocLines, IocRecord, Numbered};
use shared::stix::MAX_OBJECT_BYTES;
use shared::stix::splitter::{Piece, SplitLimits, Splitter};

use crate::format::{Format, Text};

/// A reader of one file's text.
pub enum Elements {
    /// JSON.
    Json(Option<Splitter>),
    /// NDJSON.
    Lines(Option<IocLines>),
    /// CSV.
    Records(Option<CsvRecords>),
}

impl Elements {
    /// A reader for this format.
    #[must_use]
    pub fn new(format: Format) -> Self {
        // White space within an object does not count against its size, up to a point.
        let limits = SplitLimits { max_element_bytes: 4 * MAX_OBJECT_BYTES };
        match format.text {
            Text::Json => Self::Json(Some(Splitter::new(limits))),
            Text::Ndjson => Self::Lines(Some(IocLines::new())),
            Text::Csv => Self::Records(Some(CsvRecords::new())),
        }
    }

    /// Takes a chunk; adds what it completes. Places are objects' indexes from 0, or lines from 1.
    ///
    /// # Errors
    /// When the text cannot be told apart from here on; what was added by then stands.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<(usize, Candidate)>) -> Result<(), String> {
        match self {
            Self::Json(Some(splitter)) => {
                let mut pieces = Vec::new();
                let pushed = splitter.push(chunk, &mut pieces);
                out.extend(pieces.into_iter().map(piece));
                pushed.map_err(|fault| fault.to_string())?;
            }
            Self::Lines(Some(lines)) => out.extend(lines.push(chunk).into_iter().map(ioc)),
            Self::Records(Some(records)) => out.extend(records.push(chunk).into_iter().map(ioc)),
            Self::Json(None) | Self::Lines(None) | Self::Records(None) => {}
        }
        Ok(())
    }

    /// The text is at its end.
    ///
    /// # Errors
    /// When it ended too early, or held no objects.
    pub fn finish(&mut self, out: &mut Vec<(usize, Candidate)>) -> Result<(), String> {
        match self {
            Self::Json(splitter) => {
                if let Some(splitter) = splitter.take() {
                    let summary = splitter.finish().map_err(|fault| fault.to_string())?;
                    if !summary.objects_seen {
                        return Err("the file holds no `objects`: drop a bundle, a TAXII envelope or an array".into());
                    }
                }
            }
            Self::Lines(lines) => {
                out.extend(lines.take().and_then(IocLines::finish).map(ioc));
            }
            Self::Records(records) => {
                let rest = records.take().map(CsvRecords::finish).unwrap_or_default();
                out.extend(rest.into_iter().map(ioc));
            }
        }
        Ok(())
    }
}

fn ioc((line, record): Numbered) -> (usize, Candidate) {
    (line, Candidate::of_ioc(record))
}

fn piece(piece: Piece) -> (usize, Candidate) {
    match piece {
        Piece::Object { index, raw } => (index, object_or_ioc(&raw)),
        Piece::TooLarge { index, bytes, id } => (index, Candidate::too_large(id, bytes)),
    }
}

/// An array may hold plain IOCs: what has a `value` and no `id` is one.
fn object_or_ioc(raw: &[u8]) -> Candidate {
    #[derive(serde::Deserialize)]
    struct Members<'a> {
        #[serde(borrow)]
        id: Option<&'a serde_json::value::RawValue>,
        #[serde(borrow)]
        value: Option<&'a serde_json::value::RawValue>,
    }
    let plain = serde_json::from_slice::<Members<'_>>(raw)
        .is_ok_and(|members| members.id.is_none() && members.value.is_some());
    match std::str::from_utf8(raw) {
        Ok(text) if plain => Candidate::of_ioc(IocRecord::from_json(text)),
        _ => Candidate::read(raw),
    }
}
