//! CSV with a header row, pushed in pieces of any size.

use super::Numbered;
use super::rows::{Row, Rows};
use crate::ioc::error::IocError;
use crate::ioc::header::CsvHeader;

/// Reads CSV (RFC 4180, cells separated by commas, quoted cells may hold line breaks) as it
/// arrives. The first row is the header ([`CsvHeader`]); without a usable one that error, for
/// which [`IocError::ends_body`] holds, is all there is. Blank rows and lines that begin with `#`
/// are skipped. Holds at most one record of `MAX_RECORD_BYTES`.
#[derive(Debug, Default)]
pub struct CsvRecords {
    rows: Rows,
    header: Option<CsvHeader>,
    over: bool,
}

impl CsvRecords {
    /// A reader at the beginning of a body.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece of the body and gives the IOCs it completes.
    pub fn push(&mut self, piece: &[u8]) -> Vec<Numbered> {
        if self.over {
            return Vec::new();
        }
        let rows = self.rows.push(piece);
        self.records(rows)
    }

    /// Gives what is left. An empty body has no header, which is an error.
    #[must_use]
    pub fn finish(mut self) -> Vec<Numbered> {
        if self.over {
            return Vec::new();
        }
        let rows = std::mem::take(&mut self.rows).finish();
        let mut found = self.records(rows);
        if self.header.is_none() && !self.over {
            found.push((1, Err(IocError::Header("the body is empty".into()))));
        }
        found
    }

    fn records(&mut self, rows: Vec<Row>) -> Vec<Numbered> {
        let mut found = Vec::with_capacity(rows.len());
        for (line, row) in rows {
            match (&self.header, row) {
                (Some(header), Ok(cells)) => found.push((line, header.record(cells))),
                (Some(_), Err(error)) => found.push((line, Err(error))),
                (None, row) => match row.and_then(|cells| CsvHeader::from_cells(&cells)) {
                    Ok(header) => self.header = Some(header),
                    Err(error) => {
                        self.over = true;
                        found.push((line, Err(as_header(error))));
                        return found;
                    }
                },
            }
        }
        found
    }
}

/// Whatever is wrong with the first row, there is no header.
fn as_header(error: IocError) -> IocError {
    if error.ends_body() { error } else { IocError::Header(error.to_string()) }
}
