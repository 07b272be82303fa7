//! A bootstrap that does nothing: what a function's start is measured beside
//! (`cargo run -p tests --example cold_start`).

use lambda_http::lambda_runtime::{self, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let nothing = async |_: LambdaEvent<Value>| Ok::<_, std::convert::Infallible>(Value::Null);
    lambda_runtime::run(service_fn(nothing)).await
}
