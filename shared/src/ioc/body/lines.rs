//! Newline-delimited JSON, pushed in pieces of any size.

use super::{BOM, MAX_RECORD_BYTES, Numbered};
use crate::ioc::error::IocError;
use crate::ioc::record::IocRecord;

/// Reads newline-delimited JSON as it arrives. Holds at most one line of
/// [`MAX_RECORD_BYTES`]; a longer one is refused and passed over.
#[derive(Debug, Default)]
pub struct IocLines {
    /// The line that is not complete yet.
    partial: Vec<u8>,
    /// Whether that line is already too long to be kept.
    overlong: bool,
    /// Lines completed so far.
    lines: usize,
}

impl IocLines {
    /// A reader at the beginning of a body.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece of the body and gives the IOCs it completes.
    pub fn push(&mut self, piece: &[u8]) -> Vec<Numbered> {
        let mut found = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            let (line, ends) = part.strip_suffix(b"\n").map_or((part, false), |line| (line, true));
            self.keep(line);
            if ends {
                found.extend(self.complete());
            }
        }
        found
    }

    /// Gives the last IOC, if the body does not end in a line break.
    #[must_use]
    pub fn finish(mut self) -> Option<Numbered> {
        self.complete()
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.partial.len()
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.overlong || self.partial.len() + bytes.len() > MAX_RECORD_BYTES {
            self.overlong = true;
            self.partial.clear();
        } else {
            self.partial.extend_from_slice(bytes);
        }
    }

    fn complete(&mut self) -> Option<Numbered> {
        self.lines += 1;
        let number = self.lines;
        if std::mem::take(&mut self.overlong) {
            return Some((number, Err(IocError::RecordTooLong { limit: MAX_RECORD_BYTES })));
        }
        let line = self.partial.strip_prefix(BOM).filter(|_| number == 1).unwrap_or(&self.partial);
        let read = match str::from_utf8(line) {
            Ok(text) if text.trim().is_empty() => None,
            Ok(text) => Some((number, IocRecord::from_json(text))),
            Err(_) => Some((number, Err(IocError::NotUtf8))),
        };
        self.partial.clear();
        read
    }
}
