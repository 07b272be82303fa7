//! Frames of server-sent events (HTML Living Standard, section 9.2): one `id`, one `event`, one
//! line of `data`.

use std::fmt::Write as _;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use crate::event_id::EventId;

/// JSON has no raw line feeds in it, but may have characters that some clients take for the end
/// of a line.
const ODD: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

fn split_odd(part: &str) -> (&str, Option<char>) {
    let odd = part.chars().next_back().filter(|last| ODD.contains(last));
    (odd.and_then(|odd| part.strip_suffix(odd)).unwrap_or(part), odd)
}

/// Writes frames, one after the other.
#[derive(Debug, Default)]
pub struct Frames(String);

impl Frames {
    /// The first frame of a connection: where it stands, and how long to wait before the next.
    /// All in one frame, so that what a client kept of a frame cut short is overwritten.
    /// Without an `id`, the client keeps what it has.
    pub fn connected(&mut self, id: Option<EventId>, retry: Duration, data: &Value) {
        let _ = writeln!(self.0, "retry: {}", retry.as_millis());
        self.id(id);
        self.0.push_str("event: connected\n");
        self.data(&data.to_string());
    }

    /// A frame that says that nothing happened up to `id`.
    pub fn heartbeat(&mut self, id: Option<EventId>, now: DateTime<Utc>) {
        self.id(id);
        self.0.push_str("event: heartbeat\n");
        self.data(&Value::from(now.to_rfc3339_opts(SecondsFormat::Millis, true)).to_string());
    }

    /// An event; `json` is one line.
    pub fn event(&mut self, id: EventId, kind: &str, json: &str) {
        let _ = write!(self.0, "id: {id}\nevent: {kind}\n");
        self.data(json);
    }

    /// What was written, whole frames.
    #[must_use]
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.0)
    }

    /// Bytes written so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn id(&mut self, id: Option<EventId>) {
        if let Some(id) = id {
            let _ = writeln!(self.0, "id: {id}");
        }
    }

    fn data(&mut self, json: &str) {
        self.0.push_str("data: ");
        for (line, odd) in json.split_inclusive(ODD).map(split_odd) {
            self.0.push_str(line);
            if let Some(odd) = odd {
                let _ = write!(self.0, "\\u{:04x}", u32::from(odd));
            }
        }
        self.0.push_str("\n\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_one_line_of_data() {
        let mut frames = Frames::default();
        frames.event(EventId::START, "create", "{\"a\":\"x\u{2028}y\u{85}z\u{2029}\"}");
        let text = frames.take();
        assert_eq!(text, "id: 0-0\nevent: create\ndata: {\"a\":\"x\\u2028y\\u0085z\\u2029\"}\n\n");
        assert_eq!(frames.len(), 0);
        frames.connected(Some(EventId::START), Duration::from_secs(1), &serde_json::json!({}));
        assert_eq!(frames.take(), "retry: 1000\nid: 0-0\nevent: connected\ndata: {}\n\n");
    }

    #[test]
    fn a_heartbeat_has_a_quoted_date() {
        let mut frames = Frames::default();
        frames.heartbeat(Some(EventId::START), DateTime::UNIX_EPOCH);
        let expected = "id: 0-0\nevent: heartbeat\ndata: \"1970-01-01T00:00:00.000Z\"\n\n";
        assert_eq!(frames.take(), expected);
        frames.heartbeat(None, DateTime::UNIX_EPOCH);
        assert_eq!(frames.take(), expected.replace("id: 0-0\n", ""));
    }
}
