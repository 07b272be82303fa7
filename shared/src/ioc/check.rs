//! What makes an IOC right: its value normalised, its members typed and bounded.

use chrono::{DateTime, Utc};

use super::error::{IocError, shown};
use super::record::IocRecord;
use super::{instant, value};
use crate::stix::IocType;
use crate::time::Timestamp;
use crate::tlp::Tlp;

/// How much an IOC may hold.
pub mod limits {
    /// Bytes in `value`.
    pub const VALUE_BYTES: usize = 8 * 1024;
    /// Bytes in `description`.
    pub const DESCRIPTION_BYTES: usize = 16 * 1024;
    /// Entries in `tags`.
    pub const TAGS: usize = 100;
    /// Characters in one tag.
    pub const TAG_CHARS: usize = 200;
    /// Entries in `mitre`.
    pub const TECHNIQUES: usize = 100;
    /// Characters in `source`.
    pub const SOURCE_CHARS: usize = 500;
}

/// One IOC that is right. Made only by [`IocRecord::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ioc {
    kind: IocType,
    value: String,
    confidence: Option<u8>,
    tags: Vec<String>,
    techniques: Vec<String>,
    first_seen: Option<DateTime<Utc>>,
    last_seen: Option<DateTime<Utc>>,
    valid_until: Option<DateTime<Utc>>,
    source: Option<String>,
    description: Option<String>,
    tlp: Option<Tlp>,
    revoked: Option<bool>,
}

impl IocRecord {
    /// Judges and normalises every member.
    ///
    /// # Errors
    /// The first member that is wrong, with what would be right.
    pub fn check(self) -> Result<Ioc, IocError> {
        let kind: IocType = self.kind.parse()?;
        let value = check_value(kind, &self.value)?;
        let mut techniques = check_techniques(&self.mitre)?;
        if kind == IocType::MitreAttack && !techniques.contains(&value) {
            techniques.insert(0, value.clone());
        }
        let time = |member, text: Option<String>| {
            text.map(|text| instant::parse(member, &text)).transpose()
        };
        let ioc = Ioc {
            kind,
            value,
            confidence: self.confidence.map(|text| check_confidence(&text)).transpose()?,
            tags: check_tags(&self.tags)?,
            techniques,
            first_seen: time("first_seen", self.first_seen)?,
            last_seen: time("last_seen", self.last_seen)?,
            valid_until: time("valid_until", self.valid_until)?,
            source: check_source(self.source.as_deref().unwrap_or_default())?,
            description: check_description(self.description.as_deref().unwrap_or_default())?,
            tlp: self.tlp.map(|text| text.parse()).transpose()?,
            revoked: self.revoked,
        };
        if let Some(first_seen) = ioc.first_seen {
            ends_after(ioc.valid_until, first_seen)?;
        }
        Ok(ioc)
    }
}

impl Ioc {
    /// What kind of value it is.
    #[must_use]
    pub const fn kind(&self) -> IocType {
        self.kind
    }

    /// The value in its one normal form.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// 0–100; `high`, `medium` and `low` are 85, 50 and 15.
    #[must_use]
    pub const fn confidence(&self) -> Option<u8> {
        self.confidence
    }

    /// Tags, trimmed, without repeats, in the order they came.
    #[must_use]
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// ATT&CK technique ids without repeats; a `mitre_attack` IOC names itself here.
    #[must_use]
    pub fn techniques(&self) -> &[String] {
        &self.techniques
    }

    /// When it was first seen, in whole milliseconds.
    #[must_use]
    pub const fn first_seen(&self) -> Option<DateTime<Utc>> {
        self.first_seen
    }

    /// When it was last seen, in whole milliseconds.
    #[must_use]
    pub const fn last_seen(&self) -> Option<DateTime<Utc>> {
        self.last_seen
    }

    /// Until when it is worth matching, in whole milliseconds; after `first_seen`.
    #[must_use]
    pub const fn valid_until(&self) -> Option<DateTime<Utc>> {
        self.valid_until
    }

    /// Who reported it.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// Prose about it.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// How far it may be shared.
    #[must_use]
    pub const fn tlp(&self) -> Option<Tlp> {
        self.tlp
    }

    /// Whether it was withdrawn; `Some(false)` takes a withdrawal back, `None` says nothing.
    #[must_use]
    pub const fn revoked(&self) -> Option<bool> {
        self.revoked
    }
}

/// Refuses an end that is not after the beginning.
pub(super) fn ends_after(
    until: Option<DateTime<Utc>>,
    from: DateTime<Utc>,
) -> Result<(), IocError> {
    match until {
        Some(until) if until <= from => Err(IocError::EndsBeforeStart {
            until: Timestamp::millis(until).as_str().into(),
            from: Timestamp::millis(from).as_str().into(),
        }),
        _ => Ok(()),
    }
}

fn check_value(kind: IocType, text: &str) -> Result<String, IocError> {
    let too_long = || IocError::TooLong {
        member: "value",
        shown: shown(text),
        limit: "8 KiB in its normal form",
    };
    if text.len() > limits::VALUE_BYTES {
        return Err(too_long());
    }
    let text = one_line("value", text)?;
    let value = value::normalise(kind, text).map_err(|fault| IocError::Value {
        kind,
        shown: shown(text),
        fault,
    })?;
    // Percent-encoding can make a URL three times as long.
    if value.len() > limits::VALUE_BYTES { Err(too_long()) } else { Ok(value) }
}

fn check_techniques(entries: &[String]) -> Result<Vec<String>, IocError> {
    too_many("mitre", entries.len(), limits::TECHNIQUES)?;
    let mut found = Vec::new();
    for entry in entries.iter().map(|entry| entry.trim()).filter(|entry| !entry.is_empty()) {
        let technique = value::normalise(IocType::MitreAttack, entry)
            .map_err(|fault| IocError::Technique { shown: shown(entry), fault })?;
        if !found.contains(&technique) {
            found.push(technique);
        }
    }
    Ok(found)
}

fn check_confidence(text: &str) -> Result<u8, IocError> {
    let text = text.trim();
    match text.to_ascii_lowercase().as_str() {
        "high" => return Ok(85),
        "medium" => return Ok(50),
        "low" => return Ok(15),
        _ => {}
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let plain = whole.bytes().all(|byte| byte.is_ascii_digit());
    let integral = !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
    whole
        .parse()
        .ok()
        .filter(|number: &u8| plain && integral && *number <= 100)
        .ok_or_else(|| IocError::Confidence(shown(text)))
}

fn check_tags(entries: &[String]) -> Result<Vec<String>, IocError> {
    too_many("tags", entries.len(), limits::TAGS)?;
    let mut found: Vec<String> = Vec::new();
    for entry in entries {
        let tag = one_line("tags", entry)?;
        if tag.chars().count() > limits::TAG_CHARS {
            let limit = "200 characters for one tag";
            return Err(IocError::TooLong { member: "tags", shown: shown(tag), limit });
        }
        if !tag.is_empty() && !found.iter().any(|known| known == tag) {
            found.push(tag.into());
        }
    }
    Ok(found)
}

fn check_source(text: &str) -> Result<Option<String>, IocError> {
    let source = one_line("source", text)?;
    if source.chars().count() > limits::SOURCE_CHARS {
        let limit = "500 characters";
        return Err(IocError::TooLong { member: "source", shown: shown(source), limit });
    }
    Ok(not_empty(source))
}

fn check_description(text: &str) -> Result<Option<String>, IocError> {
    let text = trimmed(text);
    if text.len() > limits::DESCRIPTION_BYTES {
        let limit = "16 KiB";
        return Err(IocError::TooLong { member: "description", shown: shown(text), limit });
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(IocError::Control { member: "description", shown: shown(text) });
    }
    Ok(not_empty(text))
}

/// A text that says nothing counts as absent.
fn not_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.into())
}

/// `text` without what copying leaves at its ends.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'))
}

/// `text` without what copying leaves at its ends, refused if a control character is inside.
fn one_line<'a>(member: &'static str, text: &'a str) -> Result<&'a str, IocError> {
    let text = trimmed(text);
    if text.chars().any(char::is_control) {
        return Err(IocError::Control { member, shown: shown(text) });
    }
    Ok(text)
}

const fn too_many(member: &'static str, count: usize, limit: usize) -> Result<(), IocError> {
    if count > limit { Err(IocError::TooMany { member, count, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
