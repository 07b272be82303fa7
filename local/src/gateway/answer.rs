//! What goes back: a function's response, or the gateway's own short answers.

use bytes::Bytes;
use futures::StreamExt;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt, BodyStream, Full, StreamBody};
use lambda_http::Body;
use shared::http::StreamedBody;

use super::MAX_PAYLOAD;
use crate::stopping::Stop;

/// The gateway's own answer, `{"message":"…"}`.
pub(super) fn message(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let body = serde_json::json!({ "message": text }).to_string();
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A function's response as the gateway passes it on: with its length, and without a body when
/// the request was HEAD; one too large for Lambda is the gateway's 500.
pub(super) fn response(method: &Method, response: Response<Body>) -> Response<Full<Bytes>> {
    let (mut parts, body) = response.into_parts();
    let (body, payload) = match body {
        Body::Text(text) => {
            let length = text.len();
            (Bytes::from(text), length)
        }
        Body::Binary(bytes) => {
            let length = bytes.len().div_ceil(3) * 4;
            (Bytes::from(bytes), length)
        }
        _ => (Bytes::new(), 0),
    };
    if payload > MAX_PAYLOAD {
        return message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    }
    parts.headers.remove(CONNECTION);
    parts.headers.remove(TRANSFER_ENCODING);
    let bodiless = parts.status == StatusCode::NO_CONTENT
        || parts.status == StatusCode::NOT_MODIFIED
        || parts.status.is_informational();
    if bodiless {
        parts.headers.remove(CONTENT_LENGTH);
        return Response::from_parts(parts, Full::default());
    }
    if method == Method::HEAD {
        if !body.is_empty() {
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        return Response::from_parts(parts, Full::default());
    }
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    Response::from_parts(parts, Full::new(body))
}

/// A streamed body as the gateway passes it on: each piece as it comes, until it ends or the
/// server stops, which cuts it between two pieces.
pub(super) fn streamed(body: StreamedBody, mut stop: Stop) -> StreamedBody {
    let pieces = BodyStream::new(body).take_until(Box::pin(async move { stop.stopped().await }));
    StreamBody::new(pieces).boxed_unsync()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn length_and_body(response: Response<Full<Bytes>>) -> (Option<String>, Bytes) {
        let length = response.headers().get(CONTENT_LENGTH);
        let length = length.map(|value| value.to_str().unwrap().to_owned());
        (length, response.into_body().collect().await.unwrap().to_bytes())
    }

    fn text(text: &str) -> Response<Body> {
        Response::new(Body::from(text.to_owned()))
    }

    #[tokio::test]
    async fn the_length_is_right_and_head_has_no_body() {
        let (length, body) = length_and_body(response(&Method::GET, text("abc"))).await;
        assert_eq!((length.as_deref(), &body[..]), (Some("3"), &b"abc"[..]));
        let (length, body) = length_and_body(response(&Method::HEAD, text("abc"))).await;
        assert_eq!((length.as_deref(), &body[..]), (Some("3"), &b""[..]));
        let mut none = text("abc");
        *none.status_mut() = StatusCode::NO_CONTENT;
        let (length, body) = length_and_body(response(&Method::GET, none)).await;
        assert_eq!((length, &body[..]), (None, &b""[..]));
    }

    #[test]
    fn an_answer_above_lambdas_limit_is_a_500() {
        let large = Response::new(Body::from(vec![0_u8; MAX_PAYLOAD / 4 * 3 + 1]));
        assert_eq!(response(&Method::GET, large).status(), 500);
        let fits = Response::new(Body::from("x".repeat(MAX_PAYLOAD)));
        assert_eq!(response(&Method::GET, fits).status(), 200);
    }
}
