//! The Lambda behind the schedule of feeds.

use std::time::{Duration, Instant, SystemTime};

use lambda_http::lambda_runtime::{self, LambdaEvent, service_fn};
use serde_json::Value;
use shared::services::Services;

/// A feed is begun only if this much time is left, or half of all there was.
const MARGIN: Duration = Duration::from_mins(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::start_logging();
    let services = &Services::from_env()?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let until = Instant::now() + left.saturating_sub(MARGIN.min(left / 2));
        // CloudWatch reads metrics off lines of a form of their own.
        let report = |metrics: &Value| println!("{metrics}");
        let run = Box::pin(csv_publish::handle(services, event.payload, until, &report));
        run.await.map_err(lambda_http::Error::from)
    }))
    .await
}
