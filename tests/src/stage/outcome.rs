//! What a step came to.

use std::time::Duration;

use lambda_http::{Body, Response};
use serde_json::Value;

/// What a step came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The status of an answer; 200 of an event that was worked off, 503 of one that must come
    /// again.
    pub status: u16,
    /// Asked again it may succeed, and the asker was told so as it must be.
    pub unavailable: bool,
    /// What is wrong with how it was told.
    pub wrong: Option<String>,
    /// The answer, where it is JSON.
    pub json: Value,
    /// How long it took.
    pub took: Duration,
}

impl Outcome {
    pub(super) fn of(response: &Response<Body>) -> Self {
        let status = response.status().as_u16();
        let text = String::from_utf8_lossy(response.body()).into_owned();
        let header = |name: &str| response.headers().contains_key(name);
        // A stream is put off by a connection whose reader is told to come again much later.
        let put_off = status == 200 && text.contains("retry: 30000");
        let wrong = match status {
            503 if !header("retry-after") => Some("503 without Retry-After".to_owned()),
            503 if !text.contains("try again") => Some(format!("503 that says {text}")),
            503 if text.contains("DynamoDB") || text.contains("case-") => {
                Some(format!("an error that tells of the inside: {text}"))
            }
            500..=502 | 504.. => Some(format!("{status}: {text}")),
            _ => None,
        };
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        let unavailable = status == 503 || put_off;
        Self { status, unavailable, wrong, json, took: Duration::ZERO }
    }

    pub(super) fn of_event(done: &Result<Value, String>) -> Self {
        let json = done.as_ref().cloned().unwrap_or(Value::Null);
        let again = json["batchItemFailures"].as_array().is_some_and(|failed| !failed.is_empty());
        // A run of a schedule may leave something to the next one.
        let left = json["waiting"].as_u64().is_some_and(|waiting| waiting > 0)
            || json["complete"] == false;
        let unavailable = done.is_err() || again || left;
        let status = if unavailable { 503 } else { 200 };
        Self { status, unavailable, wrong: None, json, took: Duration::ZERO }
    }
}
