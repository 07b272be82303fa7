//! How many read, how many events they get, and how late, as lines of `CloudWatch`'s embedded
//! metric format.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::Utc;
use serde_json::{Value, json};
use shared::log::CollectionId;

static PRINTED: AtomicBool = AtomicBool::new(false);

/// From here on metrics are printed to standard output: this process is a function's.
pub fn start_printing() {
    PRINTED.store(true, Ordering::Relaxed);
}

/// What happened on a connection since it was last reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Connections opened.
    pub connections: u32,
    /// Events sent.
    pub events: u32,
    /// The longest time from a log's entry to its event, where it was sent as it happened.
    pub lag: Duration,
    /// How long connections lasted.
    pub lasted: Duration,
}

impl Tally {
    /// Reports it, and begins anew.
    pub fn report(&mut self, stream: CollectionId) {
        let tally = std::mem::take(self);
        let line = tally.line(stream, Utc::now().timestamp_millis());
        if PRINTED.load(Ordering::Relaxed) {
            // Nobody is left to be told that nothing can be printed.
            let _ = writeln!(std::io::stdout().lock(), "{line}");
        } else {
            tracing::debug!(target: "metric", %line);
        }
    }

    fn line(self, stream: CollectionId, at: i64) -> Value {
        let metric = |name: &str, unit: &str| json!({"Name": name, "Unit": unit});
        json!({
            "_aws": {"Timestamp": at, "CloudWatchMetrics": [{
                "Namespace": "iocast",
                "Dimensions": [[], ["Stream"]],
                "Metrics": [
                    metric("StreamConnections", "Count"),
                    metric("StreamEvents", "Count"),
                    metric("StreamLag", "Milliseconds"),
                    metric("StreamSeconds", "Seconds"),
                ],
            }]},
            "Stream": stream.to_string(),
            "StreamConnections": self.connections,
            "StreamEvents": self.events,
            "StreamLag": u64::try_from(self.lag.as_millis()).unwrap_or(u64::MAX),
            "StreamSeconds": self.lasted.as_secs_f64(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_of_a_line_has_its_value() {
        let tally = Tally { connections: 1, lag: Duration::from_millis(40), ..Tally::default() };
        let line = tally.line(CollectionId(uuid::Uuid::nil()), 5);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        for metric in directive["Metrics"].as_array().unwrap() {
            assert!(line[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
        }
        assert_eq!((&line["StreamLag"], &line["StreamConnections"]), (&json!(40), &json!(1)));
    }
}
