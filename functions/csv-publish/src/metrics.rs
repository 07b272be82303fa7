//! The metrics of one run.

use std::time::Duration;

use serde_json::json;
use shared::feed::Feed;
use shared::metric::{Unit, report_with};
use shared::store::Units;

use crate::progress::Progress;
use crate::publish::Outcome;

/// Reports a run that came to this outcome, if it did not fail.
// Rows and bytes of a file are far below where a float loses whole numbers.
#[allow(clippy::cast_precision_loss)]
pub fn report(
    feed: &Feed,
    outcome: Option<&Outcome>,
    progress: &Progress,
    units: Units,
    took: Duration,
) {
    let (rows, bytes) = match outcome {
        Some(Outcome::Published(published)) => (published.rows, progress.bytes()),
        _ => (0, 0),
    };
    let properties = [
        ("feed", json!(feed.id)),
        ("outcome", json!(outcome.map_or("failed", Outcome::name))),
        ("entries", json!(progress.read())),
    ];
    let metrics = [
        ("FeedFailures", Unit::Count, f64::from(u8::from(outcome.is_none()))),
        ("FeedRows", Unit::Count, rows as f64),
        ("FeedBytes", Unit::Bytes, bytes as f64),
        ("FeedReadUnits", Unit::Count, units.read),
        ("FeedSeconds", Unit::Seconds, took.as_secs_f64()),
    ];
    report_with(&properties, &[], &metrics);
}

/// Reports how many feeds were late: each run does, as silence is a fault, too.
pub fn report_late(feeds: u32) {
    report_with(&[], &[], &[("FeedsLate", Unit::Count, f64::from(feeds))]);
}
