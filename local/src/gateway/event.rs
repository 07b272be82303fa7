//! A request as the event a function gets from an HTTP API, payload format 2.0.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HOST, USER_AGENT};
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::routing::Match;
use crate::template::ACCOUNT;

/// What the gateway knows about a request besides the request itself.
pub(super) struct Circumstances<'a> {
    pub(super) route: &'a Match<'a>,
    pub(super) peer: SocketAddr,
    pub(super) local: SocketAddr,
    pub(super) request_id: &'a str,
    pub(super) at: DateTime<Utc>,
}

/// The event as JSON text.
pub(super) fn event(parts: &Parts, body: &[u8], about: &Circumstances<'_>) -> String {
    let raw_path = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
    let query = parts.uri.query().unwrap_or_default();
    let host = header(&parts.headers, &HOST).unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": about.route.route_key,
        "rawPath": raw_path,
        "rawQueryString": query,
        "headers": headers(&parts.headers, about),
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": host,
            "domainPrefix": host.split('.').next().unwrap_or_default(),
            "http": {
                "method": parts.method.as_str(),
                "path": raw_path,
                "protocol": format!("{:?}", parts.version),
                "sourceIp": about.peer.ip().to_string(),
                "userAgent": header(&parts.headers, &USER_AGENT).unwrap_or_default(),
            },
            "requestId": about.request_id,
            "routeKey": about.route.route_key,
            "stage": "$default",
            "time": about.at.format("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": about.at.timestamp_millis(),
        },
        "isBase64Encoded": false,
    });
    let mut set = |name: &str, value: Value| {
        if let Some(object) = event.as_object_mut() {
            object.insert(name.to_owned(), value);
        }
    };
    let cookies = cookies(&parts.headers);
    if !cookies.is_empty() {
        set("cookies", json!(cookies));
    }
    if !query.is_empty() {
        set("queryStringParameters", json!(query_parameters(query)));
    }
    if !about.route.parameters.is_empty() {
        set("pathParameters", json!(about.route.parameters));
    }
    match text(&parts.headers, body) {
        _ if body.is_empty() => {}
        Some(text) => set("body", Value::String(text.to_owned())),
        None => {
            set("body", Value::String(STANDARD.encode(body)));
            set("isBase64Encoded", Value::Bool(true));
        }
    }
    event.to_string()
}

/// Lower-case names; several of one name joined by commas, as the gateway does.
fn headers(all: &HeaderMap, about: &Circumstances<'_>) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in all {
        let value = String::from_utf8_lossy(value.as_bytes());
        if name == COOKIE {
            continue;
        }
        match headers.get_mut(name.as_str()) {
            Some(joined) => {
                joined.push(',');
                joined.push_str(&value);
            }
            None => {
                headers.insert(name.as_str().to_owned(), value.into_owned());
            }
        }
    }
    let peer = about.peer.ip().to_string();
    headers
        .entry("x-forwarded-for".to_owned())
        .and_modify(|chain| *chain = format!("{chain}, {peer}"))
        .or_insert(peer);
    headers.insert("x-forwarded-proto".to_owned(), "http".to_owned());
    headers.insert("x-forwarded-port".to_owned(), about.local.port().to_string());
    headers
}

fn header<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .map(|cookie| cookie.trim().to_owned())
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

/// Decoded; several of one name joined by commas, as the gateway does.
fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|joined| {
                joined.push(',');
                joined.push_str(&value);
            })
            .or_insert_with(|| value.clone().into_owned());
    }
    parameters
}

/// The body, if the gateway hands it over as text; everything else comes as base64.
fn text<'a>(headers: &HeaderMap, body: &'a [u8]) -> Option<&'a str> {
    const TEXT: [&str; 4] = [
        "application/json",
        "application/javascript",
        "application/xml",
        "application/vnd.api+json",
    ];
    if headers.contains_key(CONTENT_ENCODING) {
        return None;
    }
    let media_type = header(headers, &CONTENT_TYPE)?.split(';').next()?.trim().to_ascii_lowercase();
    if media_type.starts_with("text/") || TEXT.contains(&media_type.as_str()) {
        return std::str::from_utf8(body).ok();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::RequestExt;

    fn event_of(request: http::Request<&[u8]>) -> String {
        let (parts, body) = request.into_parts();
        let route = Match {
            function: "F",
            route_key: "ANY /o/{id}".into(),
            parameters: BTreeMap::from([("id".into(), "a b".into())]),
        };
        let about = Circumstances {
            route: &route,
            peer: "192.0.2.7:5000".parse().unwrap(),
            local: "127.0.0.1:8080".parse().unwrap(),
            request_id: "r-1",
            at: DateTime::from_timestamp_millis(1_700_000_000_123).unwrap(),
        };
        event(&parts, body, &about)
    }

    #[test]
    fn an_event_has_the_members_of_payload_format_2() {
        let request = http::Request::get("/o/a%20b?x=1&y=%2C&x=2")
            .header("Host", "localhost:8080")
            .header("Accept", "a")
            .header("accept", "b")
            .header("Cookie", "k=v; l=w")
            .header("User-Agent", "ua")
            .body(&b""[..])
            .unwrap();
        let event: Value = serde_json::from_str(&event_of(request)).unwrap();
        assert_eq!(event["version"], "2.0");
        assert_eq!(event["rawPath"], "/o/a b");
        assert_eq!(event["rawQueryString"], "x=1&y=%2C&x=2");
        assert_eq!(event["headers"]["accept"], "a,b");
        assert_eq!(event["headers"].get("cookie"), None);
        assert_eq!(event["cookies"], json!(["k=v", "l=w"]));
        assert_eq!(event["queryStringParameters"], json!({"x": "1,2", "y": ","}));
        assert_eq!(event["pathParameters"], json!({"id": "a b"}));
        let http = &event["requestContext"]["http"];
        assert_eq!(http["method"], "GET");
        assert_eq!(http["sourceIp"], "192.0.2.7");
        assert_eq!(http["protocol"], "HTTP/1.1");
        assert_eq!(event["requestContext"]["timeEpoch"], 1_700_000_000_123_i64);
        assert_eq!(event["requestContext"]["time"], "14/Nov/2023:22:13:20 +0000");
        assert_eq!(event.get("body"), None);
    }

    #[test]
    fn the_runtime_library_reads_the_event_back() {
        let request = http::Request::post("/o/x?added_after=2020-01-01T00:00:00%2B01:00")
            .header("Host", "localhost:8080")
            .header("Content-Type", "application/taxii+json;version=2.1")
            .body(&br#"{"objects":[]}"#[..])
            .unwrap();
        let event = event_of(request);
        assert!(event.contains(r#""isBase64Encoded":true"#));
        let request = lambda_http::request::from_str(&event).unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(request.uri().path(), "/o/x");
        assert_eq!(request.uri().scheme_str(), Some("http"));
        assert_eq!(request.raw_http_path(), "/o/x");
        assert_eq!(request.body().as_ref(), br#"{"objects":[]}"#);
    }

    #[test]
    fn only_text_types_come_as_text() {
        let body = |kind: &str, encoding: Option<&str>| {
            let mut request = http::Request::post("/").header("Content-Type", kind);
            if let Some(encoding) = encoding {
                request = request.header("Content-Encoding", encoding);
            }
            let event: Value =
                serde_json::from_str(&event_of(request.body(&b"{}"[..]).unwrap())).unwrap();
            event["body"].as_str().unwrap().to_owned()
        };
        assert_eq!(body("application/json; charset=utf-8", None), "{}");
        assert_eq!(body("text/csv", None), "{}");
        assert_eq!(body("application/x-ndjson", None), "e30=");
        assert_eq!(body("application/json", Some("gzip")), "e30=");
    }
}
