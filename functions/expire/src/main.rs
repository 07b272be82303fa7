//! The Lambda behind the schedule of expiry.

use std::time::Duration;

/// A run has a limit of its own, far below the platform's.
const MARGIN: Duration = Duration::ZERO;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let run = async |services, event, _| expire::handle(&services, event).await;
    shared::lambda::run_events(MARGIN, run).await
}
