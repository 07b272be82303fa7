//! The functions, by their logical id in the template.

use std::pin::Pin;
use std::sync::Arc;

use lambda_http::{Body, Request, Response};
use serde_json::Value;
use shared::services::Services;

/// A future a function returns.
pub type Running<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// A function behind a route.
pub type HttpHandler = Arc<dyn Fn(Request) -> Running<Response<Body>> + Send + Sync>;
/// A function behind a stream or a bucket: the event's JSON in, the answer's JSON out, or what
/// went wrong.
pub type EventHandler = Arc<dyn Fn(Value) -> Running<Result<Value, String>> + Send + Sync>;

/// The function with this logical id that answers HTTP requests.
#[must_use]
pub fn http(services: &Services, logical_id: &str) -> Option<HttpHandler> {
    let services = services.clone();
    match logical_id {
        "IngestFunction" => Some(Arc::new(move |request| {
            let services = services.clone();
            Box::pin(async move { ingest::handle(&services, request).await })
        })),
        "TaxiiFunction" => Some(Arc::new(move |request| {
            let services = services.clone();
            Box::pin(async move { taxii::handle(&services, request).await })
        })),
        _ => None,
    }
}

/// The function with this logical id that takes events.
#[must_use]
pub fn event(services: &Services, logical_id: &str) -> Option<EventHandler> {
    let services = services.clone();
    match logical_id {
        "ProjectFunction" => Some(Arc::new(move |event| {
            let services = services.clone();
            Box::pin(async move {
                project::handle(&services, event).await.map_err(|error| error.to_string())
            })
        })),
        "IngestDropFunction" => Some(Arc::new(move |event| {
            let services = services.clone();
            Box::pin(async move {
                ingest_drop::handle(&services, event).await.map_err(|error| error.to_string())
            })
        })),
        _ => None,
    }
}
