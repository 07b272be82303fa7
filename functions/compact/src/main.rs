//! The Lambda behind the schedule of compaction.

use std::time::Duration;

/// What is under way when the time is up ends within this: a write and its retries.
const MARGIN: Duration = Duration::from_secs(25);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let run = async |services, event, until| compact::handle(&services, event, until).await;
    shared::lambda::run_events(MARGIN, run).await
}
