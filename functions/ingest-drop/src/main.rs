//! The Lambda behind the bucket's `inbox/`.

use std::time::Duration;

/// A file is read to its end, or by another attempt.
const MARGIN: Duration = Duration::ZERO;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let run = async |services, event, _| ingest_drop::handle(&services, event).await;
    shared::lambda::run_events(MARGIN, run).await
}
