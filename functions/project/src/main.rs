//! The Lambda behind the objects table's stream.

use std::time::Duration;

/// What is left of the time limit for saying which records must come again.
const MARGIN: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let run = async |services, event, until| project::handle(&services, event, until).await;
    shared::lambda::run_events(MARGIN, run).await
}
