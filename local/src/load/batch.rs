//! What goes to the service in one request.

use super::report::Place;

/// The body of a request is kept about this long.
const TARGET_BYTES: usize = 1024 * 1024;
/// Far fewer than the service takes at once: an answer must come before the gateway's patience ends,
/// for what is sent again is reported as unchanged.
const MAX_RECORDS: usize = 150;

/// What a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cargo {
    /// STIX objects, in an envelope.
    Stix,
    /// Plain IOCs, one a line.
    Iocs,
}

/// One object or IOC.
#[derive(Debug)]
pub(super) struct Record {
    /// Where it stood in the file.
    pub(super) place: Place,
    /// Its id; two of one id must not overtake each other.
    pub(super) id: Option<String>,
    /// Its JSON, on one line if it is an IOC.
    pub(super) json: Vec<u8>,
}

/// Records for one request.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) cargo: Cargo,
    pub(super) records: Vec<Record>,
    bytes: usize,
}

impl Batch {
    pub(super) const fn new(cargo: Cargo) -> Self {
        Self { cargo, records: Vec::new(), bytes: 0 }
    }

    /// Whether one more record of this length still fits; an empty batch takes any.
    pub(super) fn fits(&self, length: usize) -> bool {
        self.records.is_empty()
            || (self.records.len() < MAX_RECORDS && self.bytes + length < TARGET_BYTES)
    }

    pub(super) fn push(&mut self, record: Record) {
        self.bytes += record.json.len() + 1;
        self.records.push(record);
    }

    /// The request's path, content type and body.
    pub(super) fn request(&self) -> (&'static str, &'static str, Vec<u8>) {
        let (open, between, close) = match self.cargo {
            Cargo::Stix => (&b"{\"objects\":["[..], b',', &b"]}"[..]),
            Cargo::Iocs => (&b""[..], b'\n', &b"\n"[..]),
        };
        let mut body = Vec::with_capacity(self.bytes + open.len() + close.len());
        body.extend_from_slice(open);
        for (at, record) in self.records.iter().enumerate() {
            if at > 0 {
                body.push(between);
            }
            body.extend_from_slice(&record.json);
        }
        body.extend_from_slice(close);
        match self.cargo {
            Cargo::Stix => ("/api/v1/objects", "application/json", body),
            Cargo::Iocs => ("/api/v1/iocs", "application/x-ndjson", body),
        }
    }

    /// Two halves, if there are two records to part.
    pub(super) fn halve(mut self) -> Result<(Self, Self), Self> {
        if self.records.len() < 2 {
            return Err(self);
        }
        let mut halves = (Self::new(self.cargo), Self::new(self.cargo));
        let second = self.records.split_off(self.records.len() / 2);
        for record in self.records {
            halves.0.push(record);
        }
        for record in second {
            halves.1.push(record);
        }
        Ok(halves)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(cargo: Cargo, records: &[&str]) -> Batch {
        let mut batch = Batch::new(cargo);
        for (at, json) in records.iter().enumerate() {
            let json = json.as_bytes().to_vec();
            batch.push(Record { place: Place::Index(at), id: None, json });
        }
        batch
    }

    #[test]
    fn bodies_are_envelopes_or_lines() {
        let body = |batch: &Batch| String::from_utf8(batch.request().2).unwrap();
        assert_eq!(body(&batch(Cargo::Stix, &["{}", "1"])), r#"{"objects":[{},1]}"#);
        assert_eq!(body(&batch(Cargo::Iocs, &["{}", "{}"])), "{}\n{}\n");
    }

    #[test]
    fn a_batch_is_bounded_and_can_be_halved() {
        let mut full = batch(Cargo::Iocs, &["{}"; MAX_RECORDS]);
        assert!(!full.fits(1));
        let (first, second) = full.halve().unwrap();
        assert_eq!((first.records.len(), second.records.len()), (75, 75));
        assert!(first.fits(1) && !first.fits(TARGET_BYTES));
        full = batch(Cargo::Stix, &["{}"]);
        assert!(full.halve().is_err());
        assert!(Batch::new(Cargo::Stix).fits(usize::MAX / 2));
    }
}
