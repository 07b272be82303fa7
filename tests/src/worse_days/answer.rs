//! What a client is answered.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

/// An answer of the engine, or one in its place.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// The error `name` with `status`, as `DynamoDB` spells its own.
    pub(super) fn error(status: StatusCode, name: &str, message: &str) -> Self {
        let error = json!({
            "__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": message,
        });
        let mut headers = HeaderMap::new();
        let json = HeaderValue::from_static("application/x-amz-json-1.0");
        headers.insert(http::header::CONTENT_TYPE, json);
        Self { status, headers, body: Bytes::from(error.to_string()) }
    }

    /// The body, when the request was done.
    pub(super) fn done(&self) -> Option<Value> {
        (self.status == StatusCode::OK).then(|| serde_json::from_slice(&self.body).ok()).flatten()
    }

    /// Another body. The checksum of the old one goes with it.
    pub(super) fn replace(&mut self, body: &Value) {
        self.headers.remove("x-amz-crc32");
        self.body = Bytes::from(body.to_string());
    }

    /// The answer as it is sent.
    pub(super) fn into_response(mut self) -> Response<Full<Bytes>> {
        for of_one_connection in ["connection", "content-length", "keep-alive", "transfer-encoding"]
        {
            self.headers.remove(of_one_connection);
        }
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
