//! CSV rows as IOCs, by the names in the header row.

use super::error::{IocError, shown};
use super::record::{IocRecord, split, truth};

/// The columns an IOC can have.
const COLUMNS: [&str; 12] = [
    "type",
    "value",
    "confidence",
    "tags",
    "mitre",
    "first_seen",
    "last_seen",
    "valid_until",
    "source",
    "description",
    "tlp",
    "revoked",
];

/// The header row of a CSV body: which column holds which member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvHeader {
    /// The member of each column, where it is one of ours.
    columns: Vec<Option<&'static str>>,
}

impl CsvHeader {
    /// Reads the header row. Names are taken in any letter case; columns of other names are
    /// ignored.
    ///
    /// # Errors
    /// [`IocError::Header`] when `type` or `value` is not among them, or a member has two columns.
    pub fn from_cells(cells: &[String]) -> Result<Self, IocError> {
        let columns: Vec<_> = cells
            .iter()
            .map(|cell| COLUMNS.into_iter().find(|name| cell.trim().eq_ignore_ascii_case(name)))
            .collect();
        let times = |name| columns.iter().filter(|column| **column == Some(name)).count();
        let found = || shown(&cells.join(","));
        if times("type") == 0 || times("value") == 0 {
            return Err(IocError::Header(found()));
        }
        if COLUMNS.into_iter().any(|name| times(name) > 1) {
            return Err(IocError::Header(found()));
        }
        Ok(Self { columns })
    }

    /// Reads a row. Blank cells and cells missing at the end are absent; the entries of `tags`
    /// and `mitre` are separated by `;`, `,` or `|`.
    ///
    /// # Errors
    /// When `type` or `value` is absent, `revoked` is no truth value, or text stands beyond the
    /// last column.
    pub fn record(&self, cells: Vec<String>) -> Result<IocRecord, IocError> {
        let count = cells.len();
        let blank = |cell: &String| cell.trim().is_empty();
        if cells.iter().skip(self.columns.len()).any(|cell| !blank(cell)) {
            return Err(IocError::ExtraCells { cells: count, columns: self.columns.len() });
        }
        let mut record = IocRecord::default();
        for (column, cell) in self.columns.iter().zip(cells) {
            let Some(member) = column else { continue };
            if blank(&cell) {
                continue;
            }
            match *member {
                "type" => record.kind = cell,
                "value" => record.value = cell,
                "confidence" => record.confidence = Some(cell),
                "tags" => record.tags = split(&cell, &[';', ',', '|']),
                "mitre" => record.mitre = split(&cell, &[';', ',', '|']),
                "first_seen" => record.first_seen = Some(cell),
                "last_seen" => record.last_seen = Some(cell),
                "valid_until" => record.valid_until = Some(cell),
                "source" => record.source = Some(cell),
                "description" => record.description = Some(cell),
                "tlp" => record.tlp = Some(cell),
                _ => record.revoked = Some(truth(&cell)?),
            }
        }
        if record.kind.is_empty() {
            return Err(IocError::Missing("type"));
        }
        if record.value.is_empty() {
            return Err(IocError::Missing("value"));
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(row: &str) -> Vec<String> {
        row.split(',').map(Into::into).collect()
    }

    #[test]
    fn rows_are_read_by_header() {
        let header = CsvHeader::from_cells(&cells(" Value,TYPE,other,Tags,revoked")).unwrap();
        let record = header.record(cells("192.0.2.1,ipv4,x,a;b|c,no")).unwrap();
        assert_eq!(record.tags, ["a", "b", "c"]);
        assert_eq!((record.kind.as_str(), record.revoked), ("ipv4", Some(false)));
        assert!(header.record(cells("192.0.2.1,ipv4")).is_ok());
        assert!(header.record(cells("192.0.2.1,ipv4,,,,,")).is_ok());
        assert_eq!(header.record(cells(",ipv4")), Err(IocError::Missing("value")));
        let extra = IocError::ExtraCells { cells: 6, columns: 5 };
        assert_eq!(header.record(cells("192.0.2.1,ipv4,,,,x")), Err(extra));
    }

    #[test]
    fn a_header_names_type_and_value_once() {
        for bad in ["", "type", "192.0.2.1,ipv4", "type,value,Type"] {
            assert!(CsvHeader::from_cells(&cells(bad)).unwrap_err().ends_body(), "{bad}");
        }
    }
}
