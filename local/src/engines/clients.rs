//! SDK clients for the embedded engines: the real ones, pointed at loopback ports. They wait and
//! repeat as the deployed functions do: what runs out of time there does so here.

use std::net::SocketAddr;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use shared::lambda::{bucket_timeouts, retries, timeouts};

use crate::template::REGION;

/// The access key id the engines know.
pub const ACCESS_KEY: &str = "iocast";
/// Its secret. Not a secret: the engines listen on loopback only, as every local emulator does.
pub const SECRET_KEY: &str = "iocast-local";

/// The HTTP client all SDK clients of one service share: no TLS, a pool for many requests at once.
#[must_use]
pub fn http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .pool_max_idle_per_host(64)
        .pool_idle_timeout(Duration::from_mins(1))
        .build_http()
}

/// A `DynamoDB` client for the engine at `address`.
#[must_use]
pub fn dynamodb(address: SocketAddr, http: &SharedHttpClient) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(credentials())
        .endpoint_url(endpoint(address))
        .http_client(http.clone())
        .retry_config(retries())
        .timeout_config(timeouts())
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}

/// A `DynamoDB` Streams client for the engine at `address`.
#[must_use]
pub fn streams(address: SocketAddr, http: &SharedHttpClient) -> aws_sdk_dynamodbstreams::Client {
    let config = aws_sdk_dynamodbstreams::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(credentials())
        .endpoint_url(endpoint(address))
        .http_client(http.clone())
        .retry_config(retries())
        .timeout_config(timeouts())
        .build();
    aws_sdk_dynamodbstreams::Client::from_conf(config)
}

/// An S3 client for the engine at `address`.
#[must_use]
pub fn s3(address: SocketAddr, http: &SharedHttpClient) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(credentials())
        .endpoint_url(endpoint(address))
        .http_client(http.clone())
        .retry_config(retries())
        .timeout_config(bucket_timeouts())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .force_path_style(true)
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

fn credentials() -> Credentials {
    Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "local")
}

fn endpoint(address: SocketAddr) -> String {
    format!("http://{address}")
}
