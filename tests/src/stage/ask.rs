//! What a function of requests is asked.

use lambda_http::{Body, Request};

use crate::client::{self, Client};

/// A request.
#[derive(Debug, Clone)]
pub struct Ask {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Ask {
    /// A request without a body.
    pub fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body: String::new() }
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, kind: &str, body: impl Into<String>) -> Self {
        self.body = body.into();
        self.header("content-type", kind)
    }

    /// As a client sends it.
    pub(crate) fn by(self, client: &Client) -> client::Request {
        let mut request = client.request(self.method, &self.path);
        for (name, value) in self.headers {
            request = request.header(name, &value);
        }
        request.body = self.body.into();
        request
    }

    /// As it reaches the function, with a key.
    pub(super) fn signed(self, key: &str) -> Request {
        let mut request = http::Request::builder()
            .method(self.method)
            .uri(format!("https://intel.example.com{}", self.path))
            .header("authorization", format!("Bearer {key}"));
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let body = if self.body.is_empty() { Body::Empty } else { Body::Text(self.body) };
        request.body(body).unwrap()
    }
}
