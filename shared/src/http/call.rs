//! One request, as handlers see it.

use std::sync::{Arc, OnceLock};

use lambda_http::http::header::{ACCEPT_ENCODING, CONTENT_TYPE, HOST};
use lambda_http::http::{HeaderMap, HeaderName, Method};
use lambda_http::{Body, Request};
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use super::body::{self, BodyError};
use super::line::{self, Asker, Line};
use super::{Query, QueryError};
use crate::access::{Caller, Quota};

/// One request.
#[derive(Debug)]
pub struct Call {
    /// Its id, which every answer and log line carries.
    pub request_id: Uuid,
    /// The method; `HEAD` is handled as `GET` and loses its body at the end.
    pub method: Method,
    /// The decoded segments of the path; a final slash makes none.
    pub path: Vec<String>,
    raw_query: String,
    headers: HeaderMap,
    body: Body,
    quota: Arc<OnceLock<Quota>>,
    asker: Asker,
}

/// What an answer must know of its request.
#[derive(Clone, Debug)]
pub struct Frame {
    pub(super) request_id: Uuid,
    pub(super) head: bool,
    pub(super) accept_encoding: Option<String>,
    /// What is left of the caller's limit, once that is known.
    pub(super) quota: Arc<OnceLock<Quota>>,
}

impl Call {
    /// The request, and the log line of what comes of it.
    pub(super) fn begin(request: Request) -> (Self, Line) {
        let request_id = Uuid::new_v4();
        let line = Line::begin(&request, request_id);
        (Self::new(request, request_id, line.asker.clone()), line)
    }

    fn new(request: Request, request_id: Uuid, asker: Asker) -> Self {
        let (parts, body) = request.into_parts();
        // One final slash may be there or not; any other empty segment is part of the name.
        let path = parts.uri.path();
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path
            .strip_suffix('/')
            .unwrap_or(path)
            .split('/')
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        Self {
            request_id,
            method: parts.method,
            path,
            raw_query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body,
            quota: Arc::default(),
            asker,
        }
    }

    /// The log line will say who asks.
    pub(super) fn asked_by(&self, caller: &Caller) {
        line::note(&self.asker, caller);
    }

    pub(super) fn frame(&self) -> Frame {
        Frame {
            request_id: self.request_id,
            head: self.method == Method::HEAD,
            accept_encoding: self.header(&ACCEPT_ENCODING).map(str::to_owned),
            quota: self.quota.clone(),
        }
    }

    /// The answer will say what is left of the caller's limit. Only the first call counts.
    pub(super) fn tell(&self, quota: Option<Quota>) {
        if let Some(quota) = quota {
            let _ = self.quota.set(quota);
        }
    }

    /// Whether the request only reads: `GET` or `HEAD`.
    #[must_use]
    pub fn reads(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    /// The path's segments, for matching.
    #[must_use]
    pub fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// A header's value, if it is text.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The type of the body, empty when not said.
    #[must_use]
    pub fn content_type(&self) -> &str {
        self.header(&CONTENT_TYPE).unwrap_or_default()
    }

    /// The query's parameters.
    ///
    /// # Errors
    /// When they cannot be decoded.
    pub fn query(&self) -> Result<Query, QueryError> {
        Query::parse(&self.raw_query)
    }

    /// The body, decompressed.
    ///
    /// # Errors
    /// When it is too large, or not compressed as it says.
    pub fn body(&self) -> Result<Vec<u8>, BodyError> {
        body::decode(&self.body, &self.headers)
    }

    /// The URL clients reach the service by, without a final slash: the configured one, else the
    /// forwarded scheme and host.
    #[must_use]
    pub fn base_url(&self, configured: Option<&str>) -> String {
        if let Some(base) = configured {
            return base.trim_end_matches('/').to_owned();
        }
        let forwarded = |name: &'static str| self.header(&HeaderName::from_static(name));
        let first = |value: &str| value.split(',').next().unwrap_or_default().trim().to_owned();
        let scheme = forwarded("x-forwarded-proto").map_or_else(|| "https".to_owned(), first);
        let scheme = if scheme == "http" { "http" } else { "https" };
        let host = forwarded("x-forwarded-host").or_else(|| self.header(&HOST));
        format!("{scheme}://{}", host.map_or_else(|| "localhost".to_owned(), first))
    }
}
