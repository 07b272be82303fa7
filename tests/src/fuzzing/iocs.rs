//! Bodies that hold plain IOCs: a line each, a JSON array, or CSV.

use shared::ioc::{
    CsvRecords, Ioc, IocError, IocLines, IocRecord, Numbered, csv, json_array, ndjson,
};

use super::{chunks, indicator};

/// How many IOCs of one input, neighbours, are made into indicators; which ones the input decides.
const INDICATORS: usize = 8;

/// A body is told apart into the same IOCs however it arrives; one that is right makes an
/// indicator that names it.
pub fn iocs(data: &[u8]) {
    let lines = ndjson(data);
    let rows = csv(data);
    let items = json_array(data);
    for most in [1, 64] {
        assert_eq!(in_lines(data, most), lines, "NDJSON in pieces of up to {most}");
        assert_eq!(in_rows(data, most), rows, "CSV in pieces of up to {most}");
    }
    let mut found: Vec<Numbered> = Vec::new();
    for body in [lines, rows, items.unwrap_or_else(|error| vec![(1, Err(error))])] {
        numbered(data, &body);
        found.extend(body);
    }
    let mut checked: Vec<Ioc> = found.into_iter().filter_map(|(_, item)| check(item)).collect();
    let first = data.len() % checked.len().max(1);
    checked.rotate_left(first);
    checked.truncate(INDICATORS);
    for ioc in &checked {
        indicator::made(ioc);
    }
    for pair in checked.windows(2) {
        indicator::merged(&pair[0], &pair[1]);
    }
}

fn in_lines(data: &[u8], most: usize) -> Vec<Numbered> {
    let mut reader = IocLines::new();
    let mut found: Vec<_> = chunks::of(data, most).flat_map(|piece| reader.push(piece)).collect();
    found.extend(reader.finish());
    found
}

fn in_rows(data: &[u8], most: usize) -> Vec<Numbered> {
    let mut reader = CsvRecords::new();
    let mut found: Vec<_> = chunks::of(data, most).flat_map(|piece| reader.push(piece)).collect();
    found.extend(reader.finish());
    found
}

/// Numbers rise from 1 and name lines, or items, that the body has.
fn numbered(data: &[u8], found: &[Numbered]) {
    assert!(found.is_sorted_by(|(one, _), (next, _)| one < next), "two IOCs in one place");
    assert!(found.first().is_none_or(|(first, _)| *first >= 1));
    assert!(found.last().is_none_or(|(last, _)| *last <= data.len() + 1), "a place after the end");
    let ends = |(_, item): &Numbered| item.as_ref().is_err_and(IocError::ends_body);
    let over = found.iter().position(ends);
    assert!(over.is_none_or(|over| over + 1 == found.len()), "more after the end");
}

fn check(item: Result<IocRecord, IocError>) -> Option<Ioc> {
    match item.and_then(IocRecord::check) {
        Ok(ioc) => Some(ioc),
        Err(error) => {
            super::check_message(&error.to_string());
            None
        }
    }
}
