//! The times in an IOC: ISO 8601 with `Z` or an offset, or a date, which is its midnight in UTC.

use chrono::{DateTime, Datelike, Utc};

use super::error::{IocError, shown};
use crate::time::parse_moment;

/// The instant `text` names, cut to milliseconds.
pub(super) fn parse(member: &'static str, text: &str) -> Result<DateTime<Utc>, IocError> {
    let text = text.trim();
    read(text).ok_or_else(|| IocError::Time { member, shown: shown(text) })
}

fn read(text: &str) -> Option<DateTime<Utc>> {
    let at = parse_moment(text).ok()?;
    // Going by milliseconds makes a leap second the second after it, which STIX can write.
    let at = DateTime::from_timestamp_millis(at.timestamp_millis())?;
    // An offset can move a time out of the years that four digits write.
    (1..=9999).contains(&at.year()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn normal(text: &str) -> Option<String> {
        parse("first_seen", text).ok().map(|at| Timestamp::millis(at).as_str().to_owned())
    }

    #[test]
    fn times_and_dates_become_utc_milliseconds() {
        for (text, wanted) in [
            ("2026-05-15", "2026-05-15T00:00:00.000Z"),
            (" 2026-05-15T08:30:00Z ", "2026-05-15T08:30:00.000Z"),
            ("2026-05-15T10:30:00.123456+02:00", "2026-05-15T08:30:00.123Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(normal(text).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "2026-13-01",
            "2026-02-30",
            "+026-05-15",
            "15.05.2026",
            "2026-05-15T08:30:00",
            "1778833800",
            "9999-12-31T23:59:59-01:00",
            "0001-01-01T00:00:00+01:00",
            "2026-05-15T08:30:00.Z",
        ] {
            assert_eq!(normal(text), None, "{text}");
        }
    }
}
