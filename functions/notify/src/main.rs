//! The Lambda behind the jobs of notifications in the collections table's stream, and behind a
//! schedule.

use std::time::{Duration, Instant, SystemTime};

use lambda_http::lambda_runtime::{self, LambdaEvent, service_fn};
use serde_json::Value;
use shared::services::Services;

/// What is left of the time limit for writing down how far a job came.
const TO_FINISH: Duration = Duration::from_mins(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::start_logging();
    let services = &Services::from_env()?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let until = Instant::now() + left.saturating_sub(TO_FINISH);
        notify::handle(services, event.payload, until).await.map_err(lambda_http::Error::from)
    }))
    .await
}
