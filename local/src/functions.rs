//! The functions, by their logical id in the template.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lambda_http::{Body, Request, Response};
use live_stream::Limits;
use serde_json::Value;
use shared::http::StreamedBody;
use shared::services::Services;

/// A future a function returns.
pub type Running<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// A function behind a route.
pub type HttpHandler = Arc<dyn Fn(Request) -> Running<Response<Body>> + Send + Sync>;
/// A function behind a URL of its own, whose answer is sent piece by piece.
pub type StreamHandler = Arc<dyn Fn(Request) -> Running<Response<StreamedBody>> + Send + Sync>;
/// A function behind a stream or a bucket: the event's JSON in, the answer's JSON out, or what
/// went wrong.
pub type EventHandler = Arc<dyn Fn(Value) -> Running<Result<Value, String>> + Send + Sync>;

/// A function that answers requests, by the path of its `handle`.
macro_rules! answering {
    ($services:ident, $handle:path) => {
        Some(Arc::new(move |request| {
            let services = $services.clone();
            Box::pin(async move { $handle(&services, request).await })
        }))
    };
}

/// The function with this logical id that answers HTTP requests.
#[must_use]
pub fn http(services: &Services, logical_id: &str) -> Option<HttpHandler> {
    let services = services.clone();
    match logical_id {
        "CsvFeedFunction" => answering!(services, csv_feed::handle),
        "IngestFunction" => answering!(services, ingest::handle),
        "IocStreamDeleteFunction" => answering!(services, ioc_stream_delete::handle),
        "IocStreamGetFunction" => answering!(services, ioc_stream_get::handle),
        "IocStreamListFunction" => answering!(services, ioc_stream_list::handle),
        "ManageFunction" => answering!(services, manage::handle),
        "StixExportFunction" => answering!(services, stix_export::handle),
        "StreamsFunction" => Some(Arc::new(move |request| {
            let services = services.clone();
            let limits = Limits::from_env();
            Box::pin(async move { live_stream::handle_whole(&services, limits, request).await })
        })),
        "SubscriptionsFunction" => answering!(services, subscriptions::handle),
        "TaxiiFunction" => answering!(services, taxii::handle),
        _ => None,
    }
}

/// The function with this logical id that streams its answers.
#[must_use]
pub fn streaming(services: &Services, logical_id: &str) -> Option<StreamHandler> {
    let services = services.clone();
    match logical_id {
        "LiveStreamFunction" => Some(Arc::new(move |request| {
            let services = services.clone();
            let limits = Limits::from_env();
            Box::pin(async move { live_stream::handle(&services, limits, request).await })
        })),
        _ => None,
    }
}

/// A function that takes events, by the path of its `handle`.
macro_rules! taking_events {
    ($services:ident, $handle:path) => {
        Some(Arc::new(move |event| {
            let services = $services.clone();
            Box::pin(
                async move { $handle(&services, event).await.map_err(|error| error.to_string()) },
            )
        }))
    };
}

/// Long work is cut into pieces of this length, so that the service can stop between them.
const PIECE: Duration = Duration::from_secs(10);

async fn rescan_a_while(services: &Services, event: Value) -> Result<Value, rescan::RescanError> {
    rescan::handle(services, event, Instant::now() + PIECE).await
}

async fn notify_a_while(services: &Services, event: Value) -> Result<Value, notify::NotifyError> {
    notify::handle(services, event, Instant::now() + PIECE).await
}

/// What a deployed run of compaction has.
const COMPACTION: Duration = Duration::from_mins(14);

async fn compact_a_while(
    services: &Services,
    event: Value,
) -> Result<Value, compact::CompactError> {
    compact::handle(services, event, Instant::now() + COMPACTION).await
}

/// What a deployed run of publishing has.
const PUBLISHING: Duration = Duration::from_mins(13);

async fn publish_a_while(
    services: &Services,
    event: Value,
) -> Result<Value, csv_publish::HandleError> {
    csv_publish::handle(services, event, Instant::now() + PUBLISHING).await
}

/// What a deployed run of projection has.
const PROJECTION: Duration = Duration::from_secs(170);

async fn project_a_while(
    services: &Services,
    event: Value,
) -> Result<Value, project::ProjectError> {
    project::handle(services, event, Instant::now() + PROJECTION).await
}

/// The function with this logical id that takes events.
#[must_use]
pub fn event(services: &Services, logical_id: &str) -> Option<EventHandler> {
    let services = services.clone();
    match logical_id {
        "CompactFunction" => taking_events!(services, compact_a_while),
        "CsvPublishFunction" => taking_events!(services, publish_a_while),
        "ExpireFunction" => taking_events!(services, expire::handle),
        "IngestDropFunction" => taking_events!(services, ingest_drop::handle),
        "NotifyFunction" => taking_events!(services, notify_a_while),
        "ProjectFunction" => taking_events!(services, project_a_while),
        "RescanFunction" => taking_events!(services, rescan_a_while),
        _ => None,
    }
}
