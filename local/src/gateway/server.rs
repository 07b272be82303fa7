//! The HTTP server in front of the functions.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use chrono::Utc;
use http::header::{EXPECT, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use percent_encoding::percent_decode_str;
use shared::http::StreamedBody;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::event::{Circumstances, event};
use super::{Gateway, Handler, MAX_BODY, MAX_HEAD, MAX_PAYLOAD, answer};
use crate::stopping::Stop;

/// The gateway gives up on a function after this long.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(30);
/// How long connections may finish what they are at when the server stops.
const GRACE: Duration = Duration::from_secs(5);
/// A body that is refused is still read this far, so that the sender sees the answer.
const MAX_DRAINED: usize = 64 * 1024 * 1024;

type Answer = Response<StreamedBody>;

/// Serves until told to stop, then lets running requests finish.
pub async fn serve(listener: TcpListener, gateway: Gateway, mut stop: Stop) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, peer, gateway.clone(), stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            () = stop.stopped() => break,
        }
    }
    drop(listener);
    let finish = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, finish).await.is_err() {
        connections.shutdown().await;
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, gateway: Gateway, mut stop: Stop) {
    let Ok(local) = stream.local_addr() else { return };
    // Without this the answer to a small request waits for the peer's delayed ACK.
    let _ = stream.set_nodelay(true);
    let until = stop.clone();
    let service = service_fn(move |request: http::Request<Incoming>| {
        let gateway = gateway.clone();
        let until = until.clone();
        async move {
            let (parts, body) = request.into_parts();
            Ok::<_, Infallible>(gateway.answer(parts, body, peer, local, until).await)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_mins(1))
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.stopped() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}

impl Gateway {
    async fn answer(
        &self,
        parts: Parts,
        body: Incoming,
        peer: SocketAddr,
        local: SocketAddr,
        until: Stop,
    ) -> Answer {
        let request_id = uuid::Uuid::new_v4().to_string();
        let mut answer = match self.forward(parts, body, (peer, local), &request_id, until).await {
            Ok(answer) | Err(answer) => answer,
        };
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            answer.headers_mut().insert("apigw-requestid", id);
        }
        answer
    }

    async fn forward(
        &self,
        parts: Parts,
        body: Incoming,
        (peer, local): (SocketAddr, SocketAddr),
        request_id: &str,
        until: Stop,
    ) -> Result<Answer, Answer> {
        if head_length(&parts) > MAX_HEAD {
            return Err(message(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "Request Header Fields Too Large",
            ));
        }
        if !can_be_forwarded(&parts) {
            return Err(message(StatusCode::BAD_REQUEST, "Bad Request"));
        }
        let body = read_body(&parts, body).await?;
        let route = self.inner.router.find(parts.method.as_str(), parts.uri.path());
        let Some((route, handler)) = route
            .and_then(|route| Some((self.inner.handlers.get(route.function)?, route)))
            .map(|(handler, route)| (route, handler.clone()))
        else {
            return Err(message(StatusCode::NOT_FOUND, "Not Found"));
        };
        let about = Circumstances { route: &route, peer, local, request_id, at: Utc::now() };
        let event = event(&parts, &body, &about);
        if event.len() > MAX_PAYLOAD {
            return Err(too_large());
        }
        let Ok(request) = lambda_http::request::from_str(&event) else {
            return Err(message(StatusCode::BAD_REQUEST, "Bad Request"));
        };
        if !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
            self.inner.writes.notify_one();
        }
        // A task of its own: a panic in a function is its own failure, as it is in Lambda.
        let method = parts.method.clone();
        let cut = until.clone();
        let answered = tokio::spawn(async move {
            match handler {
                Handler::Whole(handler) => {
                    answer::response(&method, handler(request).await).map(BodyExt::boxed_unsync)
                }
                Handler::Streaming(handler) => {
                    handler(request).await.map(|body| answer::streamed(body, until))
                }
            }
        });
        match tokio::time::timeout(FUNCTION_TIMEOUT, answered).await {
            Ok(Ok(response)) => Ok(self.handed_over(response, &parts.headers, cut).await),
            Ok(Err(error)) => {
                tracing::error!(%error, function = route.function, "the function failed");
                Err(message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"))
            }
            Err(_) => Err(message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")),
        }
    }

    /// What is handed over by a link to this machine's bucket is sent from here.
    async fn handed_over(&self, answer: Answer, asked: &HeaderMap, cut: Stop) -> Answer {
        if answer.status() != StatusCode::FOUND {
            return answer;
        }
        self.inner.bucket.follow(answer, asked).await.map(|body| answer::streamed(body, cut))
    }
}

fn message(status: StatusCode, text: &str) -> Answer {
    answer::message(status, text).map(BodyExt::boxed_unsync)
}

fn too_large() -> Answer {
    message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
}

fn head_length(parts: &Parts) -> usize {
    let line = parts.method.as_str().len()
        + parts.uri.path_and_query().map_or(1, |target| target.as_str().len());
    line + parts
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum::<usize>()
}

/// The Lambda library builds a URL from host, decoded path and query, and takes for granted that
/// it can: whatever has no such URL (`OPTIONS *`, a host that is none) must not get there.
fn can_be_forwarded(parts: &Parts) -> bool {
    let host = parts.headers.get(HOST).map_or(Ok(""), HeaderValue::to_str);
    let Ok(host) = host else { return false };
    let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
    let url = if host.is_empty() {
        url::Url::parse(&format!("http://localhost{path}"))
    } else {
        url::Url::parse(&format!("http://{host}{path}"))
    };
    let query = parts.uri.query().unwrap_or_default();
    url.is_ok_and(|url| format!("{url}?{query}").parse::<http::Uri>().is_ok())
        && path.starts_with('/')
}

async fn read_body(parts: &Parts, mut body: Incoming) -> Result<Vec<u8>, Answer> {
    let declared = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let declared = declared.unwrap_or(0);
    if declared > MAX_BODY && parts.headers.contains_key(EXPECT) {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(declared.min(MAX_BODY));
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(message(StatusCode::BAD_REQUEST, "Bad Request"));
        };
        let Some(data) = frame.data_ref() else { continue };
        seen += data.len();
        if seen > MAX_DRAINED {
            break;
        }
        if seen <= MAX_BODY {
            bytes.extend_from_slice(data);
        }
    }
    if seen > MAX_BODY {
        return Err(too_large());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_a_url_is_forwarded() {
        let forwarded = |target: &str, host: &str| {
            let request = http::Request::get(target).header("Host", host).body(());
            can_be_forwarded(&request.unwrap().into_parts().0)
        };
        assert!(forwarded("/taxii2/?x=%22{}", "127.0.0.1:8080"));
        assert!(forwarded("/%00%ff%3F%23%7B|[]^", "[::1]:80"));
        assert!(!forwarded("*", "localhost"));
        for host in ["[", "a b", "localhost:99999"] {
            assert!(!forwarded("/", host), "{host}");
        }
    }
}
