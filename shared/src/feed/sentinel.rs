//! The CSV that Microsoft Sentinel imports: its template for all indicators but files.

use std::borrow::Cow;

use super::clean::guarded;
use super::record::{Facts, Ioc, Record};
use crate::stix::IocType;
use crate::time::Timestamp;
use crate::tlp::Tlp;

/// The columns, in the template's order.
pub(super) const COLUMNS: [&str; 12] = [
    "threatTypes",
    "tags",
    "name",
    "description",
    "confidence",
    "revoked",
    "validFrom",
    "validUntil",
    "tlpLevel",
    "severity",
    "observableType",
    "observableValue",
];

/// Writes a row of a record if Sentinel takes it; says whether.
pub(super) fn row(guard: bool, record: &Record, ioc: &Ioc, out: &mut Vec<u8>) -> bool {
    let Some(facts) = &record.facts else { return false };
    let Some(kind) = ioc.kind.and_then(observable_type) else { return false };
    super::csv::fields(fields(facts, ioc, kind, guard).into_iter(), out);
    true
}

/// Digests of files belong to another template, and Sentinel knows no CVE or technique here.
const fn observable_type(kind: IocType) -> Option<&'static str> {
    match kind {
        IocType::Ipv4 => Some("ipv4-addr"),
        IocType::Ipv6 => Some("ipv6-addr"),
        IocType::Domain => Some("domain-name"),
        IocType::Url => Some("url"),
        IocType::Email => Some("email-addr"),
        IocType::Md5
        | IocType::Sha1
        | IocType::Sha256
        | IocType::Sha512
        | IocType::Cve
        | IocType::MitreAttack => None,
    }
}

fn fields<'a>(facts: &'a Facts, ioc: &'a Ioc, kind: &'a str, guard: bool) -> [Cow<'a, str>; 12] {
    let free = |text: Cow<'a, str>| if guard { guarded(text) } else { text };
    let time = |at: &'a Option<Timestamp>| Cow::from(at.as_ref().map_or("", Timestamp::as_str));
    let name = if facts.name.is_empty() { &ioc.value } else { &facts.name };
    [
        free(facts.threat_types.join(",").into()),
        free(facts.tags.join(",").into()),
        free(name.into()),
        free((&facts.description).into()),
        facts.confidence.map_or_else(String::new, |n| n.to_string()).into(),
        if facts.revoked { "true" } else { "" }.into(),
        time(&facts.valid_from),
        time(&facts.valid_until),
        tlp_level(facts.tlp).into(),
        "".into(),
        kind.into(),
        (&ioc.value).into(),
    ]
}

/// Sentinel knows TLP 1.0: what is stricter than amber is red there.
const fn tlp_level(level: Tlp) -> &'static str {
    match level {
        Tlp::Clear => "white",
        Tlp::Green => "green",
        Tlp::Amber => "amber",
        Tlp::AmberStrict | Tlp::Red => "red",
    }
}
