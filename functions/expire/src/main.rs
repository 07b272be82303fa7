//! The Lambda behind the schedule of expiry.

use lambda_http::lambda_runtime::{self, LambdaEvent, service_fn};
use serde_json::Value;
use shared::services::Services;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::start_logging();
    let services = &Services::from_env()?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        expire::handle(services, event.payload).await.map_err(lambda_http::Error::from)
    }))
    .await
}
