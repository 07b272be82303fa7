//! The metrics of a run, in `CloudWatch`'s embedded metric format.

use std::time::Duration;

use chrono::Utc;
use serde_json::{Value, json};
use shared::feed::Feed;
use shared::store::Units;

use crate::progress::Progress;
use crate::publish::Outcome;

/// The line of a run that came to this outcome, if it did not fail.
pub fn line(
    feed: &Feed,
    outcome: Option<&Outcome>,
    progress: &Progress,
    units: Units,
    took: Duration,
) -> Value {
    let (rows, bytes) = match outcome {
        Some(Outcome::Published(published)) => (published.rows, progress.bytes()),
        _ => (0, 0),
    };
    let metric = |name: &str, unit: &str| json!({"Name": name, "Unit": unit});
    json!({
        "_aws": {
            "Timestamp": Utc::now().timestamp_millis(),
            "CloudWatchMetrics": [{
                "Namespace": "iocast",
                "Dimensions": [[]],
                "Metrics": [
                    metric("FeedFailures", "Count"),
                    metric("FeedRows", "Count"),
                    metric("FeedBytes", "Bytes"),
                    metric("FeedReadUnits", "Count"),
                    metric("FeedSeconds", "Seconds"),
                ],
            }],
        },
        "feed": feed.id,
        "outcome": outcome.map_or("failed", Outcome::name),
        "entries": progress.read(),
        "FeedFailures": u8::from(outcome.is_none()),
        "FeedRows": rows,
        "FeedBytes": bytes,
        "FeedReadUnits": units.read,
        "FeedSeconds": took.as_secs_f64(),
    })
}

/// The line that says how many feeds were late: each run has one, as silence is a fault, too.
pub fn late(feeds: u32) -> Value {
    json!({
        "_aws": {
            "Timestamp": Utc::now().timestamp_millis(),
            "CloudWatchMetrics": [{
                "Namespace": "iocast",
                "Dimensions": [[]],
                "Metrics": [{"Name": "FeedsLate", "Unit": "Count"}],
            }],
        },
        "FeedsLate": feeds,
    })
}
