//! The management API: of a running service over HTTP, or of the tables of a stack, through the
//! same function, run here with the rights of whoever runs it.

use std::pin::Pin;

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Client;
use serde_json::Value;
use shared::audit::Actor;
use shared::services::Services;

use super::Fault;
use crate::http_client;

const BASE: &str = "/api/v1/manage";
/// So often a resource may change under a change.
const CHANGED_MEANWHILE: usize = 5;
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// A way to the management API.
pub struct Api(Way);

enum Way {
    Http { client: Client, url: String, key: String },
    Direct { services: Box<Services>, actor: Actor },
}

/// An answer: its status, its `ETag` and its JSON.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The resource's revision.
    pub etag: Option<String>,
    /// The body; null where there is none.
    pub body: Value,
}

/// A path below the API's, of segments that may hold anything.
#[must_use]
pub fn path(segments: &[&str]) -> String {
    let encoded = segments.iter().map(|one| utf8_percent_encode(one, SEGMENT).to_string());
    encoded.collect::<Vec<_>>().join("/")
}

/// A query parameter.
#[must_use]
pub fn parameter(name: &str, value: &str) -> String {
    format!("{name}={}", utf8_percent_encode(value, SEGMENT))
}

impl Api {
    /// The API of the service at `url`.
    ///
    /// # Errors
    /// When that is no address.
    pub fn http(url: &str, key: &str) -> Result<Self, Fault> {
        let client = http_client::to(url).map_err(|error| Fault::new(error.to_string()))?;
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            let fault = Fault::new("the key is no API key");
            return Err(fault.hint("it looks like iocast_<id>_<secret>; check --key, IOCAST_KEY"));
        }
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self(Way::Http { client, url, key: key.to_owned() }))
    }

    /// The API run here, over the tables `services` knows.
    #[must_use]
    pub fn direct(services: Services, actor: Actor) -> Self {
        Self(Way::Direct { services: Box::new(services), actor })
    }

    /// Asks, whatever the answer.
    ///
    /// # Errors
    /// When there is none.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        if_match: Option<&str>,
    ) -> Result<Answer, Fault> {
        match &self.0 {
            Way::Http { client, url, key } => {
                let method = reqwest::Method::from_bytes(method.as_bytes())
                    .map_err(|error| Fault::new(error.to_string()))?;
                let mut request =
                    client.request(method, format!("{url}{BASE}/{path}")).header("X-API-Key", key);
                if let Some(tag) = if_match {
                    request = request.header("If-Match", tag);
                }
                if let Some(body) = body {
                    request = request.json(body);
                }
                let unreachable = |error: reqwest::Error| unreachable(url, &error);
                let answer = request.send().await.map_err(unreachable)?;
                let status = answer.status().as_u16();
                let etag = answer.headers().get("etag").and_then(|tag| tag.to_str().ok());
                let etag = etag.map(str::to_owned);
                let bytes = answer.bytes().await.map_err(unreachable)?;
                let body = serde_json::from_slice(&bytes).unwrap_or_default();
                Ok(Answer { status, etag, body })
            }
            Way::Direct { services, actor } => {
                let mut request = http::Request::builder()
                    .method(method)
                    .uri(format!("https://localhost{BASE}/{path}"))
                    .header("content-type", "application/json");
                if let Some(tag) = if_match {
                    request = request.header("if-match", tag);
                }
                let body = body.map_or(Body::Empty, |body| Body::Text(body.to_string()));
                let request = request.body(body).map_err(|error| Fault::new(error.to_string()))?;
                // As the local server calls a function: its type is nobody else's business.
                let answering: Pin<Box<dyn Future<Output = Response<Body>> + Send>> =
                    Box::pin(manage::handle_as(services, actor, request));
                let answer = answering.await;
                let etag = answer.headers().get("etag").and_then(|tag| tag.to_str().ok());
                Ok(Answer {
                    status: answer.status().as_u16(),
                    etag: etag.map(str::to_owned),
                    body: serde_json::from_slice(answer.body()).unwrap_or_default(),
                })
            }
        }
    }

    /// Asks for what must succeed.
    ///
    /// # Errors
    /// The answer's own words when it does not.
    pub async fn must(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        if_match: Option<&str>,
    ) -> Result<Answer, Fault> {
        let answer = self.ask(method, path, body, if_match).await?;
        if (200..300).contains(&answer.status) { Ok(answer) } else { Err(self.refused(&answer)) }
    }

    /// Changes a resource that was read as `tag`. The service itself changes one too, such as a
    /// collection whose rebuilding ends: it is read again then, and changed where `still_meant`
    /// says so of what it is by now.
    ///
    /// # Errors
    /// As [`Api::must`].
    pub async fn change(
        &self,
        place: &str,
        patch: &Value,
        tag: String,
        still_meant: impl Fn(&Value) -> bool,
    ) -> Result<Answer, Fault> {
        let mut answer = self.ask("PATCH", place, Some(patch), Some(&tag)).await?;
        for _ in 0..CHANGED_MEANWHILE {
            if answer.status != StatusCode::PRECONDITION_FAILED.as_u16() {
                break;
            }
            let now = self.must("GET", place, None, None).await?;
            let Some(tag) = now.etag.filter(|_| still_meant(&now.body)) else { break };
            answer = self.ask("PATCH", place, Some(patch), Some(&tag)).await?;
        }
        if (200..300).contains(&answer.status) { Ok(answer) } else { Err(self.refused(&answer)) }
    }

    /// Every item of a list, or as many as `max`.
    ///
    /// # Errors
    /// As [`Api::must`].
    pub async fn list(
        &self,
        name: &str,
        filter: Option<&str>,
        max: usize,
    ) -> Result<Vec<Value>, Fault> {
        let mut all = Vec::new();
        let mut cursor: Option<String> = None;
        while all.len() < max {
            let mut query = vec![format!("limit={}", (max - all.len()).min(100))];
            query.extend(filter.map(str::to_owned));
            query.extend(cursor.take().map(|cursor| parameter("cursor", &cursor)));
            let page = self.must("GET", &format!("{name}?{}", query.join("&")), None, None).await?;
            let items = page.body.get(name).and_then(Value::as_array);
            all.extend(items.cloned().unwrap_or_default());
            cursor = page.body.get("next").and_then(Value::as_str).map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        Ok(all)
    }

    /// An answer that is an error, in its own words.
    #[must_use]
    pub fn refused(&self, answer: &Answer) -> Fault {
        let error = &answer.body["error"];
        let code = error["code"].as_str().unwrap_or_default();
        let Some(message) = error["message"].as_str() else {
            return self.strange(answer.status);
        };
        let fault = Fault::new(message);
        match code {
            "missing_api_key" | "invalid_api_key" | "expired_api_key" | "revoked_api_key" => {
                fault.hint("give an admin key with --key or IOCAST_KEY")
            }
            "missing_scope" => fault.hint("managing takes a key with the scope admin"),
            "changed" => fault.hint("look at it again with `show`, then repeat the command"),
            _ => fault,
        }
    }

    fn strange(&self, status: u16) -> Fault {
        match &self.0 {
            Way::Http { url, .. } => {
                Fault::new(format!("{url} answers {status}, but not as iocast does"))
                    .hint("is the address right? `iocast doctor` looks closer")
            }
            Way::Direct { .. } => Fault::new(format!("the tables answer {status}")),
        }
    }
}

fn unreachable(url: &str, error: &reqwest::Error) -> Fault {
    let why = if error.is_timeout() {
        "it does not answer in time".to_owned()
    } else if error.is_connect() {
        "nothing answers there".to_owned()
    } else {
        error.to_string()
    };
    Fault::new(format!("cannot reach {url}: {why}"))
        .hint("start a service with `iocast serve`, or name another with --url")
}
