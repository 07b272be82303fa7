//! The Lambda behind the jobs in the collections table's stream, and behind a schedule.

use std::time::Duration;

/// What is left of the time limit for writing down how far a job came.
const MARGIN: Duration = Duration::from_mins(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let run = async |services, event, until| rescan::handle(&services, event, until).await;
    shared::lambda::run_events(MARGIN, run).await
}
