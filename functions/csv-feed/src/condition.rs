//! Conditional requests (RFC 9110, section 13).

use chrono::{DateTime, TimeDelta, Utc};
use lambda_http::http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE};
use shared::http::Call;

/// A client's clock may be behind as far as this, and a file fetched for as long while the next one
/// took its place: a date just after `Last-Modified` may be that of a file from just before.
const UNSURE: TimeDelta = TimeDelta::seconds(60);

/// What identifies a representation.
#[derive(Clone, Debug)]
pub struct Validators {
    /// The strong `ETag`, with its quotes.
    pub etag: String,
    /// `Last-Modified`, in whole seconds.
    pub modified: DateTime<Utc>,
}

impl Validators {
    /// `Last-Modified` as HTTP spells it.
    pub fn last_modified(&self) -> String {
        self.modified.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// Whether the client has this representation already.
    pub fn are_known_to(&self, call: &Call) -> bool {
        if let Some(known) = call.header(&IF_NONE_MATCH) {
            return known
                .split(',')
                .map(str::trim)
                .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.etag);
        }
        let since = call.header(&IF_MODIFIED_SINCE).and_then(date);
        since.is_some_and(|since| self.is_known_since(since))
    }

    fn is_known_since(&self, since: DateTime<Utc>) -> bool {
        since == self.modified || since - self.modified >= UNSURE
    }

    /// Whether a part may be served: what the client has the rest of, if it says so, is this.
    pub fn allow_a_part(&self, call: &Call) -> bool {
        call.header(&IF_RANGE).is_none_or(|known| self.is(known.trim()))
    }

    fn is(&self, known: &str) -> bool {
        if known.starts_with('"') {
            known == self.etag
        } else {
            date(known).is_some_and(|at| at == self.modified)
        }
    }
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text.trim()).ok().map(|at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_spelt_as_they_are_read() {
        let modified = "2026-11-22T08:30:15Z".parse().unwrap();
        let validators = Validators { etag: "\"a\"".into(), modified };
        assert_eq!(validators.last_modified(), "Sun, 22 Nov 2026 08:30:15 GMT");
        let read = date(&validators.last_modified()).unwrap();
        assert_eq!(read, modified);
        assert!(date("yesterday").is_none());
    }

    #[test]
    fn a_date_just_after_the_exchange_may_be_of_the_file_before() {
        let modified = "2026-11-22T08:30:15Z".parse().unwrap();
        let validators = Validators { etag: "\"a\"".into(), modified };
        let known = |text: &str| validators.is_known_since(date(text).unwrap());
        assert!(known("Sun, 22 Nov 2026 08:30:15 GMT"));
        assert!(known("Sun, 22 Nov 2026 08:31:15 GMT"));
        assert!(!known("Sun, 22 Nov 2026 08:30:14 GMT"));
        assert!(!known("Sun, 22 Nov 2026 08:30:16 GMT"));
        assert!(!known("Sun, 22 Nov 2026 08:31:14 GMT"));
    }

    #[test]
    fn a_part_by_a_date_is_one_of_the_very_same_file() {
        let modified = "2026-11-22T08:30:15Z".parse().unwrap();
        let validators = Validators { etag: "\"a\"".into(), modified };
        let allowed = |known: &str| validators.is(known);
        assert!(allowed("Sun, 22 Nov 2026 08:30:15 GMT") && allowed("\"a\""));
        assert!(!allowed("Sun, 22 Nov 2026 08:32:15 GMT") && !allowed("\"b\""));
        assert!(!allowed("W/\"a\"") && !allowed("yesterday"));
    }
}
