//! The answer around a bundle: media type, file name, tag, cursor.

use chrono::{DateTime, Utc};
use lambda_http::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_DISPOSITION, ETAG, LINK};
use lambda_http::http::{HeaderName, StatusCode};
use shared::http::{Accept, Answer, ApiError, Call, ETag, LOOKBACK_CLAMPED_TO};
use shared::services::Services;
use shared::time::Timestamp;

const STIX: &str = "application/stix+json;version=2.1";
const JSON: &str = "application/json";

/// What the client takes: STIX, or plain JSON if that is all it accepts.
pub fn media_type(call: &Call) -> Result<&'static str, ApiError> {
    let accept = Accept::parse(call.header(&ACCEPT));
    if accept.quality("application/stix+json", Some("2.1")) > 0 {
        return Ok(STIX);
    }
    if accept.quality(JSON, None) > 0 {
        return Ok(JSON);
    }
    let message = format!("the export is sent as {STIX} or {JSON}: accept one of them");
    Err(ApiError::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", message))
}

/// What was found.
pub struct Found {
    /// What the client takes.
    pub media_type: &'static str,
    /// The bundle, or the bare array.
    pub body: String,
    /// The cursor to go on with.
    pub next: Option<String>,
    /// The horizon, where the client asked for more.
    pub clamped: Option<DateTime<Utc>>,
}

impl Found {
    /// The answer, or that the client has it already.
    pub fn answer(self, services: &Services, call: &Call) -> Answer {
        let next = self.next.as_deref().unwrap_or_default();
        let tag = ETag::of([self.body.as_bytes(), next.as_bytes()]);
        let mut answer = if tag.is_known_to(call) {
            Answer::empty(StatusCode::NOT_MODIFIED)
        } else {
            let answer = Answer::new(StatusCode::OK, self.media_type, self.body.into_bytes());
            answer.with(CONTENT_DISPOSITION, "attachment; filename=\"iocast-indicators.json\"")
        };
        // A copy may be kept by the client alone, and only to ask whether it still holds.
        answer = answer.with(ETAG, tag.as_str()).with(CACHE_CONTROL, "private, no-cache");
        if let Some(next) = &self.next {
            let base = call.base_url(services.settings().public_base_url.as_deref());
            let link = format!("<{base}/{}?cursor={next}>; rel=\"next\"", call.path.join("/"));
            let name = HeaderName::from_static("x-next-cursor");
            answer = answer.with(LINK, &link).with(name, next);
        }
        match self.clamped {
            Some(horizon) => answer.with(LOOKBACK_CLAMPED_TO, Timestamp::millis(horizon).as_str()),
            None => answer,
        }
    }
}
