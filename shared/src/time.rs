//! Time, in the three forms that must not be mixed up: a [`Timestamp`] somebody wrote, a
//! [`Version`] of an object, and a [`Position`] in a log.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A STIX timestamp (STIX 2.1, common data type `timestamp`): RFC 3339 in UTC with `Z`, up to nine fraction
/// digits. The text is kept exactly as it came; order and equality are those of the instant.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp {
    text: Box<str>,
    at: DateTime<Utc>,
}

/// Why a text is not a timestamp.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TimestampError {
    /// Not of the form STIX asks for.
    #[error("not a timestamp of the form 2026-05-15T08:30:00.000Z: {0:?}")]
    Malformed(String),
}

impl Timestamp {
    /// The text as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The instant.
    #[must_use]
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// `at` cut to milliseconds and written `YYYY-MM-DDTHH:mm:ss.sssZ`, the form of every
    /// timestamp this service makes for an object.
    #[must_use]
    pub fn millis(at: DateTime<Utc>) -> Self {
        let text = at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let at = DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap_or(at);
        Self { text: text.into(), at }
    }

    /// A spelling that sorts as the instants do: nine fraction digits, always.
    #[must_use]
    pub fn sort_key(&self) -> String {
        self.at.format("%Y-%m-%dT%H:%M:%S%.9fZ").to_string()
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || TimestampError::Malformed(text.chars().take(60).collect());
        if !text.is_ascii() || text.len() < 20 || text.len() > 30 || text.as_bytes()[10] != b'T' {
            return Err(bad());
        }
        let local = text.strip_suffix('Z').ok_or_else(bad)?;
        if local.ends_with('.') || !local.as_bytes()[0].is_ascii_digit() {
            return Err(bad());
        }
        let at = NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M:%S%.f").map_err(|_| bad())?;
        Ok(Self { text: text.into(), at: at.and_utc() })
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimestampError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.text.into()
    }
}

impl Hash for Timestamp {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.at.hash(state);
    }
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Timestamp {}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.cmp(&other.at)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The version of an object: its `modified`, else its `created`, else the time it was first
/// stored. Returned to clients exactly as it came.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub Timestamp);

impl Version {
    /// The text as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// A spelling that sorts as versions do.
    #[must_use]
    pub fn sort_key(&self) -> String {
        self.0.sort_key()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A place in a collection's log: microseconds since 1970, unique in its log and strictly
/// increasing in the order in which entries became visible. TAXII's `date_added`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(u64);

impl Position {
    /// The position of this many microseconds since 1970.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// The position at `at`, rounded down; instants before 1970 are the lowest position.
    #[must_use]
    pub fn at_or_before(at: DateTime<Utc>) -> Self {
        Self(u64::try_from(at.timestamp_micros()).unwrap_or(0))
    }

    /// The instant it stands for.
    #[must_use]
    pub fn at(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(i64::try_from(self.0).unwrap_or(i64::MAX))
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// The first position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// This position moved by `micros`, never below the lowest.
    #[must_use]
    pub const fn minus(self, micros: u64) -> Self {
        Self(self.0.saturating_sub(micros))
    }

    /// This position, or the next whole millisecond if it is none.
    #[must_use]
    pub const fn round_up_to_millisecond(self) -> Self {
        Self(self.0.next_multiple_of(1000))
    }
}

impl fmt::Display for Position {
    /// RFC 3339 with six fraction digits, TAXII's `date_added`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.at().format("%Y-%m-%dT%H:%M:%S%.6fZ"))
    }
}

/// Reads a time a client asks by: RFC 3339 with `Z` or an offset, zero to nine fraction digits;
/// a `+` may have arrived as a space (TAXII `added_after`).
///
/// # Errors
/// When the text is no such time.
pub fn parse_instant(text: &str) -> Result<DateTime<FixedOffset>, TimestampError> {
    let bad = || TimestampError::Malformed(text.chars().take(60).collect());
    if !text.is_ascii() || text.len() < 20 || text.len() > 35 {
        return Err(bad());
    }
    let fraction = text[19..]
        .strip_prefix('.')
        .map(|rest| rest.bytes().take_while(u8::is_ascii_digit).count());
    if fraction.is_some_and(|digits| digits == 0 || digits > 9) {
        return Err(bad());
    }
    let mut text = text.to_owned();
    if text.as_bytes()[19..].contains(&b' ') {
        let at = 19 + text[19..].find(' ').unwrap_or(0);
        text.replace_range(at..=at, "+");
    }
    let parsed = DateTime::parse_from_rfc3339(&text).map_err(|_| bad())?;
    // Instants at the very edge of the calendar overflow when moved to UTC.
    parsed.checked_add_signed(TimeDelta::zero()).ok_or_else(bad)
}

/// Reads an ISO 8601 time with `Z` or an offset, as [`parse_instant`] does, or a date, which is
/// its midnight in UTC.
///
/// # Errors
/// When the text is neither.
pub fn parse_moment(text: &str) -> Result<DateTime<Utc>, TimestampError> {
    if !is_date(text) {
        return parse_instant(text).map(|at| at.with_timezone(&Utc));
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d");
    date.map(|date| date.and_time(NaiveTime::MIN).and_utc())
        .map_err(|_| TimestampError::Malformed(text.to_owned()))
}

/// Whether `text` has the shape `2026-05-15`; chrono alone also takes signs and single digits.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_keeps_its_text_and_compares_as_an_instant() {
        let short: Timestamp = "2026-05-15T08:30:00.1Z".parse().unwrap();
        let long: Timestamp = "2026-05-15T08:30:00.100000Z".parse().unwrap();
        assert_eq!(short, long);
        assert_eq!(short.as_str(), "2026-05-15T08:30:00.1Z");
        assert_eq!(short.sort_key(), long.sort_key());
    }

    #[test]
    fn a_timestamp_needs_the_form_of_stix() {
        for bad in [
            "",
            "2026-05-15",
            "2026-05-15T08:30:00",
            "2026-05-15T08:30:00+00:00",
            "2026-05-15 08:30:00Z",
            "2026-05-15T08:30:00.Z",
            "2026-05-15T08:30:00.1234567890Z",
            "2026-13-15T08:30:00Z",
            "+026-05-15T08:30:00Z",
        ] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_instant_may_have_an_offset_and_a_lost_plus() {
        let utc = parse_instant("2026-05-15T08:30:00.123456789Z").unwrap();
        assert_eq!(utc, parse_instant("2026-05-15T10:30:00.123456789+02:00").unwrap());
        assert_eq!(utc, parse_instant("2026-05-15T10:30:00.123456789 02:00").unwrap());
        assert!(parse_instant("2026-05-15T08:30:00").is_err());
        assert!(parse_instant("2026-05-15T08:30:00.Z").is_err());
        assert!(parse_instant("yesterday").is_err());
    }

    #[test]
    fn a_position_is_written_with_six_digits() {
        assert_eq!(
            Position::from_micros(1_700_000_000_000_001).to_string(),
            "2023-11-14T22:13:20.000001Z"
        );
        assert_eq!(
            Position::from_micros(1001).round_up_to_millisecond(),
            Position::from_micros(2000)
        );
        assert_eq!(
            Position::from_micros(2000).round_up_to_millisecond(),
            Position::from_micros(2000)
        );
    }
}
