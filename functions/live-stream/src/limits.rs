//! How long a connection lasts, and whether it streams.

use std::env;
use std::time::{Duration, SystemTime};

use lambda_http::RequestExt;

/// A connection lasts this long unless told otherwise.
const CONNECTION: Duration = Duration::from_mins(5);

/// A finite answer waits so long for something to happen: less than front doors do.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is under way when the platform's time is up ends within this.
const MARGIN: Duration = Duration::from_secs(5);

/// How connections end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long one lasts at the most.
    pub connection: Duration,
    /// How long one that shall end waits for something to say.
    pub patience: Duration,
    /// Whether it ends once there was something to read, because the front door does not stream.
    pub finite: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connection: CONNECTION, patience: PATIENCE, finite: false }
    }
}

impl Limits {
    /// As the environment says: `IOCAST_STREAM_SECONDS` (1 to 840, default 300) and
    /// `IOCAST_STREAM_FINITE` (`true`, default `false`). What cannot be read is the default.
    #[must_use]
    pub fn from_env() -> Self {
        let set = |name| env::var(name).ok();
        let seconds = set("IOCAST_STREAM_SECONDS").and_then(|text| text.parse::<u64>().ok());
        let seconds = seconds.filter(|seconds| (1..=840).contains(seconds));
        Self {
            connection: seconds.map_or(CONNECTION, Duration::from_secs),
            patience: PATIENCE,
            finite: set("IOCAST_STREAM_FINITE").is_some_and(|text| text == "true"),
        }
    }

    /// How long the connection that a request asks for may last: never beyond the invocation.
    #[must_use]
    pub fn span(self, request: &lambda_http::Request) -> Duration {
        let Some(context) = request.lambda_context_ref() else { return self.connection };
        let left = context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        self.connection.min(left.saturating_sub(MARGIN))
    }
}
