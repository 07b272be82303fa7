//! How many read, how many events they get, and how late.

use std::time::Duration;

use shared::log::CollectionId;
use shared::metric::{Unit, report};

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
        let metrics = [
            ("StreamConnections", Unit::Count, f64::from(tally.connections)),
            ("StreamEvents", Unit::Count, f64::from(tally.events)),
            ("StreamLag", Unit::Milliseconds, tally.lag.as_secs_f64() * 1000.0),
            ("StreamSeconds", Unit::Seconds, tally.lasted.as_secs_f64()),
        ];
        report(&[("Stream", &stream.to_string())], &metrics);
        // Alarms go by all streams together.
        report(&[], &metrics);
    }
}
