//! Conditional requests (RFC 9110, section 13).

use chrono::{DateTime, Utc};
use lambda_http::http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE};
use shared::http::Call;

/// What identifies a representation.
#[derive(Clone, Debug)]
pub struct Validators {
    /// The strong `ETag`, with its quotes.
    pub etag: String,
    /// `Last-Modified`.
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
        since.is_some_and(|since| self.modified.timestamp() <= since.timestamp())
    }

    /// Whether a part may be served: what the client has the rest of, if it says so, is this.
    pub fn allow_a_part(&self, call: &Call) -> bool {
        match call.header(&IF_RANGE).map(str::trim) {
            None => true,
            Some(tag) if tag.starts_with('"') => tag == self.etag,
            Some(text) => date(text).is_some_and(|at| at.timestamp() == self.modified.timestamp()),
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
        let modified = "2026-11-22T08:30:15.5Z".parse().unwrap();
        let validators = Validators { etag: "\"a\"".into(), modified };
        assert_eq!(validators.last_modified(), "Sun, 22 Nov 2026 08:30:15 GMT");
        let read = date(&validators.last_modified()).unwrap();
        assert_eq!(read.timestamp(), modified.timestamp());
        assert!(date("yesterday").is_none());
    }
}
