//! One answer, on its way to the gateway.

use std::io::Write;

use lambda_http::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, VARY,
};
use lambda_http::http::{HeaderMap, StatusCode};
use lambda_http::{Body, Response};
use serde::Serialize;

use super::call::Frame;

/// Smaller bodies are not worth compressing.
const WORTH_COMPRESSING: usize = 1024;

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    /// An answer with a body of this type.
    #[must_use]
    pub fn new(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { status, headers, body }
    }

    /// An answer of JSON.
    #[must_use]
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        // Our own answers serialise: maps have text keys, numbers are finite.
        Self::new(status, "application/json", serde_json::to_vec(body).unwrap_or_default())
    }

    /// An answer without a body.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Vec::new() }
    }

    /// The same answer with its body declared as another type.
    #[must_use]
    pub fn with_type(mut self, content_type: &'static str) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        self
    }

    /// The same status and headers with another body.
    #[must_use]
    pub fn with_body(mut self, content_type: &'static str, body: &impl Serialize) -> Self {
        self.body = serde_json::to_vec(body).unwrap_or_default();
        self.with_type(content_type)
    }

    pub(super) fn preflight() -> Self {
        Self::empty(StatusCode::NO_CONTENT)
            .with(ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, OPTIONS")
            .with(
                ACCESS_CONTROL_ALLOW_HEADERS,
                "Authorization, X-API-Key, X-ApiKey, Accept, If-None-Match, If-Modified-Since, Last-Event-ID, Range",
            )
    }

    /// Adds a header; a value that no header can carry is left out.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    pub(super) fn send(mut self, frame: &Frame) -> Response<Body> {
        let headers = &mut self.headers;
        if let Ok(id) = HeaderValue::from_str(&frame.request_id.to_string()) {
            headers.insert("x-request-id", id);
        }
        if let Some(quota) = frame.quota.get() {
            headers.insert("x-ratelimit-limit", quota.limit.into());
            headers.insert("x-ratelimit-remaining", quota.remaining.into());
            headers.insert("x-ratelimit-reset", quota.resets.into());
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
        headers.append(
            VARY,
            HeaderValue::from_static("Accept, Accept-Encoding, Authorization, X-API-Key"),
        );
        let mut body = self.body;
        if body.len() >= WORTH_COMPRESSING
            && let Some((coding, compressed)) = compress(&body, frame.accept_encoding.as_deref())
            // Bytes reach the gateway in base64: what shrinks less than that costs is not sent.
            && compressed.len() * 4 / 3 < body.len()
        {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
            body = compressed;
        }
        let mut response = Response::new(match body {
            _ if frame.head => Body::Empty,
            body if body.is_empty() => Body::Empty,
            // Text reaches the gateway as it is, bytes in base64.
            body => match String::from_utf8(body) {
                Ok(text) => Body::Text(text),
                Err(bytes) => Body::Binary(bytes.into_bytes()),
            },
        });
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

fn compress(body: &[u8], accepted: Option<&str>) -> Option<(&'static str, Vec<u8>)> {
    if best_coding(accepted?)? == "zstd" {
        return zstd::bulk::compress(body, 3).ok().map(|bytes| ("zstd", bytes));
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(|bytes| ("gzip", bytes))
}

/// The best of gzip and zstd the client accepts (RFC 9110, section 12.5.3).
fn best_coding(accepted: &str) -> Option<&'static str> {
    let weight = |wanted: &str| {
        let member = |member: &str| {
            let (name, parameters) = member.split_once(';').unwrap_or((member, ""));
            let weight = parameters
                .trim()
                .strip_prefix("q=")
                .map_or(1.0, |q| q.trim().parse().unwrap_or(1.0));
            let name = name.trim();
            (name.eq_ignore_ascii_case(wanted) || name == "*").then_some((name != "*", weight))
        };
        let found: Vec<(bool, f32)> = accepted.split(',').filter_map(member).collect();
        let named = found.iter().find(|(named, _)| *named).or_else(|| found.first());
        named.map_or(0.0, |(_, weight)| *weight)
    };
    let (zstd, gzip) = (weight("zstd"), weight("gzip"));
    if zstd <= 0.0 && gzip <= 0.0 {
        return None;
    }
    Some(if zstd >= gzip { "zstd" } else { "gzip" })
}

#[cfg(test)]
mod tests {
    use super::best_coding;

    #[test]
    fn the_client_chooses_the_coding() {
        assert_eq!(best_coding("gzip, deflate"), Some("gzip"));
        assert_eq!(best_coding("gzip, deflate, br, zstd"), Some("zstd"));
        assert_eq!(best_coding("gzip;q=0, *"), Some("zstd"));
        assert_eq!(best_coding("zstd;q=0.1, gzip;q=0.5"), Some("gzip"));
        assert_eq!(best_coding("identity"), None);
        assert_eq!(best_coding("gzip;q=0, zstd;q=0"), None);
    }
}
