//! The Lambda behind the schedule of feeds.

use std::time::Duration;

/// A feed is begun only if this much time is left, or half of all there was.
const MARGIN: Duration = Duration::from_mins(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let run =
        async |services, event, until| Box::pin(csv_publish::handle(&services, event, until)).await;
    shared::lambda::run_events(MARGIN, run).await
}
