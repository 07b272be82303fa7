//! What every function's `main` does on AWS: the SDK clients from the environment, logging, and
//! for those that take events, their time limit and log line.

mod trust;

use std::env;
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use lambda_http::lambda_runtime::{self, Context, LambdaEvent, service_fn};
use serde_json::Value;
use tracing::Instrument;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::services::{Services, Settings, SettingsError};
use crate::work::{self, Work};

/// Requests to a service are sent so often at the most.
const ATTEMPTS: u32 = 6;
/// The longest pause before the second attempt; before each further one it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Log lines as JSON, and metrics among them; `RUST_LOG` says how many, `info` by default.
pub fn start_logging() {
    // Whose request or event it is comes with the current span.
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true);
    let lines = lines.with_current_span(true).with_span_list(false).without_time();
    // A second start in the same process keeps the first one's.
    let _ = tracing_subscriber::registry().with(lines).with(log_levels("info")).try_init();
    crate::metric::start_printing(env::var("IOCAST_METRICS_NAMESPACE").ok());
}

/// Which log lines are written: what `RUST_LOG` says (`info`, `warn,shared=debug`), else
/// `unless_said`, a level by itself or of a target.
#[must_use]
pub fn log_levels(unless_said: &str) -> Targets {
    let said = env::var("RUST_LOG").ok().and_then(|levels| levels.parse().ok());
    said.or_else(|| unless_said.parse().ok()).unwrap_or_default()
}

impl Services {
    /// Services as the function's environment describes them: credentials, region and, if set,
    /// `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_DYNAMODB` and `AWS_ENDPOINT_URL_S3`.
    ///
    /// # Errors
    /// Names the variable that is not set.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::on_aws(Settings::from_env()?)
    }

    /// Services as `settings` describes them, with the environment's credentials, region
    /// (`AWS_REGION`, else `AWS_DEFAULT_REGION`) and, if set, endpoints.
    ///
    /// # Errors
    /// Names the variable that is not set.
    pub fn on_aws(settings: Settings) -> Result<Self, SettingsError> {
        let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let required = |name| set(name).ok_or(SettingsError::Missing(name));
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            set("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        let region = set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"));
        let region = region.ok_or(SettingsError::Missing("AWS_REGION"))?;
        let http = trust::http(&region);
        let region = Region::new(region);
        let everywhere = set("AWS_ENDPOINT_URL");
        let mut dynamodb = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region.clone())
            .credentials_provider(credentials.clone())
            .http_client(http.clone())
            .retry_config(retries())
            .timeout_config(timeouts());
        dynamodb.set_endpoint_url(set("AWS_ENDPOINT_URL_DYNAMODB").or(everywhere.clone()));
        let s3_endpoint = set("AWS_ENDPOINT_URL_S3").or(everywhere);
        let mut s3 = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region)
            .credentials_provider(credentials)
            .http_client(http)
            .retry_config(retries())
            .timeout_config(bucket_timeouts())
            // Another endpoint is an emulator, which knows buckets by path only.
            .force_path_style(s3_endpoint.is_some());
        s3.set_endpoint_url(s3_endpoint);
        Ok(Self::new(aws_sdk_dynamodb::Client::from_conf(dynamodb.build()), s3.build(), settings))
    }
}

/// How requests that fail in passing are repeated: over some three seconds at the most, where
/// nothing hangs, so that what is busy for a moment is nobody's business, and what is down is said
/// soon.
#[must_use]
pub fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(FIRST_PAUSE)
}

/// How long `DynamoDB` is waited for: less than a function has to answer a request (29 s).
#[must_use]
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(20))
        .build()
}

/// How long the bucket is waited for, until it begins to answer: an attempt may have to send a
/// part of a large file first.
#[must_use]
pub fn bucket_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(10))
        .operation_timeout(Duration::from_secs(25))
        .build()
}

/// Runs a function that takes events: each is given to `handle` with the moment at which it must
/// have begun to end, `margin` (or half of what there is) before the platform's time is up.
///
/// # Errors
/// When the environment lacks something, or the platform cannot be reached.
pub async fn run_events<F, Handled, Failed>(
    margin: Duration,
    handle: F,
) -> Result<(), lambda_http::Error>
where
    F: Fn(Services, Value, Instant) -> Handled,
    Handled: Future<Output = Result<Value, Failed>>,
    Failed: std::error::Error + Send + Sync + 'static,
{
    start_logging();
    let (services, handle) = (&Services::from_env()?, &handle);
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        let LambdaEvent { payload, context } = event;
        let left = context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let until = Instant::now() + left.saturating_sub(margin.min(left / 2));
        // On the heap: some handlers are futures deeper than the compiler follows.
        let handled = Box::pin(handle(services.clone(), payload, until));
        told(&context, handled).await.map_err(lambda_http::Error::from)
    }))
    .await
}

/// Handles an event, and writes its one log line.
async fn told<Failed: std::fmt::Display>(
    context: &Context,
    handled: impl Future<Output = Result<Value, Failed>>,
) -> Result<Value, Failed> {
    let begun = Instant::now();
    let request_id = &context.request_id;
    let trace_id = context.xray_trace_id.as_deref();
    let work = Work::new(request_id.clone(), context.xray_trace_id.clone());
    let span = tracing::info_span!("work", request_id, trace_id);
    let done = work::doing(work.clone(), handled).instrument(span).await;
    let units = work.units();
    let again = done.as_ref().ok().and_then(|answer| answer["batchItemFailures"].as_array());
    tracing::info!(
        target: "request",
        outcome = if done.is_ok() { "done" } else { "failed" },
        error = done.as_ref().err().map(tracing::field::display),
        again = again.map_or(0, Vec::len),
        read_units = units.read,
        write_units = units.write,
        ms = begun.elapsed().as_secs_f64() * 1000.0,
        request_id,
        trace_id,
        "worked off"
    );
    done
}
