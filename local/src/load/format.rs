//! What a file holds, told by its content, and by its name where the content leaves it open.

use std::path::Path;

use serde_json::Value;
use shared::stix::splitter::{Piece, SplitLimits, Splitter};

/// How much of a file is looked at.
pub(super) const HEAD_BYTES: usize = 256 * 1024;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Nothing.
    Empty,
    /// A STIX bundle, an envelope, or an array of STIX objects.
    Stix,
    /// One STIX object a line.
    StixLines,
    /// A JSON array of plain IOCs.
    IocArray,
    /// One plain IOC a line, as JSON.
    IocLines,
    /// Plain IOCs as CSV with a header.
    IocCsv,
}

impl Format {
    /// The format of a file with this name that begins like this; none if it is nothing that can
    /// be loaded.
    pub(super) fn of(name: &Path, head: &[u8]) -> Option<Self> {
        let text = head.trim_ascii_start();
        match text.first() {
            None => Some(Self::Empty),
            Some(b'[') => Some(array(text)),
            Some(b'{') => Some(object(text, named(name, &["ndjson", "jsonl"]))),
            Some(_) if named(name, &["ndjson", "jsonl"]) => Some(Self::IocLines),
            Some(_) if named(name, &["csv"]) || has_header(text) => Some(Self::IocCsv),
            Some(_) => None,
        }
    }
}

/// Whether the name ends in one of these, before `.gz` and `.zst`.
fn named(name: &Path, endings: &[&str]) -> bool {
    let ends_in = |name: &Path, ending: &str| {
        name.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending))
    };
    let stem = name.with_extension("");
    let name = if ends_in(name, "gz") || ends_in(name, "zst") { &stem } else { name };
    endings.iter().any(|ending| ends_in(name, ending))
}

fn array(text: &[u8]) -> Format {
    let mut pieces = Vec::new();
    let mut splitter = Splitter::new(SplitLimits { max_element_bytes: HEAD_BYTES });
    // A fault later on is told when the file is read.
    let _ = splitter.push(text, &mut pieces);
    let first = pieces.first().and_then(|piece| match piece {
        Piece::Object { raw, .. } => serde_json::from_slice::<Value>(raw).ok(),
        Piece::TooLarge { .. } => None,
    });
    if first.is_some_and(|first| is_ioc(&first)) { Format::IocArray } else { Format::Stix }
}

fn object(text: &[u8], lines: bool) -> Format {
    let whole = |line: &[u8]| serde_json::from_slice::<Value>(line).ok();
    let first = text.split(|byte| *byte == b'\n').find_map(|line| match whole(line) {
        Some(value) => Some(Some(value)),
        // A first line that is no JSON may be a damaged one among good ones, or the beginning
        // of an object over many lines.
        None if lines => None,
        None => Some(None),
    });
    match first.flatten() {
        Some(value) if value.get("objects").is_some() => Format::Stix,
        Some(value) if value.get("type").and_then(Value::as_str) == Some("bundle") => Format::Stix,
        Some(value) if is_ioc(&value) => Format::IocLines,
        Some(value) if value.get("id").is_some() => Format::StixLines,
        _ if lines => Format::IocLines,
        _ => Format::Stix,
    }
}

fn is_ioc(value: &Value) -> bool {
    value.get("value").is_some() && value.get("id").is_none()
}

/// A first row, comments aside, that names the two columns an IOC cannot do without.
fn has_header(text: &[u8]) -> bool {
    let mut rows = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let Some(row) = rows.find(|row| !row.is_empty() && !row.starts_with(b"#")) else {
        return false;
    };
    let row = String::from_utf8_lossy(row).to_ascii_lowercase();
    let cells: Vec<_> = row.split(',').map(|cell| cell.trim().trim_matches('"')).collect();
    cells.contains(&"type") && cells.contains(&"value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_tells_and_the_name_helps() {
        let of = |name: &str, text: &str| Format::of(Path::new(name), text.as_bytes());
        for (name, text, format) in [
            ("a", " \n ", Some(Format::Empty)),
            ("a.json", r#"{"type":"bundle","objects":[]}"#, Some(Format::Stix)),
            ("a.json", "{\n \"type\": \"bundle\",", Some(Format::Stix)),
            ("a.json", r#"{"type":"bundle","objects":[{"#, Some(Format::Stix)),
            ("a", r#"{"more":false}"#, Some(Format::Stix)),
            ("a", "{\"type\":\"ipv4\",\"value\":\"192.0.2.1\"}\n{", Some(Format::IocLines)),
            ("a.ndjson.gz", "{bad\n{\"type\":\"x\",\"value\":\"y\"}", Some(Format::IocLines)),
            ("a.jsonl", "{\"type\":\"malware\",\"id\":\"x\"}\n", Some(Format::StixLines)),
            ("a.NDJSON", "bad", Some(Format::IocLines)),
            ("a", r#"[{"type":"ipv4","value":"192.0.2.1"}]"#, Some(Format::IocArray)),
            ("a", r#"[{"type":"ipv4-addr","id":"x","value":"192.0.2.1"}]"#, Some(Format::Stix)),
            ("a", "[]", Some(Format::Stix)),
            ("a", "# list\n\"Value\", Type\n", Some(Format::IocCsv)),
            ("a.csv.zst", "x,y\n", Some(Format::IocCsv)),
            ("a.txt", "192.0.2.1\n", None),
        ] {
            assert_eq!(of(name, text), format, "{name} {text}");
        }
    }
}
