//! The Lambda behind the schedule of compaction.

use std::time::{Duration, Instant, SystemTime};

use lambda_http::lambda_runtime::{self, LambdaEvent, service_fn};
use serde_json::Value;
use shared::services::Services;

/// What is under way when the time is up ends within this: a write and its retries.
const MARGIN: Duration = Duration::from_secs(25);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::start_logging();
    let services = &Services::from_env()?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let until = Instant::now() + left.saturating_sub(MARGIN);
        compact::handle(services, event.payload, until).await.map_err(lambda_http::Error::from)
    }))
    .await
}
