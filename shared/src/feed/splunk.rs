//! The local intelligence files of Splunk Enterprise Security.

use std::borrow::Cow;

use super::clean::guarded;
use super::file::SplunkKind;
use super::record::{Facts, Ioc, Record};

/// The weight Splunk gives to what has none.
const WEIGHT: u8 = 60;

/// The columns of a kind.
pub(super) const fn columns(kind: SplunkKind) -> &'static [&'static str] {
    match kind {
        SplunkKind::Ip => &["description", "ip", "weight"],
        SplunkKind::Domain => &["description", "domain", "weight"],
        SplunkKind::Http => &["description", "http_referrer", "http_user_agent", "url", "weight"],
        SplunkKind::File => &["description", "file_hash", "file_name", "weight"],
        SplunkKind::Email => &["description", "src_user", "subject", "weight"],
    }
}

/// Writes a row of a record if it belongs to this kind; says whether.
pub(super) fn row(
    kind: SplunkKind,
    guard: bool,
    record: &Record,
    ioc: &Ioc,
    out: &mut Vec<u8>,
) -> bool {
    let Some(facts) = &record.facts else { return false };
    if ioc.kind.and_then(SplunkKind::of) != Some(kind) {
        return false;
    }
    let fields = columns(kind).iter().map(|column| match *column {
        "description" => description(facts, guard),
        "weight" => facts.confidence.unwrap_or(WEIGHT).max(1).to_string().into(),
        "ip" | "domain" | "url" | "file_hash" | "src_user" => Cow::from(&ioc.value),
        _ => "".into(),
    });
    super::csv::fields(fields, out);
    true
}

fn description(facts: &Facts, guard: bool) -> Cow<'_, str> {
    let text = if facts.description.is_empty() { &facts.name } else { &facts.description };
    if guard { guarded(text.into()) } else { text.into() }
}
