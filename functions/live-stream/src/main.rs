//! The Lambda behind the streams: its Function URL streams; where it stands behind a front door
//! that cannot, its answers are finite.

use std::convert::Infallible;

use lambda_http::{Request, service_fn};
use live_stream::Limits;
use shared::services::Services;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::start_logging();
    let services = &Services::from_env()?;
    let limits = Limits::from_env();
    if limits.finite {
        return lambda_http::run(service_fn(|request: Request| async move {
            Ok::<_, Infallible>(live_stream::handle_whole(services, limits, request).await)
        }))
        .await;
    }
    lambda_http::run_with_streaming_response(service_fn(|request: Request| async move {
        Ok::<_, Infallible>(live_stream::handle(services, limits, request).await)
    }))
    .await
}
