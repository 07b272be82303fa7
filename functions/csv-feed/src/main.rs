//! The Lambda behind `/feeds/`.

use std::convert::Infallible;

use csv_feed::AsIs;
use lambda_http::{Request, service_fn};
use shared::services::Services;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::start_logging();
    let services = &Services::from_env()?;
    lambda_http::run(service_fn(|request: Request| async move {
        Ok::<_, Infallible>(AsIs(csv_feed::handle(services, request).await))
    }))
    .await
}
