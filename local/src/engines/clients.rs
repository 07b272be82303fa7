//! SDK clients for the embedded engines. They wait and retry as the deployed functions do: what
//! runs out of time there does so here.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use shared::lambda::{bucket_timeouts, retries, timeouts};

use super::dynamodb::{Requests, through};
use super::s3::Access;
use crate::template::REGION;

/// The access key id of every client. The `DynamoDB` engine checks no signature, as only this
/// process and the owner of its data folder reach it; the S3 engine knows one secret for this id.
pub const ACCESS_KEY: &str = "iocast";

/// An address of `DynamoDB` and the HTTP client that reaches it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    url: String,
    http: SharedHttpClient,
}

impl Endpoint {
    /// The engine of this process.
    #[must_use]
    pub fn in_process(engine: &Requests) -> Self {
        Self::local(engine.http_client())
    }

    /// The engine of a running service, through the socket in its data folder.
    #[must_use]
    pub fn at_socket(file: &Path) -> Self {
        Self::local(through(file))
    }

    /// What listens at an address.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self::over(address, http())
    }

    /// The same, by an HTTP client of one's own.
    #[must_use]
    pub fn over(address: SocketAddr, http: SharedHttpClient) -> Self {
        Self { url: url(address), http }
    }

    fn local(http: SharedHttpClient) -> Self {
        Self { url: "http://localhost".to_owned(), http }
    }
}

/// An HTTP client for loopback ports: no TLS, a pool for many requests at once.
#[must_use]
pub fn http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .pool_max_idle_per_host(64)
        .pool_idle_timeout(Duration::from_mins(1))
        .build_http()
}

/// A `DynamoDB` client.
#[must_use]
pub fn dynamodb(endpoint: &Endpoint) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(credentials("unchecked"))
        .endpoint_url(&endpoint.url)
        .http_client(endpoint.http.clone())
        .retry_config(retries())
        .timeout_config(timeouts())
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}

/// A `DynamoDB` Streams client.
#[must_use]
pub fn streams(endpoint: &Endpoint) -> aws_sdk_dynamodbstreams::Client {
    let config = aws_sdk_dynamodbstreams::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(credentials("unchecked"))
        .endpoint_url(&endpoint.url)
        .http_client(endpoint.http.clone())
        .retry_config(retries())
        .timeout_config(timeouts())
        .build();
    aws_sdk_dynamodbstreams::Client::from_conf(config)
}

/// An S3 client for an embedded engine.
#[must_use]
pub fn s3(access: &Access, http: &SharedHttpClient) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(credentials(&access.secret))
        .endpoint_url(url(access.address))
        .http_client(http.clone())
        .retry_config(retries())
        .timeout_config(bucket_timeouts())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .force_path_style(true)
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

fn credentials(secret: &str) -> Credentials {
    Credentials::new(ACCESS_KEY, secret, None, None, "local")
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}
