//! The Lambda behind `/api/v1/iocs/stix` and `/api/v1/export/stix`.

use std::convert::Infallible;

use lambda_http::{Request, service_fn};
use shared::services::Services;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::start_logging();
    let services = &Services::from_env()?;
    lambda_http::run(service_fn(|request: Request| async move {
        Ok::<_, Infallible>(stix_export::handle(services, request).await)
    }))
    .await
}
