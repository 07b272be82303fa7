//! What every function's `main` does on AWS: the SDK clients from the environment, and logging.

use std::env;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, SharedHttpClient};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::services::{Services, Settings, SettingsError};

/// Log lines as JSON, and metrics among them; `RUST_LOG` says how many, `info` by default.
pub fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    // A second start in the same process keeps the first one's.
    let _ = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_current_span(false)
        .without_time()
        .try_init();
    crate::metric::start_printing();
}

impl Services {
    /// Services as the function's environment describes them: credentials, region and, if set,
    /// `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_DYNAMODB` and `AWS_ENDPOINT_URL_S3`.
    ///
    /// # Errors
    /// Names the variable that is not set.
    pub fn from_env() -> Result<Self, SettingsError> {
        let settings = Settings::from_env()?;
        let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let required = |name| set(name).ok_or(SettingsError::Missing(name));
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            set("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        let region = Region::new(required("AWS_REGION")?);
        let everywhere = set("AWS_ENDPOINT_URL");
        let http = http();
        let mut dynamodb = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region.clone())
            .credentials_provider(credentials.clone())
            .http_client(http.clone())
            .retry_config(RetryConfig::standard().with_max_attempts(4))
            .timeout_config(timeouts());
        dynamodb.set_endpoint_url(set("AWS_ENDPOINT_URL_DYNAMODB").or(everywhere.clone()));
        let s3_endpoint = set("AWS_ENDPOINT_URL_S3").or(everywhere);
        let mut s3 = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region)
            .credentials_provider(credentials)
            .http_client(http)
            .retry_config(RetryConfig::standard().with_max_attempts(4))
            // Another endpoint is an emulator, which knows buckets by path only.
            .force_path_style(s3_endpoint.is_some());
        s3.set_endpoint_url(s3_endpoint);
        Ok(Self::new(
            aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            aws_sdk_s3::Client::from_conf(s3.build()),
            settings,
        ))
    }
}

fn http() -> SharedHttpClient {
    // Ring: AWS-LC's start-up costs a third of a second at a small memory size.
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .pool_max_idle_per_host(64)
        .build_https()
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(20))
        .build()
}
