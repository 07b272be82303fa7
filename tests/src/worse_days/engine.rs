//! The way to the engine behind the proxy.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client as Pool, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::answer::Answer;
use super::key::{Key, KeyNames};
use super::request::TARGET;

/// The connection to the client is cut without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut: {0}")]
pub(super) struct Cut(pub(super) String);

/// The engine.
#[derive(Debug)]
pub(super) struct Engine {
    url: String,
    pool: Pool<HttpConnector, Full<Bytes>>,
    tables: Mutex<HashMap<String, KeyNames>>,
}

impl Engine {
    pub(super) fn at(address: SocketAddr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let pool = Pool::builder(TokioExecutor::new()).build(connector);
        Self { url: format!("http://{address}/"), pool, tables: Mutex::default() }
    }

    /// Sends a request on as it came.
    pub(super) async fn forward(&self, headers: &HeaderMap, body: Bytes) -> Result<Answer, Cut> {
        let mut request = Request::builder().method(Method::POST).uri(&self.url);
        for (name, value) in headers {
            if !matches!(name.as_str(), "connection" | "content-length" | "transfer-encoding") {
                request = request.header(name, value);
            }
        }
        let failed = |what: String| Cut(format!("the engine does not answer: {what}"));
        let request = request.body(Full::new(body)).map_err(|error| failed(error.to_string()))?;
        let sent =
            self.pool.request(request).await.map_err(|error| failed(format!("{error:?}")))?;
        let (head, body) = sent.into_parts();
        let body = body.collect().await.map_err(|error| failed(error.to_string()))?.to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    /// Asks the engine something of its own, with the credentials of a client's request.
    async fn ask(&self, client: &HeaderMap, operation: &str, body: Value) -> Result<Value, Cut> {
        let mut headers = client.clone();
        let target = HeaderValue::from_str(&format!("{TARGET}{operation}")).unwrap();
        headers.insert("x-amz-target", target);
        let answer = self.forward(&headers, Bytes::from(body.to_string())).await?;
        answer.done().ok_or_else(|| Cut(format!("{operation}: {answer:?}")))
    }

    /// The names of a table's key attributes; `None` when there is no such table.
    pub(super) async fn key_names(&self, client: &HeaderMap, table: &str) -> Option<KeyNames> {
        if let Some(known) = self.known_key_names(table) {
            return Some(known);
        }
        let described =
            self.ask(client, "DescribeTable", json!({"TableName": table})).await.ok()?;
        let names = KeyNames::of(&described)?;
        self.tables.lock().unwrap().insert(table.to_owned(), names.clone());
        Some(names)
    }

    /// The same, of a table that was asked for before.
    pub(super) fn known_key_names(&self, table: &str) -> Option<KeyNames> {
        self.tables.lock().unwrap().get(table).cloned()
    }

    /// An item as it is now.
    pub(super) async fn item(
        &self,
        client: &HeaderMap,
        key: &Key,
        attributes: &Value,
    ) -> Result<Option<Value>, Cut> {
        let get = json!({"TableName": key.table, "Key": attributes, "ConsistentRead": true});
        let mut answer = self.ask(client, "GetItem", get).await?;
        Ok(answer.get_mut("Item").map(Value::take))
    }
}
