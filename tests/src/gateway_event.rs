//! API Gateway's HTTP API, payload format 2.0: requests as the events a function is given, and
//! what a function returns as answers.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Answer, Request};

/// The host the gateway is known by; discovery has to name it.
pub const HOST: &str = "intel.example.com";

/// The event for a request: headers in lower case, repeated ones joined with a comma, the body
/// in base64 as the gateway sends bodies that it does not know to be text.
pub fn event(request: &Request) -> Value {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let now = chrono::Utc::now();
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers(request),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": HOST,
            "domainPrefix": "intel",
            "http": {
                "method": request.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "blackbox",
            },
            "requestId": Uuid::new_v4().to_string(),
            "routeKey": "$default",
            "stage": "$default",
            "time": now.format("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.timestamp_millis(),
        },
        "isBase64Encoded": false,
    });
    if !request.body.is_empty() {
        event["body"] = json!(BASE64.encode(&request.body));
        event["isBase64Encoded"] = json!(true);
    }
    event
}

fn headers(request: &Request) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &request.headers {
        headers
            .entry(name.to_ascii_lowercase())
            .and_modify(|old| *old = format!("{old},{value}"))
            .or_insert_with(|| value.clone());
    }
    headers.insert("host".into(), HOST.into());
    headers.insert("x-forwarded-proto".into(), "https".into());
    headers.insert("x-forwarded-port".into(), "443".into());
    headers.insert("x-forwarded-for".into(), "192.0.2.1".into());
    headers.insert("content-length".into(), request.body.len().to_string());
    headers
}

/// The answer in what a function returned.
pub fn answer(what: String, returned: &[u8]) -> Answer {
    let returned: Value = serde_json::from_slice(returned)
        .unwrap_or_else(|error| panic!("{what}: the function returned no JSON: {error}"));
    let status = returned["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    let text = returned["body"].as_str().unwrap_or_default();
    let body = if returned["isBase64Encoded"] == true {
        Bytes::from(BASE64.decode(text).unwrap())
    } else {
        Bytes::from(text.to_owned())
    };
    let mut headers = Vec::new();
    for (name, value) in returned["headers"].as_object().into_iter().flatten() {
        headers.push((name.clone(), value.as_str().unwrap_or_default().to_owned()));
    }
    for (name, values) in returned["multiValueHeaders"].as_object().into_iter().flatten() {
        if !headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            let values = values.as_array().into_iter().flatten().filter_map(Value::as_str);
            headers.extend(values.map(|value| (name.clone(), value.to_owned())));
        }
    }
    Answer::from_parts(what, status.expect("a function's answer has a statusCode"), &headers, body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;

    #[test]
    fn repeated_headers_are_joined_and_bodies_are_base64() {
        let client = Client::http("http://127.0.0.1:1").with_key("k");
        let request = client.post("/a/b?c=%20d").accept("x").accept("y").body("text/plain", "é");
        let event = event(&request);
        assert_eq!(event["rawPath"], "/a/b");
        assert_eq!(event["rawQueryString"], "c=%20d");
        assert_eq!(event["headers"]["accept"], "x,y");
        assert_eq!(event["headers"]["authorization"], "Bearer k");
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("w6k="), &json!(true)));
    }

    #[test]
    fn an_answer_has_its_headers_once() {
        let returned = json!({"statusCode": 401, "headers": {"www-authenticate": "Basic"},
            "multiValueHeaders": {"www-authenticate": ["Basic"], "vary": ["a", "b"]},
            "body": "w6k=", "isBase64Encoded": true});
        let answer = answer("test".into(), returned.to_string().as_bytes());
        assert_eq!((answer.status, answer.text()), (401, "é".to_owned()));
        assert_eq!(answer.header("www-authenticate"), Some("Basic"));
        assert_eq!(answer.headers.get_all("vary").iter().count(), 2);
    }
}
