//! The times a filter may name.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};

use crate::time::Position;

/// The position a text names: a date, a date and time (UTC unless it has an offset), Unix
/// seconds, or an age before `now` such as `12h`. `None` when it is none of them.
pub(super) fn parse(text: &str, now: DateTime<Utc>) -> Option<Position> {
    if !text.is_ascii() || text.is_empty() {
        return None;
    }
    let instant = if text.bytes().all(|byte| byte.is_ascii_digit()) {
        seconds(text)
    } else {
        age(text, now).or_else(|| calendar(text))
    };
    instant.map(Position::at_or_before)
}

fn seconds(digits: &str) -> Option<DateTime<Utc>> {
    // Four digits are rather a year that was cut short, and twelve no second of ours.
    if !(5..=11).contains(&digits.len()) && digits != "0" {
        return None;
    }
    DateTime::from_timestamp(digits.parse().ok()?, 0)
}

fn age(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if count.is_empty() || count.len() > 6 || !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: i64 = count.parse().ok()?;
    let span = match unit {
        "m" => TimeDelta::try_minutes(count)?,
        "h" => TimeDelta::try_hours(count)?,
        "d" => TimeDelta::try_days(count)?,
        "w" => TimeDelta::try_weeks(count)?,
        _ => return None,
    };
    now.checked_sub_signed(span)
}

fn calendar(text: &str) -> Option<DateTime<Utc>> {
    if !text.starts_with(|first: char| first.is_ascii_digit()) || text.len() > 35 {
        return None;
    }
    if text.len() == 10 {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        return Some(date.and_hms_opt(0, 0, 0)?.and_utc());
    }
    // What follows must be two digits each: the formats below would take one as well.
    let (date, time) = text.split_once('T')?;
    if date.len() != 10 || time.get(2..3) != Some(":") || !time.get(3..5)?.bytes().all(digit) {
        return None;
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"] {
        if let Ok(at) = NaiveDateTime::parse_from_str(text, format) {
            return Some(at.and_utc());
        }
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"] {
        if let Ok(at) = DateTime::parse_from_str(text, format) {
            return Some(at.to_utc());
        }
    }
    None
}

fn digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<String> {
        let now = "2026-05-15T12:00:00Z".parse().unwrap();
        parse(text, now).map(|position| position.to_string())
    }

    #[test]
    fn a_time_is_written_in_four_ways() {
        for (text, expected) in [
            ("2023-02-07", "2023-02-07T00:00:00.000000Z"),
            ("2023-02-07T10:00:00", "2023-02-07T10:00:00.000000Z"),
            ("2023-02-07T10:00", "2023-02-07T10:00:00.000000Z"),
            ("2023-02-07T10:00:00.25", "2023-02-07T10:00:00.250000Z"),
            ("2023-02-07T10:00:00Z", "2023-02-07T10:00:00.000000Z"),
            ("2023-02-07T10:00:00+02:00", "2023-02-07T08:00:00.000000Z"),
            ("2023-02-07T10:00:00-0330", "2023-02-07T13:30:00.000000Z"),
            ("1675764000", "2023-02-07T10:00:00.000000Z"),
            ("0", "1970-01-01T00:00:00.000000Z"),
            ("1d", "2026-05-14T12:00:00.000000Z"),
            ("12h", "2026-05-15T00:00:00.000000Z"),
            ("90m", "2026-05-15T10:30:00.000000Z"),
            ("2w", "2026-05-01T12:00:00.000000Z"),
        ] {
            assert_eq!(at(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "2023",
            "yesterday",
            "2023-02-30",
            "2023-02-07T",
            "2023-02-07T25:00:00",
            "d",
            "1y",
            "-1d",
            "1.5h",
            "9999999d",
            "2023-2-7",
            "+2023-02-07",
            "2023-02-07T1:00",
            "é",
            "2023-02-07T10:00:00+",
            "123456789012",
            "2023-02-07 10:00:00",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
    }
}
