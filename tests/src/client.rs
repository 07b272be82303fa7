//! A client of the service: one request, one answer, over HTTP, through a function's runtime
//! or to its handler.

use std::future::IntoFuture;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client as Pool, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use local::functions::HttpHandler;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::event_stream::EventStream;
use crate::function::Function;
use crate::gateway_event;

/// The media type of every TAXII 2.1 answer.
pub const TAXII: &str = "application/taxii+json;version=2.1";

/// How requests reach the service.
#[derive(Clone)]
enum Transport {
    Http(Box<Pool<HttpConnector, Full<Bytes>>>),
    Function(Arc<Function>),
    Handler(HttpHandler),
}

/// Sends requests to one service, with one key or none.
#[derive(Clone)]
pub struct Client {
    transport: Transport,
    base_url: String,
    key: Option<String>,
}

impl Client {
    /// A client of the HTTP service at `base_url` (no final slash), without a key.
    pub fn http(base_url: &str) -> Self {
        let pool = Pool::builder(TokioExecutor::new()).build_http();
        Self {
            transport: Transport::Http(Box::new(pool)),
            base_url: base_url.trim_end_matches('/').to_owned(),
            key: None,
        }
    }

    /// A client of a function binary behind an API gateway whose public address is `base_url`.
    pub fn function(function: Arc<Function>, base_url: &str) -> Self {
        Self { transport: Transport::Function(function), base_url: base_url.to_owned(), key: None }
    }

    /// The same client of a function's handler in this process.
    #[must_use]
    pub fn of_handler(&self, handler: HttpHandler) -> Self {
        Self { transport: Transport::Handler(handler), ..self.clone() }
    }

    /// The same service with `key`, sent as a bearer token.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self.clone() }
    }

    /// The same service without a key.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self { key: None, ..self.clone() }
    }

    /// The address clients know the service by, without a final slash.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// A request of any method for a path and query exactly as given.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let request = Request {
            client: self.clone(),
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
        };
        match &self.key {
            Some(key) => request.header("authorization", &format!("Bearer {key}")),
            None => request,
        }
    }

    /// A GET.
    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    /// A POST; give it a body.
    pub fn post(&self, path: &str) -> Request {
        self.request("POST", path)
    }

    /// A DELETE.
    pub fn delete(&self, path: &str) -> Request {
        self.request("DELETE", path)
    }
}

/// A request under construction; await it to send it.
#[derive(Clone)]
pub struct Request {
    client: Client,
    /// The method.
    pub method: Method,
    /// Path and query as they go over the wire.
    pub path: String,
    /// Header lines in order, repeated ones included.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Request {
    /// Adds a header line.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds an `Accept` line.
    #[must_use]
    pub fn accept(self, value: &str) -> Self {
        self.header("accept", value)
    }

    /// Adds HTTP Basic credentials.
    #[must_use]
    pub fn basic(self, user: &str, password: &str) -> Self {
        let credentials = BASE64.encode(format!("{user}:{password}"));
        self.header("authorization", &format!("Basic {credentials}"))
    }

    /// Adds a query parameter, percent-encoded.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.path.push(if self.path.contains('?') { '&' } else { '?' });
        self.path.extend(utf8_percent_encode(name, NON_ALPHANUMERIC));
        self.path.push('=');
        self.path.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
        self
    }

    /// Adds query parameters, percent-encoded.
    #[must_use]
    pub fn queries(self, pairs: &[(&str, &str)]) -> Self {
        pairs.iter().fold(self, |request, (name, value)| request.query(name, value))
    }

    /// Sets the body and its type.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// Sends it and reads the whole answer.
    pub async fn send(self) -> Answer {
        self.attempt().await.unwrap_or_else(|why| panic!("{why}"))
    }

    /// Sends it to a service that may go away meanwhile.
    ///
    /// # Errors
    /// Why there is no answer, or not a whole one.
    pub async fn attempt(self) -> Result<Answer, String> {
        let what = format!("{} {}", self.method, self.path.get(..200).unwrap_or(&self.path));
        match self.client.transport.clone() {
            Transport::Http(pool) => {
                let answer = self.over_http(&pool, what.clone()).await;
                answer.map_err(|error| format!("{what}: {error}"))
            }
            Transport::Function(function) => Ok(function.answer(self, what).await),
            Transport::Handler(handler) => {
                let event = gateway_event::event(&self).to_string();
                let request = lambda_http::request::from_str(&event).expect("it is an event");
                let (head, body) = handler(request).await.into_parts();
                let body = Bytes::copy_from_slice(&body);
                Ok(Answer { what, status: head.status.as_u16(), headers: head.headers, body })
            }
        }
    }

    async fn over_http(
        self,
        pool: &Pool<HttpConnector, Full<Bytes>>,
        what: String,
    ) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let mut request = http::Request::builder()
            .method(self.method)
            .uri(format!("{}{}", self.client.base_url, self.path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let (head, body) = pool.request(request.body(Full::new(self.body))?).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { what, status: head.status.as_u16(), headers: head.headers, body })
    }

    /// Sends it and reads the answer as it comes.
    pub async fn open(self) -> EventStream {
        let what = format!("{} {}", self.method, self.path);
        match self.client.transport.clone() {
            Transport::Http(pool) => {
                let mut request = http::Request::builder()
                    .method(self.method)
                    .uri(format!("{}{}", self.client.base_url, self.path));
                for (name, value) in &self.headers {
                    request = request.header(name, value);
                }
                let request = request.body(Full::new(self.body)).unwrap();
                let answer = pool.request(request).await.unwrap_or_else(|e| panic!("{what}: {e}"));
                EventStream::of_http(what, answer)
            }
            Transport::Function(function) => {
                let streamed = function.stream(&self).await;
                EventStream::of_function(&what, streamed.unwrap_or_else(|e| panic!("{what}: {e}")))
            }
            Transport::Handler(_) => panic!("{what}: a handler's answer comes as a whole"),
        }
    }

    /// The address the client knows the service by.
    pub fn base_url(&self) -> &str {
        &self.client.base_url
    }
}

impl IntoFuture for Request {
    type Output = Answer;
    type IntoFuture = BoxFuture<'static, Answer>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Method and path of the request, for messages.
    pub what: String,
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// Builds an answer from plain parts, as a function returns them.
    pub fn from_parts(
        what: String,
        status: u16,
        headers: &[(String, String)],
        body: Bytes,
    ) -> Self {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        Self { what, status, headers: map, body }
    }

    /// Fails the test unless the status is `status`.
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        let shown = self.text().chars().take(600).collect::<String>();
        assert_eq!(self.status, status, "{}: {shown}", self.what);
        self
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{}: {error} in {}", self.what, self.text()))
    }

    /// A header's value, when it is there once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().unwrap();
        assert!(values.next().is_none(), "{}: {name} is sent twice", self.what);
        Some(value)
    }
}
