//! Links into the bucket, which only this machine can follow: the gateway does it for the client.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::ready;
use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HOST, IF_RANGE,
    LAST_MODIFIED, LOCATION, RANGE,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, BodyStream, Empty, StreamBody};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use shared::http::StreamedBody;

use super::answer::message;

/// The engine behind the bucket.
pub(super) struct Bucket {
    address: SocketAddr,
    client: Client<HttpConnector, Empty<Bytes>>,
}

impl Bucket {
    pub(super) fn at(address: SocketAddr) -> Self {
        Self { address, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// An answer as it is, or, of one that is a link into the bucket, what lies there, piece by
    /// piece.
    pub(super) async fn follow(
        &self,
        answer: Response<StreamedBody>,
        asked: &HeaderMap,
    ) -> Response<StreamedBody> {
        let Some(link) = self.link(&answer) else { return answer };
        let mut request = Request::get(link).header(HOST, self.address.to_string());
        if let Some(range) = asked.get(RANGE).filter(|_| is_of(&answer, asked)) {
            request = request.header(RANGE, range);
        }
        let Ok(request) = request.body(Empty::new()) else {
            return message(StatusCode::BAD_GATEWAY, "Bad Gateway").map(BodyExt::boxed_unsync);
        };
        let found = match self.client.request(request).await {
            Ok(found) if found.status().as_u16() < 500 => found,
            _ => {
                tracing::error!("a link into the bucket leads nowhere");
                return message(StatusCode::BAD_GATEWAY, "Bad Gateway").map(BodyExt::boxed_unsync);
            }
        };
        let (mut parts, _) = answer.into_parts();
        parts.status = found.status();
        parts.headers.remove(LOCATION);
        parts.headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        for name in [CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE] {
            match found.headers().get(&name) {
                Some(value) => parts.headers.insert(name, value.clone()),
                None => parts.headers.remove(name),
            };
        }
        // What breaks off is shorter than it said it is, so the client sees that.
        let pieces = BodyStream::new(found.into_body())
            .take_while(|piece| ready(piece.is_ok()))
            .filter_map(|piece| ready(piece.ok()));
        let body = StreamBody::new(pieces.map(Ok::<_, Infallible>)).boxed_unsync();
        Response::from_parts(parts, body)
    }

    /// Where the answer leads, if that is into the bucket.
    fn link(&self, answer: &Response<StreamedBody>) -> Option<Uri> {
        let location = answer.headers().get(LOCATION).filter(|_| answer.status().is_redirection());
        let link: Uri = location?.to_str().ok()?.parse().ok()?;
        let here = link.authority()?.as_str() == self.address.to_string();
        (here && link.scheme_str() == Some("http")).then_some(link)
    }
}

/// Whether the client wants a part of what the answer is about, and not of something older.
fn is_of(answer: &Response<StreamedBody>, asked: &HeaderMap) -> bool {
    asked.get(IF_RANGE).is_none_or(|known| {
        [ETAG, LAST_MODIFIED].iter().any(|name| answer.headers().get(name) == Some(known))
    })
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    fn answer(status: u16, location: &str) -> Response<StreamedBody> {
        let answer = Response::builder().status(status).header(LOCATION, location);
        answer.header(ETAG, "\"a\"").body(Full::default().boxed_unsync()).unwrap()
    }

    #[test]
    fn only_links_into_the_bucket_are_followed() {
        let bucket = Bucket::at("127.0.0.1:4567".parse().unwrap());
        let follows = |status, location| bucket.link(&answer(status, location)).is_some();
        assert!(follows(302, "http://127.0.0.1:4567/bucket/feeds/a?X-Amz-Signature=b"));
        assert!(!follows(201, "http://127.0.0.1:4567/bucket/feeds/a"));
        for elsewhere in [
            "http://127.0.0.1:45678/bucket/a",
            "http://127.0.0.1:4567@example.com/a",
            "https://127.0.0.1:4567/a",
            "http://example.com/a",
            "/taxii2/",
        ] {
            assert!(!follows(302, elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_part_is_one_of_what_the_client_has_the_rest_of() {
        let asked = |known: &str| HeaderMap::from_iter([(IF_RANGE, known.parse().unwrap())]);
        let answer = answer(302, "/");
        assert!(is_of(&answer, &HeaderMap::new()));
        assert!(is_of(&answer, &asked("\"a\"")));
        assert!(!is_of(&answer, &asked("\"b\"")));
    }
}
