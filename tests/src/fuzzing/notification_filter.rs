//! Filters of the IOC stream.

use chrono::{DateTime, Utc};
use shared::notification::filter::NotificationFilter;

/// Any text is a filter or is refused for a reason; what is read can be written and read again,
/// at any time, as the same; and terms hold in any order.
pub fn notification_filter(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let now: DateTime<Utc> = "2026-05-15T12:00:00Z".parse().expect("a moment");
    let filter = match NotificationFilter::parse(text, now) {
        Ok(filter) => filter,
        Err(error) => return super::check_message(&error.to_string()),
    };
    let written = filter.to_string();
    for now in [now, DateTime::UNIX_EPOCH] {
        let again = NotificationFilter::parse_written(&written, now);
        assert_eq!(again.as_ref(), Ok(&filter), "{text:?} written as {written:?}");
    }
    let twice = format!("{written} {written}");
    if let Ok(twice) = NotificationFilter::parse_written(&twice, now) {
        let (once, twice) = (filter.selection(), twice.selection());
        assert_eq!(once, twice, "{text:?} and the same again");
    }
    let spaced = format!("  {written}");
    if let Ok(spaced) = NotificationFilter::parse_written(&spaced, now) {
        assert_eq!(spaced, filter, "spaces before {written:?}");
    }
}
