//! The Lambda behind `GET /api/v3/ioc_stream`.

use std::convert::Infallible;

use lambda_http::{Request, service_fn};
use shared::services::Services;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::start_logging();
    let services = &Services::from_env()?;
    lambda_http::run(service_fn(|request: Request| async move {
        Ok::<_, Infallible>(ioc_stream_list::handle(services, request).await)
    }))
    .await
}
