//! CSV rows (RFC 4180), pushed in pieces of any size.

use super::{BOM, MAX_RECORD_BYTES};
use crate::ioc::error::IocError;

/// A row's cells, or why it cannot be read, with the line it begins in.
pub(super) type Row = (usize, Result<Vec<String>, IocError>);

/// Finds rows in a body that arrives in pieces. Holds at most one row of [`MAX_RECORD_BYTES`].
///
/// A quoted cell that is still open after that many bytes, or at the end, was opened by mistake:
/// its line alone is refused, and what was taken for the cell is read again as one row a line,
/// so that no byte is read more than twice.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// The bytes of the row that is not complete yet.
    raw: Vec<u8>,
    /// Where in a cell those bytes end.
    place: Place,
    /// Whether the row is a line already too long to be kept.
    overlong: bool,
    /// Lines before the row.
    before: usize,
    /// Line breaks in the row's quoted cells.
    inside: usize,
}

/// Where in a row the next byte stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the beginning of a cell.
    #[default]
    Start,
    /// In a cell without quotes, or behind the closing quote.
    Bare,
    /// Inside quotes.
    Quoted,
    /// Behind a quote inside quotes: it closes the cell, or stands for itself if another follows.
    Closing,
}

impl Place {
    const fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Quoted, b'"') => Self::Closing,
            (Self::Quoted, _) | (Self::Start | Self::Closing, b'"') => Self::Quoted,
            (_, b',') => Self::Start,
            _ => Self::Bare,
        }
    }
}

impl Rows {
    /// Takes the next piece and gives the rows it completes.
    pub(super) fn push(&mut self, piece: &[u8]) -> Vec<Row> {
        let mut found = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.take(part, &mut found);
        }
        found
    }

    /// Gives what is left.
    pub(super) fn finish(mut self) -> Vec<Row> {
        let mut found = Vec::new();
        if self.place == Place::Quoted {
            self.read_again(&mut found);
        }
        if self.place == Place::Quoted {
            found.push((self.before + 1, Err(IocError::UnclosedQuote)));
        } else {
            self.complete(&mut found);
        }
        found
    }

    /// Takes bytes of which only the last may be a line break. They go in by as many as still
    /// fit, so that what is found does not depend on how the body was cut.
    fn take(&mut self, part: &[u8], found: &mut Vec<Row>) {
        let mut rest = part;
        while !rest.is_empty() {
            let room =
                if self.overlong { rest.len() } else { MAX_RECORD_BYTES + 1 - self.raw.len() };
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.add(now, found);
            rest = later;
        }
    }

    fn add(&mut self, bytes: &[u8], found: &mut Vec<Row>) {
        let ends = bytes.ends_with(b"\n");
        if !self.overlong {
            self.raw.extend_from_slice(bytes);
            if !is_comment(&self.raw, self.before) {
                self.place = place_after(self.place, bytes);
            }
        }
        if ends && self.place != Place::Quoted {
            self.complete(found);
        } else if self.raw.len() > MAX_RECORD_BYTES {
            if self.raw.contains(&b'\n') {
                self.read_again(found);
            } else {
                self.overlong = true;
                self.raw.clear();
                self.place = Place::Bare;
            }
        } else if ends {
            self.inside += 1;
        }
    }

    /// The row is complete.
    fn complete(&mut self, found: &mut Vec<Row>) {
        let raw = std::mem::take(&mut self.raw);
        if self.overlong || raw.len() > MAX_RECORD_BYTES {
            let error = IocError::RecordTooLong { limit: MAX_RECORD_BYTES };
            found.push((self.before + 1, Err(error)));
        } else if !is_comment(&raw, self.before) {
            found.extend(row(self.before + 1, without_bom(&raw, self.before)));
        }
        self.before += 1 + self.inside;
        (self.inside, self.overlong, self.place) = (0, false, Place::Start);
    }

    /// Refuses the row's first line and reads the others as one row each; a last one without a
    /// line break is begun anew.
    fn read_again(&mut self, found: &mut Vec<Row>) {
        let raw = std::mem::take(&mut self.raw);
        (self.inside, self.place) = (0, Place::Start);
        for (at, line) in raw.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let open =
                !is_comment(line, self.before) && place_after(Place::Start, line) == Place::Quoted;
            if at == 0 || (open && line.ends_with(b"\n")) {
                self.before += 1;
                found.push((self.before, Err(IocError::UnclosedQuote)));
            } else {
                self.take(line, found);
            }
        }
    }
}

fn place_after(place: Place, bytes: &[u8]) -> Place {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    line.iter().fold(place, |place, byte| place.after(*byte))
}

fn is_comment(raw: &[u8], before: usize) -> bool {
    without_bom(raw, before).starts_with(b"#")
}

/// `raw` without the byte order mark that may begin the first line.
fn without_bom(raw: &[u8], before: usize) -> &[u8] {
    raw.strip_prefix(BOM).filter(|_| before == 0).unwrap_or(raw)
}

/// The cells of a complete row; none if it is blank.
fn row(line: usize, raw: &[u8]) -> Option<Row> {
    let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
    let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
    let Ok(text) = str::from_utf8(raw) else { return Some((line, Err(IocError::NotUtf8))) };
    let cells = cells(text);
    let blank = cells.iter().all(|cell| cell.trim().is_empty());
    (!blank).then_some((line, Ok(cells)))
}

fn cells(text: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut place = Place::Start;
    for c in text.chars() {
        // Only the ASCII characters quote and comma matter to the place.
        let next = place.after(u8::try_from(c).unwrap_or(b'x'));
        match (place, next) {
            (Place::Start | Place::Bare | Place::Closing, Place::Start) => {
                cells.push(std::mem::take(&mut cell));
            }
            (Place::Start, Place::Quoted) | (Place::Quoted, Place::Closing) => {}
            _ => cell.push(c),
        }
        place = next;
    }
    cells.push(cell);
    cells
}
